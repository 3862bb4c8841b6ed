//! Reading records.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::package::affected;
use super::prose::{plain, token};
use super::raw::{Members, Raw, RawReference, RawSeverity};
use super::record::{Record, is_malware};
use crate::cvss::{Cvss, Score, Severity, Version as CvssVersion};

/// The longest record that is read, in bytes. The longest known ones list tens of thousands of versions and have less than half.
pub const MAX_RECORD: usize = 16 << 20;
/// The longest id or name, in bytes. npm's names end at 214, crates.io's at 64.
pub(super) const MAX_TOKEN: usize = 512;
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
pub(super) fn scores(given: &[RawSeverity<'_>]) -> Vec<Cvss> {
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
