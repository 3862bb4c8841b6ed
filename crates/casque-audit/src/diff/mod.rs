//! What a change does to a project's dependencies: two states of a lockfile in, what came and what went out. This is what a pull
//! request is judged by, so only what is new fails it: what was there before is somebody else's to mend.
//!
//! - A finding is new if the base has no finding of that vulnerability for that package, in whatever version: an update that keeps
//!   a vulnerability brings none.
//! - A notice is new if the base has none of that check for the package. Notices that depend on what a format tells (install
//!   scripts, deprecation) are new only with a new version, so that no change of the format makes news.
//! - One notice exists here alone: a version in both states whose hash is not the same. Registries do not change what they have
//!   published, so somebody else did, or the lockfile was edited.
//!
//! **Attacks and answers.** A pull request's author writes one of the lockfiles. What he could hide is what the base has too; what
//! he adds is told, each list with a bound in text and whole in JSON. Names and licences are cleaned where they are shown.

mod hashes;
mod json;
mod licenses;
mod markdown;
mod packages;
mod sources;
mod text;

use std::collections::{BTreeSet, HashSet};

use crate::graph::Graph;
use crate::kind::Kind;
use crate::package::{Ecosystem, Package};
use crate::report::{Gate, Hit, Ignored, Report, sarif};
use crate::supply::{Check, Notice, Settings};

pub use licenses::{LicenseChange, Licenses};
pub use packages::{Change, Step};
pub use sources::Origin;

/// One state of a lockfile.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What it says.
    pub graph: &'a Graph,
    /// What was found in it.
    pub report: &'a Report,
}

/// What became of one lockfile.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// The head with what is new alone: its findings, those that the policy takes out, and its notices.
    pub new: Report,
    /// Findings of the base that are gone, by package.
    pub fixed: Vec<Hit>,
    /// How many findings both have.
    pub kept: usize,
    /// Notices of the base that are gone.
    pub settled: Vec<Notice>,
    /// Packages that came, went, or are there in other versions, by name.
    pub packages: Vec<Change>,
    /// Where packages come from that the base has none from.
    pub origins_new: Vec<Origin>,
    /// Where packages came from that the head has none from.
    pub origins_gone: Vec<Origin>,
    /// What became of the licences. Nothing: one of the two lockfiles does not tell them.
    pub licenses: Option<Licenses>,
    /// The lockfile is only in one of the two states.
    pub only: Option<Only>,
}

/// Where a lockfile is, if not on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// The change adds it.
    Head,
    /// The change takes it away.
    Base,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For a person at a terminal.
    #[default]
    Text,
    /// casque's own, documented and versioned.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// SARIF 2.1.0 of what is new.
    Sarif,
}

