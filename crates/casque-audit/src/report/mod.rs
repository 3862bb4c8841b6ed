//! What an audit found, as a value and as text for people and machines. Pure: graphs, findings and the time in, text out.
//!
//! **Attacks and answers.** Lockfiles come from pull requests, advisories from strangers: names, versions, titles and paths are
//! hostile. In every format they can do nothing but be read: control bytes, and characters that reorder or hide text, are shown as
//! escapes; Markdown leaves them no markup, link or mention; SARIF no link or placeholder; XML no tag or entity; GitHub's annotations
//! no end of a line or property, so that none is a command; JSON escapes them as JSON does. Addresses of a lockfile lose the name
//! and password that some have. What one package can add to a report is bounded: a long chain of dependencies is shown by its ends,
//! many places by the nearest.

pub(crate) mod address;
mod assess;
pub(crate) mod clean;
pub mod cyclonedx;
mod gate;
mod github;
mod identity;
mod json;
mod junit;
mod markdown;
mod npm_json;
mod openvex;
mod osv;
mod paths;
mod sarif;
pub mod spdx;
mod text;

use std::fmt::Write;

pub use assess::{Scope, assess};
pub use cyclonedx::cyclonedx;
pub use gate::{Bar, Dev, Gate};
pub use github::github;
pub use json::json;
pub(crate) use json::{ignored as ignored_json, package as package_json};
pub use junit::junit;
pub use markdown::markdown;
pub(crate) use markdown::{row as markdown_row, text as markdown_text};
pub use npm_json::npm_json;
pub use openvex::openvex;
pub use osv::osv;
pub(crate) use paths::Paths;
pub use sarif::sarif;
pub use text::text;
pub(crate) use text::{BOLD, DIM, chain, ignored as ignored_text, package as package_text};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::cvss::Severity;
use crate::graph::Graph;
use crate::kind::Kind;
use crate::matching::{Class, Finding};
use crate::npm_view::{Packuments, Setting, View};
use crate::package::Package;
use crate::place::Place;
use crate::policy::Vex;
use crate::supply::{self, Notice};
use crate::version::Version;

/// What one lockfile's audit came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The lockfile's path as it was found.
    pub path: String,
    /// What wrote it.
    pub kind: Kind,
    /// Versions of packages that were checked.
    pub checked: usize,
    /// Versions that were not, as they are not from the registry whose names advisories speak of: git, archives, folders.
    pub unchecked: usize,
    /// What its reader should know about the lockfile.
    pub notes: Vec<String>,
    /// The versions with findings, the worst first.
    pub hits: Vec<Hit>,
    /// What the policy took out, in the same order.
    pub ignored: Vec<Ignored>,
    /// What the lockfile alone shows ([`supply`]); set by whoever wants it told.
    pub notices: Vec<Notice>,
}

/// A finding that the policy took out of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct Ignored {
    /// The package.
    pub package: Package,
    /// Where it is installed, the place that is nearest to a project.
    pub site: Option<Site>,
    /// What is wrong with it.
    pub finding: Finding,
    /// What took it out.
    pub by: IgnoredBy,
}

/// Why a finding is not in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IgnoredBy {
    /// An entry of the policy.
    Entry {
        /// Why, in its author's words.
        reason: String,
        /// The last day on which it is ignored.
        expires: Option<Date>,
        /// What was found out.
        vex: Option<Vex>,
    },
    /// No version mends it, and such were not asked for.
    Unfixable,
}

/// A version of a package with all that was found about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The package.
    pub package: Package,
    /// Where it is installed; the place that is nearest to a project first. Never empty.
    pub sites: Vec<Site>,
    /// What is wrong, the worst first. Never empty.
    pub findings: Vec<Finding>,
    /// The lowest version above with which a record says that something is mended, and about which the database has neither
    /// vulnerability nor malware.
    pub update: Option<Version>,
}

