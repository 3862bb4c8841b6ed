//! Findings from records.

use jiff::ToSpan;

use super::*;
use crate::cvss::Severity;
use crate::db::Builder;
use crate::osv::Record;

/// A record about the package `a`; `rest` adds members to it.
fn record(id: &str, events: &str, rest: &str) -> Record {
    in_ecosystem("npm", id, events, "", rest)
}

fn in_ecosystem(ecosystem: &str, id: &str, events: &str, of_package: &str, rest: &str) -> Record {
    let json = format!(
        r#"{{"id":"{id}","modified":"2024-01-10T00:00:00Z","published":"2024-01-10T00:00:00Z",
        "affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"a"}},"ranges":[{{"type":"SEMVER","events":[{events}]}}]{of_package}}}]{rest}}}"#
    );
    Record::read(json.as_bytes()).unwrap()
}

const ALL: &str = r#"{"introduced":"0"}"#;
const BELOW_2: &str = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;
const BELOW_3: &str = r#"{"introduced":"0"},{"fixed":"3.0.0"}"#;

fn database(records: &[Record]) -> Database {
    let mut builder = Builder::default();
    records.iter().for_each(|record| builder.add(record));
    Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap()
}

fn found_in(ecosystem: Ecosystem, records: &[Record], version: &str, context: &Context<'_>) -> Vec<Finding> {
    check([&Package::new(ecosystem, "other", "1.0.0"), &Package::new(ecosystem, "a", version)], &database(records), context).unwrap()
}

fn found(records: &[Record], version: &str) -> Vec<Finding> {
    found_in(Ecosystem::Npm, records, version, &Context::default())
}

fn shown(records: &[Record], version: &str) -> Vec<String> {
    let line =
        |f: &Finding| format!("{} {:?} {:?} by {:?}", f.id, f.class, f.verdict, f.said_by().map(|r| r.id.as_str()).collect::<Vec<_>>());
    found(records, version).iter().map(line).collect()
}

#[test]
fn prereleases_are_versions_like_others() {
    let records = [record("GHSA-1", BELOW_2, "")];
    for (version, hit) in
        [("1.9.9", true), ("2.0.0-beta.1", true), ("2.0.0", false), ("v1.0.0", true), ("0.0.0-0", true), ("2.0.0+build", false)]
    {
        assert_eq!(found(&records, version).len(), usize::from(hit), "{version}");
    }
}

