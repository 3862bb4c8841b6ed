use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::db::{Builder, Database, Verdict};
use crate::matching::Context;
use crate::osv::Record;
use crate::{Limits, Manifests, parse};

/// What a hostile advisory and lockfile would say: each format's way out, and the terminal's.
const EVIL: &str =
    "X \\u001b]0;owned\\u0007\\u009b31m</td><script>|`](javascript:1)\\r\\n## owned \\u202e\\u2028@all www.evil.example {0} [x](y)";

fn record(id: &str, package: &str, fixed: &str, rest: &str) -> String {
    format!(
        r#"{{"id": "{id}", "modified": "2026-01-01T00:00:00Z", "affected": [{{"package": {{"ecosystem": "npm", "name": "{package}"}},
            "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]{rest}}}"#
    )
}

fn database(records: &[String]) -> Database {
    let mut builder = Builder::default();
    records.iter().for_each(|json| builder.add(&Record::read(json.as_bytes()).unwrap()));
    Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap()
}

fn report(lock: &str, records: &[String], scope: Scope) -> Report {
    let graph = parse(Kind::Npm, lock.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    assess("package-lock.json", Kind::Npm, &graph, &database(records), &Context::default(), scope).unwrap()
}

const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
  "": {"name": "app", "dependencies": {"a": "1"}, "devDependencies": {"tool": "1", "bad": "1"}},
  "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "1"}},
  "node_modules/b": {"version": "1.0.0"},
  "node_modules/tool": {"version": "1.0.0", "dev": true},
  "node_modules/bad": {"version": "1.0.0", "dev": true}}}"#;

