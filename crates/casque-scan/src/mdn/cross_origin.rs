//! Tests of the three headers that keep the page apart from other origins: `cross-origin-embedder-policy`,
//! `cross-origin-opener-policy` and `cross-origin-resource-policy`.

use sfv::{BareItem, Item, Parser};

use crate::report::Severity::Low;

use super::TestResult;
use super::detail::HeaderDetail;
use super::page::Page;
use super::text;
use super::verdict::Verdict;

const EMBEDDER: &str = "cross-origin-embedder-policy";
const OPENER: &str = "cross-origin-opener-policy";
const RESOURCE: &str = "cross-origin-resource-policy";

const COEP_MISSING: Verdict =
    Verdict::neutral("coep-not-implemented", "The page takes in resources of other origins whether they agree or not");
const COEP_INVALID: Verdict = Verdict::bad(
    "coep-header-invalid",
    -5,
    Low,
    "Cross-Origin-Embedder-Policy is not well-formed",
    "Browsers ignore it; the page is not kept apart from other origins' data.",
);
const COEP: [(&str, Verdict); 3] = [
    (
        "require-corp",
        Verdict::good("coep-implemented-with-require-corp", 10, "The page takes in only resources of other origins that agree to it"),
    ),
    (
        "credentialless",
        Verdict::good(
            "coep-implemented-with-credentialless",
            10,
            "The page takes in resources of other origins without the visitor's cookies",
        ),
    ),
    ("unsafe-none", Verdict::neutral("coep-implemented-with-unsafe-none", "The page says that it takes in resources of all other origins")),
];

const COOP_MISSING: Verdict =
    Verdict::neutral("coop-not-implemented", "Pages of other origins that open this one keep a hold on its window");
const COOP_INVALID: Verdict = Verdict::bad(
    "coop-header-invalid",
    -5,
    Low,
    "Cross-Origin-Opener-Policy is not well-formed",
    "Browsers ignore it; a page that opened this one keeps a hold on its window.",
);
const COOP: [(&str, Verdict); 4] = [
    ("same-origin", Verdict::good("coop-implemented-with-same-origin", 10, "Other origins have no hold on the page's window")),
    (
        "same-origin-allow-popups",
        Verdict::good(
            "coop-implemented-with-same-origin-allow-popups",
            10,
            "Other origins have no hold on the page's window, save what it opens itself",
        ),
    ),
    (
        "noopener-allow-popups",
        Verdict::good("coop-implemented-with-noopener-allow-popups", 10, "Whoever opens the page has no hold on its window"),
    ),
    (
        "unsafe-none",
        Verdict::neutral("coop-implemented-with-unsafe-none", "The page says that openers of other origins keep a hold on its window"),
    ),
];

const CORP_MISSING: Verdict = Verdict::neutral("corp-not-implemented", "Other origins may embed the site's resources");
const CORP_INVALID: Verdict = Verdict::bad(
    "corp-header-invalid",
    -5,
    Low,
    "Cross-Origin-Resource-Policy is not well-formed",
    "Browsers ignore it; any site may embed the resource and measure it.",
);
const CORP: [(&str, Verdict); 3] = [
    ("same-origin", Verdict::good("corp-implemented-with-same-origin", 10, "Only the site's own pages may embed its resources")),
    (
        "same-site",
        Verdict::good("corp-implemented-with-same-site", 10, "Only pages of the same registered domain may embed the site's resources"),
    ),
    ("cross-origin", Verdict::neutral("corp-implemented-with-cross-origin", "The site says that every origin may embed its resources")),
];

pub(super) fn embedder(page: Option<&Page<'_>>) -> TestResult {
    item(EMBEDDER, page, &COEP, &COEP_MISSING, &COEP_INVALID)
}

pub(super) fn opener(page: Option<&Page<'_>>) -> TestResult {
    item(OPENER, page, &COOP, &COOP_MISSING, &COOP_INVALID)
}

/// A header that is one token with parameters (RFC 9651, section 3.3), letter by letter, on one line.
fn item(
    name: &'static str,
    page: Option<&Page<'_>>,
    known: &'static [(&str, Verdict)],
    missing: &'static Verdict,
    invalid: &'static Verdict,
) -> TestResult {
    let Some(page) = page else {
        return TestResult::new(name, missing, HeaderDetail::default().into_detail()).without_page();
    };
    let lines = page.lines(name);
    let data = match lines.as_slice() {
        [line] => Some(text::trim(line)).filter(|l| !l.is_empty()),
        _ => None,
    };
    let verdict = match (data, lines.len()) {
        (None, 0 | 1) => missing,
        (None, _) => invalid,
        (Some(line), _) => token(line).and_then(|token| find(known, &token)).unwrap_or(invalid),
    };
    let detail = HeaderDetail { data: data.map(str::to_owned), http: !lines.is_empty(), meta: false };
    TestResult::new(name, verdict, detail.into_detail()).with_evidence(page.shown(name))
}

fn token(line: &str) -> Option<String> {
    match Parser::new(line).parse::<Item>().ok()?.bare_item {
        BareItem::Token(token) => Some(token.to_string()),
        _ => None,
    }
}

fn find(known: &'static [(&str, Verdict)], value: &str) -> Option<&'static Verdict> {
    known.iter().find(|(word, _)| *word == value).map(|(_, verdict)| verdict)
}

/// One word in any case, on one line.
pub(super) fn resource(page: Option<&Page<'_>>) -> TestResult {
    let Some(page) = page else {
        return TestResult::new(RESOURCE, &CORP_MISSING, HeaderDetail::default().into_detail()).without_page();
    };
    let value = text::folded(&page.lines(RESOURCE).join(", "));
    let data = (!value.is_empty()).then_some(value);
    let verdict = data.as_deref().map_or(&CORP_MISSING, |value| find(&CORP, value).unwrap_or(&CORP_INVALID));
    let detail = HeaderDetail { http: data.is_some(), data, meta: false };
    TestResult::new(RESOURCE, verdict, detail.into_detail()).with_evidence(page.shown(RESOURCE))
}
