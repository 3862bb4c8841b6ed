//! Reading records.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::affected::{Event, bound, range};
use super::prose::{plain, token};
use super::record::{Affected, Informational, Record, is_malware};
use crate::cvss::{Cvss, Score, Severity, Version as CvssVersion};
use crate::package::Ecosystem;
use crate::version::{Interval, MAX_LENGTH, VersionSet};

/// The longest record that is read, in bytes. The longest known ones list tens of thousands of versions and have less than half.
pub const MAX_RECORD: usize = 16 << 20;
/// The longest id or name, in bytes. npm's names end at 214, crates.io's at 64.
const MAX_TOKEN: usize = 512;
const MAX_SUMMARY: usize = 500;
const MAX_DETAILS: usize = 8 << 10;
const MAX_REFERENCES: usize = 12;
const MAX_URL: usize = 500;

/// Why a record cannot be read.
#[derive(Debug)]
pub struct ReadError {
    /// The record's id, once it was read.
    pub id: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a record.
#[derive(Debug)]
pub enum Problem {
    /// It is longer than [`MAX_RECORD`].
    TooLong,
    /// It is not JSON, or not of an OSV record's form; the place is in the message.
    Json(serde_json::Error),
    /// A field has a value that it cannot have: its name, and the start of the value.
    Value(&'static str, String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = &self.id {
            write!(f, "{id}: ")?;
        }
        match &self.problem {
            Problem::TooLong => write!(f, "the record is longer than {} MiB", MAX_RECORD >> 20),
            Problem::Json(error) => write!(f, "this is not an OSV record: {error}"),
            Problem::Value(field, value) => write!(f, "{value:?} cannot be the {field} of an OSV record"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Json(error) => Some(error),
            _ => None,
        }
    }
}

type Text<'a> = Cow<'a, str>;

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, default)]
    modified: Option<Text<'a>>,
    #[serde(borrow, default)]
    published: Option<Text<'a>>,
    #[serde(borrow, default)]
    withdrawn: Option<Text<'a>>,
    #[serde(borrow, default)]
    aliases: Option<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    summary: Option<Text<'a>>,
    #[serde(borrow, default)]
    details: Option<Text<'a>>,
    #[serde(borrow, default)]
    severity: Option<Vec<RawSeverity<'a>>>,
    #[serde(borrow, default)]
    affected: Option<Vec<RawAffected<'a>>>,
    #[serde(borrow, default)]
    references: Option<Vec<RawReference<'a>>>,
    #[serde(borrow, default)]
    database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawSeverity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    score: &'a RawValue,
}

#[derive(Deserialize)]
struct RawReference<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    url: Text<'a>,
}

#[derive(Deserialize)]
struct RawAffected<'a> {
    #[serde(borrow, default)]
    package: Option<RawPackage<'a>>,
    #[serde(borrow, default)]
    ranges: Option<Vec<RawRange<'a>>>,
    #[serde(borrow, default)]
    versions: Option<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    severity: Option<Vec<RawSeverity<'a>>>,
    #[serde(borrow, default)]
    ecosystem_specific: Option<&'a RawValue>,
    #[serde(borrow, default)]
    database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawPackage<'a> {
    #[serde(borrow)]
    ecosystem: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct RawRange<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    events: Option<Vec<RawEvent<'a>>>,
}

#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(borrow, default)]
    introduced: Option<Text<'a>>,
    #[serde(borrow, default)]
    fixed: Option<Text<'a>>,
    #[serde(borrow, default)]
    last_affected: Option<Text<'a>>,
    #[serde(borrow, default)]
    limit: Option<Text<'a>>,
}

