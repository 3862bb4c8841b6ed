//! A vulnerability of a package, with all that is known of it.

use super::{Context, Cve, Exploited, Probability};
use crate::cvss::{Cvss, Score, Severity, Version as CvssVersion};
use crate::db::{Verdict, preference};
use crate::osv::{Affected, Informational, Record};
use crate::package::Ecosystem;
use crate::version::{Version, VersionSet};

/// What kind of thing is wrong. The worst is greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Something worth knowing.
    Notice,
    /// Nobody looks after the package.
    Unmaintained,
    /// It can break memory safety.
    Unsound,
    /// It has a vulnerability.
    Vulnerability,
    /// It is the attack. No severity, omitted kind of dependency or lack of reachability makes it less.
    Malware,
}

impl Class {
    fn of(record: &Record) -> Self {
        match record.affected.first().and_then(|affected| affected.informational) {
            _ if record.is_malware() => Self::Malware,
            None => Self::Vulnerability,
            Some(Informational::Unsound) => Self::Unsound,
            Some(Informational::Unmaintained) => Self::Unmaintained,
            Some(Informational::Notice) => Self::Notice,
        }
    }

    /// Whether it is a warning rather than a vulnerability.
    pub const fn is_warning(self) -> bool {
        matches!(self, Self::Notice | Self::Unmaintained | Self::Unsound)
    }
}

/// One record about the vulnerability.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The record, with its entry for this package alone.
    pub record: Record,
    /// What it says of this version.
    pub verdict: Verdict,
}

impl Member {
    /// What the record says of the package.
    pub fn affected(&self) -> Option<&Affected> {
        self.record.affected.first()
    }

    /// Its vectors: those for the package before the record's own.
    fn scores(&self) -> impl Iterator<Item = &Cvss> {
        let own = self.affected().map_or(&[][..], |affected| &affected.scores);
        own.iter().chain(self.record.scores.iter().filter(|score| !own.iter().any(|o| o.version == score.version)))
    }
}

/// What is to be said of a record of malware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Malware {
    /// Every version is called malware: the package itself, not a release that somebody slipped in.
    pub all_versions: bool,
    /// The record also named every version, and the narrower set was taken instead.
    pub narrowed: bool,
    /// It names every version of a package that has been around for years, and is only days old. Such records have been wrong.
    pub unconfirmed: bool,
}

/// A vulnerability of a package's version.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The package's place among those that were checked.
    pub package: usize,
    /// The id to show.
    pub id: String,
    /// What kind it is.
    pub class: Class,
    /// Whether it is affected for certain. Never [`Verdict::Safe`].
    pub verdict: Verdict,
    /// The severity: the database's word for it if it has one, or else the score's band.
    pub severity: Option<Severity>,
    /// The score: a vector's, or else the middle of the severity's band.
    pub score: Option<Score>,
    /// The vector that the score is from.
    pub vector: Option<Cvss>,
    /// For malware only.
    pub malware: Option<Malware>,
    /// How probable it is that somebody exploits it within 30 days: the highest of its CVEs.
    pub epss: Option<Probability>,
    /// It is known to be exploited.
    pub exploited: Option<Exploited>,
    /// The versions that its records call affected.
    pub vulnerable: VersionSet,
    /// Versions above this one with which a record says that it is mended, ascending.
    pub fixed: Vec<Version>,
    /// All records of it, the best one first; those too that do not call this version affected.
    pub members: Vec<Member>,
}

