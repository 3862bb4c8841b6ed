//! What changed since a report that was kept: which findings are new, which are gone.
//!
//! A finding is known again by its site, its rule and the header or cookie that it was seen in, not by values or addresses: nonces,
//! expiry dates and hashed file names differ in every answer.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;

use crate::report::{Finding, Report};

/// The version of the JSON report, raised when a member changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// A report that was kept, as `--format json` wrote it.
#[derive(Debug, Clone, Deserialize)]
pub struct Baseline {
    schema: u32,
    reports: Vec<Kept>,
}

#[derive(Debug, Clone, Deserialize)]
struct Kept {
    target: String,
    findings: Vec<Known>,
}

/// A finding of a report that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Known {
    /// The rule.
    pub id: String,
    /// Whether it counted as passed.
    pub pass: bool,
    /// What was wrong.
    pub title: String,
    /// Where it was seen. Hostile text.
    pub evidence: Option<String>,
}

/// What changed on one site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// For each finding of the report, whether the earlier one did not have it.
    pub new: Vec<bool>,
    /// What the earlier one had, and this one has not.
    pub fixed: Vec<Known>,
}

/// Why a file is no report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaselineError {
    /// It is larger than [`Baseline::MAX_BYTES`]; its size in bytes.
    TooLarge(usize),
    /// It is not what `--format json` writes; the reason, with line and column.
    Form(String),
    /// It was written by a casque that knows another form; its schema.
    Schema(u32),
}

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(size) => write!(f, "{size} bytes are too many for a report: at most {} are read", Baseline::MAX_BYTES),
            Self::Form(why) => write!(f, "not a report of `casque scan --format json`: {why}"),
            Self::Schema(schema) => write!(f, "schema {schema} is not known here, only {SCHEMA}; write the report anew with this casque"),
        }
    }
}

impl std::error::Error for BaselineError {}

impl Baseline {
    /// The largest report that is read back, in bytes.
    pub const MAX_BYTES: usize = 32 * 1024 * 1024;

    /// Reads a report that `--format json` wrote.
    ///
    /// # Errors
    /// When it is too large, of another form, or of another schema.
    pub fn parse(bytes: &[u8]) -> Result<Self, BaselineError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(BaselineError::TooLarge(bytes.len()));
        }
        let baseline: Self = serde_json::from_slice(bytes).map_err(|e| BaselineError::Form(crate::render::one_line(&e.to_string())))?;
        if baseline.schema == SCHEMA { Ok(baseline) } else { Err(BaselineError::Schema(baseline.schema)) }
    }

    /// Compares a report with the earlier one of the same site. Where each side has but one site, these two are compared even if
    /// their addresses differ: a test run listens on another port every time.
    #[must_use]
    pub fn compare(&self, report: &Report, alone: bool) -> Delta {
        let single = if alone && self.reports.len() == 1 { self.reports.first() } else { None };
        let earlier = self.reports.iter().find(|r| r.target == report.target).or(single);
        let known: &[Known] = earlier.map_or(&[], |r| &r.findings);
        let failed = || known.iter().filter(|k| !k.pass);
        let before: HashSet<_> = failed().map(|k| identity(&k.id, k.evidence.as_deref())).collect();
        let now: HashSet<_> = report.findings.iter().filter(|f| !f.pass).map(key).collect();
        Delta {
            new: report.findings.iter().map(|f| !f.pass && !before.contains(&key(f))).collect(),
            fixed: failed().filter(|k| !now.contains(&identity(&k.id, k.evidence.as_deref()))).cloned().collect(),
        }
    }
}

fn key(finding: &Finding) -> (&str, String) {
    identity(&finding.id, finding.evidence.as_deref())
}

/// The rule and what it was seen in: a header's name, and a cookie's.
fn identity<'f>(id: &'f str, evidence: Option<&str>) -> (&'f str, String) {
    let evidence = evidence.unwrap_or_default();
    let Some((name, value)) = evidence.split_once(':') else { return (id, String::new()) };
    let name = name.trim().to_ascii_lowercase();
    let cookie = if name == "set-cookie" { value.split('=').next().unwrap_or_default().trim() } else { "" };
    (id, format!("{name}:{cookie}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::{finding, report};
    use crate::render::{Judged, json};

    fn kept(findings: &[(&str, &str)]) -> Report {
        report("http://127.0.0.1:3000/", findings.iter().map(|(id, evidence)| finding(id, evidence)).collect())
    }

    #[test]
    fn new_and_fixed_are_told_by_rule_header_and_cookie() {
        let before = kept(&[("cookie-flag", "Set-Cookie: sid=…; Expires=1"), ("hsts", ""), ("leak", "Server: nginx/1.1")]);
        let text = json(&[Judged { report: before, delta: None }], None);
        let baseline = Baseline::parse(text.as_bytes()).unwrap();
        let mut after =
            kept(&[("cookie-flag", "Set-Cookie: sid=…; Expires=2"), ("cookie-flag", "Set-Cookie: jwt=…"), ("leak", "Server: nginx/1.2")]);
        let delta = baseline.compare(&after, true);
        assert_eq!(delta.new, [false, true, false]);
        assert_eq!(delta.fixed.iter().map(|k| k.id.as_str()).collect::<Vec<_>>(), ["hsts"]);
        after.target = "http://127.0.0.1:4000/".to_owned();
        assert_eq!(baseline.compare(&after, true).new, [false, true, false]);
        assert_eq!(baseline.compare(&after, false).new, [true, true, true]);
    }

    #[test]
    fn what_is_no_report_is_told() {
        assert!(Baseline::parse(b"{\"schema\": 1}").unwrap_err().to_string().contains("reports"));
        assert_eq!(Baseline::parse(b"{\"schema\": 9, \"reports\": []}").unwrap_err(), BaselineError::Schema(9));
    }
}