impl Format {
    /// Every format by the name it is chosen by.
    pub const NAMES: [(&'static str, Self); 4] =
        [("text", Self::Text), ("json", Self::Json), ("markdown", Self::Markdown), ("sarif", Self::Sarif)];
}

/// Compares two states of a lockfile, one of which may be missing. `path` is where both are.
#[must_use]
pub fn diff(path: &str, kind: Kind, base: Option<Side<'_>>, head: Option<Side<'_>>, settings: &Settings) -> Diff {
    let nothing = (Graph::default(), Report::empty(path, kind));
    let none = Side { graph: &nothing.0, report: &nothing.1 };
    let (base_side, head_side) = (base.unwrap_or(none), head.unwrap_or(none));
    let (known, present) = (ids(base_side.report), ids(head_side.report));
    let new = Report {
        path: path.to_owned(),
        notices: new_notices(base_side, head_side, settings),
        hits: apart(&head_side.report.hits, &known),
        ignored: ignored(head_side.report, base_side.report, &known),
        ..head_side.report.clone()
    };
    let (origins_new, origins_gone) = sources::compare(base_side.graph, head_side.graph);
    Diff {
        new,
        fixed: apart(&base_side.report.hits, &present),
        kept: known.intersection(&present).count(),
        settled: settled(base_side.report, head_side.report),
        packages: packages::compare(base_side.graph, head_side.graph),
        origins_new,
        origins_gone,
        licenses: licenses::compare(base_side.graph, head_side.graph),
        only: match (base, head) {
            (None, Some(_)) => Some(Only::Head),
            (Some(_), None) => Some(Only::Base),
            _ => None,
        },
    }
}

/// A vulnerability of a package, in whatever version.
type Id<'r> = (Ecosystem, &'r str, &'r str);

fn ids(report: &Report) -> BTreeSet<Id<'_>> {
    report.findings().map(|(hit, finding)| id(&hit.package, &finding.id)).collect()
}

fn id<'r>(package: &'r Package, finding: &'r str) -> Id<'r> {
    (package.ecosystem, &package.name, finding)
}

/// The hits without the findings that are known, and without those that have no others.
fn apart(hits: &[Hit], known: &BTreeSet<Id<'_>>) -> Vec<Hit> {
    let rest = |hit: &Hit| {
        let findings = hit.findings.iter().filter(|finding| !known.contains(&id(&hit.package, &finding.id))).cloned().collect();
        Hit { findings, ..hit.clone() }
    };
    hits.iter().map(rest).filter(|hit| !hit.findings.is_empty()).collect()
}

/// What the policy takes out that the base did not have: an author may have written both the lockfile and the policy.
fn ignored(head: &Report, base: &Report, known: &BTreeSet<Id<'_>>) -> Vec<Ignored> {
    let before: BTreeSet<Id<'_>> = base.ignored.iter().map(|ignored| id(&ignored.package, &ignored.finding.id)).collect();
    let is_new = |id: &Id<'_>| !known.contains(id) && !before.contains(id);
    head.ignored.iter().filter(|ignored| is_new(&id(&ignored.package, &ignored.finding.id))).cloned().collect()
}

/// By what a notice is known again: the message tells where from, for those that are about that.
fn key(notice: &Notice) -> (Check, Ecosystem, &str, &str) {
    let message = if notice.check.is_frequent() || notice.check == Check::LookAlike { "" } else { notice.message.as_str() };
    (notice.check, notice.package.ecosystem, &notice.package.name, message)
}

fn new_notices(base: Side<'_>, head: Side<'_>, settings: &Settings) -> Vec<Notice> {
    let known: HashSet<_> = base.report.notices.iter().map(key).collect();
    let versions: HashSet<&Package> = base.graph.instances().iter().map(|instance| &instance.package).collect();
    let told_anew = |n: &Notice| !(matches!(n.check, Check::InstallScript | Check::Deprecated) && versions.contains(&n.package));
    let mut new = hashes::compare(base.graph, head.graph, settings);
    new.extend(head.report.notices.iter().filter(|notice| !known.contains(&key(notice)) && told_anew(notice)).cloned());
    new
}

fn settled(base: &Report, head: &Report) -> Vec<Notice> {
    let present: HashSet<_> = head.notices.iter().map(key).collect();
    base.notices.iter().filter(|notice| !present.contains(&key(notice))).cloned().collect()
}

impl Diff {
    /// Whether what is new does not pass the gate, or is denied.
    #[must_use]
    pub fn fails(&self, gate: Gate) -> bool {
        self.new.fails(gate)
    }

    /// Whether nothing changed that is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let found = self.new.hits.is_empty()
            && self.new.notices.is_empty()
            && self.new.ignored.is_empty()
            && self.fixed.is_empty()
            && self.settled.is_empty();
        let licenses = self.licenses.as_ref().is_none_or(|l| l.new.is_empty() && l.gone.is_empty() && l.changed.is_empty());
        found && licenses && self.packages.is_empty() && self.origins_new.is_empty() && self.origins_gone.is_empty()
    }

    /// How many packages came, went and changed.
    fn counts(&self) -> [usize; 3] {
        let count = |is: fn(&Change) -> bool| self.packages.iter().filter(|change| is(change)).count();
        [count(Change::is_added), count(Change::is_removed), count(|change| !change.is_added() && !change.is_removed())]
    }
}

/// The names of the two states, as they were given.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// What was there before.
    pub base: &'a str,
    /// What is there after.
    pub head: &'a str,
}

/// Renders differences in a format.
#[must_use]
pub fn render(format: Format, diffs: &[Diff], names: Names<'_>, gate: Gate) -> String {
    match format {
        Format::Text => text::text(diffs, names),
        Format::Json => json::json(diffs, names, gate),
        Format::Markdown => markdown::markdown(diffs, names),
        Format::Sarif => sarif(&diffs.iter().map(|diff| diff.new.clone()).collect::<Vec<_>>()),
    }
}

/// The change in one line: `1 new vulnerability (1 high), 2 fixed; 3 packages added, 1 removed, 12 changed`.
#[must_use]
pub fn summary(diffs: &[Diff]) -> String {
    let new: usize = diffs.iter().map(|diff| diff.new.findings().count()).sum();
    let fixed: usize = diffs.iter().flat_map(|diff| &diff.fixed).map(|hit| hit.findings.len()).sum();
    let kept: usize = diffs.iter().map(|diff| diff.kept).sum();
    let [added, removed, changed] = diffs.iter().map(Diff::counts).fold([0; 3], |sum, counts| std::array::from_fn(|n| sum[n] + counts[n]));
    format!("{new} new, {fixed} fixed and {kept} kept findings; packages: {added} added, {removed} removed, {changed} changed")
}

#[cfg(test)]
mod tests;
