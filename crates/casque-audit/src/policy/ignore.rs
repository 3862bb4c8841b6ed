//! One finding that is not to be reported, and until when.

use std::fmt;

use jiff::civil::Date;

use super::{DependencyPath, Vex};
use crate::matching::{Finding, installed};
use crate::package::Package;
use crate::version::{Range, RangeOptions};

/// An entry of the policy: one advisory, where it is not to be reported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ignore {
    /// The advisory: any id or alias of it, in any case of letters.
    pub id: String,
    /// Why. Whoever reviews the entry reads nothing else.
    pub reason: String,
    /// The last day on which it counts, by UTC. Default: no end.
    pub expires: Option<Date>,
    /// Only for this package.
    pub package: Option<String>,
    /// Only for these versions of it.
    pub versions: Option<Versions>,
    /// Only for this way to it. What is reached in another way too is reported.
    pub path: Option<DependencyPath>,
    /// Only in this lockfile, or in those in and below this folder. Relative to the policy's folder, with `/`.
    pub lockfile: Option<String>,
    /// Only as long as no version mends it.
    pub until_fixable: bool,
    /// It may be malware. Without this, an entry never hides malware; with it, `expires` must be there, and every report warns of it.
    pub allow_malware: bool,
    /// What was found out, for VEX documents.
    pub vex: Option<Vex>,
}

impl Ignore {
    /// Whether it speaks of a finding about a package in a lockfile, whatever the day and the ways to it.
    pub(super) fn is_about(&self, package: &Package, finding: &Finding, lockfile: &str) -> bool {
        finding.has_id(&self.id)
            && self.package.as_deref().is_none_or(|name| *package.name == *name)
            && self.versions.as_ref().is_none_or(|versions| versions.contain(package))
            && self.lockfile.as_deref().is_none_or(|wanted| lies_in(lockfile, wanted))
    }

    /// Whether it is about the same advisory in the same places as another, whatever else the two say.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let place = |ignore: &Self| (ignore.package.clone(), ignore.versions.clone(), ignore.path.clone(), ignore.lockfile.clone());
        self.id.eq_ignore_ascii_case(&other.id) && place(self) == place(other)
    }

    /// Whether its last day is over.
    pub(super) fn has_ended(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

/// Whether a path is another one, or below it.
fn lies_in(path: &str, wanted: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    parts(path).starts_with(&parts(wanted))
}

/// A range of versions in npm's notation, for packages of both ecosystems. Prereleases are versions like others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    text: String,
    range: Range,
}

impl Versions {
    /// Reads a range such as `<4.17.21` or `1.x || 2.0.0`.
    ///
    /// # Errors
    /// What is wrong, as a fragment of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let range = Range::parse(text, RangeOptions { loose: false, include_prerelease: true });
        match range {
            Ok(range) if !text.trim().is_empty() => Ok(Self { text: text.trim().to_owned(), range }),
            _ => Err("expected a range of versions such as \"<4.17.21\" or \"1.x || 2.0.0\"".to_owned()),
        }
    }

    /// Whether a package's version is one of them. One that does not parse is none.
    pub(super) fn contain(&self, package: &Package) -> bool {
        installed(package).is_some_and(|version| self.range.contains(&version))
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a text can be the id of an advisory that OSV knows.
///
/// # Errors
/// Why not, and what to write instead.
pub fn check_id(id: &str) -> Result<(), String> {
    let upper = id.to_ascii_uppercase();
    if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
        return Err("npm's numbers change, and none of them tells which advisory it was; write its GHSA, CVE or RUSTSEC id".to_owned());
    }
    if upper.starts_with("SNYK-") || upper.starts_with("NPM:") {
        return Err("Snyk's own ids are in no public database; write the GHSA, CVE or RUSTSEC id of the same advisory".to_owned());
    }
    if upper.starts_with("CWE-") {
        return Err("a CWE is a kind of weakness, not an advisory; write a GHSA, CVE or RUSTSEC id".to_owned());
    }
    let known = ["GHSA-", "CVE-", "RUSTSEC-", "MAL-", "NSWG-ECO-", "OSV-"].iter().any(|prefix| upper.starts_with(prefix));
    let plain = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if known && plain {
        return Ok(());
    }
    Err("expected the id of an advisory, such as GHSA-jf85-cpcp-j695, CVE-2019-10744 or RUSTSEC-2021-0139".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Ecosystem;

    #[test]
    fn a_lockfile_lies_in_its_folders() {
        for (path, wanted, inside) in [
            ("apps/web/package-lock.json", "apps/web", true),
            ("./apps/web/package-lock.json", "apps/web/", true),
            ("apps/web/package-lock.json", "./apps/web/package-lock.json", true),
            ("apps/web-old/package-lock.json", "apps/web", false),
            ("package-lock.json", "apps", false),
            ("apps\\web\\yarn.lock", "apps/web", true),
        ] {
            assert_eq!(lies_in(path, wanted), inside, "{path} in {wanted}");
        }
    }

    #[test]
    fn versions_are_npms_and_prereleases_count() {
        let package = |ecosystem, version: &str| Package::new(ecosystem, "a", version);
        let old = Versions::parse("<2.0.0").unwrap();
        assert!(old.contain(&package(Ecosystem::Npm, "2.0.0-beta.1")) && old.contain(&package(Ecosystem::Cargo, "1.9.9")));
        assert!(!old.contain(&package(Ecosystem::Npm, "2.0.0")) && !old.contain(&package(Ecosystem::Npm, "nonsense")));
        assert!(Versions::parse("latest").is_err() && Versions::parse(" ").is_err());
    }

    #[test]
    fn ids_that_change_or_mean_something_else_are_refused_with_the_remedy() {
        for id in ["GHSA-jf85-cpcp-j695", "CVE-2019-10744", "RUSTSEC-2021-0139", "MAL-2025-1", "ghsa-jf85-cpcp-j695"] {
            assert_eq!(check_id(id), Ok(()), "{id}");
        }
        for (id, word) in [
            ("1523", "numbers change"),
            ("SNYK-JS-LODASH-567746", "Snyk"),
            ("npm:ms:20151024", "Snyk"),
            ("CWE-79", "weakness"),
            ("lodash", "expected"),
            ("GHSA-\u{1b}", "expected"),
            ("", "expected"),
        ] {
            assert!(check_id(id).unwrap_err().contains(word), "{id}");
        }
    }
}
