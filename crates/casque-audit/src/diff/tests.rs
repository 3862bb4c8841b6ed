use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::db::{Builder, Database};
use crate::matching::Context;
use crate::osv::Record;
use crate::report::{Bar, IgnoredBy, Scope, assess, clean};
use crate::supply::notices;
use crate::{Limits, Manifests, parse};

fn database() -> Database {
    let mut builder = Builder::default();
    for (id, name, fixed) in [("GHSA-aaaa-aaaa-aaaa", "a", "1.2.0"), ("GHSA-bbbb-bbbb-bbbb", "b", "2.0.0")] {
        let json = format!(
            r#"{{"id": "{id}", "modified": "2026-01-01T00:00:00Z", "summary": "Bad", "database_specific": {{"severity": "HIGH"}},
            "affected": [{{"package": {{"ecosystem": "npm", "name": "{name}"}}, "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
        );
        builder.add(&Record::read(json.as_bytes()).unwrap());
    }
    Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap()
}

struct State(Graph, Report);

impl State {
    fn new(packages: &str) -> Self {
        let text = format!("{{\"lockfileVersion\": 3, \"packages\": {{{packages}}}}}");
        let graph = parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
        let mut report = assess("package-lock.json", Kind::Npm, &graph, &database(), &Context::default(), Scope::default()).unwrap();
        report.notices = notices(&graph, Kind::Npm, &Settings::default());
        Self(graph, report)
    }

    fn side(&self) -> Side<'_> {
        Side { graph: &self.0, report: &self.1 }
    }
}

fn between(base: &str, head: &str) -> Diff {
    let (base, head) = (State::new(base), State::new(head));
    diff("package-lock.json", Kind::Npm, Some(base.side()), Some(head.side()), &Settings::default())
}

const NAMES: Names<'static> = Names { base: "main", head: "now" };

fn findings(hits: &[Hit]) -> Vec<String> {
    hits.iter().flat_map(|hit| hit.findings.iter().map(|f| format!("{} {}", hit.package, f.id))).collect()
}

#[test]
fn only_what_the_base_lacks_is_new() {
    let base = r#""": {"dependencies": {"a": "1", "c": "1"}}, "node_modules/a": {"version": "1.0.0", "integrity": "sha512-A"}, "node_modules/c": {"version": "1.0.0", "integrity": "sha512-C"}"#;
    let same = between(base, base);
    assert!(same.is_empty() && !same.fails(Gate::default()) && same.kept == 1);
    // Another version with the same vulnerability, and a package with a new one.
    let head = r#""": {"dependencies": {"a": "1", "b": "1"}}, "node_modules/a": {"version": "1.1.0", "integrity": "sha512-B"}, "node_modules/b": {"version": "1.0.0", "integrity": "sha512-D"}"#;
    let change = between(base, head);
    assert_eq!(findings(&change.new.hits), ["b@1.0.0 GHSA-bbbb-bbbb-bbbb"]);
    assert!(change.fails(Gate::default()) && change.fixed.is_empty() && change.kept == 1);
    let told: Vec<String> = change.packages.iter().map(|c| format!("{} {} {}", text::sign(c), c.name, text::versions(c))).collect();
    assert_eq!(told, ["~ a 1.0.0 > 1.1.0", "+ b 1.0.0", "- c 1.0.0"]);
    assert_eq!(change.packages[0].step(), Some(Step::Minor));
    let back = between(head, base);
    assert_eq!(findings(&back.fixed), ["b@1.0.0 GHSA-bbbb-bbbb-bbbb"]);
    assert!(!back.fails(Gate::default()));
    assert_eq!(back.packages[0].step(), Some(Step::Down));
}

#[test]
fn a_lockfile_may_be_on_one_side_only() {
    let state = State::new(r#""": {"dependencies": {"b": "1"}}, "node_modules/b": {"version": "1.0.0"}"#);
    let added = diff("l", Kind::Npm, None, Some(state.side()), &Settings::default());
    assert!(added.fails(Gate::default()) && added.only == Some(Only::Head) && added.packages[0].is_added());
    let removed = diff("l", Kind::Npm, Some(state.side()), None, &Settings::default());
    assert!(!removed.fails(Gate::default()) && removed.fixed.len() == 1 && removed.packages[0].is_removed());
}

#[test]
fn what_the_policy_takes_out_of_the_head_alone_is_told() {
    let base = State::new(r#""": {}"#);
    let mut head = State::new(r#""": {"dependencies": {"b": "1"}}, "node_modules/b": {"version": "1.0.0", "integrity": "sha512-D"}"#);
    let hit = head.1.hits.remove(0);
    let by = IgnoredBy::Entry { reason: "trust me".to_owned(), expires: None, vex: None };
    head.1.ignored.push(Ignored { package: hit.package, site: None, finding: hit.findings[0].clone(), by });
    let change = diff("l", Kind::Npm, Some(base.side()), Some(head.side()), &Settings::default());
    assert!(!change.fails(Gate::default()) && change.new.ignored.len() == 1);
    for format in [Format::Text, Format::Json, Format::Markdown] {
        let out = render(format, std::slice::from_ref(&change), NAMES, Gate::default());
        assert!(out.contains("GHSA") && out.contains("ignored"), "{out}");
    }
    let none = diff("l", Kind::Npm, Some(head.side()), Some(head.side()), &Settings::default());
    assert!(none.is_empty());
}

#[test]
fn new_notices_are_those_of_the_change() {
    let entry = |version: &str, hash: &str, rest: &str| {
        format!(r#""": {{"dependencies": {{"x": "1"}}}}, "node_modules/x": {{"version": "{version}", "integrity": "{hash}"{rest}}}"#)
    };
    let told = |change: &Diff| change.new.notices.iter().map(|n| n.check.name()).collect::<Vec<_>>();
    let script = r#", "hasInstallScript": true"#;
    let plain = entry("1.0.0", "sha512-A", "");
    // The format tells it now: no news.
    assert_eq!(told(&between(&plain, &entry("1.0.0", "sha512-A", script))), Vec::<&str>::new());
    assert_eq!(told(&between(&plain, &entry("1.0.1", "sha512-B", script))), ["install-script"]);
    assert_eq!(told(&between(&entry("1.0.0", "sha512-A", script), &entry("1.0.1", "sha512-B", script))), Vec::<&str>::new());
    assert_eq!(told(&between(&plain, &entry("1.0.0", "sha512-B", ""))), ["changed-hash"]);
    assert_eq!(told(&between(&entry("1.0.0", "sha1-A", ""), &plain)), Vec::<&str>::new());
    assert_eq!(between(&entry("1.0.0", "sha1-A", ""), &plain).settled.len(), 1);
    let (base, head) = (State::new(&plain), State::new(&entry("1.0.0", "sha512-B", "")));
    let settings = Settings { deny: [Check::ChangedHash].into(), ..Settings::default() };
    assert!(diff("l", Kind::Npm, Some(base.side()), Some(head.side()), &settings).fails(Gate { bar: Bar::Never, ..Gate::default() }));
}

#[test]
fn origins_and_licences_are_compared() {
    let entry = |name: &str, address: &str, license: &str| {
        format!(
            r#""node_modules/{name}": {{"version": "1.0.0", "integrity": "sha512-A", "resolved": "{address}", "license": "{license}"}}"#
        )
    };
    let root = |names: &str| format!("\"\": {{\"dependencies\": {{{names}}}}}, ");
    let base = root(r#""x": "1", "y": "1""#)
        + &entry("x", "https://r.example/x/-/x-1.0.0.tgz", "MIT")
        + ", "
        + &entry("y", "https://r.example/y/-/y-1.0.0.tgz", "ISC");
    let head = root(r#""x": "1", "y": "git+https://g.example/y.git""#)
        + &entry("x", "https://r.example/x/-/x-1.0.0.tgz", "BUSL-1.1")
        + ", "
        + &entry("y", "git+https://u:secret@g.example/y.git#01", "ISC");
    let change = between(&base, &head);
    assert_eq!(
        change.origins_new.iter().map(|o| (o.source.word(), o.host.as_str(), o.count)).collect::<Vec<_>>(),
        [("git", "g.example", 1)]
    );
    assert!(change.origins_gone.is_empty());
    let licenses = change.licenses.as_ref().unwrap();
    assert_eq!(licenses.new, [("BUSL-1.1".to_owned(), vec!["x".to_owned()])]);
    assert_eq!((&licenses.gone[..], licenses.changed.len()), (&["MIT".to_owned()][..], 1));
    for (_, format) in Format::NAMES {
        let out = render(format, std::slice::from_ref(&change), NAMES, Gate::default());
        assert!(!out.contains("secret"), "{out}");
    }
    // A lockfile without licences says nothing about them.
    assert_eq!(between(&base, r#""": {}, "node_modules/x": {"version": "1.0.0"}"#).licenses, None);
}

#[test]
fn hostile_text_can_only_be_read_in_every_format() {
    const EVIL: &str = "X \\u001b]0;owned\\u0007</td><script>|`](javascript:1)\\r\\n## owned \\u202e@all [x](y)";
    let base = r#""": {"dependencies": {"x": "1"}}, "node_modules/x": {"version": "1.0.0", "integrity": "sha512-A", "license": "MIT"}"#;
    let head = format!(
        r#""": {{"dependencies": {{"{EVIL}": "1"}}}}, "node_modules/{EVIL}": {{"version": "{EVIL}", "license": "{EVIL}", "hasInstallScript": true, "deprecated": "{EVIL}",
        "resolved": "git+https://{EVIL}/x.git#{EVIL}"}}, "node_modules/b": {{"version": "1.0.0", "resolved": "https://h.example/{EVIL}"}}"#
    );
    let change = between(base, &head);
    for (name, format) in Format::NAMES {
        let mut out = render(format, std::slice::from_ref(&change), NAMES, Gate::default());
        while let Some(at) = out.find("\u{1b}[") {
            let end = at + out[at..].find('m').unwrap();
            out.replace_range(at..=end, "");
        }
        let leaked: Vec<char> = out.chars().filter(|c| clean::is_harmful(*c) && *c != '\n').collect();
        assert!(leaked.is_empty(), "{name}: {leaked:?}");
        match format {
            Format::Json | Format::Sarif => drop(serde_json::from_str::<Value>(&out).unwrap()),
            Format::Markdown => {
                assert!(!out.contains(['`', '@', '[']) && !out.contains("<script") && !out.contains("\n## owned"), "{out}");
            }
            Format::Text => assert!(!out.contains("\n## owned")),
        }
    }
}