/// One place of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Where it stands in the lockfile.
    pub place: Place,
    /// A shortest way to it from a project, both ends included.
    pub chain: Vec<String>,
    /// How many packages were left out of the chain after its second.
    pub left_out: usize,
    /// A project asks for it by itself.
    pub direct: bool,
    /// It is there for development only.
    pub dev: bool,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For a person at a terminal.
    #[default]
    Text,
    /// casque's own, documented and versioned.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// The shape of osv-scanner's JSON, with the records as OSV has them.
    Osv,
    /// Markdown, for pull requests.
    Markdown,
    /// The JSON of `npm audit`.
    NpmJson,
    /// CycloneDX 1.6: what is installed, and what is known against it.
    CycloneDx,
    /// OpenVEX 0.2.0.
    OpenVex,
    /// Annotations of GitHub Actions.
    Github,
    /// JUnit XML, for test reports.
    Junit,
}

impl Format {
    /// Every format by the name it is chosen by.
    pub const NAMES: [(&'static str, Self); 10] = [
        ("text", Self::Text),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
        ("osv", Self::Osv),
        ("markdown", Self::Markdown),
        ("npm-json", Self::NpmJson),
        ("cyclonedx", Self::CycloneDx),
        ("openvex", Self::OpenVex),
        ("github", Self::Github),
        ("junit", Self::Junit),
    ];
}

/// What a policy makes of reports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// What makes the audit fail.
    pub gate: Gate,
    /// What is to be said of the policy's entries: a sentence each.
    pub remarks: Vec<String>,
}

/// What formats take besides the reports.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What the policy makes of them.
    pub judgement: &'a Judgement,
    /// The time, for formats that have one.
    pub now: Timestamp,
    /// The graphs of the reports, in the same order.
    pub graphs: &'a [Graph],
    /// What is known of other versions, for npm's JSON.
    pub packuments: &'a Packuments,
    /// For the same: what npm is told.
    pub setting: &'a Setting,
}

/// Renders reports in a format. Of npm's JSON there is one document for each report, as npm has one for each project.
#[must_use]
pub fn render(format: Format, reports: &[Report], given: &Given<'_>) -> String {
    match format {
        Format::Text => text(reports, given.judgement),
        Format::Json => json(reports, given.judgement),
        Format::Sarif => sarif(reports),
        Format::Osv => osv(reports),
        Format::Markdown => markdown(reports, given.judgement),
        Format::NpmJson => {
            let view = |(report, graph)| npm_json(&View::new(graph, report, given.packuments, given.setting));
            reports.iter().zip(given.graphs).map(view).collect()
        }
        Format::CycloneDx => cyclonedx(reports, given.graphs, given.now),
        Format::OpenVex => openvex(reports, given.graphs, given.now),
        Format::Github => github(reports, given.judgement.gate),
        Format::Junit => junit(reports, given.judgement.gate),
    }
}

impl Hit {
    /// Whether all of it is there for development only.
    #[must_use]
    pub fn is_dev(&self) -> bool {
        self.sites.iter().all(|site| site.dev)
    }

    /// A version that mends a finding of it: one that a record of the finding names, or else one that mends everything.
    #[must_use]
    pub fn fix<'a>(&'a self, finding: &'a Finding) -> Option<&'a Version> {
        finding.fixed.first().or(self.update.as_ref())
    }
}

impl Report {
    /// The report of a lockfile that is not there.
    pub(crate) fn empty(path: &str, kind: Kind) -> Self {
        let (notes, hits, ignored, notices) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { path: path.to_owned(), kind, checked: 0, unchecked: 0, notes, hits, ignored, notices }
    }

    /// Every finding with the package that it is about, in order.
    pub fn findings(&self) -> impl Iterator<Item = (&Hit, &Finding)> {
        self.hits.iter().flat_map(|hit| hit.findings.iter().map(move |finding| (hit, finding)))
    }

    /// Whether something in it makes the audit fail, or is denied.
    #[must_use]
    pub fn fails(&self, gate: Gate) -> bool {
        self.findings().any(|(hit, finding)| gate.stops(hit, finding)) || self.notices.iter().any(|notice| notice.denied)
    }