fn records() -> Vec<String> {
    let severity = |word: &str| format!(r#", "summary": "A {word} one", "database_specific": {{"severity": "{word}"}}"#);
    vec![
        record("GHSA-aaaa-aaaa-aaaa", "b", "1.0.1", &severity("HIGH")),
        // What mends the first is open to this one, which the installed version has too.
        record("GHSA-bbbb-bbbb-bbbb", "b", "1.2.0", &severity("LOW")),
        record("GHSA-cccc-cccc-cccc", "tool", "2.0.0", &severity("CRITICAL")),
        record("MAL-2026-1", "bad", "1.0.1", ""),
    ]
}

#[test]
fn malware_comes_first_and_the_update_is_clean() {
    let report = report(LOCK, &records(), Scope::default());
    let order: Vec<&str> = report.hits.iter().map(|hit| &*hit.package.name).collect();
    assert_eq!(order, ["bad", "tool", "b"]);
    let b = &report.hits[2];
    assert_eq!(b.update.as_ref().map(ToString::to_string).as_deref(), Some("1.2.0"));
    assert_eq!(b.sites[0].chain, ["app", "a@1.0.0", "b@1.0.0"]);
    assert_eq!((b.sites[0].place.line, b.sites[0].direct, b.sites[0].dev), (4, false, false));
    assert_eq!(b.findings.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["GHSA-aaaa-aaaa-aaaa", "GHSA-bbbb-bbbb-bbbb"]);
    assert_eq!(summary(&[report]), "1 of malware, 3 vulnerabilities (1 critical, 1 high, 1 low) in 4 packages");
}

#[test]
fn without_dev_only_malware_of_it_is_left() {
    let report = report(LOCK, &records(), Scope { prod: true });
    assert_eq!(report.hits.iter().map(|hit| &*hit.package.name).collect::<Vec<_>>(), ["bad", "b"]);
}

#[test]
fn the_bar_knows_malware_warnings_and_what_nobody_rated() {
    let all = report(LOCK, &records(), Scope::default());
    assert!(all.fails(Bar::Any) && all.fails(Bar::At(Severity::Critical)) && !all.fails(Bar::Never));
    let low = report(LOCK, &records()[1..2], Scope::default());
    assert!(low.fails(Bar::Any) && low.fails(Bar::At(Severity::Low)) && !low.fails(Bar::At(Severity::Moderate)));
    let unrated = report(LOCK, &[record("GHSA-dddd-dddd-dddd", "b", "2.0.0", "")], Scope::default());
    assert!(unrated.fails(Bar::At(Severity::Critical)));
    assert!(report(LOCK, &records()[3..], Scope::default()).fails(Bar::At(Severity::Critical)));
}

#[test]
fn the_hint_names_the_direct_dependency() {
    let one = report(LOCK, &records()[..1], Scope::default());
    assert_eq!(hint(&[one]).unwrap(), "begin with b: it is mended in 1.0.1; see whether an update of a@1.0.0 brings that");
    assert_eq!(hint(&[report(LOCK, &[record("GHSA-eeee-eeee-eeee", "else", "2.0.0", "")], Scope::default())]), None);
}

#[test]
fn hostile_text_can_only_be_read_in_every_format() {
    let lock = format!(
        r#"{{"lockfileVersion": 3, "packages": {{"": {{"name": "{EVIL}", "dependencies": {{"b": "1"}}}}, "node_modules/b": {{"version": "1.0.0"}}}}}}"#
    );
    let rest = format!(r#", "summary": "{EVIL}", "references": [{{"type": "WEB", "url": "https://x.example/{EVIL}"}}]"#);
    let graph = parse(Kind::Npm, lock.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    let mut report = report(&lock, &[record("GHSA-aaaa-aaaa-aaaa", "b", "1.0.1", &rest)], Scope::default());
    let evil: String = serde_json::from_str(&format!("\"{EVIL}\"")).unwrap();
    report.path = format!("./{evil}/package-lock.json");
    report.notes.push(evil.clone());
    report.hits[0].package = Package::new(report.hits[0].package.ecosystem, evil.as_str(), evil.as_str());
    report.hits[0].findings[0].id = evil.clone();
    report.hits[0].findings[0].members[0].record.summary = evil;
    for (name, format) in Format::NAMES {
        let given = Given {
            bar: Bar::Any,
            now: Timestamp::UNIX_EPOCH,
            graphs: std::slice::from_ref(&graph),
            packuments: &Packuments::default(),
            setting: &Setting::default(),
        };
        let mut out = render(format, std::slice::from_ref(&report), &given);
        assert!(out.ends_with('\n'), "{name}");
        if format == Format::Text {
            assert!(!out.lines().any(|line| line.starts_with("## owned")));
            // Our own colours.
            while let Some(at) = out.find("\u{1b}[") {
                let end = at + out[at..].find('m').unwrap();
                out.replace_range(at..=end, "");
            }
        }
        let leaked: Vec<char> = out.chars().filter(|c| clean::is_harmful(*c) && *c != '\n').collect();
        assert!(leaked.is_empty(), "{name}: {leaked:?}");
        if matches!(format, Format::Github) {
            assert_eq!(out.lines().filter(|line| line.starts_with("::")).count(), 1);
            assert_eq!(out.lines().count(), 2);
        } else if !matches!(format, Format::Text | Format::Markdown | Format::Junit) {
            serde_json::from_str::<Value>(&out).unwrap();
        }
    }
    let table = markdown(std::slice::from_ref(&report));
    for row in table.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.matches('|').count(), 6, "{row}");
    }
    assert!(!table.contains(['<', '`', '@', '[']) && !table.contains("www."), "{table}");
    let log: Value = serde_json::from_str(&sarif(&[report])).unwrap();
    let result = &log["runs"][0]["results"][0];
    let message = result["message"]["text"].as_str().unwrap();
    assert!(message.contains("{{0}}") && message.contains("\\[x\\]"), "{message}");
    let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(!uri.contains([' ', '<', '[', '`']), "{uri}");
}

#[test]
fn records_in_the_shape_of_osv_scanner_can_be_read_back() {
    let report = report(LOCK, &records(), Scope::default());
    let out: Value = serde_json::from_str(&osv(&[report])).unwrap();
    let packages = out["results"][0]["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 3);
    for record in packages.iter().flat_map(|package| package["vulnerabilities"].as_array().unwrap()) {
        let back = Record::read(record.to_string().as_bytes()).unwrap();
        assert_eq!(back.id, record["id"]);
        assert!(!back.affected[0].versions.intervals.is_empty());
    }
}

fn given<'a>(graphs: &'a [Graph], packuments: &'a Packuments, setting: &'a Setting) -> Given<'a> {
    Given { bar: Bar::At(Severity::High), now: Timestamp::UNIX_EPOCH, graphs, packuments, setting }
}

#[test]
fn annotations_come_with_the_worst_first_and_what_stops_is_an_error() {
    let out = github(&[report(LOCK, &records(), Scope::default())], Bar::At(Severity::High));
    let starts: Vec<&str> = out.lines().map(|line| line.split(" file=").next().unwrap()).collect();
    assert_eq!(
        starts,
        ["::error", "::error", "::error", "::warning", "1 of malware, 3 vulnerabilities (1 critical, 1 high, 1 low) in 4 packages"]
    );
    assert!(
        out.starts_with("::error file=package-lock.json,line=6,col=3,title=malware%3A bad@1.0.0::bad@1.0.0: no title (MAL-2026-1)%0A"),
        "{out}"
    );
    assert!(out.contains("%0Aapp > a@1.0.0 > b@1.0.0\n"), "{out}");
}

/// Reads tags by hand: every one closed in order, every `&` an entity, no markup but our own.
fn tags(xml: &str) -> Vec<String> {
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    for piece in xml.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        for part in text.split('&').skip(1).chain(tag.split('&').skip(1)) {
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&part.split(';').next().unwrap()), "{part}");
        }
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default().to_owned();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.starts_with('?') {
            assert!(["testsuites", "testsuite", "testcase", "failure", "system-out"].contains(&name.as_str()), "{name}");
            seen.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert_eq!(open, Vec::<String>::new());
    seen
}

