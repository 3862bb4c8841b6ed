//! From a report to npm's advisories, and from what they are traced to back to values.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::calculator::{Calculator, Cause, Row};
use super::trace::{Affected, Answer, trace};
use super::{Advisory, Fix, Packuments, Setting, Via, View, Vulnerability, collate, spans};
use crate::cvss::Severity;
use crate::db::Verdict;
use crate::graph::{Graph, InstanceId, Source};
use crate::kind::Kind;
use crate::matching::{Class, Finding, installed};
use crate::package::Package;
use crate::report::Report;
use crate::version::{High, Interval, VersionSet};

pub(super) fn find(graph: &Graph, report: &Report, packuments: &Packuments, setting: &Setting, budget: u64) -> View {
    let ranges = !matches!(report.kind, Kind::Pnpm | Kind::Deno | Kind::CycloneDx | Kind::Spdx);
    let mut calculator = Calculator::new(graph, packuments, ranges, budget);
    let (advisories, rows) = rows(report, &calculator);
    let malware: HashSet<&Package> = report
        .hits
        .iter()
        .filter(|hit| hit.findings.iter().any(|finding| finding.class == Class::Malware))
        .map(|hit| &hit.package)
        .collect();
    let is_audited = |id: InstanceId, by_advisory: bool| {
        let instance = graph.instance(id);
        let is_package = !matches!(instance.source, Source::Workspace | Source::Link) && !graph.is_root(id);
        let is_left_out = setting.scope.prod && instance.needed.only_dev() && !malware.contains(&instance.package);
        is_package && !is_left_out && !instance.package.version.is_empty() && (!by_advisory || instance.is_from_registry())
    };
    let order = calculator.advisories(rows);
    let affected = trace(graph, &mut calculator, order, setting.node.as_ref(), &is_audited);
    let names: Vec<&str> = affected.iter().map(|affected| calculator.names[affected.name]).collect();
    let mut vulnerabilities: Vec<Vulnerability> =
        affected.iter().map(|affected| vulnerability(affected, &names, &advisories, graph, &mut calculator)).collect();
    vulnerabilities.sort_by(|a, b| collate::compare(&a.name, &b.name));
    let unknown: BTreeSet<&str> = calculator.incomplete().map(|name| calculator.names[name]).collect();
    View { vulnerabilities, unknown: unknown.into_iter().map(str::to_owned).collect(), cut: calculator.is_exhausted(), ..View::default() }
}

/// The findings as the registry would give them: by name, each range apart, those alone that an installed version is in.
fn rows(report: &Report, calculator: &Calculator<'_>) -> (Vec<Advisory>, Vec<Row>) {
    let mut by_key: BTreeMap<_, (Advisory, Row)> = BTreeMap::new();
    for (hit, finding) in report.findings().filter(|(_, finding)| !finding.class.is_warning()) {
        let Some(name) = calculator.name(&hit.package.name) else { continue };
        for set in sets(&hit.package, finding) {
            let range = if set.unclear { "*".to_owned() } else { set.to_string() };
            let severity = severity(finding);
            let key = (name, finding.id.as_str(), range.clone());
            let unreadable = installed(&hit.package).is_none() && finding.verdict == Verdict::Unknown;
            let entry = by_key
                .entry(key)
                .or_insert_with(|| (advisory(finding, severity, &range), Row { name, set, range, severity, unreadable: false }));
            entry.1.unreadable |= unreadable;
        }
    }
    by_key.into_values().unzip()
}

/// The ranges of a finding that speak of this version.
fn sets(package: &Package, finding: &Finding) -> Vec<VersionSet> {
    let version = installed(package);
    let only = |interval: &Interval| VersionSet { intervals: vec![interval.clone()], ..VersionSet::default() };
    let intervals = finding.vulnerable.intervals.iter();
    let mut sets: Vec<VersionSet> =
        intervals.filter(|interval| version.as_ref().is_none_or(|version| interval.contains(version))).map(only).collect();
    if finding.vulnerable.literal.iter().any(|literal| **literal == *package.version) {
        sets.push(VersionSet { literal: finding.vulnerable.literal.clone(), ..VersionSet::default() });
    }
    if sets.is_empty() {
        sets.push(VersionSet { intervals: vec![Interval { low: None, high: High::Open }], literal: Vec::new(), unclear: true });
    }
    sets
}

fn severity(finding: &Finding) -> Severity {
    let unrated = if finding.class == Class::Malware { Severity::Critical } else { Severity::High };
    finding.severity.unwrap_or(unrated)
}

fn advisory(finding: &Finding, severity: Severity, range: &str) -> Advisory {
    let record = finding.record();
    let url = match record {
        _ if finding.id.starts_with("GHSA-") => format!("https://github.com/advisories/{}", finding.id),
        Some(record) => record.references.first().cloned().unwrap_or_default(),
        None => String::new(),
    };
    Advisory {
        source: crc32fast::hash(format!("{}\n{range}", finding.id).as_bytes()),
        id: finding.id.clone(),
        title: record.map(|record| record.summary.clone()).unwrap_or_default(),
        url,
        severity,
        cwes: record.map(|record| record.cwes.clone()).unwrap_or_default(),
        cvss: finding.vector.clone(),
        range: range.to_owned(),
    }
}

fn vulnerability(
    affected: &Affected,
    names: &[&str],
    advisories: &[Advisory],
    graph: &Graph,
    calculator: &mut Calculator<'_>,
) -> Vulnerability {
    let mut via: Vec<Via> = affected
        .causes
        .iter()
        .map(|id| match calculator.get(*id).cause {
            Cause::Row(row) => Via::Advisory(advisories[row].clone()),
            Cause::Through(source) => Via::Dependency(calculator.names[calculator.get(source).name].to_owned()),
        })
        .collect();
    let key: fn(&Via) -> String = |via| match via {
        Via::Advisory(advisory) => advisory.source.to_string(),
        Via::Dependency(name) => name.clone(),
    };
    via.sort_by_cached_key(|via| collate::Key(key(via)));
    let mut effects: Vec<String> = affected.effects.iter().map(|at| names[*at].to_owned()).collect();
    effects.sort_by(|a, b| collate::compare(a, b));
    let mut nodes: Vec<String> = affected.nodes.iter().map(|node| graph.instance(*node).path.to_string()).collect();
    nodes.sort_by(|a, b| collate::compare(a, b));
    let releases = calculator.releases_of(affected.name);
    let long: Vec<&str> = affected.causes.iter().map(|id| &*calculator.get(*id).range).collect();
    let range = if releases.complete {
        let inside: Vec<bool> = (0..releases.list.len()).map(|n| calculator.is_inside(&affected.causes, n)).collect();
        spans::simplified(&releases, &inside, long.join(" || "))
    } else {
        long.join(" || ")
    };
    let fix = match &affected.answer {
        Answer::InRange => Fix::InRange,
        Answer::None => Fix::None,
        Answer::Change(change) => {
            let (name, choice) = **change;
            let version = calculator.releases_of(name).list.get(choice.release).map(|release| release.text.to_string());
            Fix::Change { name: calculator.names[name].to_owned(), version: version.unwrap_or_default(), major: choice.major }
        }
    };
    Vulnerability {
        name: calculator.names[affected.name].to_owned(),
        severity: affected.severity.unwrap_or(Severity::High),
        direct: affected.nodes.iter().any(|node| graph.is_direct(*node)),
        via,
        effects,
        range,
        nodes,
        fix,
    }
}
