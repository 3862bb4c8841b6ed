//! The report as JSON: stable and versioned. Its form stands in docs/reference/audit.md.

use serde_json::{Value, json};

use super::gate::name_of;
use super::{Bar, Dev, Gate, Hit, Ignored, IgnoredBy, Judgement, Report, Site, clean, reference, supply, title, word};
use crate::db::Verdict;
use crate::matching::Finding;
use crate::policy::Vex;

/// The form's version.
const SCHEMA: u32 = 1;

/// Renders reports as JSON.
#[must_use]
pub fn json(reports: &[Report], judgement: &Judgement) -> String {
    let gate = judgement.gate;
    let file = json!({
        "schema": SCHEMA,
        "tool": {"name": "casque", "version": env!("CARGO_PKG_VERSION")},
        "fails": reports.iter().any(|report| report.fails(gate)),
        "gate": {
            "fail_on": name_of(&Bar::NAMES, gate.bar),
            "dev": name_of(&Dev::NAMES, gate.dev),
            "fixable_only": gate.fixable_only,
        },
        "warnings": judgement.remarks,
        "lockfiles": reports.iter().map(|report| lockfile(report, gate)).collect::<Vec<_>>(),
    });
    clean::json(&format!("{file:#}")) + "\n"
}

fn lockfile(report: &Report, gate: Gate) -> Value {
    json!({
        "path": report.path,
        "kind": report.kind.to_string(),
        "checked": report.checked,
        "unchecked": report.unchecked,
        "notes": report.notes,
        "notices": supply::json(&report.notices),
        "packages": report.hits.iter().map(|hit| package(hit, gate)).collect::<Vec<_>>(),
        "ignored": report.ignored.iter().map(ignored).collect::<Vec<_>>(),
    })
}

pub(crate) fn package(hit: &Hit, gate: Gate) -> Value {
    let (chain, left_out) = hit.sites.first().map(|site| (&site.chain[..], site.left_out)).unwrap_or_default();
    json!({
        "ecosystem": hit.package.ecosystem.osv(),
        "name": &*hit.package.name,
        "version": &*hit.package.version,
        "places": hit.sites.iter().map(place).collect::<Vec<_>>(),
        "chain": chain,
        "chain_left_out": left_out,
        "update": hit.update.as_ref().map(ToString::to_string),
        "findings": hit.findings.iter().map(|found| finding(found, gate.stops(hit, found))).collect::<Vec<_>>(),
    })
}

fn place(site: &Site) -> Value {
    json!({"line": site.place.line, "column": site.place.column, "direct": site.direct, "dev": site.dev})
}

pub(crate) fn ignored(ignored: &Ignored) -> Value {
    let (reason, expires, vex) = match &ignored.by {
        IgnoredBy::Entry { reason, expires, vex } => (Some(reason.as_str()), expires.map(|day| day.to_string()), vex.map(Vex::word)),
        IgnoredBy::Unfixable => (None, None, None),
    };
    json!({
        "ecosystem": ignored.package.ecosystem.osv(),
        "name": &*ignored.package.name,
        "version": &*ignored.package.version,
        "by": if ignored.by == IgnoredBy::Unfixable { "unfixable" } else { "policy" },
        "reason": reason,
        "expires": expires,
        "vex": vex,
        "finding": finding(&ignored.finding, false),
    })
}

fn finding(finding: &Finding, fails: bool) -> Value {
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
        "epss": finding.epss.map(|epss| json!({"probability": rounded(epss.probability), "percentile": rounded(epss.percentile)})),
        "kev": finding.exploited.map(|entry| json!({
            "added": entry.added.map(|day| day.to_string()),
            "due": entry.due.map(|day| day.to_string()),
            "ransomware": entry.ransomware,
        })),
        "risk": finding.risk().map(rounded),
        "fails": fails,
    })
}

/// To five places, as EPSS gives them: the list is kept in single precision.
fn rounded(number: f64) -> f64 {
    (number * 1e5).round() / 1e5
}
