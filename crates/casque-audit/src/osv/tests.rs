//! Records as databases write them.

use jiff::Timestamp;

use super::Record;
use crate::cvss::Severity;

fn read(json: &str) -> Record {
    Record::read(json.as_bytes()).unwrap()
}

fn minimal(affected: &str, rest: &str) -> String {
    format!(r#"{{"id":"GHSA-x","modified":"2024-01-02T03:04:05Z","affected":[{affected}]{rest}}}"#)
}

const PACKAGE: &str = r#""package":{"ecosystem":"npm","name":"a"}"#;

#[test]
fn entries_of_one_package_add_up() {
    let entry = |events: &str| format!(r#"{{{PACKAGE},"ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]}}"#);
    let affected = [
        entry(r#"{"introduced":"2.0.0"},{"fixed":"2.1.0"}"#),
        r#"{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1.0"]}"#.to_owned(),
        entry(r#"{"introduced":"0"},{"fixed":"1.1.0"}"#),
        format!(r#"{{{PACKAGE},"versions":["1.5.0","weird version"]}}"#),
    ];
    let record = read(&minimal(&affected.join(","), ""));
    assert_eq!(record.affected.len(), 1);
    assert_eq!(record.affected[0].versions.to_string(), "<1.1.0 || 1.5.0 || >=2.0.0 <2.1.0 || weird version");
}

#[test]
fn a_git_range_hides_no_other() {
    let ranges =
        r#"[{"type":"GIT","repo":"x","events":[{"introduced":"0"}]},{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]"#;
    assert_eq!(read(&minimal(&format!(r#"{{{PACKAGE},"ranges":{ranges}}}"#), "")).affected[0].versions.to_string(), "<2.0.0");
}

#[test]
fn nothing_said_about_versions_is_unclear() {
    for body in ["", r#","ranges":[]"#, r#","ranges":[{"type":"GIT","events":[]}]"#] {
        let record = read(&minimal(&format!("{{{PACKAGE}{body}}}"), ""));
        assert!(record.affected[0].versions.unclear, "{body}");
    }
}

#[test]
fn malware_with_a_narrower_set_is_narrowed() {
    let ranges = r#"[{"type":"SEMVER","events":[{"introduced":"0"}]},{"type":"SEMVER","events":[{"introduced":"4.1.1"},{"last_affected":"4.1.2"}]}]"#;
    let json = minimal(&format!(r#"{{{PACKAGE},"ranges":{ranges}}}"#), "");
    let ordinary = read(&json);
    assert_eq!((ordinary.affected[0].versions.to_string().as_str(), ordinary.affected[0].narrowed), ("*", false));
    let malware = read(&json.replace("GHSA-x", "MAL-2025-1"));
    assert_eq!((malware.affected[0].versions.to_string().as_str(), malware.affected[0].narrowed), (">=4.1.1 <=4.1.2", true));
    assert!(malware.is_malware() && !ordinary.is_malware());
}

#[test]
fn free_form_parts_of_another_form_are_passed_over() {
    let record = read(&minimal(
        &format!(
            r#"{{{PACKAGE},"versions":["1.0.0"],"database_specific":[1],"ecosystem_specific":{{"affected_functions":null,"affects":{{"os":["linux"],"functions":["b::f"]}}}}}}"#
        ),
        r#","database_specific":{"severity":"HIGH","cwe_ids":{"no":1}},"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/I:U"},{"type":"CVSS_V3","score":"7.25"}],"withdrawn":null"#,
    ));
    assert_eq!((record.label, record.cwes.len(), record.withdrawn), (Some(Severity::High), 0, None));
    assert_eq!(record.scores.iter().map(|s| s.score.tenths()).collect::<Vec<_>>(), [73]);
    assert_eq!((&record.affected[0].os[..], &record.affected[0].functions[..]), (&["linux".to_owned()][..], &["b::f".to_owned()][..]));
}

#[test]
fn dates_are_read_as_they_are_meant() {
    let record = |date: &str| read(&minimal("", &format!(r#","withdrawn":"{date}""#)));
    for date in ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05ZZ", "2024-01-02T03:04:05", "2024-01-02T05:04:05.000+02:00"] {
        assert_eq!(record(date).withdrawn, Some(record("x").modified), "{date}");
    }
    let undated = read(r#"{"id":"A","modified":"now","published":"then"}"#);
    assert_eq!((undated.modified, undated.published), (Timestamp::UNIX_EPOCH, None));
}

#[test]
fn errors_name_the_record_and_the_place() {
    let error = |json: &str| Record::read(json.as_bytes()).unwrap_err().to_string();
    assert!(error("{\"id\":\"A\",\n\"modified\":7}").contains("line 2 column"));
    let alias = r#"{"id":"A","modified":"2024-01-02T03:04:05Z","aliases":["B C"]}"#;
    assert_eq!(error(alias), r#"A: "B C" cannot be the aliases of an OSV record"#);
    assert_eq!(error("{\"id\":\"A\\u001b[2J\",\"modified\":\"now\"}"), r#""A\u{1b}[2J" cannot be the id of an OSV record"#);
    assert!(error(&"[".repeat(100_000)).contains("this is not an OSV record"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(json: Vec<u8>, affected in "\\PC{0,80}") {
        let _ = Record::read(&json);
        let _ = Record::read(minimal(&affected, "").as_bytes());
    }

    #[test]
    fn no_events_panic(events in proptest::collection::vec(("introduced|fixed|last_affected|limit", "\\PC{0,12}|[0-9.*-]{0,8}"), 0..8)) {
        let events: Vec<String> = events.iter().map(|(kind, text)| format!("{{{}:{}}}", serde_json::to_string(kind).unwrap(), serde_json::to_string(text).unwrap())).collect();
        let _ = read(&minimal(&format!(r#"{{{PACKAGE},"ranges":[{{"type":"SEMVER","events":[{}]}}]}}"#, events.join(",")), ""));
    }
}
