//! The report as JSON: stable, versioned, and what `--baseline` reads back. Its form stands in docs/reference/scan.md.

use serde::Serialize;

use super::{Judged, clean};
use crate::baseline::{Known, SCHEMA};
use crate::report::{Finding, Grade};

#[derive(Serialize)]
struct File<'a> {
    schema: u32,
    tool: Tool,
    min_grade: Option<String>,
    reports: Vec<Site<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Site<'a> {
    target: &'a str,
    profile: &'static str,
    grade: String,
    score: u32,
    below: bool,
    findings: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<Vec<Gone<'a>>>,
    not_judged: &'a [String],
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    test: &'a str,
    severity: &'static str,
    pass: bool,
    modifier: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<bool>,
    title: &'a str,
    why: &'a str,
    evidence: Option<&'a str>,
    url: &'a str,
    fix: Option<Remedy<'a>>,
}

#[derive(Serialize)]
struct Remedy<'a> {
    casque: &'a str,
    express: &'a str,
    nginx: &'a str,
    caddy: &'a str,
}

#[derive(Serialize)]
struct Gone<'a> {
    id: &'a str,
    title: &'a str,
    evidence: Option<&'a str>,
}

/// Renders reports as JSON.
#[must_use]
pub fn json(judged: &[Judged], bar: Option<Grade>) -> String {
    let file = File {
        schema: SCHEMA,
        tool: Tool { name: "casque", version: env!("CARGO_PKG_VERSION") },
        min_grade: bar.map(|b| b.to_string()),
        reports: judged.iter().map(|j| site(j, bar)).collect(),
    };
    // Strings, numbers and lists of them cannot fail to be written.
    clean::json(&serde_json::to_string_pretty(&file).unwrap_or_default()) + "\n"
}

fn site(judged: &Judged, bar: Option<Grade>) -> Site<'_> {
    let report = &judged.report;
    let new = |i: usize| judged.delta.as_ref().map(|d| d.new.get(i).copied().unwrap_or_default());
    Site {
        target: &report.target,
        profile: report.profile.name(),
        grade: report.grade.to_string(),
        score: report.score,
        below: judged.is_below(bar),
        findings: report.findings.iter().enumerate().map(|(i, f)| entry(f, new(i))).collect(),
        fixed: judged.delta.as_ref().map(|d| d.fixed.iter().map(gone).collect()),
        not_judged: &report.not_judged,
    }
}

fn entry(finding: &Finding, new: Option<bool>) -> Entry<'_> {
    let fix = finding.fix.as_ref();
    Entry {
        id: &finding.id,
        test: &finding.test,
        severity: finding.severity.name(),
        pass: finding.pass,
        modifier: finding.modifier,
        new,
        title: &finding.title,
        why: &finding.why,
        evidence: finding.evidence.as_deref(),
        url: &finding.url,
        fix: fix.map(|f| Remedy { casque: &f.casque, express: &f.express, nginx: &f.nginx, caddy: &f.caddy }),
    }
}

fn gone(known: &Known) -> Gone<'_> {
    Gone { id: &known.id, title: &known.title, evidence: known.evidence.as_deref() }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{EVIL, evil};
    use super::*;

    #[test]
    fn the_form_is_what_the_reference_says() {
        let value: Value = serde_json::from_str(&json(&evil(), Some(Grade::A))).unwrap();
        assert_eq!(value["schema"], 1);
        assert_eq!(value["min_grade"], "A");
        let site = &value["reports"][0];
        assert_eq!((site["grade"].as_str(), site["score"].as_u64(), site["below"].as_bool()), (Some("B+"), Some(80), Some(true)));
        let finding = &site["findings"][0];
        assert_eq!(finding["severity"], "high");
        assert_eq!(finding["fix"]["express"], "app.use(helmet());");
        // The evidence is whole and exact for machines.
        assert_eq!(finding["evidence"], EVIL);
        assert!(site.get("fixed").is_none() && finding.get("new").is_none());
    }
}
