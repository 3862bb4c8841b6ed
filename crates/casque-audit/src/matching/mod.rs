//! Which advisories a package's version has: packages and a database in, findings out.
//!
//! - A version is affected if one record of a vulnerability says so, whatever its other records say; [`Finding::said_by`] names it.
//!   Records of one vulnerability are one finding, under the id that people know (see `db/groups.rs`).
//! - A version that does not parse, and an advisory whose bounds do not, make a finding of [`Verdict::Unknown`]: never silence.
//! - Prereleases are versions like others: `2.0.0-beta` is below `2.0.0`, thus in `<2.0.0`, as npm audit has it.
//! - Withdrawn records match nothing.
//! - Malware is a class of its own above all severities. A record of it that names every version and a narrower set besides has
//!   been narrowed on reading; one that names every version of a package that has been around for years, within days of its
//!   publication, is marked unconfirmed ([`Malware`]).
//!
//! Matching goes by name: whoever asks leaves out what does not come from the registry, such as git dependencies.

mod cve;
mod epss;
mod finding;
mod kev;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

pub use cve::Cve;
pub use epss::{BadList, Epss, Probability};
pub use finding::{Class, Finding, Malware, Member};
pub use kev::{Exploited, Kev};

use crate::db::{Database, Entry, Error, Posting, Verdict};
use crate::package::{Ecosystem, Package};
use crate::version::{Grammar, Version};

/// A record of malware younger than this may still be wrong about the versions.
const YOUNG: SignedDuration = SignedDuration::from_hours(5 * 24);
/// A package older than this is not likely to be malware altogether.
const ESTABLISHED: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// Tells when a package was first published, if that is known.
pub type FirstPublished = dyn Fn(&Package) -> Option<Timestamp>;

/// What is known besides the database. Default: nothing.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// The time, for judging records of malware by their age.
    pub now: Option<Timestamp>,
    /// For the same: when packages were first published.
    pub first_published: Option<&'a FirstPublished>,
    /// How probable the exploitation of a vulnerability is.
    pub epss: Option<&'a Epss>,
    /// Which vulnerabilities are known to be exploited.
    pub kev: Option<&'a Kev>,
    /// Take the score of CVSS 4 before that of CVSS 3, where there are both.
    pub prefer_v4: bool,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("now", &self.now).field("prefer_v4", &self.prefer_v4).finish_non_exhaustive()
    }
}

/// Checks packages against a database. Findings come in the order of the packages, and name them by their place in it.
///
/// # Errors
/// The database is damaged at a place that was asked. What else it says is then not to be relied on.
pub fn check<'p>(
    packages: impl IntoIterator<Item = &'p Package>,
    database: &Database,
    context: &Context<'_>,
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for (place, package) in packages.into_iter().enumerate() {
        if let Some(posting) = database.posting(package.ecosystem, &package.name)? {
            check_one(place, package, &posting, database, context, &mut findings)?;
        }
    }
    Ok(findings)
}

/// A version as its ecosystem's own tool reads it from a lockfile.
pub(crate) fn installed(package: &Package) -> Option<Version> {
    let grammar = match package.ecosystem {
        Ecosystem::Npm => Grammar::NpmLoose,
        Ecosystem::Cargo => Grammar::Cargo,
    };
    grammar.version(&package.version).ok()
}

fn check_one(
    place: usize,
    package: &Package,
    posting: &Posting<'_>,
    database: &Database,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let version = installed(package);
    let entries = posting.entries()?;
    let verdicts = entries.iter().map(|entry| entry.judge(version.as_ref(), &package.version)).collect::<Result<Vec<_>, _>>()?;
    if verdicts.iter().all(|verdict| *verdict == Verdict::Safe) {
        return Ok(());
    }
    let judged: Vec<Judged<'_>> = entries.iter().zip(verdicts).collect();
    for members in vulnerabilities(&judged) {
        let members = members.into_iter().map(|(entry, verdict)| Ok(Member { record: database.record_for(entry)?, verdict }));
        let mut finding = Finding::new(place, version.as_ref(), members.collect::<Result<_, Error>>()?, context);
        if let Some(malware) = &mut finding.malware {
            malware.unconfirmed = malware.all_versions && unconfirmed(&finding.members, package, context);
        }
        findings.push(finding);
    }
    Ok(())
}

type Judged<'e> = (&'e Entry<'e>, Verdict);

/// The vulnerabilities that any record reports, each with all its records, the best one first.
fn vulnerabilities<'e>(judged: &[Judged<'e>]) -> Vec<Vec<Judged<'e>>> {
    let mut groups: BTreeMap<u32, Vec<Judged<'e>>> = BTreeMap::new();
    for (entry, verdict) in judged {
        if let [group] = entry.groups[..] {
            groups.entry(group).or_default().push((entry, *verdict));
        }
    }
    groups.retain(|_, members| members.iter().any(|(_, verdict)| *verdict != Verdict::Safe));
    let mut alone = Vec::new();
    // A record about several vulnerabilities says that one of them is there, but not which: it supports those that others report,
    // and is a finding by itself when none is.
    for (entry, verdict) in judged.iter().filter(|(entry, verdict)| entry.groups.len() != 1 && *verdict != Verdict::Safe) {
        let mut supported = false;
        for group in &entry.groups {
            if let Some(members) = groups.get_mut(group) {
                members.push((entry, *verdict));
                supported = true;
            }
        }
        if !supported {
            alone.push(vec![(*entry, *verdict)]);
        }
    }
    groups.into_values().chain(alone).collect()
}

fn unconfirmed(members: &[Member], package: &Package, context: &Context<'_>) -> bool {
    let (Some(now), Some(first_published)) = (context.now, context.first_published) else { return false };
    let age = |since: Timestamp| now.duration_since(since);
    let young = members.iter().filter(|member| member.record.is_malware()).all(|member| {
        let since = member.record.published.unwrap_or(member.record.modified);
        age(since) < YOUNG
    });
    young && first_published(package).is_some_and(|first| age(first) > ESTABLISHED)
}

#[cfg(test)]
mod tests;
