//! Findings as CycloneDX has vulnerabilities: one for each id, with the components that it is in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cvss::{Cvss, Severity, Version};
use crate::db::Verdict;
use crate::matching::{Class, Finding};
use crate::package::Package;
use crate::report::address::uri;
use crate::report::{IgnoredBy, Report, reference, remedy, title, why};

/// `vulnerabilities` of a bill, sorted by id. The components that they name are those of the lockfiles' registry packages. What the
/// policy ignores is there with its reason, apart from what it does not.
pub(super) fn vulnerabilities(reports: &[Report]) -> Vec<Value> {
    let mut by_id: BTreeMap<(&str, Option<Analysis>), BTreeMap<&Package, &Finding>> = BTreeMap::new();
    for (hit, finding) in reports.iter().flat_map(Report::findings) {
        by_id.entry((&finding.id, None)).or_default().insert(&hit.package, finding);
    }
    for ignored in reports.iter().flat_map(|report| &report.ignored) {
        let key = (ignored.finding.id.as_str(), Some(Analysis::of(&ignored.by)));
        by_id.entry(key).or_default().insert(&ignored.package, &ignored.finding);
    }
    by_id.into_iter().filter_map(|((_, analysis), affected)| vulnerability(&affected, analysis)).collect()
}

/// `analysis`: what its project found out or decided.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Analysis {
    state: Option<&'static str>,
    justification: Option<&'static str>,
    response: Option<&'static str>,
    detail: String,
}

impl Analysis {
    /// A risk that is taken has no state, for nobody says what it is; only that nothing is done.
    fn of(by: &IgnoredBy) -> Self {
        let (state, justification, response) = match by {
            IgnoredBy::Entry { vex: Some(vex), .. } => {
                let (state, justification) = vex.cyclonedx();
                (Some(state), justification, None)
            }
            IgnoredBy::Entry { vex: None, .. } => (None, None, Some("will_not_fix")),
            IgnoredBy::Unfixable => (None, None, Some("can_not_fix")),
        };
        Self { state, justification, response, detail: why(by) }
    }

    fn json(&self) -> Value {
        let mut value = json!({"detail": self.detail});
        for (key, word) in [("state", self.state), ("justification", self.justification)] {
            if let Some(word) = word {
                value[key] = word.into();
            }
        }
        if let Some(response) = self.response {
            value["response"] = json!([response]);
        }
        value
    }
}

fn vulnerability(affected: &BTreeMap<&Package, &Finding>, analysis: Option<Analysis>) -> Option<Value> {
    let finding = affected.values().next()?;
    let record = finding.record();
    let mut value = json!({
        "id": finding.id,
        "source": source(&finding.id),
        "description": title(finding),
        "recommendation": recommendation(affected),
        "ratings": [rating(finding)],
        "affects": affected.iter().map(|(package, finding)| affects(package, finding)).collect::<Vec<_>>(),
    });
    let others = finding.ids().into_iter().filter(|id| *id != finding.id);
    let others: Vec<Value> = others.map(|id| json!({"id": id, "source": source(id)})).collect();
    let cwes: Vec<u32> = record.map(|record| record.cwes.iter().copied().filter(|cwe| *cwe > 0).collect()).unwrap_or_default();
    let advisories = reference(finding).map(|url| json!([{"url": uri(url)}]));
    let time = |time: Option<Timestamp>| time.filter(|time| *time != Timestamp::UNIX_EPOCH).map(|time| json!(time.to_string()));
    let fields = [
        ("analysis", analysis.map(|analysis| analysis.json())),
        ("references", (!others.is_empty()).then(|| others.into())),
        ("cwes", (!cwes.is_empty()).then(|| cwes.into())),
        ("advisories", advisories),
        ("detail", record.map(|record| record.details.as_str()).filter(|details| !details.is_empty()).map(Value::from)),
        ("published", time(record.and_then(|record| record.published))),
        ("updated", time(record.map(|record| record.modified))),
    ];
    for (key, content) in fields {
        if let Some(content) = content {
            value[key] = content;
        }
    }
    Some(value)
}

/// Where an id can be looked up.
fn source(id: &str) -> Value {
    let id_in_url = uri(id);
    match id.split('-').next() {
        Some("GHSA") => json!({"name": "GitHub Advisory Database", "url": format!("https://github.com/advisories/{id_in_url}")}),
        Some("CVE") => json!({"name": "NVD", "url": format!("https://nvd.nist.gov/vuln/detail/{id_in_url}")}),
        Some("RUSTSEC") => json!({"name": "RustSec", "url": format!("https://rustsec.org/advisories/{id_in_url}.html")}),
        _ => json!({"name": "OSV", "url": format!("https://osv.dev/vulnerability/{id_in_url}")}),
    }
}

fn rating(finding: &Finding) -> Value {
    let severity = match (finding.class, finding.severity) {
        (Class::Malware, _) => "critical",
        (Class::Vulnerability, Some(Severity::Moderate)) => "medium",
        (Class::Vulnerability, Some(severity)) => severity.word(),
        (Class::Vulnerability, None) => "unknown",
        (Class::Unsound | Class::Unmaintained | Class::Notice, _) => "info",
    };
    match &finding.vector {
        Some(vector) => {
            json!({"severity": severity, "score": vector.score.value(), "method": method(vector), "vector": vector.vector})
        }
        None => json!({"severity": severity}),
    }
}

fn method(vector: &Cvss) -> &'static str {
    match vector.version {
        Version::V2 => "CVSSv2",
        Version::V3 if vector.vector.starts_with("CVSS:3.1/") => "CVSSv31",
        Version::V3 => "CVSSv3",
        Version::V4 => "CVSSv4",
    }
}

fn affects(package: &Package, finding: &Finding) -> Value {
    let status = if finding.verdict == Verdict::Affected { "affected" } else { "unknown" };
    json!({"ref": package.purl(), "versions": [{"version": &*package.version, "status": status}]})
}

/// What mends it, for each package.
fn recommendation(affected: &BTreeMap<&Package, &Finding>) -> String {
    let lines: Vec<String> = affected.iter().map(|(package, finding)| format!("{package}: {}", remedy(finding))).collect();
    lines.join("\n")
}
