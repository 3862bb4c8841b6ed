//! SARIF 2.1.0, as code scanning services take it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Judged;
use super::clean::{self, plain};
use crate::report::{Finding, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Renders what failed as SARIF. What is well done has no place there.
#[must_use]
pub fn sarif(judged: &[Judged]) -> String {
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    for (finding, _) in judged.iter().flat_map(Judged::failed) {
        rules.entry(&finding.id).or_insert(finding);
    }
    let order: Vec<&str> = rules.keys().copied().collect();
    let results: Vec<Value> = judged
        .iter()
        .flat_map(|j| j.failed().map(move |(f, new)| (j, f, new)))
        .map(|(j, finding, new)| result(j, finding, new, &order))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "casque",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|f| rule(f)).collect::<Vec<_>>(),
            }},
            "results": results,
        }],
    });
    clean::json(&format!("{log:#}")) + "\n"
}

fn rule(finding: &Finding) -> Value {
    let help: Vec<String> = finding.fix.iter().flat_map(|f| f.each()).map(|(what, text)| format!("{what}:\n{text}")).collect();
    let help = if help.is_empty() { finding.why.clone() } else { help.join("\n\n") };
    json!({
        "id": plain(&finding.id),
        "shortDescription": {"text": literal(&finding.title)},
        "fullDescription": {"text": literal(if finding.why.is_empty() { &finding.title } else { &finding.why })},
        "help": {"text": literal_lines(&help)},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {"security-severity": score(finding.severity), "tags": ["security", plain(&finding.test)]},
    })
}

fn result(judged: &Judged, finding: &Finding, new: Option<bool>, order: &[&str]) -> Value {
    let mut text = literal(&finding.title);
    if let Some(evidence) = &finding.evidence {
        text.push_str(&format!("\n{}", literal(evidence)));
    }
    let mut result = json!({
        "ruleId": plain(&finding.id),
        "ruleIndex": order.binary_search(&finding.id.as_str()).unwrap_or_default(),
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&finding.url)}, "region": {"startLine": 1}}}],
        "properties": {"site": plain(&judged.report.target), "grade": judged.report.grade.to_string()},
    });
    if let Some(new) = new {
        result["baselineState"] = json!(if new { "new" } else { "unchanged" });
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
        Severity::Good => "none",
    }
}

/// On the scale of CVSS, which code scanning services sort by.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info | Severity::Good => "1.0",
    }
}

/// A message in which nothing is a link or a placeholder (SARIF 3.11.5, 3.11.6).
fn literal(text: &str) -> String {
    literal_lines(&plain(text))
}

fn literal_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '[' | ']' | '\\' => out.extend(['\\', c]),
            '{' | '}' => out.extend([c, c]),
            c if clean::is_harmful(c) && c != '\n' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// What may stand in a URI; everything else in percent-encoding (RFC 3986 2).
fn uri(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes().take(2000) {
        if b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evil, finding, report};
    use super::*;
    use crate::baseline::Delta;

    #[test]
    fn results_name_their_rules() {
        let report = report("https://shop.example/", vec![finding("b", "X: 1"), finding("a", ""), finding("b", "Y: 2")]);
        let delta = Some(Delta { new: vec![true, false, false], fixed: Vec::new() });
        let log: Value = serde_json::from_str(&sarif(&[Judged { report, delta }])).unwrap();
        let run = &log["runs"][0];
        assert_eq!(log["version"], "2.1.0");
        let rules: Vec<&str> = run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect();
        assert_eq!(rules, ["a", "b"]);
        for result in run["results"].as_array().unwrap() {
            assert_eq!(result["ruleId"], rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]);
            assert_eq!(result["level"], "error");
        }
        assert_eq!(run["results"][0]["baselineState"], "new");
    }

    #[test]
    fn evidence_is_neither_link_nor_placeholder() {
        let log: Value = serde_json::from_str(&sarif(&evil())).unwrap();
        let result = &log["runs"][0]["results"][0];
        let text = result["message"]["text"].as_str().unwrap();
        assert!(text.contains("\\](javascript:1)") && text.contains("{{0}}"), "{text}");
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.is_ascii() && !uri.contains([' ', '<', '"', '`']), "{uri}");
    }
}
