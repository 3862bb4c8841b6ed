//! A record, read.

use jiff::Timestamp;

use crate::cvss::{Cvss, Severity};
use crate::package::Ecosystem;
use crate::version::VersionSet;

/// An advisory.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id: `GHSA-...`, `RUSTSEC-...`, `MAL-...`.
    pub id: String,
    /// Other databases' ids of the same vulnerability.
    pub aliases: Vec<String>,
    /// When it last changed.
    pub modified: Timestamp,
    /// When it was first published.
    pub published: Option<Timestamp>,
    /// When it was taken back, if it was.
    pub withdrawn: Option<Timestamp>,
    /// One line.
    pub summary: String,
    /// More, in Markdown, cut at 8 KiB. Empty for records of malicious-packages, whose text says nothing more.
    pub details: String,
    /// The database's word for its severity (`database_specific.severity`).
    pub label: Option<Severity>,
    /// Its vectors that have a score.
    pub scores: Vec<Cvss>,
    /// Its kinds of weakness: the numbers of CWE.
    pub cwes: Vec<u32>,
    /// Where to read on. Advisories come first.
    pub references: Vec<String>,
    /// What it is about, one entry per package of the ecosystems known here.
    pub affected: Vec<Affected>,
}

/// A package that an advisory is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Affected {
    /// Where the name is from.
    pub ecosystem: Ecosystem,
    /// The name.
    pub name: String,
    /// Its versions.
    pub versions: VersionSet,
    /// Whether the record also calls every version affected, beside the narrower set in `versions`: see [`Record::is_malware`].
    pub narrowed: bool,
    /// Vectors for this package alone, which go before the record's.
    pub scores: Vec<Cvss>,
    /// Not a vulnerability but a notice (RustSec).
    pub informational: Option<Informational>,
    /// Functions that are at fault.
    pub functions: Vec<String>,
    /// Processors that it is limited to; none: all of them.
    pub arch: Vec<String>,
    /// Systems that it is limited to; none: all of them.
    pub os: Vec<String>,
    /// Whether RustSec files it under malicious code.
    pub malicious: bool,
}

/// RustSec's notices that are no vulnerabilities (`database_specific.informational`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Informational {
    /// Nobody looks after it.
    Unmaintained,
    /// It can break memory safety, in ways that need not be reachable.
    Unsound,
    /// Something else worth knowing.
    Notice,
}

impl Informational {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unmaintained, Self::Unsound, Self::Notice];

    /// RustSec's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unmaintained => "unmaintained",
            Self::Unsound => "unsound",
            Self::Notice => "notice",
        }
    }
}

/// Embedded malicious code.
const CWE_MALICIOUS: u32 = 506;

impl Record {
    /// Whether the package itself is the attack: a record of malicious-packages (`MAL-`), of CWE-506, or one that RustSec files so.
    ///
    /// Such records are made by machines and some are too broad for a while. When one gives all versions and a narrower set besides,
    /// the narrower one counts, and [`Affected::narrowed`] says so.
    pub fn is_malware(&self) -> bool {
        is_malware(&self.id, &self.cwes, self.affected.iter().any(|a| a.malicious))
    }
}

pub(super) fn is_malware(id: &str, cwes: &[u32], malicious: bool) -> bool {
    id.starts_with("MAL-") || cwes.contains(&CWE_MALICIOUS) || malicious
}