    /// Puts what is exploited first, then what is most at risk ([`Finding::risk`]). Malware stays before everything. What nothing is
    /// known of comes after what something is, by severity.
    pub fn order_by_risk(&mut self) {
        let by_risk = |a: &Finding, b: &Finding| {
            let key = |finding: &Finding| (finding.class, finding.exploited.is_some());
            let risk = |finding: &Finding| finding.risk().unwrap_or(-1.0);
            key(b).cmp(&key(a)).then_with(|| risk(b).total_cmp(&risk(a)))
        };
        // Both sorts are stable, so that the order by severity decides where risks are equal.
        self.hits.iter_mut().for_each(|hit| hit.findings.sort_by(by_risk));
        self.hits.sort_by(|a, b| match (a.findings.first(), b.findings.first()) {
            (Some(a), Some(b)) => by_risk(a, b),
            _ => std::cmp::Ordering::Equal,
        });
    }
}

/// The audit in one line: `2 vulnerabilities (1 high, 1 low), 1 warning in 812 packages`.
#[must_use]
pub fn summary(reports: &[Report]) -> String {
    let count = |is: &dyn Fn(&Finding) -> bool| reports.iter().flat_map(Report::findings).filter(|(_, f)| is(f)).count();
    let malware =
        reports.iter().flat_map(|report| &report.hits).filter(|hit| hit.findings.iter().any(|f| f.class == Class::Malware)).count();
    let vulnerabilities = count(&|f| f.class == Class::Vulnerability);
    let warnings = count(&|f| f.class.is_warning());
    let checked: usize = reports.iter().map(|report| report.checked).sum();
    let mut parts = Vec::new();
    if malware > 0 {
        parts.push(counted(malware, "malicious package", "malicious packages"));
    }
    if vulnerabilities > 0 {
        let of = |severity| count(&|f| f.class == Class::Vulnerability && f.severity == severity);
        let bands = Severity::ALL.into_iter().rev().map(|s| (of(Some(s)), s.word())).chain([(of(None), "of unknown severity")]);
        let bands: Vec<String> = bands.filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        parts.push(format!("{} ({})", counted(vulnerabilities, "vulnerability", "vulnerabilities"), bands.join(", ")));
    }
    if warnings > 0 {
        parts.push(counted(warnings, "warning", "warnings"));
    }
    let ignored: usize = reports.iter().map(|report| report.ignored.len()).sum();
    if ignored > 0 {
        parts.push(format!("{ignored} ignored"));
    }
    let found = if parts.is_empty() { "no known vulnerability".to_owned() } else { parts.join(", ") };
    let mut line = format!("{found} in {}", counted(checked, "package", "packages"));
    if reports.len() > 1 {
        let _ = write!(line, " of {} lockfiles", reports.len());
    }
    line
}

/// What to do first, if anything.
#[must_use]
pub fn hint(reports: &[Report], gate: Gate) -> Option<String> {
    let worst = |hit: &Hit| hit.findings.first().map(|f| (f.class, f.severity));
    let stops = |hit: &Hit| hit.findings.iter().any(|finding| gate.stops(hit, finding));
    let hits = || reports.iter().flat_map(|report| &report.hits);
    if let Some(hit) = hits().find(|hit| matches!(worst(hit), Some((Class::Malware, _)))) {
        return Some(format!("take {} out first, and change every secret that a machine which installed it could read", hit.package));
    }
    let mendable = hits().filter(|hit| hit.update.is_some() && worst(hit).is_some_and(|(class, _)| class == Class::Vulnerability));
    let hit = mendable.reduce(|best, hit| if (stops(hit), worst(hit)) > (stops(best), worst(best)) { hit } else { best })?;
    let (update, site) = (spoken(hit.update.as_ref()?), hit.sites.first()?);
    let name = clean::plain(&hit.package.name);
    Some(match site.chain.get(1) {
        Some(direct) if !site.direct => {
            format!("begin with {name}: it is mended in {update}; see whether an update of {} brings that", clean::plain(direct))
        }
        _ => format!("begin with {name}: update it to {update}"),
    })
}