impl Finding {
    /// `members` is not empty, sorted by preference, and one of them is not safe.
    pub(super) fn new(package: usize, version: Option<&Version>, members: Vec<Member>, context: &Context<'_>) -> Self {
        let verdict = members.iter().map(|member| member.verdict).max().unwrap_or(Verdict::Unknown);
        let speaking: Vec<&Member> = members.iter().filter(|member| member.verdict == verdict).collect();
        let malware = malware(&speaking);
        let class = match (malware, speaking.first()) {
            (Some(_), _) => Class::Malware,
            (None, first) => first.map_or(Class::Vulnerability, |member| Class::of(&member.record)),
        };
        let rated = speaking.iter().find(|member| member.record.label.is_some() || member.scores().next().is_some());
        let vector = rated.and_then(|member| preferred(member, context.prefer_v4)).cloned();
        let severity = rated.and_then(|member| member.record.label).or_else(|| vector.as_ref()?.score.severity());
        let score = vector.as_ref().map(|vector| vector.score).or_else(|| severity.map(Severity::midpoint));
        let mut vulnerable = VersionSet::default();
        for affected in speaking.iter().filter_map(|member| member.affected()) {
            vulnerable.intervals.extend_from_slice(&affected.versions.intervals);
            vulnerable.literal.extend_from_slice(&affected.versions.literal);
            vulnerable.unclear |= affected.versions.unclear;
        }
        vulnerable.normalize();
        let fixed = vulnerable.fixed().filter(|fixed| version.is_none_or(|version| *fixed > version)).cloned().collect();
        let cves = || members.iter().flat_map(|member| ids(&member.record)).filter_map(Cve::parse);
        let epss =
            context.epss.and_then(|epss| cves().filter_map(|cve| epss.get(cve)).max_by(|a, b| a.probability.total_cmp(&b.probability)));
        let exploited = context.kev.and_then(|kev| cves().find_map(|cve| kev.get(cve)));
        let id = members.first().map(|member| member.record.id.clone()).unwrap_or_default();
        Self { package, id, class, verdict, severity, score, vector, malware, epss, exploited, vulnerable, fixed, members }
    }

    /// The records that speak of this version: the reason for the finding.
    pub fn said_by(&self) -> impl Iterator<Item = &Record> {
        self.members.iter().filter(|member| member.verdict == self.verdict).map(|member| &member.record)
    }

    /// The record to show: the best one that speaks of this version.
    pub fn record(&self) -> Option<&Record> {
        self.said_by().next()
    }

    /// Every id and alias of it, the best ones first.
    pub fn ids(&self) -> Vec<&str> {
        let ecosystem = self.members.first().and_then(Member::affected).map_or(Ecosystem::Npm, |affected| affected.ecosystem);
        let mut all: Vec<&str> = self.members.iter().flat_map(|member| ids(&member.record)).collect();
        all.sort_unstable_by(|a, b| {
            (*a != self.id).cmp(&(*b != self.id)).then_with(|| preference(ecosystem, a).cmp(&preference(ecosystem, b)))
        });
        all.dedup();
        all
    }

    /// Whether an id or alias is this finding's, in any case of letters.
    pub fn has_id(&self, id: &str) -> bool {
        self.members.iter().flat_map(|member| ids(&member.record)).any(|own| own.eq_ignore_ascii_case(id))
    }

    /// How urgent it is, from 0 to 100 (grype's formula): the probability of exploitation, which is certain for what is known to be
    /// exploited, times the severity, and a tenth more at most for what is exploited. `None` without EPSS and KEV data about it.
    pub fn risk(&self) -> Option<f64> {
        let threat = match (&self.exploited, &self.epss) {
            (Some(_), _) => 1.0,
            (None, Some(epss)) => epss.probability,
            (None, None) => return None,
        };
        let label = self.severity.map(|severity| severity.midpoint().value());
        let scores: Vec<f64> =
            self.members.iter().filter(|m| m.verdict == self.verdict).flat_map(Member::scores).map(|s| s.score.value()).collect();
        let mean = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
        let severity = match (label, mean) {
            (Some(label), Some(mean)) => f64::midpoint(label, mean),
            (label, mean) => label.or(mean)?,
        };
        let factor = self.exploited.map_or(1.0, |exploited| if exploited.ransomware { 1.1 } else { 1.05 });
        Some((threat * severity / 10.0 * factor).min(1.0) * 100.0)
    }
}

fn ids(record: &Record) -> impl Iterator<Item = &str> {
    std::iter::once(record.id.as_str()).chain(record.aliases.iter().map(String::as_str))
}

fn malware(speaking: &[&Member]) -> Option<Malware> {
    let mut found: Option<Malware> = None;
    for affected in speaking.iter().filter(|member| member.record.is_malware()).filter_map(|member| member.affected()) {
        let malware = found.get_or_insert_default();
        malware.all_versions |= affected.versions.is_all();
        malware.narrowed |= affected.narrowed;
    }
    found
}

fn preferred(member: &Member, v4_first: bool) -> Option<&Cvss> {
    let order =
        if v4_first { [CvssVersion::V4, CvssVersion::V3, CvssVersion::V2] } else { [CvssVersion::V3, CvssVersion::V4, CvssVersion::V2] };
    order.into_iter().find_map(|version| member.scores().find(|score| score.version == version))
}
