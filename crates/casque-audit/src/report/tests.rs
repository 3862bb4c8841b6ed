use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::db::{Builder, Database, Verdict};
use crate::matching::{Context, Epss, Kev};
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
    assert_eq!(summary(&[report]), "1 malicious package, 3 vulnerabilities (1 critical, 1 high, 1 low) in 4 packages");
}

#[test]
fn without_dev_only_malware_of_it_is_left() {
    let report = report(LOCK, &records(), Scope { prod: true });
    assert_eq!(report.hits.iter().map(|hit| &*hit.package.name).collect::<Vec<_>>(), ["bad", "b"]);
}

#[test]
fn the_gate_knows_malware_warnings_development_and_what_nobody_rated() {
    let at = |severity, dev| Gate { bar: Bar::At(severity), dev, fixable_only: false };
    let all = report(LOCK, &records(), Scope::default());
    assert!(all.fails(at(Severity::Critical, Dev::Warn)) && all.fails(Gate { bar: Bar::Never, ..Gate::default() }), "malware always does");
    // `tool` is there for development only.
    let dev = report(LOCK, &records()[2..3], Scope::default());
    assert!(!dev.fails(Gate::default()) && dev.fails(at(Severity::High, Dev::Fail)));
    let low = report(LOCK, &records()[1..2], Scope::default());
    assert!(low.fails(at(Severity::Low, Dev::Warn)) && !low.fails(Gate::default()));
    let unrated = report(LOCK, &[record("GHSA-dddd-dddd-dddd", "b", "2.0.0", "")], Scope::default());
    assert!(unrated.fails(at(Severity::Critical, Dev::Warn)) && !unrated.fails(Gate { bar: Bar::Never, ..Gate::default() }));
    let open = record("GHSA-dddd-dddd-dddd", "b", "2.0.0", "").replace(r#", {"fixed": "2.0.0"}"#, "");
    let open = report(LOCK, &[open], Scope::default());
    assert!(open.fails(Gate::default()) && !open.fails(Gate { fixable_only: true, ..Gate::default() }));
}

#[test]
fn the_verdict_says_how_many_and_by_which_rule() {
    let of = |n| verdict(&[report(LOCK, &records()[..n], Scope::default())], Gate::default());
    assert_eq!(of(1).unwrap(), "that makes the audit fail (fail-on = \"high\", dev = \"warn\")");
    assert_eq!(of(4).unwrap(), "2 of the 4 make the audit fail (fail-on = \"high\", dev = \"warn\")");
    assert_eq!(verdict(&[], Gate::default()), None);
    let mut denied = report(LOCK, &[], Scope::default());
    denied.notices = supply::notices(
        &parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap(),
        Kind::Npm,
        &supply::Settings { deny: [supply::Check::Integrity].into(), ..Default::default() },
    );
    assert_eq!(verdict(&[denied], Gate::default()).unwrap(), "4 notices make the audit fail, as they are denied");
}

#[test]
fn a_version_that_nobody_published_is_not_told_as_one() {
    let spoken = |text: &str| spoken(&crate::version::Grammar::Cargo.version(text).unwrap());
    assert_eq!([spoken("0.7.1-0"), spoken("1.0.0-0"), spoken("1.0.0-rc.1")], ["a version after 0.7.0", "1.0.0", "1.0.0-rc.1"]);
}

#[test]
fn what_is_exploited_comes_first_and_what_is_likely_to_be_next() {
    let aliased = |id: &str, package, cve: &str, word: &str| {
        record(id, package, "2.0.0", &format!(r#", "aliases": ["{cve}"], "database_specific": {{"severity": "{word}"}}"#))
    };
    let records = [
        aliased("GHSA-aaaa-aaaa-aaaa", "b", "CVE-2024-0001", "LOW"),
        aliased("GHSA-bbbb-bbbb-bbbb", "b", "CVE-2024-0002", "HIGH"),
        aliased("GHSA-cccc-cccc-cccc", "tool", "CVE-2024-0003", "CRITICAL"),
        aliased("GHSA-dddd-dddd-dddd", "a", "CVE-2024-0004", "CRITICAL"),
    ];
    let epss = Epss::read(b"cve,epss,percentile\nCVE-2024-0002,0.5,0.97\nCVE-2024-0003,0.01,0.2\n").unwrap();
    let kev = r#"{"vulnerabilities":[{"cveID":"CVE-2024-0001","dateAdded":"2024-02-01","knownRansomwareCampaignUse":"Known"}]}"#;
    let kev = Kev::read(kev.as_bytes()).unwrap();
    let graph = parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    let context = Context { epss: Some(&epss), kev: Some(&kev), ..Context::default() };
    let mut report = assess("package-lock.json", Kind::Npm, &graph, &database(&records), &context, Scope::default()).unwrap();
    report.order_by_risk();
    let order: Vec<&str> = report.findings().map(|(_, finding)| &finding.id[5..9]).collect();
    assert_eq!(order, ["aaaa", "bbbb", "cccc", "dddd"]);
    let text = uncoloured(&text(&[report.clone()], &Judgement::default()));
    assert!(text.contains("known to be exploited, also by ransomware (KEV, listed since 2024-02-01)"), "{text}");
    assert!(text.contains("50.0 % likely to be exploited within 30 days (EPSS)"), "{text}");
    let json: Value = serde_json::from_str(&json(&[report], &Judgement::default())).unwrap();
    let findings = &json["lockfiles"][0]["packages"][0]["findings"];
    assert_eq!((findings[0]["kev"]["ransomware"].as_bool(), findings[1]["epss"]["percentile"].as_f64()), (Some(true), Some(0.97)));
}

/// Our own colours taken out.
fn uncoloured(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(at) = out.find("\u{1b}[") {
        let end = at + out[at..].find('m').unwrap();
        out.replace_range(at..=end, "");
    }
    out
}

#[test]
fn the_hint_names_the_direct_dependency() {
    let one = report(LOCK, &records()[..1], Scope::default());
    assert_eq!(hint(&[one], Gate::default()).unwrap(), "begin with b: it is mended in 1.0.1; see whether an update of a@1.0.0 brings that");
    assert_eq!(hint(&[report(LOCK, &[record("GHSA-eeee-eeee-eeee", "else", "2.0.0", "")], Scope::default())], Gate::default()), None);
    // `tool` is worse, but does not make the audit fail.
    let both = report(LOCK, &records()[..3], Scope::default());
    assert!(hint(&[both], Gate::default()).unwrap().starts_with("begin with b: it is mended in 1.2.0"));
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
    report.hits[0].findings[0].members[0].record.summary = evil.clone();
    let by = IgnoredBy::Entry { reason: evil.clone(), expires: None, vex: None };
    let hit = &report.hits[0];
    report.ignored.push(Ignored { package: hit.package.clone(), site: None, finding: hit.findings[0].clone(), by });
    let notice = |check, denied| Notice {
        check,
        package: Package::new(hit.package.ecosystem, evil.as_str(), evil.as_str()),
        place: Place::START,
        message: evil.clone(),
        denied,
    };
    report.notices.extend([notice(supply::Check::Source, false), notice(supply::Check::Deprecated, true)]);
    let judgement = Judgement { gate: Gate::default(), remarks: vec![evil] };
    for (name, format) in Format::NAMES {
        let given = Given {
            judgement: &judgement,
            now: Timestamp::UNIX_EPOCH,
            graphs: std::slice::from_ref(&graph),
            packuments: &Packuments::default(),
            setting: &Setting::default(),
        };
        let mut out = render(format, std::slice::from_ref(&report), &given);
        assert!(out.ends_with('\n'), "{name}");
        if format == Format::Text {
            assert!(!out.lines().any(|line| line.starts_with("## owned")));
            out = uncoloured(&out);
        }
        let leaked: Vec<char> = out.chars().filter(|c| clean::is_harmful(*c) && *c != '\n').collect();
        assert!(leaked.is_empty(), "{name}: {leaked:?}");
        if matches!(format, Format::Github) {
            assert_eq!(out.lines().filter(|line| line.starts_with("::")).count(), 3);
            assert_eq!(out.lines().count(), 4);
        } else if !matches!(format, Format::Text | Format::Markdown | Format::Junit) {
            serde_json::from_str::<Value>(&out).unwrap();
        }
    }
    let table = markdown(std::slice::from_ref(&report), &judgement);
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

/// High ones count, those of development too.
const HIGH: Gate = Gate { bar: Bar::At(Severity::High), dev: Dev::Fail, fixable_only: false };
const JUDGEMENT: &Judgement = &Judgement { gate: HIGH, remarks: Vec::new() };

fn given<'a>(graphs: &'a [Graph], packuments: &'a Packuments, setting: &'a Setting) -> Given<'a> {
    Given { judgement: JUDGEMENT, now: Timestamp::UNIX_EPOCH, graphs, packuments, setting }
}

#[test]
fn annotations_come_with_the_worst_first_and_what_stops_is_an_error() {
    let out = github(&[report(LOCK, &records(), Scope::default())], HIGH);
    let starts: Vec<&str> = out.lines().map(|line| line.split(" file=").next().unwrap()).collect();
    assert_eq!(
        starts,
        ["::error", "::error", "::error", "::warning", "1 malicious package, 3 vulnerabilities (1 critical, 1 high, 1 low) in 4 packages"]
    );
    assert!(
        out.starts_with("::error file=package-lock.json,line=6,col=3,title=malware%3A bad@1.0.0::bad@1.0.0: no title (MAL-2026-1)%0A"),
        "{out}"
    );
    assert!(out.contains("%0Aapp > a@1.0.0 > b@1.0.0\n"), "{out}");
    let mut denied = report(LOCK, &[], Scope::default());
    let settings = supply::Settings { deny: [supply::Check::Integrity].into(), ..Default::default() };
    let graph = parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    denied.notices = supply::notices(&graph, Kind::Npm, &settings);
    let out = github(std::slice::from_ref(&denied), HIGH);
    assert!(out.starts_with("::error file=package-lock.json,line=3,col=3,title=supply chain%3A integrity::a@1.0.0 has no hash"), "{out}");
    let xml = junit(&[denied], HIGH);
    assert_eq!(tags(&xml).iter().filter(|tag| *tag == "failure").count(), 4);
    assert!(xml.contains("tests=\"5\" failures=\"4\""), "{xml}");
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
            assert!(["testsuites", "testsuite", "testcase", "failure", "skipped", "system-out"].contains(&name.as_str()), "{name}");
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
    let xml = junit(&[report(LOCK, &records(), Scope::default()), report(LOCK, &[], Scope::default())], HIGH);
    let seen = tags(&xml);
    let count = |name: &str| seen.iter().filter(|tag| *tag == name).count();
    assert_eq!((count("testsuite"), count("testcase"), count("failure"), count("system-out")), (2, 5, 3, 1));
    assert!(xml.contains("<testsuites name=\"casque audit\" tests=\"5\" failures=\"3\" skipped=\"0\">"), "{xml}");
    assert!(xml.contains("nothing known against 4 packages"), "{xml}");
    let mut evil = report(LOCK, &records(), Scope::default());
    let text: String = serde_json::from_str(&format!("\"{EVIL} ]]> & ' <x>\"")).unwrap();
    evil.path.clone_from(&text);
    evil.hits[0].findings[0].id = text;
    tags(&junit(&[evil], HIGH));
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

#[test]
fn what_is_ignored_is_told_with_its_reason() {
    let graphs = [parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()];
    let mut report = report(LOCK, &records()[..3], Scope::default());
    let expires = Some(Date::constant(2027, 1, 31));
    let entry = |vex| IgnoredBy::Entry { reason: "it is never called".to_owned(), expires, vex: Vex::named(vex) };
    let reasons = [entry("vulnerable_code_not_in_execute_path"), entry(""), IgnoredBy::Unfixable];
    let findings: Vec<(Package, Finding)> =
        report.hits.drain(..).flat_map(|hit| hit.findings.into_iter().map(move |finding| (hit.package.clone(), finding))).collect();
    for ((package, finding), by) in findings.into_iter().zip(reasons) {
        report.ignored.push(Ignored { package, site: None, finding, by });
    }
    report.ignored.sort_by(|a, b| a.finding.id.cmp(&b.finding.id));
    let reports = [report];
    let vex: Value = serde_json::from_str(&openvex(&reports, &graphs, Timestamp::UNIX_EPOCH)).unwrap();
    let bom: Value = serde_json::from_str(&cyclonedx(&reports, &graphs, Timestamp::UNIX_EPOCH)).unwrap();
    let (statements, vulnerabilities) = (vex["statements"].as_array().unwrap(), bom["vulnerabilities"].as_array().unwrap());
    // The first of the three is the worst: that of `tool`.
    let of =
        |list: &[Value], id: &str| list.iter().find(|entry| entry["id"] == id || entry["vulnerability"]["name"] == id).unwrap().clone();
    let statement = of(statements, "GHSA-cccc-cccc-cccc");
    assert_eq!(
        (&statement["status"], &statement["justification"]),
        (&"not_affected".into(), &"vulnerable_code_not_in_execute_path".into())
    );
    assert_eq!(statement["impact_statement"], "it is never called (until 2027-01-31)");
    assert_eq!(
        of(vulnerabilities, "GHSA-cccc-cccc-cccc")["analysis"],
        serde_json::json!({"state": "not_affected", "justification": "code_not_reachable", "detail": "it is never called (until 2027-01-31)"})
    );
    // A risk that is taken is still there.
    let statement = of(statements, "GHSA-aaaa-aaaa-aaaa");
    assert_eq!((&statement["status"], &statement["action_statement"]), (&"affected".into(), &"b@1.0.0: fixed in 1.0.1".into()));
    assert_eq!(statement["status_notes"], "it is never called (until 2027-01-31)");
    assert_eq!(of(vulnerabilities, "GHSA-aaaa-aaaa-aaaa")["analysis"]["response"], serde_json::json!(["will_not_fix"]));
    assert_eq!(of(vulnerabilities, "GHSA-bbbb-bbbb-bbbb")["analysis"]["response"], serde_json::json!(["can_not_fix"]));
    let xml = junit(&reports, Gate::default());
    assert_eq!(tags(&xml).iter().filter(|tag| *tag == "skipped").count(), 3);
    assert!(xml.contains("tests=\"4\" failures=\"0\" skipped=\"3\""), "{xml}");
}
