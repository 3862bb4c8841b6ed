//! npm's view of a project: what `npm audit` reports (audit report version 2), computed from a lockfile, findings and packuments.
//!
//! npm counts names of packages, and besides those that advisories are about, the packages that cannot but bring them in
//! (metavulnerabilities): P is affected through D if no version of D that P accepts is unaffected. To tell that for versions that
//! are not installed it takes what the registry says of every version of P and D, their packuments. Where none is given, the
//! versions that are installed and those that advisories call fixed are all that is known, and [`View::unknown`] names the package.
//!
//! The rules are those of npm 11 (@npmcli/arborist `audit-report.js` and `vuln.js`, @npmcli/metavuln-calculator,
//! npm-pick-manifest, node-semver), its oddities included, as tools compare its output. Where npm's result depends on which answer
//! of the registry comes first, ours goes by the order of names and of ids. Two things differ on purpose: a
//! package from git or an archive is not taken for the registry's of that name, and malware is not left out with what is for
//! development only.
//!
//! **Attacks and answers.** Work and memory are bounded by a budget of questions ([`View::cut`]), whatever graph and packuments
//! are made of; nothing here recurs, however deep the lockfile is. Names and titles are as they were: whoever prints them cleans them.

mod calculator;
mod collate;
mod fix;
mod packuments;
mod releases;
mod sample;
mod spans;
mod trace;
mod vulnerable;

pub use packuments::Packuments;

use crate::cvss::{Cvss, Severity};
use crate::graph::Graph;
use crate::kind::Kind;
use crate::package::Ecosystem;
use crate::report::{Report, Scope};
use crate::version::Version;

/// What npm is told besides. Default: everything counts, and on any Node.js.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setting {
    /// What the report was made with.
    pub scope: Scope,
    /// The Node.js that a fix must run on. npm takes the one that it runs on itself.
    pub node: Option<Version>,
}

/// npm's report of one project.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// The affected packages in npm's order of names.
    pub vulnerabilities: Vec<Vulnerability>,
    /// What is installed.
    pub dependencies: Dependencies,
    /// Packages of which not all versions were known: whether they are affected through others, and how they can be mended, is not
    /// certain.
    pub unknown: Vec<String>,
    /// There was more to look at than the budget has; packages that are affected through others may be missing.
    pub cut: bool,
}

/// An affected package, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Vulnerability {
    /// The package's own name, where it is installed under another.
    pub name: String,
    /// The worst of its causes.
    pub severity: Severity,
    /// A project asks for it by itself.
    pub direct: bool,
    /// Why it is affected.
    pub via: Vec<Via>,
    /// The packages that are affected through it.
    pub effects: Vec<String>,
    /// Its affected versions.
    pub range: String,
    /// Where it is installed.
    pub nodes: Vec<String>,
    /// What npm would do.
    pub fix: Fix,
}

/// A cause.
#[derive(Debug, Clone, PartialEq)]
pub enum Via {
    /// An advisory.
    Advisory(Advisory),
    /// The name of a package that it depends on.
    Dependency(String),
}

/// An advisory as the registry gives it: one range of versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// A number for the advisory and its range. The registry has numbers of its own, which are published nowhere else; this one is
    /// computed from the id and the range.
    pub source: u32,
    /// The id that people know.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where to read on; empty, if no record says.
    pub url: String,
    /// How bad it is. What nobody rated is high to npm.
    pub severity: Severity,
    /// Numbers of CWE.
    pub cwes: Vec<u32>,
    /// The vector and its score.
    pub cvss: Option<Cvss>,
    /// The affected versions.
    pub range: String,
}

/// What npm would do about an affected package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fix {
    /// An update within the ranges that are asked for.
    #[default]
    InRange,
    /// A dependency of the project must be changed against its range.
    Change {
        /// Which.
        name: String,
        /// To which version.
        version: String,
        /// Whether that is of another major.
        major: Option<bool>,
    },
    /// Nothing that npm knows of.
    None,
}

/// How many packages are there for what. One may be in several of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dependencies {
    /// To run; npm counts the project too.
    pub prod: usize,
    /// For development only.
    pub dev: usize,
    /// As an option only.
    pub optional: usize,
    /// As a peer only.
    pub peer: usize,
    /// All but the project.
    pub total: usize,
}

impl View {
    /// npm's report about a lockfile, from the report about it: what that left out is not here either.
    #[must_use]
    pub fn new(graph: &Graph, report: &Report, packuments: &Packuments, setting: &Setting) -> Self {
        let mut view = vulnerable::find(graph, report, packuments, setting, calculator::BUDGET);
        view.dependencies = dependencies(graph);
        view
    }

    /// Whether a lockfile is of npm's world: of other ecosystems npm has nothing to say.
    #[must_use]
    pub fn is_for(kind: Kind, graph: &Graph) -> bool {
        kind != Kind::Cargo && graph.instances().iter().all(|instance| instance.package.ecosystem == Ecosystem::Npm)
    }

    /// How many vulnerabilities there are of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.vulnerabilities.iter().filter(|vulnerability| vulnerability.severity == severity).count()
    }
}

fn dependencies(graph: &Graph) -> Dependencies {
    let mut counts = Dependencies { total: graph.instances().len().saturating_sub(1), ..Dependencies::default() };
    for needed in graph.instances().iter().map(|instance| instance.needed) {
        let kinds = [needed.only_dev(), needed.only_optional(), needed.only_peer()];
        counts.dev += usize::from(kinds[0]);
        counts.optional += usize::from(kinds[1]);
        counts.peer += usize::from(kinds[2]);
        counts.prod += usize::from(!kinds.contains(&true));
    }
    counts
}

#[cfg(test)]
mod tests;
