//! SARIF 2.1.0, as code scanning services take it: a rule per advisory, a result per package's version, at its line in the lockfile.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::address::uri;
use super::clean::{self, plain};
use super::{Hit, Report, reference, remedy, supply, text, title, word};
use crate::cvss::Severity;
use crate::matching::{Class, Finding};
use crate::place::Place;
use crate::supply::{Check, Notice};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Renders findings as SARIF.
#[must_use]
pub fn sarif(reports: &[Report]) -> String {
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    for (_, finding) in reports.iter().flat_map(Report::findings) {
        rules.entry(&finding.id).or_insert(finding);
    }
    let order: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(n, id)| (*id, n)).collect();
    // What was found comes first, then what a lockfile alone shows.
    let told = || reports.iter().flat_map(|report| supply::sarif_results(&report.notices).map(move |notice| (report, notice)));
    let checks: Vec<(Check, &str)> = supply::sarif_rules().filter(|(check, _)| told().any(|(_, notice)| notice.check == *check)).collect();
    let mut results: Vec<Value> = reports
        .iter()
        .flat_map(|report| report.findings().map(move |(hit, finding)| (report, hit, finding)))
        .map(|(report, hit, finding)| result(report, hit, finding, order.get(finding.id.as_str()).copied().unwrap_or_default()))
        .collect();
    for (report, notice) in told() {
        let number = rules.len() + checks.iter().position(|(known, _)| *known == notice.check).unwrap_or_default();
        results.push(notice_result(report, notice, number));
    }
    let rules: Vec<Value> = rules.values().map(|finding| rule(finding)).chain(checks.iter().map(notice_rule)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "casque",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    clean::json(&format!("{log:#}")) + "\n"
}

fn rule(finding: &Finding) -> Value {
    let mut rule = json!({
        "id": plain(&finding.id),
        "shortDescription": {"text": literal(title(finding))},
        "fullDescription": {"text": literal(title(finding))},
        "defaultConfiguration": {"level": level(finding)},
        "properties": {"security-severity": score(finding), "tags": ["security", "dependency", word(finding)]},
    });
    if let Some(url) = reference(finding) {
        rule["helpUri"] = json!(uri(url));
    }
    rule
}

fn result(report: &Report, hit: &Hit, finding: &Finding, rule: usize) -> Value {
    let site = hit.sites.first();
    let chain = site.map(|site| text::chain(site.chain.iter().map(|name| plain(name)), site.left_out)).unwrap_or_default();
    let message = format!("{}: {}\n{}\n{chain}", hit.package, plain(title(finding)), remedy(finding));
    json!({
        "ruleId": plain(&finding.id),
        "ruleIndex": rule,
        "level": level(finding),
        "message": {"text": message.lines().map(literal).collect::<Vec<_>>().join("\n")},
        "locations": [{"physicalLocation": location(report, site.map(|site| site.place))}],
        "partialFingerprints": {"package/v1": format!("{}:{}:{}", hit.package.ecosystem, hit.package, plain(&finding.id))},
    })
}

fn notice_rule((check, meaning): &(Check, &str)) -> Value {
    json!({
        "id": notice_id(*check),
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning},
        "defaultConfiguration": {"level": "note"},
        "properties": {"tags": ["security", "dependency", "supply-chain"]},
    })
}

fn notice_id(check: Check) -> String {
    format!("supply-chain/{}", check.name())
}

fn notice_result(report: &Report, notice: &Notice, rule: usize) -> Value {
    json!({
        "ruleId": notice_id(notice.check),
        "ruleIndex": rule,
        "level": if notice.denied { "error" } else { "note" },
        "message": {"text": literal(&notice.sentence())},
        "locations": [{"physicalLocation": location(report, Some(notice.place))}],
        "partialFingerprints": {"package/v1": format!("{}:{}:{}", notice.package.ecosystem, notice.package, notice.check.name())},
    })
}

fn location(report: &Report, place: Option<Place>) -> Value {
    let (line, column) = place.map_or((1, 1), |place| (place.line.max(1), place.column.max(1)));
    json!({"artifactLocation": {"uri": uri(&report.path)}, "region": {"startLine": line, "startColumn": column}})
}

fn level(finding: &Finding) -> &'static str {
    match (finding.class, finding.severity) {
        (Class::Malware, _) | (Class::Vulnerability, Some(Severity::High | Severity::Critical)) => "error",
        (Class::Vulnerability, Some(Severity::Low)) | (Class::Notice, _) => "note",
        _ => "warning",
    }
}

/// On the scale of CVSS, which code scanning services sort by.
fn score(finding: &Finding) -> String {
    match (finding.class, finding.score) {
        (Class::Malware, _) => "10.0".to_owned(),
        (Class::Vulnerability, Some(score)) => score.to_string(),
        (Class::Vulnerability, None) => "5.0".to_owned(),
        _ => "1.0".to_owned(),
    }
}

/// A message in which nothing is a link or a placeholder (SARIF 3.11.5, 3.11.6).
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '[' | ']' | '\\' => out.extend(['\\', c]),
            '{' | '}' => out.extend([c, c]),
            c => out.push(c),
        }
    }
    out
}
