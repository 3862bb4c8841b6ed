//! Records as bytes of the file, and back.
//!
//! What an audit asks of every package it meets (which versions) stands with the package, in an entry of its posting. What is
//! asked of the few that are hit stands with the record.

use jiff::Timestamp;

use super::error::Corrupt;
use super::wire::{Reader, Writer};
use crate::cvss::{Cvss, Score, Severity, Version as CvssVersion};
use crate::osv::{Affected, Informational, Record, plain};
use crate::package::Ecosystem;
use crate::version::{High, Interval, Version, VersionSet, key_in};

/// What is kept of a record beside its packages.
pub(super) fn write_record(record: &Record, out: &mut Writer) {
    out.text(&record.id);
    out.signed(record.modified.as_second());
    for time in [record.published, record.withdrawn] {
        out.byte(u8::from(time.is_some()));
        if let Some(time) = time {
            out.signed(time.as_second());
        }
    }
    out.texts(&record.aliases);
    out.byte(record.label.map_or(0, |label| label as u8 + 1));
    write_scores(&record.scores, out);
    out.length(record.cwes.len());
    for cwe in &record.cwes {
        out.number((*cwe).into());
    }
    out.text(&record.summary);
    out.text(&record.details);
    out.texts(&record.references);
}

/// Reads what [`write_record`] wrote. Texts are made fit for a terminal again: the file may be anybody's.
pub(super) fn read_record(reader: &mut Reader<'_>) -> Result<Record, Corrupt> {
    let id = shown(reader.text()?);
    let time = |reader: &mut Reader<'_>| Timestamp::from_second(reader.signed()?).map_err(|_| Corrupt("a date is impossible"));
    let modified = time(reader)?;
    let optional = |reader: &mut Reader<'_>| if reader.byte()? == 0 { Ok(None) } else { time(reader).map(Some) };
    let published = optional(reader)?;
    let withdrawn = optional(reader)?;
    let aliases = texts(reader)?;
    let label = match reader.byte()? {
        0 => None,
        n => Some(*Severity::ALL.get(usize::from(n) - 1).ok_or(Corrupt("there is no such severity"))?),
    };
    let scores = read_scores(reader)?;
    let cwes = reader.list(Reader::u32)?;
    let summary = plain(reader.text()?, usize::MAX);
    let details = plain(reader.text()?, usize::MAX);
    let references = texts(reader)?;
    Ok(Record { id, aliases, modified, published, withdrawn, summary, details, label, scores, cwes, references, affected: Vec::new() })
}

/// The id and the aliases of a record, without the rest.
pub(super) fn read_ids<'a>(reader: &mut Reader<'a>) -> Result<(&'a str, Vec<&'a str>), Corrupt> {
    let id = reader.text()?;
    reader.signed()?;
    for _ in 0..2 {
        if reader.byte()? != 0 {
            reader.signed()?;
        }
    }
    Ok((id, reader.list(Reader::text)?))
}

fn shown(text: &str) -> String {
    plain(text, usize::MAX).replace('\n', " ")
}

fn texts(reader: &mut Reader<'_>) -> Result<Vec<String>, Corrupt> {
    reader.list(|reader| reader.text().map(shown))
}

fn write_scores(scores: &[Cvss], out: &mut Writer) {
    out.length(scores.len());
    for score in scores {
        out.byte(score.version as u8);
        out.byte(score.score.tenths());
        out.text(&score.vector);
    }
}

fn read_scores(reader: &mut Reader<'_>) -> Result<Vec<Cvss>, Corrupt> {
    reader.list(|reader| {
        let version = match reader.byte()? {
            0 => CvssVersion::V2,
            1 => CvssVersion::V3,
            2 => CvssVersion::V4,
            _ => return Err(Corrupt("there is no such version of CVSS")),
        };
        Ok(Cvss { version, score: Score::from_tenths(reader.byte()?), vector: shown(reader.text()?) })
    })
}

/// The part of a package's entry that is read for every version: the set. Then what is read on a hit.
pub(super) fn write_affected(affected: &Affected, out: &mut Writer) {
    write_set(&affected.versions, out);
    out.byte(u8::from(affected.narrowed) | u8::from(affected.malicious) << 1);
    out.byte(affected.informational.map_or(0, |kind| kind as u8 + 1));
    write_scores(&affected.scores, out);
    for list in [&affected.functions, &affected.arch, &affected.os] {
        out.texts(list);
    }
}

pub(super) fn read_affected(reader: &mut Reader<'_>, ecosystem: Ecosystem, name: &str) -> Result<Affected, Corrupt> {
    let versions = read_set(reader)?;
    let flags = reader.byte()?;
    let informational = match reader.byte()? {
        0 => None,
        n => Some(*Informational::ALL.get(usize::from(n) - 1).ok_or(Corrupt("there is no such notice"))?),
    };
    Ok(Affected {
        ecosystem,
        name: shown(name),
        versions,
        narrowed: flags & 1 != 0,
        malicious: flags & 2 != 0,
        informational,
        scores: read_scores(reader)?,
        functions: texts(reader)?,
        arch: texts(reader)?,
        os: texts(reader)?,
    })
}

