//! Test `strict-transport-security`.

use crate::capture::Capture;
use crate::report::Severity::{Low, Medium};

use super::TestResult;
use super::detail::Detail;
use super::preload::Preload;
use super::text;
use super::verdict::Verdict;

const TEST: &str = "strict-transport-security";
/// Six months, in seconds.
const SIX_MONTHS: f64 = 15_552_000.0;

const PRELOADED: Verdict = Verdict::good("hsts-preloaded", 5, "Browsers know before the first visit that the site is https only");
const LONG: Verdict =
    Verdict::neutral("hsts-implemented-max-age-at-least-six-months", "Browsers that were here before speak only https with the site");
const SHORT: Verdict = Verdict::bad(
    "hsts-implemented-max-age-less-than-six-months",
    -10,
    Low,
    "Browsers forget within six months that the site is https only",
    "A visitor who comes back after that starts over plain http and can be caught there.",
);
const MISSING: Verdict = Verdict::bad(
    "hsts-not-implemented",
    -20,
    Medium,
    "There is no Strict-Transport-Security",
    "A visitor who types the bare name starts over plain http; whoever sits on the network keeps them there.",
);
const INVALID: Verdict = Verdict::bad(
    "hsts-header-invalid",
    -20,
    Medium,
    "Strict-Transport-Security is not well-formed",
    "Browsers ignore it, and visitors can be kept on plain http.",
);
const NO_HTTPS: Verdict = Verdict::bad(
    "hsts-not-implemented-no-https",
    -20,
    Medium,
    "The site does not answer over https",
    "Everything between the visitor and the site can be read and changed on the way.",
);
const BAD_CERT: Verdict = Verdict::bad(
    "hsts-invalid-cert",
    -20,
    Medium,
    "The certificate is not valid, so that Strict-Transport-Security does not count",
    "Visitors see a warning and learn to click it away; an attacker's certificate looks no different.",
);

/// What the test read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HstsDetail {
    /// The header's first line.
    pub data: Option<String>,
    /// Whether it goes for subdomains too, by the header or, if preloaded, by the list.
    pub include_sub_domains: bool,
    /// `max-age` in seconds; `None` if it is missing or no number.
    pub max_age: Option<f64>,
    /// Whether the site asks to be preloaded.
    pub preload: bool,
    /// Whether the site is preloaded.
    pub preloaded: bool,
}

pub(super) fn test(capture: &Capture, preload: &Preload) -> TestResult {
    let Some(https) = &capture.https else {
        return TestResult::new(TEST, &NO_HTTPS, Detail::Hsts(HstsDetail::default()));
    };
    let line = https.values(TEST).next().filter(|_| https.verified);
    let (mut verdict, mut detail) = if https.verified { of_line(line) } else { (&BAD_CERT, HstsDetail::default()) };
    if let Some(subdomains) = preload.covers(&capture.host) {
        verdict = &PRELOADED;
        detail.preloaded = true;
        detail.include_sub_domains = subdomains;
    }
    let shown = https.values(TEST).map(|value| format!("{TEST}: {value}"));
    TestResult::new(TEST, verdict, Detail::Hsts(detail)).with_evidence(shown)
}

fn of_line(line: Option<&str>) -> (&'static Verdict, HstsDetail) {
    let Some(line) = line else { return (&MISSING, HstsDetail::default()) };
    let mut detail = HstsDetail { data: Some(line.to_owned()), ..HstsDetail::default() };
    if line.contains(',') {
        return (&INVALID, detail);
    }
    let mut named = false;
    for directive in line.split(';').map(text::folded) {
        if let Some(age) = directive.strip_prefix("max-age=") {
            // The last one counts.
            named = true;
            detail.max_age = text::leading_integer(age);
        } else if directive == "includesubdomains" {
            detail.include_sub_domains = true;
        } else if directive == "preload" {
            detail.preload = true;
        }
    }
    // The Observatory takes an age that is no number for a long one.
    let verdict = match (named, detail.max_age) {
        (false, _) => &INVALID,
        (true, Some(age)) if age < SIX_MONTHS => &SHORT,
        (true, _) => &LONG,
    };
    (verdict, detail)
}
