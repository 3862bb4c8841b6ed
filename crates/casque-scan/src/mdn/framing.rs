//! Tests `x-frame-options` and `x-content-type-options`: one old word each.

use crate::report::Severity::{Low, Medium};

use super::detail::HeaderDetail;
use super::page::Page;
use super::verdict::Verdict;
use super::{TestResult, csp, text};

const FRAMES: &str = "x-frame-options";
const SNIFFING: &str = "x-content-type-options";

const VIA_CSP: Verdict =
    Verdict::good("x-frame-options-implemented-via-csp", 5, "The policy says who may frame the page (frame-ancestors)");
const DENIED: Verdict = Verdict::good("x-frame-options-sameorigin-or-deny", 5, "Foreign pages may not frame the page");
const ALLOW_FROM: Verdict =
    Verdict::neutral("x-frame-options-allow-from-origin", "X-Frame-Options names an origin, which today's browsers do not understand");
const FRAMES_MISSING: Verdict = Verdict::bad(
    "x-frame-options-not-implemented",
    -20,
    Medium,
    "Every site may frame the page",
    "A foreign page lays it invisibly under its own buttons, and the visitor's clicks go to yours.",
);
const FRAMES_INVALID: Verdict = Verdict::bad(
    "x-frame-options-header-invalid",
    -20,
    Medium,
    "X-Frame-Options has a value browsers do not know",
    "Browsers ignore it, so that every site may frame the page and catch the visitor's clicks.",
);

const NOSNIFF: Verdict = Verdict::neutral("x-content-type-options-nosniff", "Browsers take files for what the site says they are");
const SNIFFING_MISSING: Verdict = Verdict::bad(
    "x-content-type-options-not-implemented",
    -5,
    Low,
    "Browsers may guess what a file is",
    "A file that a visitor uploaded as an image or a text may be run as a script.",
);
const SNIFFING_INVALID: Verdict = Verdict::bad(
    "x-content-type-options-header-invalid",
    -5,
    Low,
    "X-Content-Type-Options is not \"nosniff\"",
    "Browsers ignore it and may run a file that a visitor uploaded as a script.",
);

pub(super) fn frames(page: Option<&Page<'_>>) -> TestResult {
    let value = page.and_then(|p| p.first(FRAMES));
    let by_policy = page.is_some_and(csp::limits_frames);
    let verdict = match value.map(text::folded).as_deref() {
        _ if by_policy => &VIA_CSP,
        None => &FRAMES_MISSING,
        Some("deny" | "sameorigin") => &DENIED,
        Some(word) if word.starts_with("allow-from") => &ALLOW_FROM,
        Some(_) => &FRAMES_INVALID,
    };
    let shown = page.filter(|_| by_policy).into_iter().flat_map(|p| p.shown("content-security-policy"));
    header(FRAMES, verdict, value).with_evidence(shown.chain(page.into_iter().flat_map(|p| p.shown(FRAMES))))
}

pub(super) fn sniffing(page: Option<&Page<'_>>) -> TestResult {
    let value = page.and_then(|p| p.first(SNIFFING));
    let verdict = match value.map(text::folded).as_deref() {
        None => &SNIFFING_MISSING,
        Some("nosniff") => &NOSNIFF,
        Some(_) => &SNIFFING_INVALID,
    };
    header(SNIFFING, verdict, value).with_evidence(page.into_iter().flat_map(|p| p.shown(SNIFFING)))
}

fn header(test: &'static str, verdict: &'static Verdict, value: Option<&str>) -> TestResult {
    let detail = HeaderDetail { data: value.map(str::to_owned), http: value.is_some(), meta: false };
    TestResult::new(test, verdict, detail.into_detail())
}
