//! csp-evaluator's findings.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use casque::headers::csp::Csp;
use casque::headers::csp::lint::{self, Finding, Version};
use serde_json::Value;

use super::group::{Group, vectors};

/// Words and directives that are newer than csp-evaluator, which takes them for mistakes. Cases with them differ in that alone.
const NEWER: [&str; 7] = [
    "fenced-frame-src",
    "'trusted-types-eval'",
    "'report-sha256'",
    "'report-sha384'",
    "'report-sha512'",
    "'unsafe-allow-redirects'",
    "'unsafe-webtransport-hashes'",
];

/// Kind, severity, directive, value. A finding that is recorded several times counts once: ours are made once.
type Found = BTreeSet<(String, String, String, Option<String>)>;

fn ours(findings: Vec<Finding>) -> Found {
    findings.into_iter().map(|f| (f.kind.name().to_owned(), f.severity.name().to_owned(), f.directive, f.value)).collect()
}

fn theirs(findings: &Value) -> Found {
    let text = |finding: &Value, key: &str| finding[key].as_str().map(str::to_owned);
    let all = findings.as_array().unwrap().iter().map(|f| {
        let part = |key| text(f, key).unwrap();
        (part("type"), part("severity"), part("directive"), text(f, "value"))
    });
    all.filter(|(kind, _, directive, value)| {
        let subject = value.as_deref().unwrap_or(directive);
        !(matches!(kind.as_str(), "INVALID_KEYWORD" | "UNKNOWN_DIRECTIVE") && NEWER.contains(&subject))
    })
    .collect()
}

#[test]
fn csp_evaluator() {
    let Some(file) = vectors("csp-evaluator-vectors.json") else { return };
    let mut parsed = Group::new("csp-evaluator, parsing", &[]);
    let mut found = Group::new("csp-evaluator, findings", &[]);
    let mut reporting = Group::new("csp-evaluator, reporting", &[]);
    for case in file["vectors"].as_array().unwrap() {
        let text = case["csp"].as_str().unwrap();
        let csp = Csp::parse_lenient(text);
        let excuse = text.contains(',').then_some("a comma begins another policy (CSP Level 3, 2.2.2); it is read as a letter there");
        let directives = csp.normalized().directives().iter().map(|d| (d.name().to_owned(), Value::from(d.values()))).collect();
        parsed.case_unless(excuse, text, &Value::Object(directives), &case["parsed"]);
        for (level, version) in [("csp1", Version::Csp1), ("csp2", Version::Csp2), ("csp3", Version::Csp3)] {
            let id = format!("{level} {text}");
            found.case_unless(excuse, &id, &ours(lint::lint(&csp, version)), &theirs(&case["findings"][level]));
        }
        reporting.case_unless(excuse, text, &ours(lint::reporting(&csp)), &theirs(&case["reporting"]));
    }
}
