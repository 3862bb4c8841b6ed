//! The shape of osv-scanner's JSON (google/osv-scanner, docs/output.md), for tools that read it: results by lockfile, packages with
//! the advisories about them, and which of those are one vulnerability.
//!
//! An advisory is given with its entry for the package in question alone, its ranges as they were understood.

use serde_json::{Value, json};

use super::{Hit, Report, clean};
use crate::cvss::Cvss;
use crate::matching::Finding;
use crate::osv::{Affected, Record};
use crate::version::{High, Interval};

/// The version of the OSV schema that the records follow.
const SCHEMA: &str = "1.6.0";

/// Renders findings in the shape of osv-scanner's JSON.
#[must_use]
pub fn osv(reports: &[Report]) -> String {
    let results: Vec<Value> = reports.iter().filter(|report| !report.hits.is_empty()).map(result).collect();
    clean::json(&format!("{:#}", json!({"results": results}))) + "\n"
}

fn result(report: &Report) -> Value {
    json!({
        "source": {"path": report.path, "type": "lockfile"},
        "packages": report.hits.iter().map(package).collect::<Vec<_>>(),
    })
}

fn package(hit: &Hit) -> Value {
    let mut package = json!({
        "package": {"name": &*hit.package.name, "version": &*hit.package.version, "ecosystem": hit.package.ecosystem.osv()},
        "vulnerabilities": hit.findings.iter().flat_map(Finding::said_by).map(record).collect::<Vec<_>>(),
        "groups": hit.findings.iter().map(group).collect::<Vec<_>>(),
    });
    if hit.is_dev() {
        package["dependency_groups"] = json!(["dev"]);
    }
    package
}

fn group(finding: &Finding) -> Value {
    json!({
        "ids": finding.said_by().map(|record| record.id.as_str()).collect::<Vec<_>>(),
        "aliases": finding.ids(),
        "max_severity": finding.vector.as_ref().map(|vector| vector.score.to_string()).unwrap_or_default(),
    })
}

fn record(record: &Record) -> Value {
    let mut value = json!({
        "schema_version": SCHEMA,
        "id": record.id,
        "modified": record.modified.to_string(),
        "aliases": record.aliases,
        "summary": record.summary,
        "details": record.details,
        "affected": record.affected.iter().map(affected).collect::<Vec<_>>(),
        "references": record.references.iter().map(|url| json!({"type": "WEB", "url": url})).collect::<Vec<_>>(),
    });
    // A record has severities either as a whole or in its entries, never both. There is one entry here, whose own go first.
    let own: Vec<&Cvss> = record.affected.iter().flat_map(|affected| &affected.scores).collect();
    let others = record.scores.iter().filter(|score| !own.iter().any(|own| own.version == score.version));
    let scores: Vec<Value> = own.iter().copied().chain(others).map(severity).collect();
    if !scores.is_empty() {
        value["severity"] = scores.into();
    }
    if let Some(published) = record.published {
        value["published"] = json!(published.to_string());
    }
    if let Some(label) = record.label {
        value["database_specific"] = json!({"severity": label.word().to_uppercase()});
    }
    value
}

fn severity(score: &Cvss) -> Value {
    json!({"type": score.version.osv(), "score": score.vector})
}

fn affected(affected: &Affected) -> Value {
    json!({
        "package": {
            "ecosystem": affected.ecosystem.osv(),
            "name": affected.name,
        },
        "ranges": affected.versions.intervals.iter().map(range).collect::<Vec<_>>(),
        "versions": affected.versions.literal,
    })
}

fn range(interval: &Interval) -> Value {
    let low = interval.low.as_ref().map_or_else(|| "0".to_owned(), ToString::to_string);
    let mut events = vec![json!({"introduced": low})];
    match &interval.high {
        High::Open => {}
        High::Before(version) => events.push(json!({"fixed": version.to_string()})),
        High::Through(version) => events.push(json!({"last_affected": version.to_string()})),
    }
    json!({"type": "SEMVER", "events": events})
}