#[test]
fn junit_fails_what_stops_and_a_clean_lockfile_passes() {
    let xml = junit(&[report(LOCK, &records(), Scope::default()), report(LOCK, &[], Scope::default())], Bar::At(Severity::High));
    let seen = tags(&xml);
    let count = |name: &str| seen.iter().filter(|tag| *tag == name).count();
    assert_eq!((count("testsuite"), count("testcase"), count("failure"), count("system-out")), (2, 5, 3, 1));
    assert!(xml.contains("<testsuites name=\"casque audit\" tests=\"5\" failures=\"3\">"), "{xml}");
    assert!(xml.contains("nothing known against 4 packages"), "{xml}");
    let mut evil = report(LOCK, &records(), Scope::default());
    let text: String = serde_json::from_str(&format!("\"{EVIL} ]]> & ' <x>\"")).unwrap();
    evil.path.clone_from(&text);
    evil.hits[0].findings[0].id = text;
    tags(&junit(&[evil], Bar::Any));
}

#[test]
fn a_bill_names_each_vulnerability_once_and_only_components_that_it_has() {
    let graphs = [parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()];
    let (packuments, setting) = (Packuments::default(), Setting::default());
    let out = render(Format::CycloneDx, &[report(LOCK, &records(), Scope::default())], &given(&graphs, &packuments, &setting));
    assert_eq!(out, render(Format::CycloneDx, &[report(LOCK, &records(), Scope::default())], &given(&graphs, &packuments, &setting)));
    let bom: Value = serde_json::from_str(&out).unwrap();
    assert!(bom["serialNumber"].as_str().unwrap().starts_with("urn:uuid:"));
    let components: Vec<&Value> = bom["components"].as_array().unwrap().iter().map(|component| &component["bom-ref"]).collect();
    let vulnerabilities = bom["vulnerabilities"].as_array().unwrap();
    assert_eq!(vulnerabilities.len(), 4);
    for vulnerability in vulnerabilities {
        assert!(components.contains(&&vulnerability["affects"][0]["ref"]), "{vulnerability}");
    }
    assert_eq!(
        (&vulnerabilities[0]["ratings"][0]["severity"], &vulnerabilities[3]["source"]["name"]),
        (&Value::from("high"), &Value::from("OSV"))
    );
    // It can be read back.
    let graph = parse(Kind::CycloneDx, out.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    assert_eq!(graph.instances().iter().filter(|instance| instance.is_from_registry()).count(), 4);
}

#[test]
fn statements_say_what_to_do() {
    let graphs = [parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()];
    let mut report = report(LOCK, &records(), Scope::default());
    report.hits[2].findings[1].verdict = Verdict::Unknown;
    let document: Value = serde_json::from_str(&openvex(&[report], &graphs, Timestamp::UNIX_EPOCH)).unwrap();
    let statements = document["statements"].as_array().unwrap();
    let status: Vec<&str> = statements.iter().map(|statement| statement["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["affected", "under_investigation", "affected", "affected"]);
    assert_eq!(statements[0]["products"][0]["@id"], "pkg:npm/app");
    assert_eq!(statements[0]["products"][0]["subcomponents"][0]["@id"], "pkg:npm/b@1.0.0");
    assert_eq!(statements[0]["action_statement"], "b@1.0.0: fixed in 1.0.1");
    assert_eq!(
        (document["timestamp"].as_str(), document["@context"].as_str()),
        (Some("1970-01-01T00:00:00Z"), Some("https://openvex.dev/ns/v0.2.0"))
    );
}

#[test]
fn npm_json_has_the_form_of_npm() {
    let graphs = [parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()];
    let (packuments, setting) = (Packuments::default(), Setting::default());
    let out = render(Format::NpmJson, &[report(LOCK, &records(), Scope::default())], &given(&graphs, &packuments, &setting));
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["auditReportVersion"], 2);
    let b = &out["vulnerabilities"]["b"];
    assert_eq!(
        (&b["severity"], &b["isDirect"], &b["via"][0]["dependency"]),
        (&Value::from("high"), &Value::from(false), &Value::from("b"))
    );
    assert_eq!(
        (&b["via"][0]["url"], &b["via"][0]["cvss"]["score"]),
        (&Value::from("https://github.com/advisories/GHSA-aaaa-aaaa-aaaa"), &Value::from(0))
    );
    assert_eq!(
        out["metadata"]["vulnerabilities"],
        serde_json::json!({"info": 0, "low": 0, "moderate": 0, "high": 1, "critical": 2, "total": 3})
    );
    assert_eq!(out["metadata"]["dependencies"]["total"], 4);
    assert_eq!(out["casque"]["withoutPackument"], serde_json::json!(["a", "b", "bad", "tool"]));
}