#[test]
fn what_does_not_parse_is_unknown_and_not_safe() {
    let records = [record("GHSA-1", BELOW_2, ""), record("GHSA-2", ALL, "")];
    let wanted = [r#"GHSA-1 Vulnerability Unknown by ["GHSA-1"]"#, r#"GHSA-2 Vulnerability Affected by ["GHSA-2"]"#];
    assert_eq!(shown(&records, "workspace"), wanted);
    let unclear = [record("GHSA-1", r#"{"introduced":"0"},{"fixed":"soon"}"#, "")];
    assert_eq!(shown(&unclear, "9.9.9"), [r#"GHSA-1 Vulnerability Unknown by ["GHSA-1"]"#]);
}

#[test]
fn withdrawn_records_match_nothing() {
    assert_eq!(shown(&[record("GHSA-1", ALL, r#","withdrawn":"2024-02-01T00:00:00Z""#)], "1.0.0"), [""; 0]);
    assert_eq!(shown(&[record("GHSA-1", ALL, r#","withdrawn":null"#)], "1.0.0").len(), 1);
}

#[test]
fn records_of_one_vulnerability_are_one_finding() {
    let alias = r#","aliases":["CVE-2024-0001"]"#;
    let records = [record("NSWG-1", BELOW_3, alias), record("GHSA-1", BELOW_2, alias)];
    assert_eq!(shown(&records, "1.0.0"), [r#"GHSA-1 Vulnerability Affected by ["GHSA-1", "NSWG-1"]"#]);
    // They disagree: one is enough, and it is named.
    assert_eq!(shown(&records, "2.5.0"), [r#"GHSA-1 Vulnerability Affected by ["NSWG-1"]"#]);
    let finding = &found(&records, "2.5.0")[0];
    assert_eq!((finding.ids(), finding.package), (vec!["GHSA-1", "NSWG-1", "CVE-2024-0001"], 1));
    assert!(finding.has_id("cve-2024-0001") && finding.has_id("ghsa-1") && !finding.has_id("CVE-2024-0002"));
    assert_eq!(finding.fixed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["3.0.0"]);
    assert_eq!(shown(&records, "3.0.0"), [""; 0]);
}

#[test]
fn a_record_of_several_vulnerabilities_supports_those_that_others_report() {
    let records = [
        record("NSWG-1", BELOW_3, r#","aliases":["CVE-2024-0001","CVE-2024-0002"]"#),
        record("GHSA-1", BELOW_2, r#","aliases":["CVE-2024-0001"]"#),
        record("GHSA-2", r#"{"introduced":"1.0.0"},{"fixed":"2.0.0"}"#, r#","aliases":["CVE-2024-0002"]"#),
    ];
    let both = [r#"GHSA-1 Vulnerability Affected by ["GHSA-1", "NSWG-1"]"#, r#"GHSA-2 Vulnerability Affected by ["GHSA-2", "NSWG-1"]"#];
    assert_eq!(shown(&records, "1.0.0"), both);
    assert_eq!(shown(&records, "0.5.0"), both[..1]);
    assert_eq!(shown(&records, "2.5.0"), [r#"NSWG-1 Vulnerability Affected by ["NSWG-1"]"#]);
}

#[test]
fn malware_is_a_class_of_its_own() {
    let records = [Record::read(
        format!(
            r#"{{"id":"MAL-1","modified":"2024-01-10T00:00:00Z","aliases":["GHSA-1"],"affected":[{{"package":{{"ecosystem":"npm","name":"a"}},
            "ranges":[{{"type":"SEMVER","events":[{ALL}]}},{{"type":"SEMVER","events":[{{"introduced":"4.1.1"}},{{"last_affected":"4.1.2"}}]}}]}}]}}"#
        )
        .as_bytes(),
    )
    .unwrap()];
    assert_eq!(found(&records, "4.0.0"), []);
    let finding = &found(&records, "4.1.2")[0];
    assert_eq!(finding.malware, Some(Malware { all_versions: false, narrowed: true, unconfirmed: false }));
    assert!(finding.class > Class::Vulnerability && !finding.class.is_warning());
    let by_weakness = found(&[record("GHSA-2", ALL, r#","database_specific":{"cwe_ids":["CWE-506"],"severity":"LOW"}"#)], "1.0.0");
    assert_eq!((by_weakness[0].class, by_weakness[0].severity), (Class::Malware, Some(Severity::Low)));
}

#[test]
fn fresh_malware_of_an_old_package_in_all_versions_is_unconfirmed() {
    let records = [record("MAL-1", ALL, "")];
    let published: Timestamp = "2024-01-10T00:00:00Z".parse().unwrap();
    let unconfirmed = |hours_after: i64, years_before: i64, records: &[Record]| {
        let first_published = move |_: &Package| published.checked_sub((years_before * 365 * 24).hours()).ok();
        let now = published.checked_add(hours_after.hours()).ok();
        let context = Context { now, first_published: Some(&first_published), ..Context::default() };
        found_in(Ecosystem::Npm, records, "1.0.0", &context)[0].malware.unwrap().unconfirmed
    };
    assert!(unconfirmed(24, 8, &records));
    assert!(!unconfirmed(24 * 30, 8, &records));
    assert!(!unconfirmed(24, 1, &records));
    assert!(!unconfirmed(24, 8, &[record("MAL-1", BELOW_2, "")]));
    assert!(!found(&records, "1.0.0")[0].malware.unwrap().unconfirmed);
}

#[test]
fn notices_of_rustsec_are_warnings() {
    let notice = |id, word| in_ecosystem("crates.io", id, ALL, &format!(r#","database_specific":{{"informational":{word}}}"#), "");
    let records = [notice("RUSTSEC-1", "\"unmaintained\""), notice("RUSTSEC-2", "\"unsound\""), notice("RUSTSEC-3", "null")];
    let found = found_in(Ecosystem::Cargo, &records, "1.0.0", &Context::default());
    let classes: Vec<_> = found.iter().map(|f| (f.class, f.class.is_warning())).collect();
    assert_eq!(classes, [(Class::Unmaintained, true), (Class::Unsound, true), (Class::Vulnerability, false)]);
    assert!(found_in(Ecosystem::Npm, &records, "1.0.0", &Context::default()).is_empty());
}

#[test]
fn scores_and_severities() {
    let v3 = r#"{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}"#;
    let v4 = r#"{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"}"#;
    let label = r#","database_specific":{"severity":"CRITICAL"}"#;
    let rated = |rest: &str, prefer_v4| {
        let context = Context { prefer_v4, ..Context::default() };
        let finding = &found_in(Ecosystem::Npm, &[record("GHSA-1", ALL, rest)], "1.0.0", &context)[0];
        (finding.severity, finding.score.map(|score| score.tenths()))
    };
    let both = format!(r#","severity":[{v4},{v3}]"#);
    assert_eq!(rated(&both, false), (Some(Severity::High), Some(75)));
    assert_eq!(rated(&both, true), (Some(Severity::Critical), Some(100)));
    assert_eq!(rated(&format!(r#","severity":[{v3}]{label}"#), false), (Some(Severity::Critical), Some(75)));
    assert_eq!(rated(label, false), (Some(Severity::Critical), Some(90)));
    assert_eq!(rated("", false), (None, None));
    let of_package =
        in_ecosystem("npm", "GHSA-1", ALL, &format!(r#","severity":[{v3}]"#), r#","severity":[{"type":"CVSS_V3","score":"9.9"}]"#);
    assert_eq!(found(&[of_package], "1.0.0")[0].score.map(|score| score.tenths()), Some(75));
}

#[test]
fn epss_and_kev_are_joined_by_cve() {
    let epss = Epss::read(b"CVE-2024-0001,0.25,0.9\nCVE-2024-0002,0.5,0.95\n").unwrap();
    let kev = Kev::read(br#"{"vulnerabilities":[{"cveID":"CVE-2024-0003","knownRansomwareCampaignUse":"Known"}]}"#).unwrap();
    let risk = |aliases: &str| {
        let records = [record("GHSA-1", ALL, &format!(r#","aliases":[{aliases}],"database_specific":{{"severity":"HIGH"}}"#))];
        let finding =
            found_in(Ecosystem::Npm, &records, "1.0.0", &Context { epss: Some(&epss), kev: Some(&kev), ..Context::default() }).remove(0);
        (finding.epss.map(|epss| epss.probability), finding.exploited.is_some(), finding.risk().map(f64::round))
    };
    assert_eq!(risk(r#""CVE-2024-0001","CVE-2024-0002""#), (Some(0.5), false, Some(38.0)));
    assert_eq!(risk(r#""CVE-2024-0003""#), (None, true, Some(83.0)));
    assert_eq!(risk(r#""CVE-2024-0004""#), (None, false, None));
}