/// The members of an object whose form the schema leaves free. What is not of the form asked for is as good as not there, and hides
/// no other.
#[derive(Default)]
struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'a> Members<'a> {
    fn of(object: Option<&'a RawValue>) -> Self {
        object.and_then(|object| serde_json::from_str(object.get()).ok()).unwrap_or_default()
    }

    fn get<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        let (_, value) = self.0.iter().find(|(member, _)| member == name)?;
        serde_json::from_str(value.get()).ok()
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Text<'a>);

impl Record {
    /// Reads a record.
    ///
    /// Packages of other ecosystems are left out; a record may have none left.
    ///
    /// # Errors
    /// It is no OSV record, too long, or has an id or a name that would be dangerous to show.
    pub fn read(json: &[u8]) -> Result<Self, ReadError> {
        if json.len() > MAX_RECORD {
            return Err(ReadError { id: None, problem: Problem::TooLong });
        }
        // Some writers put a mark of byte order in front.
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let raw: Raw<'_> = serde_json::from_slice(json).map_err(|error| ReadError { id: None, problem: Problem::Json(error) })?;
        let id = checked("id", &raw.id).map_err(|problem| ReadError { id: None, problem })?;
        convert(raw, id.clone()).map_err(|problem| ReadError { id: Some(id), problem })
    }
}

fn convert(raw: Raw<'_>, id: String) -> Result<Record, Problem> {
    let mut aliases = raw.aliases.unwrap_or_default().iter().map(|alias| checked("aliases", alias)).collect::<Result<Vec<_>, _>>()?;
    aliases.retain(|alias| *alias != id);
    aliases.sort_unstable();
    aliases.dedup();
    let specific = Members::of(raw.database_specific);
    let label = specific.get::<String>("severity").and_then(|word| Severity::parse(&word));
    let cwes: Vec<String> = specific.get("cwe_ids").unwrap_or_default();
    let mut cwes: Vec<u32> = cwes.iter().filter_map(|cwe| cwe.strip_prefix("CWE-")?.parse().ok()).collect();
    let mut affected = affected(&raw.affected.unwrap_or_default(), &mut cwes)?;
    cwes.sort_unstable();
    cwes.dedup();
    let malware = is_malware(&id, &cwes, affected.iter().any(|(a, _)| a.malicious));
    for (package, bounded) in &mut affected {
        // A record of malware with every version and a narrower set besides: the narrower one was the better look.
        if malware && package.versions.is_all() && !bounded.intervals.is_empty() {
            package.narrowed = true;
            package.versions.intervals.clone_from(&bounded.intervals);
        }
        package.versions.normalize();
    }
    // Those of malicious-packages are made by machines, longer than all else together, and read well enough at their address.
    let details = if id.starts_with("MAL-") { "" } else { raw.details.as_deref().unwrap_or_default() };
    let details = plain(details, MAX_DETAILS);
    // A date that is missing or cannot be read hides no advisory: the record is then as old as can be.
    let published = raw.published.as_deref().and_then(time);
    let modified = raw.modified.as_deref().and_then(time).or(published).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Record {
        aliases,
        modified,
        published,
        // Whatever the date, it was taken back.
        withdrawn: raw.withdrawn.as_deref().map(|text| time(text).unwrap_or(modified)),
        summary: plain(raw.summary.as_deref().unwrap_or_default(), MAX_SUMMARY).replace('\n', " "),
        details,
        label,
        scores: scores(raw.severity.as_deref().unwrap_or_default()),
        cwes,
        references: references(raw.references.as_deref().unwrap_or_default()),
        affected: affected.into_iter().map(|(package, _)| package).collect(),
        id,
    })
}

#[derive(Deserialize)]
struct Weakness {
    #[serde(rename = "cweId")]
    id: String,
}

fn checked(field: &'static str, text: &str) -> Result<String, Problem> {
    if text.len() > MAX_TOKEN || !token(text) {
        return Err(Problem::Value(field, text.chars().take(40).collect()));
    }
    Ok(text.to_owned())
}

/// Reads a date. Records with `ZZ` at the end or without an offset exist; UTC is meant.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| text.trim_end_matches(['Z', 'z']).parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp()))
}

