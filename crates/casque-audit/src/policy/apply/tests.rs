use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::db::{Builder, Database};
use crate::matching::Context;
use crate::osv::Record;
use crate::policy::Versions;
use crate::report::assess;
use crate::{Kind, Limits, Manifests, parse};

const TODAY: Date = date(2026, 11, 23);

const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
  "": {"name": "app", "dependencies": {"a": "1", "b": "1"}, "devDependencies": {"tool": "1"}},
  "node_modules/a": {"version": "1.0.0", "dependencies": {"c": "1"}},
  "node_modules/b": {"version": "1.0.0", "dependencies": {"c": "1"}},
  "node_modules/tool": {"version": "1.0.0", "dev": true, "dependencies": {"a": "1"}},
  "node_modules/c": {"version": "1.0.0"},
  "node_modules/open": {"version": "1.0.0"},
  "node_modules/bad": {"version": "1.0.0"}}}"#;

fn record(id: &str, package: &str, end: &str, rest: &str) -> String {
    format!(
        r#"{{"id": "{id}", "modified": "2026-01-01T00:00:00Z"{rest}, "affected": [{{"package": {{"ecosystem": "npm", "name": "{package}"}},
            "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}{end}]}}]}}]}}"#
    )
}

/// What is left of the report, what was taken out, and what is said, after these entries.
fn run(ignores: Vec<Ignore>, unfixable: bool, scope: Scope) -> (Vec<String>, Vec<String>, Vec<String>) {
    let records = [
        record("GHSA-aaaa-aaaa-aaaa", "c", r#", {"fixed": "1.0.1"}"#, r#", "aliases": ["CVE-2026-0001"]"#),
        record("GHSA-bbbb-bbbb-bbbb", "open", "", ""),
        record("MAL-2026-1", "bad", "", ""),
    ];
    let mut builder = Builder::default();
    records.iter().for_each(|json| builder.add(&Record::read(json.as_bytes()).unwrap()));
    let database = Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    let graph = parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    let mut report = assess("/somewhere/web/package-lock.json", Kind::Npm, &graph, &database, &Context::default(), scope).unwrap();
    let policy = Policy { ignores, ..Policy::default() };
    let mut applied = Applied::new(&policy, TODAY, unfixable);
    applied.apply("web/package-lock.json", &mut report, &graph, scope);
    let left = report.hits.iter().map(|hit| hit.package.name.to_string()).collect();
    let out = report.ignored.iter().map(|ignored| ignored.package.name.to_string()).collect();
    (left, out, applied.remarks(true).into_iter().map(|remark| remark.message).collect())
}

fn of(id: &str) -> Ignore {
    Ignore { id: id.to_owned(), reason: "why not".to_owned(), ..Ignore::default() }
}

/// Whether an entry takes the finding in `c` out, and what is said of it.
fn hides_c(ignore: Ignore) -> (bool, Vec<String>) {
    let (left, out, remarks) = run(vec![ignore], false, Scope::default());
    assert_eq!(left.contains(&"c".to_owned()), !out.contains(&"c".to_owned()));
    (out == ["c"], remarks)
}

#[test]
fn any_alias_counts_and_every_bound_narrows() {
    let versions = |text| Some(Versions::parse(text).unwrap());
    for (ignore, hidden) in [
        (of("GHSA-aaaa-aaaa-aaaa"), true),
        (of("cve-2026-0001"), true),
        (Ignore { package: Some("c".to_owned()), versions: versions("<1.0.1"), ..of("CVE-2026-0001") }, true),
        (Ignore { package: Some("a".to_owned()), ..of("CVE-2026-0001") }, false),
        (Ignore { versions: versions(">=2"), ..of("CVE-2026-0001") }, false),
        (Ignore { lockfile: Some("web".to_owned()), ..of("CVE-2026-0001") }, true),
        (Ignore { lockfile: Some("api".to_owned()), ..of("CVE-2026-0001") }, false),
        (of("CVE-2026-0002"), false),
    ] {
        let (hides, remarks) = hides_c(ignore.clone());
        assert_eq!(hides, hidden, "{ignore:?}");
        let unused = format!("the ignore of {} matches nothing; take it out", ignore.id);
        assert_eq!(remarks, if hidden { vec![] } else { vec![unused] });
    }
}

#[test]
fn an_entry_ends_after_its_last_day() {
    assert_eq!(hides_c(Ignore { expires: Some(TODAY), ..of("CVE-2026-0001") }), (true, vec![]));
    let (hides, remarks) = hides_c(Ignore { expires: Some(date(2026, 11, 22)), ..of("CVE-2026-0001") });
    assert!(!hides);
    assert_eq!(remarks, ["the ignore of CVE-2026-0001 ended on 2026-11-22; what it hid is reported again"]);
    let (_, remarks) = hides_c(Ignore { expires: Some(date(2026, 11, 22)), ..of("CVE-2026-0009") });
    assert_eq!(remarks, ["the ignore of CVE-2026-0009 ended on 2026-11-22 and matches nothing any more; take it out"]);
}

#[test]
fn an_entry_until_there_is_a_fix_ends_with_one() {
    let (hides, remarks) = hides_c(Ignore { until_fixable: true, ..of("CVE-2026-0001") });
    assert!(!hides);
    assert_eq!(remarks, ["the ignore of CVE-2026-0001 has ended for c@1.0.0: 1.0.1 mends it"]);
    let (_, out, remarks) = run(vec![Ignore { until_fixable: true, ..of("GHSA-bbbb-bbbb-bbbb") }], false, Scope::default());
    assert_eq!((out, remarks), (vec!["open".to_owned()], vec![]));
}

#[test]
fn a_path_holds_only_with_all_the_others() {
    let path = |text| Ignore { path: Some(DependencyPath::parse(text).unwrap()), ..of("CVE-2026-0001") };
    let (hides, remarks) = hides_c(path("a > c"));
    assert!(!hides);
    assert_eq!(remarks, ["the ignore of CVE-2026-0001 does not hold for c@1.0.0: it is there by another way too, app > b@1.0.0 > c@1.0.0"]);
    let (_, out, _) = run(vec![path("* > a > c"), path("b > c")], false, Scope::default());
    assert_eq!(out, ["c"]);
    // Only a development dependency asks for it by the other way.
    let (_, out, _) = run(vec![path("a > c"), path("b > c")], false, Scope { prod: true });
    assert_eq!(out, ["c"]);
    let (_, out, _) = run(vec![path("a > c"), path("b > c")], false, Scope::default());
    assert!(out.is_empty());
}

#[test]
fn malware_is_never_ignored_silently() {
    let day = Some(date(2026, 12, 1));
    for plain in [of("MAL-2026-1"), Ignore { expires: day, ..of("MAL-2026-1") }, Ignore { allow_malware: true, ..of("MAL-2026-1") }] {
        let (left, out, remarks) = run(vec![plain], true, Scope::default());
        assert!(left.contains(&"bad".to_owned()) && out == ["open"], "{left:?}");
        assert!(remarks[0].contains("it is malware") && remarks[0].contains("allow-malware"), "{remarks:?}");
    }
    let (_, out, remarks) = run(vec![Ignore { expires: day, allow_malware: true, ..of("MAL-2026-1") }], false, Scope::default());
    assert_eq!(out, ["bad"]);
    assert_eq!(remarks, ["malware is ignored until 2026-12-01: MAL-2026-1 in bad@1.0.0"]);
}

#[test]
fn what_nothing_mends_is_left_out_on_demand() {
    let (left, out, remarks) = run(Vec::new(), true, Scope::default());
    assert_eq!((left, out, remarks), (vec!["bad".to_owned(), "c".to_owned()], vec!["open".to_owned()], vec![]));
}

#[test]
fn what_another_fix_mends_too_is_fixable() {
    let records = [
        record("GHSA-aaaa-aaaa-aaaa", "c", r#", {"fixed": "1.0.1"}"#, ""),
        record("GHSA-cccc-cccc-cccc", "c", r#", {"last_affected": "1.0.0"}"#, ""),
    ];
    let mut builder = Builder::default();
    records.iter().for_each(|json| builder.add(&Record::read(json.as_bytes()).unwrap()));
    let database = Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    let graph = parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    let report = assess("l", Kind::Npm, &graph, &database, &Context::default(), Scope::default()).unwrap();
    let fixes: Vec<String> = report.findings().map(|(hit, finding)| hit.fix(finding).unwrap().to_string()).collect();
    assert_eq!(fixes, ["1.0.1", "1.0.1"]);
}

#[test]
fn what_was_not_looked_at_is_not_called_useless() {
    let policy = Policy { ignores: vec![of("CVE-2026-0009")], ..Policy::default() };
    assert_eq!(Applied::new(&policy, TODAY, false).remarks(false), []);
    assert_eq!(Applied::new(&policy, TODAY, false).remarks(true).len(), 1);
    assert_eq!(Applied::new(&policy, TODAY, false).idle().collect::<Vec<_>>(), [0]);
}
