//! Profile `mdn`: the grade the MDN HTTP Observatory gives, by its algorithm 6.
//!
//! Twelve tests; each ends in one result code, and the code decides what it does to the score ([`Verdict::modifier`]) and whether it
//! counts as passed. The two are apart: a test may pass and still cost points. The Observatory is followed in its mistakes too (a
//! `max-age` that is no number counts as long enough, say), so that the grade here is the grade there; what those mistakes hide is
//! the business of profile `strict`. The rules are written from what the Observatory does (version 1.6.3 and its main branch of
//! August 2026), and its recorded answers are run in `tests/conformance.rs`.
//!
//! # What a hostile site can do
//! All input is a stranger's: headers, cookies, the page. Every rule takes time in step with what it reads; the page is read up to
//! 2 MiB without recursion, policies up to 64 KiB. Nothing panics, which is tested with arbitrary input. Texts of the site come back
//! only in [`TestResult::detail`] and [`TestResult::evidence`], never in a title, and are cut to a readable length in the latter;
//! whoever shows them escapes them.

mod cookies;
mod cors;
mod cross_origin;
mod csp;
mod detail;
mod framing;
mod hsts;
mod page;
mod preload;
mod redirection;
mod referrer;
mod site;
mod sri;
mod text;
mod verdict;

use crate::capture::Capture;
use crate::exchange::Exchange;
use crate::report::{Finding, Grade, Profile, Report};

pub use crate::scan_error::ScanError;
pub use cookies::CookieDetail;
pub use csp::{CspDetail, CspFlags, Policy, PolicyError};
pub use detail::{Detail, HeaderDetail};
pub use hsts::HstsDetail;
pub use page::http_equiv;
pub use preload::{Preload, PreloadError};
pub use redirection::RedirectionDetail;
pub use site::{Site, SiteError};
pub use sri::ExternalScript;
pub use verdict::Verdict;

use page::Page;

/// The outcome of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// Which test: `content-security-policy`, say.
    pub test: &'static str,
    /// The result code: `csp-not-implemented`, say. Stable.
    pub result: &'static str,
    /// Whether the test counts as passed.
    pub pass: bool,
    /// What it does to the score.
    pub modifier: i32,
    /// The rule behind the code, with its words.
    pub verdict: &'static Verdict,
    /// What the test read.
    pub detail: Detail,
    /// The lines it was seen in, cut after 1,000 bytes. Hostile text.
    pub evidence: Option<String>,
}

impl TestResult {
    fn new(test: &'static str, verdict: &'static Verdict, detail: Detail) -> Self {
        Self { test, result: verdict.code, pass: verdict.pass, modifier: verdict.modifier, verdict, detail, evidence: None }
    }

    /// A test of a page that is not there never passes.
    fn without_page(mut self) -> Self {
        self.pass = false;
        self
    }

    fn with_evidence(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.evidence = text::evidence(lines);
        self
    }
}

/// All twelve tests and what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The tests in the Observatory's order.
    pub tests: Vec<TestResult>,
    /// The points: 0 to 165.
    pub score: u32,
    /// The grade for the points.
    pub grade: Grade,
}

/// Runs the twelve tests. What is missing from the capture counts as not there.
#[must_use]
pub fn analyse(capture: &Capture, preload: &Preload) -> Analysis {
    of_page(Page::of(capture).as_ref(), capture, preload)
}

fn of_page(page: Option<&Page<'_>>, capture: &Capture, preload: &Preload) -> Analysis {
    let hsts = hsts::test(capture, preload);
    let tests = vec![
        csp::test(page),
        cookies::test(page, &capture.cookies, hsts.pass),
        cross_origin::embedder(page),
        cross_origin::opener(page),
        cors::test(capture.preflight.as_ref()),
        redirection::test(capture, preload),
        referrer::test(page),
        hsts,
        sri::test(page, &capture.host),
        framing::sniffing(page),
        framing::frames(page),
        cross_origin::resource(page),
    ];
    let (score, grade) = score(&tests);
    Analysis { tests, score, grade }
}

/// The points and the grade that results add up to: 100 less all penalties, and if 90 are left, bonuses are added.
#[must_use]
pub fn score(tests: &[TestResult]) -> (u32, Grade) {
    let penalised = 100 + tests.iter().map(|t| t.modifier.min(0)).sum::<i32>();
    let bonus = tests.iter().map(|t| t.modifier.max(0)).sum::<i32>();
    let score = if penalised >= 90 { penalised + bonus } else { penalised };
    let score = u32::try_from(score).unwrap_or(0);
    (score, Grade::of_score(score))
}

/// Grades a site.
///
/// # Errors
/// When there is no page to judge.
pub fn grade(capture: &Capture, preload: &Preload) -> Result<Report, ScanError> {
    let page = Page::of(capture).ok_or(ScanError::NoAnswer)?;
    let exchange = page.exchange;
    if !exchange.is_page() {
        return Err(ScanError::Status(exchange.status));
    }
    let Analysis { tests, score, grade } = of_page(Some(&page), capture, preload);
    let target = target(capture, exchange);
    let mut findings: Vec<Finding> = tests.into_iter().map(|test| finding(test, capture, exchange)).collect();
    findings.sort_by_key(|f| (f.modifier >= 0 && f.pass, f.modifier));
    Ok(Report { target, profile: Profile::Mdn, grade, score, findings, not_judged: not_judged(&page, capture, preload) })
}

fn target(capture: &Capture, exchange: &Exchange) -> String {
    if !exchange.url.is_empty() {
        return exchange.url.clone();
    }
    let scheme = if capture.https.is_some() { "https" } else { "http" };
    let port = capture.port.map(|p| format!(":{p}")).unwrap_or_default();
    format!("{scheme}://{}{port}/", capture.host)
}

fn finding(test: TestResult, capture: &Capture, page: &Exchange) -> Finding {
    let seen = match (test.test, &capture.preflight, capture.redirects.first()) {
        (cors::TEST, Some(preflight), _) if !preflight.url.is_empty() => &preflight.url,
        (redirection::TEST, _, Some(first)) => &first.url,
        _ => &page.url,
    };
    Finding {
        id: test.result.to_owned(),
        test: test.test.to_owned(),
        severity: test.verdict.severity,
        pass: test.pass,
        modifier: test.modifier,
        title: test.verdict.title.to_owned(),
        why: test.verdict.why.to_owned(),
        evidence: test.evidence,
        url: seen.clone(),
        fix: None,
    }
}

fn not_judged(page: &Page<'_>, capture: &Capture, preload: &Preload) -> Vec<String> {
    let mut left = Vec::new();
    if preload.is_unknown() {
        left.push("whether browsers have the site on their HSTS preload list: no list was given (--preload-list FILE)".to_owned());
    }
    if capture.preflight.is_none() {
        left.push("what other origins may read (CORS): the preflight got no answer and counts as closed".to_owned());
    }
    if page.exchange.truncated || page.document.as_ref().is_some_and(|d| !d.whole) {
        left.push("the end of the page: it is longer than what was read".to_owned());
    }
    left
}

#[cfg(test)]
mod tests;