/// Vectors that have a score, one per version of the standard. A bare number counts as one too; some databases write those.
fn scores(given: &[RawSeverity<'_>]) -> Vec<Cvss> {
    let mut scores: Vec<Cvss> = Vec::new();
    for severity in given {
        let text = serde_json::from_str::<String>(severity.score.get()).unwrap_or_else(|_| severity.score.get().to_owned());
        let text = text.trim().trim_end_matches('/');
        let version = [CvssVersion::V2, CvssVersion::V3, CvssVersion::V4].into_iter().find(|version| version.osv() == severity.kind);
        let score = match (version, text.parse::<f64>()) {
            (Some(version), Ok(number)) if (0.0..=10.0).contains(&number) => {
                Some(Cvss { version, vector: String::new(), score: Score::nearest(number) })
            }
            _ => Cvss::parse(text).ok(),
        };
        scores.extend(score.filter(|score| !scores.iter().any(|other| other.version == score.version)));
    }
    scores.sort_by_key(|score| score.version);
    scores
}

fn references(given: &[RawReference<'_>]) -> Vec<String> {
    let mut sorted: Vec<&RawReference<'_>> = given.iter().filter(|r| r.url.len() <= MAX_URL && token(&r.url)).collect();
    sorted.retain(|r| r.url.starts_with("https://") || r.url.starts_with("http://"));
    sorted.sort_by_key(|r| r.kind.as_deref() != Some("ADVISORY"));
    sorted.iter().take(MAX_REFERENCES).map(|r| r.url.clone().into_owned()).collect()
}

/// One entry per package, and beside each the part of its versions that does not say "all". GitHub writes one entry per range.
fn affected(given: &[RawAffected<'_>], cwes: &mut Vec<u32>) -> Result<Vec<(Affected, VersionSet)>, Problem> {
    let mut sorted: Vec<(Ecosystem, &str, &RawAffected<'_>)> = Vec::with_capacity(given.len());
    for entry in given {
        let Some(package) = &entry.package else { continue };
        let Some(ecosystem) = Ecosystem::ALL.into_iter().find(|e| e.osv() == package.ecosystem) else { continue };
        if package.name.len() > MAX_TOKEN || !token(&package.name) {
            return Err(Problem::Value("affected package's name", package.name.chars().take(40).collect()));
        }
        sorted.push((ecosystem, &package.name, entry));
    }
    sorted.sort_by_key(|(ecosystem, name, _)| (*ecosystem, *name));
    Ok(sorted.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(|entries| package(entries[0].0, entries[0].1, entries, cwes)).collect())
}

fn package(
    ecosystem: Ecosystem,
    name: &str,
    entries: &[(Ecosystem, &str, &RawAffected<'_>)],
    cwes: &mut Vec<u32>,
) -> (Affected, VersionSet) {
    let mut found = Affected {
        ecosystem,
        name: name.to_owned(),
        versions: VersionSet::default(),
        narrowed: false,
        scores: Vec::new(),
        informational: None,
        functions: Vec::new(),
        arch: Vec::new(),
        os: Vec::new(),
        malicious: false,
    };
    let mut bounded = VersionSet::default();
    for (_, _, entry) in entries {
        let (specific, own) = (Members::of(entry.database_specific), Members::of(entry.ecosystem_specific));
        let known_last: Option<String> = specific.get("last_known_affected_version_range");
        versions(entry, known_last.as_deref(), ecosystem, &mut found.versions, &mut bounded);
        let word: Option<String> = specific.get("informational");
        found.informational = found.informational.or_else(|| Informational::ALL.into_iter().find(|i| word.as_deref() == Some(i.word())));
        let categories: Vec<String> = specific.get("categories").unwrap_or_default();
        found.malicious |= categories.iter().any(|category| category == "malicious");
        let weaknesses: Vec<Weakness> = specific.get("cwes").unwrap_or_default();
        cwes.extend(weaknesses.iter().filter_map(|weakness| weakness.id.strip_prefix("CWE-")?.parse::<u32>().ok()));
        let mut rated = scores(entry.severity.as_deref().unwrap_or_default());
        // The worst of several entries.
        if rated.iter().map(|s| s.score).max() > found.scores.iter().map(|s| s.score).max() {
            std::mem::swap(&mut found.scores, &mut rated);
        }
        let affects = Members::of(own.get("affects"));
        found.functions.extend(own.get::<Vec<String>>("affected_functions").unwrap_or_default());
        for (to, name) in [(&mut found.functions, "functions"), (&mut found.arch, "arch"), (&mut found.os, "os")] {
            to.extend(affects.get::<Vec<String>>(name).unwrap_or_default());
        }
    }
    for list in [&mut found.functions, &mut found.arch, &mut found.os] {
        list.iter_mut().for_each(|text| *text = plain(text, MAX_TOKEN));
        list.sort_unstable();
        list.dedup();
    }
    found.versions.normalize();
    bounded.normalize();
    (found, bounded)
}

/// The versions of one entry: its ranges and its list add up.
fn versions(entry: &RawAffected<'_>, known_last: Option<&str>, ecosystem: Ecosystem, all: &mut VersionSet, bounded: &mut VersionSet) {
    let mut any = false;
    for given in entry.ranges.iter().flatten() {
        // GIT ranges are about commits; other types are not known.
        if !matches!(&*given.kind, "SEMVER" | "ECOSYSTEM") {
            continue;
        }
        any = true;
        let mut events = Vec::new();
        for event in given.events.iter().flatten() {
            events.extend(event.introduced.as_deref().map(Event::Introduced));
            events.extend(event.fixed.as_deref().map(Event::Fixed));
            events.extend(event.last_affected.as_deref().map(Event::LastAffected));
            events.extend(event.limit.as_deref().map(Event::Limit));
        }
        let mut set = VersionSet::default();
        range(&events, known_last, ecosystem, &mut set);
        all.unclear |= set.unclear;
        bounded.intervals.extend(set.intervals.iter().filter(|interval| !interval.is_all()).cloned());
        all.intervals.append(&mut set.intervals);
    }
    for version in entry.versions.iter().flatten() {
        any = true;
        match bound(version, ecosystem) {
            Some(version) => {
                bounded.intervals.push(Interval::only(version.clone()));
                all.intervals.push(Interval::only(version));
            }
            // Longer than any version: no lockfile's version can equal it.
            None if version.len() <= MAX_LENGTH => all.literal.push(plain(version, MAX_LENGTH).into()),
            None => {}
        }
    }
    // Nothing was said about versions that could be understood.
    all.unclear |= !any;
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let ranges = r#"[{"type":"GIT","repo":"x","events":[{"introduced":"0"}]},{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]"#;
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
}