/// Whether it fails, on how many findings, and by what rule; nothing where nothing was found.
fn verdict(reports: &[Report], gate: Gate) -> Option<String> {
    let findings = || reports.iter().flat_map(Report::findings);
    let all = findings().count();
    let stopping = findings().filter(|(hit, finding)| gate.stops(hit, finding)).count();
    let denied = reports.iter().flat_map(|report| &report.notices).filter(|notice| notice.denied).count();
    let found = match (stopping, all) {
        (_, 0) => None,
        (0, _) => Some(format!("none of that makes the audit fail ({gate})")),
        (1, 1) => Some(format!("that makes the audit fail ({gate})")),
        (n, all) if n == all => Some(format!("each of the {all} makes the audit fail ({gate})")),
        (1, all) => Some(format!("1 of the {all} makes the audit fail ({gate})")),
        (n, all) => Some(format!("{n} of the {all} make the audit fail ({gate})")),
    };
    let denied = match denied {
        0 => None,
        1 => Some("1 notice makes the audit fail, as it is denied".to_owned()),
        n => Some(format!("{n} notices make the audit fail, as they are denied")),
    };
    let parts: Vec<String> = found.into_iter().chain(denied).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

pub(crate) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The word in front of a finding: how bad it is, or which warning.
pub(crate) fn word(finding: &Finding) -> &'static str {
    match finding.class {
        Class::Malware => "malware",
        Class::Vulnerability => finding.severity.map_or("unknown", Severity::word),
        Class::Unsound => "unsound",
        Class::Unmaintained => "unmaintained",
        Class::Notice => "notice",
    }
}

fn title(finding: &Finding) -> &str {
    finding.record().map(|record| record.summary.as_str()).filter(|summary| !summary.is_empty()).unwrap_or("no title")
}

/// Why something is ignored, and until when.
fn why(by: &IgnoredBy) -> String {
    match by {
        IgnoredBy::Entry { reason, expires: Some(expires), .. } => format!("{reason} (until {expires})"),
        IgnoredBy::Entry { reason, expires: None, .. } => reason.clone(),
        IgnoredBy::Unfixable => "no version mends it".to_owned(),
    }
}

/// Where to read on.
fn reference(finding: &Finding) -> Option<&str> {
    let first = finding.record()?.references.first()?;
    (first.starts_with("https://") || first.starts_with("http://")).then_some(first)
}

/// What becomes of a finding with an update: `fixed in 1.2.3`, or that none is known.
fn remedy(finding: &Finding) -> String {
    match (finding.class, finding.malware, finding.fixed.first()) {
        (Class::Malware, Some(malware), _) if malware.unconfirmed => {
            "every version is called malware, by a record only days old: find out before you delete".to_owned()
        }
        (Class::Malware, Some(malware), _) if malware.all_versions => "every version is malware: remove it".to_owned(),
        (_, _, Some(fixed)) => format!("fixed in {}", spoken(fixed)),
        (Class::Malware, ..) => "this version is malware: remove it".to_owned(),
        (Class::Unmaintained, ..) => "no release will mend this: look for a successor".to_owned(),
        _ => "the advisory names no fixed version".to_owned(),
    }
}

/// A version with which something is mended. Some records name the lowest version above the last bad one, `1.2.4-0`, which nobody
/// ever published.
fn spoken(version: &Version) -> String {
    let text = version.to_string();
    let below = |core: &str| {
        let (front, patch) = core.rsplit_once('.')?;
        Some(format!("{front}.{}", patch.parse::<u64>().ok()?.checked_sub(1)?))
    };
    match text.strip_suffix("-0") {
        Some(core) => below(core).map_or_else(|| core.to_owned(), |last| format!("a version after {last}")),
        None => text,
    }
}

#[cfg(test)]
mod tests;
