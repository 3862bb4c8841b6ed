//! Scores of CVSS vectors: versions 2.0, 3.0, 3.1 and 4.0, computed from the vector by the formulas of FIRST's specifications.
//!
//! Base and threat (formerly temporal) metrics count. Of the environmental ones, version 4 has a single score in which they take
//! part; for the others they are checked and left out, since a public record cannot know its reader's environment. A vector with a
//! metric missing, given twice or of an unknown value has no score: advisories with such vectors exist, and a guess would look like
//! a fact.

mod metrics;
mod v2;
mod v3;
mod v4;
mod v4_table;

use std::fmt;

pub use metrics::BadVector;

/// A score from 0 to 10, in steps of 0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

impl Score {
    /// A score by its tenths; 100 at most.
    pub const fn from_tenths(tenths: u8) -> Self {
        Self(if tenths > 100 { 100 } else { tenths })
    }

    /// The nearest tenth of a number, between 0 and 10.
    pub fn nearest(score: f64) -> Self {
        // A float becomes the nearest integer in range: NaN is 0.
        Self::from_tenths((score * 10.0).round() as u8)
    }

    /// In tenths, 0 to 100.
    pub const fn tenths(self) -> u8 {
        self.0
    }

    /// As a number.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// Its band: low up to 3.9, moderate up to 6.9, high up to 8.9 (CVSS v3.1, section 5; v4.0, section 6). 0.0 is in none.
    pub const fn severity(self) -> Option<Severity> {
        match self.0 {
            0 => None,
            1..=39 => Some(Severity::Low),
            40..=69 => Some(Severity::Moderate),
            70..=89 => Some(Severity::High),
            _ => Some(Severity::Critical),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// How bad it is, in npm's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Up to 3.9.
    Low,
    /// Up to 6.9; CVSS and others say medium.
    Moderate,
    /// Up to 8.9.
    High,
    /// From 9.0.
    Critical,
}

impl Severity {
    /// All, ascending.
    pub const ALL: [Self; 4] = [Self::Low, Self::Moderate, Self::High, Self::Critical];

    /// The word, in lower case.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Reads the word in any case; `medium` is moderate.
    pub fn parse(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("medium") {
            return Some(Self::Moderate);
        }
        Self::ALL.into_iter().find(|severity| word.eq_ignore_ascii_case(severity.word()))
    }

    /// The middle of its band, for advisories without a vector (grype's mid-points).
    pub const fn midpoint(self) -> Score {
        Score(match self {
            Self::Low => 30,
            Self::Moderate => 50,
            Self::High => 75,
            Self::Critical => 90,
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The standard's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 2.0.
    V2,
    /// 3.0 and 3.1, which differ in rounding alone.
    V3,
    /// 4.0.
    V4,
}

impl Version {
    /// OSV's name of the type of severity.
    pub const fn osv(self) -> &'static str {
        match self {
            Self::V2 => "CVSS_V2",
            Self::V3 => "CVSS_V3",
            Self::V4 => "CVSS_V4",
        }
    }
}

/// A vector with its score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cvss {
    /// The standard's version.
    pub version: Version,
    /// The vector, as it was written.
    pub vector: String,
    /// The score.
    pub score: Score,
}

impl Cvss {
    /// Reads a vector and computes its score. Its version stands in front; a vector without is one of 2.0.
    ///
    /// # Errors
    /// The vector is not one of a version known here.
    pub fn parse(vector: &str) -> Result<Self, BadVector> {
        let (version, score) = if let Some(rest) = vector.strip_prefix("CVSS:3.1/").or_else(|| vector.strip_prefix("CVSS:3.0/")) {
            (Version::V3, v3::score(rest)?)
        } else if let Some(rest) = vector.strip_prefix("CVSS:4.0/") {
            (Version::V4, v4::score(rest)?)
        } else {
            let bare = vector.strip_prefix("CVSS:2.0/").unwrap_or(vector);
            (Version::V2, v2::score(bare.strip_prefix('(').and_then(|v| v.strip_suffix(')')).unwrap_or(bare))?)
        };
        Ok(Self { version, vector: vector.to_owned(), score })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_and_words() {
        let band = |tenths| Score::from_tenths(tenths).severity();
        assert_eq!([band(0), band(1), band(39), band(40)], [None, Some(Severity::Low), Some(Severity::Low), Some(Severity::Moderate)]);
        assert_eq!(
            [band(69), band(70), band(89), band(90)].map(Option::unwrap),
            [Severity::Moderate, Severity::High, Severity::High, Severity::Critical]
        );
        assert_eq!(Severity::parse("MEDIUM"), Some(Severity::Moderate));
        assert_eq!(Severity::parse("none"), None);
        assert_eq!(Score::nearest(9.84).to_string(), "9.8");
        assert_eq!([Score::nearest(f64::NAN), Score::nearest(-3.0), Score::nearest(1e9)].map(Score::tenths), [0, 0, 100]);
    }

    #[test]
    fn each_vector_goes_to_its_version() {
        let version = |vector| Cvss::parse(vector).map(|cvss| cvss.version);
        assert_eq!(version("(AV:N/AC:L/Au:N/C:P/I:P/A:P)"), Ok(Version::V2));
        assert_eq!(version("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), Ok(Version::V3));
        assert!(version("CVSS:5.0/AV:N").is_err());
        // As NSWG-ECO-504 has it.
        assert!(version("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:U/A:U").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(CVSS:(3.1|4.0|2.0)/)?([A-Z]{1,3}:[A-Z]/?){0,20}|\\PC*") {
            let _ = Cvss::parse(&text);
        }
    }
}
