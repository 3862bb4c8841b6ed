//! From a graph and a database to a report.

use std::collections::BTreeMap;

use super::paths::Paths;
use super::{Hit, Report, Site};
use crate::cvss::{Score, Severity};
use crate::db::{Database, Error};
use crate::graph::{Graph, InstanceId, Source};
use crate::kind::Kind;
use crate::matching::{Class, Context, Finding, check};
use crate::package::{Ecosystem, Package};
use crate::version::Version;

/// What of a lockfile counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope {
    /// Leave out what is there for development only. Malware is never left out: it runs when it is installed.
    pub prod: bool,
}

/// How many fixed versions are tried for one that is clean.
const MAX_TRIED: usize = 32;

/// Checks every package of a lockfile that is from a registry.
///
/// # Errors
/// The database is damaged at a place that was asked.
pub fn assess(path: &str, kind: Kind, graph: &Graph, database: &Database, context: &Context<'_>, scope: Scope) -> Result<Report, Error> {
    let mut installed: BTreeMap<&Package, Vec<InstanceId>> = BTreeMap::new();
    let mut unchecked = 0;
    for (id, instance) in graph.iter() {
        if instance.is_from_registry() {
            installed.entry(&instance.package).or_default().push(id);
        } else if !matches!(instance.source, Source::Workspace | Source::Link) {
            unchecked += 1;
        }
    }
    let packages: Vec<&Package> = installed.keys().copied().collect();
    let mut found: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    for finding in check(packages.iter().copied(), database, context)? {
        found.entry(finding.package).or_default().push(finding);
    }
    let paths = (!found.is_empty()).then(|| Paths::new(graph));
    let mut hits = Vec::new();
    for (number, mut findings) in found {
        let (Some(package), Some(paths)) = (packages.get(number), &paths) else { continue };
        let mut ids = installed.get(package).cloned().unwrap_or_default();
        let is_dev = |id: &InstanceId| graph.instance(*id).needed.only_dev();
        if scope.prod && ids.iter().all(is_dev) {
            findings.retain(|finding| finding.class == Class::Malware);
        } else if scope.prod && findings.iter().all(|finding| finding.class != Class::Malware) {
            ids.retain(|id| !is_dev(id));
        }
        if findings.is_empty() || ids.is_empty() {
            continue;
        }
        findings.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.id.cmp(&b.id)));
        ids.sort_by_key(|id| (paths.steps(*id), graph.instance(*id).place));
        let update = update(package, &findings, database, context)?;
        hits.push(Hit { package: (*package).clone(), sites: sites(graph, paths, &ids), findings, update });
    }
    hits.sort_by(|a, b| b.findings.first().map(rank).cmp(&a.findings.first().map(rank)).then_with(|| a.package.cmp(&b.package)));
    let mut notes: Vec<String> = graph.notes().iter().map(|note| note.message.clone()).collect();
    // Or else silence would look like good news.
    for ecosystem in Ecosystem::ALL.into_iter().filter(|ecosystem| database.info().packages_of(*ecosystem) == 0) {
        if packages.iter().any(|package| package.ecosystem == ecosystem) {
            notes.push(format!("the database has no advisories about {ecosystem}: its packages were checked against nothing"));
        }
    }
    let (ignored, notices) = (Vec::new(), Vec::new());
    Ok(Report { path: path.to_owned(), kind, checked: packages.len(), unchecked, notes, hits, ignored, notices })
}

/// The greater, the worse. A severity that nobody has told comes after the told ones of its class.
fn rank(finding: &Finding) -> (Class, Option<Severity>, Option<Score>) {
    (finding.class, finding.severity, finding.score)
}

/// The chain is told for the nearest place alone: the others of a package may be as many as the lockfile is long.
fn sites(graph: &Graph, paths: &Paths<'_>, ids: &[InstanceId]) -> Vec<Site> {
    let site = |(n, id): (usize, &InstanceId)| {
        let instance = graph.instance(*id);
        let (chain, left_out) = if n == 0 { paths.chain(*id) } else { (Vec::new(), 0) };
        Site { place: instance.place, chain, left_out, direct: graph.is_direct(*id), dev: instance.needed.only_dev() }
    };
    ids.iter().enumerate().map(site).collect()
}

/// The first fixed version that the database knows nothing against. What is mended for one advisory may be open to another, which
/// the installed version need not have.
fn update(package: &Package, findings: &[Finding], database: &Database, context: &Context<'_>) -> Result<Option<Version>, Error> {
    let mut candidates: Vec<&Version> = findings.iter().flat_map(|finding| &finding.fixed).collect();
    candidates.sort_unstable();
    candidates.dedup();
    for candidate in candidates.into_iter().take(MAX_TRIED) {
        let there = Package::new(package.ecosystem, package.name.clone(), candidate.to_string());
        if check([&there], database, context)?.iter().all(|finding| finding.class.is_warning()) {
            return Ok(Some(candidate.clone()));
        }
    }
    Ok(None)
}
