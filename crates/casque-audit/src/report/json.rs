//! The report as JSON: stable and versioned. Its form stands in docs/reference/audit.md.

use serde_json::{Value, json};

use super::{Bar, Hit, Report, Site, clean, reference, supply, title, word};
use crate::db::Verdict;
use crate::matching::Finding;

/// The form's version.
const SCHEMA: u32 = 1;

/// Renders reports as JSON.
#[must_use]
pub fn json(reports: &[Report], bar: Bar) -> String {
    let file = json!({
        "schema": SCHEMA,
        "tool": {"name": "casque", "version": env!("CARGO_PKG_VERSION")},
        "fails": reports.iter().any(|report| report.fails(bar)),
        "lockfiles": reports.iter().map(|report| lockfile(report, bar)).collect::<Vec<_>>(),
    });
    clean::json(&format!("{file:#}")) + "\n"
}

fn lockfile(report: &Report, bar: Bar) -> Value {
    json!({
        "path": report.path,
        "kind": report.kind.to_string(),
        "checked": report.checked,
        "unchecked": report.unchecked,
        "notes": report.notes,
        "notices": supply::json(&report.notices),
        "packages": report.hits.iter().map(|hit| package(hit, bar)).collect::<Vec<_>>(),
    })
}

pub(crate) fn package(hit: &Hit, bar: Bar) -> Value {
    let (chain, left_out) = hit.sites.first().map(|site| (&site.chain[..], site.left_out)).unwrap_or_default();
    json!({
        "ecosystem": hit.package.ecosystem.osv(),
        "name": &*hit.package.name,
        "version": &*hit.package.version,
        "places": hit.sites.iter().map(place).collect::<Vec<_>>(),
        "chain": chain,
        "chain_left_out": left_out,
        "update": hit.update.as_ref().map(ToString::to_string),
        "findings": hit.findings.iter().map(|found| finding(found, bar)).collect::<Vec<_>>(),
    })
}

fn place(site: &Site) -> Value {
    json!({"line": site.place.line, "column": site.place.column, "direct": site.direct, "dev": site.dev})
}

fn finding(finding: &Finding, bar: Bar) -> Value {
    json!({
        "id": finding.id,
        "ids": finding.ids(),
        "kind": if finding.class.is_warning() || finding.malware.is_some() { word(finding) } else { "vulnerability" },
        "severity": finding.severity.map(|severity| severity.word()),
        "score": finding.vector.as_ref().map(|vector| vector.score.value()),
        "vector": finding.vector.as_ref().map(|vector| vector.vector.as_str()),
        "certain": finding.verdict == Verdict::Affected,
        "unconfirmed": finding.malware.is_some_and(|malware| malware.unconfirmed),
        "title": title(finding),
        "url": reference(finding),
        "vulnerable": finding.vulnerable.to_string(),
        "fixed": finding.fixed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "fails": bar.stops(finding),
    })
}