const OPEN: u8 = 0;
const BEFORE: u8 = 1;
const THROUGH: u8 = 2;

fn write_set(set: &VersionSet, out: &mut Writer) {
    out.byte(u8::from(set.unclear));
    out.length(set.intervals.len());
    for interval in &set.intervals {
        out.bytes(interval.low.as_ref().map_or(&[], Version::key));
        let (high, through) = interval.high.key();
        out.byte(if high.is_empty() {
            OPEN
        } else if through {
            THROUGH
        } else {
            BEFORE
        });
        out.bytes(high);
    }
    out.length(set.literal.len());
    for literal in &set.literal {
        out.text(literal);
    }
}

fn read_set(reader: &mut Reader<'_>) -> Result<VersionSet, Corrupt> {
    let unclear = reader.byte()? != 0;
    let version = |key: &[u8]| Version::from_key(key).ok_or(Corrupt("a version has an impossible key"));
    let intervals = reader.list(|reader| {
        let low = reader.bytes()?;
        let low = if low.is_empty() { None } else { Some(version(low)?) };
        let (kind, high) = (reader.byte()?, reader.bytes()?);
        let high = match kind {
            OPEN => High::Open,
            BEFORE => High::Before(version(high)?),
            THROUGH => High::Through(version(high)?),
            _ => return Err(Corrupt("there is no such end of an interval")),
        };
        Ok(Interval { low, high })
    })?;
    let literal = reader.list(|reader| reader.text().map(|text| shown(text).into()))?;
    Ok(VersionSet { intervals, literal, unclear })
}

/// What a set says of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is not among the affected ones.
    Safe,
    /// It cannot be told: the version does not parse, or a bound of the advisory does not.
    Unknown,
    /// It is affected.
    Affected,
}

/// Asks a set in the file, without making one of it. `version` is `None` when `text` is no version.
pub(super) fn judge(reader: &mut Reader<'_>, version: Option<&Version>, text: &str) -> Result<Verdict, Corrupt> {
    let mut unclear = reader.byte()? != 0;
    for _ in 0..reader.number()? {
        let (low, kind, high) = (reader.bytes()?, reader.byte()?, reader.bytes()?);
        match version {
            Some(version) if key_in(version.key(), low, high, kind == THROUGH) => return Ok(Verdict::Affected),
            // Every version there is.
            None if low.is_empty() && kind == OPEN => return Ok(Verdict::Affected),
            Some(_) => {}
            None => unclear = true,
        }
    }
    for _ in 0..reader.number()? {
        if reader.text()? == text {
            return Ok(Verdict::Affected);
        }
    }
    Ok(if unclear || version.is_none() { Verdict::Unknown } else { Verdict::Safe })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Grammar;

    fn set(unclear: bool) -> VersionSet {
        let version = |text| Grammar::Npm.version(text).unwrap();
        let intervals = vec![
            Interval { low: None, high: High::Before(version("1.0.0")) },
            Interval { low: Some(version("2.0.0-0")), high: High::Through(version("2.5.0")) },
        ];
        VersionSet { intervals, literal: vec!["weird".into()], unclear }
    }

    fn verdict(set: &VersionSet, text: &str) -> Verdict {
        let mut out = Writer::default();
        write_set(set, &mut out);
        assert_eq!(read_set(&mut Reader(&out.0)).as_ref(), Ok(set));
        judge(&mut Reader(&out.0), Grammar::NpmLoose.version(text).ok().as_ref(), text).unwrap()
    }

    #[test]
    fn a_version_is_affected_safe_or_unknown() {
        use Verdict::*;
        for (text, clear, unclear) in [
            ("0.9.0", Affected, Affected),
            ("1.0.0", Safe, Unknown),
            ("2.0.0-beta", Affected, Affected),
            ("2.5.1", Safe, Unknown),
            ("weird", Affected, Affected),
            ("unheard", Unknown, Unknown),
        ] {
            assert_eq!((verdict(&set(false), text), verdict(&set(true), text)), (clear, unclear), "{text}");
        }
        let all = VersionSet { intervals: vec![Interval::ALL], ..VersionSet::default() };
        assert_eq!(verdict(&all, "unheard"), Affected);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_no_trouble(bytes: Vec<u8>) {
            let _ = read_record(&mut Reader(&bytes));
            let _ = read_affected(&mut Reader(&bytes), Ecosystem::Npm, "a");
            let _ = judge(&mut Reader(&bytes), Some(&Version::new(1, 2, 3)), "1.2.3");
            let _ = read_ids(&mut Reader(&bytes));
        }
    }
}
