//! Test `cross-origin-resource-sharing`: what a foreign page may read, by one preflight.

use crate::exchange::Exchange;
use crate::report::Severity::High;

use super::TestResult;
use super::detail::HeaderDetail;
use super::text;
use super::verdict::Verdict;

pub(super) const TEST: &str = "cross-origin-resource-sharing";

const CLOSED: Verdict = Verdict::neutral("cross-origin-resource-sharing-not-implemented", "Other origins may not read the site's answers");

const PUBLIC: Verdict = Verdict::neutral(
    "cross-origin-resource-sharing-implemented-with-public-access",
    "Every origin may read the site's answers, without the visitor's cookies",
);

const RESTRICTED: Verdict =
    Verdict::neutral("cross-origin-resource-sharing-implemented-with-restricted-access", "Certain origins may read the site's answers");

const UNIVERSAL: Verdict = Verdict::bad(
    "cross-origin-resource-sharing-implemented-with-universal-access",
    -50,
    High,
    "Any origin may read the site's answers with the visitor's cookies",
    "Every page the visitor opens can read and do on this site what the visitor can.",
);

pub(super) fn test(preflight: Option<&Exchange>) -> TestResult {
    let first = |name: &'static str| preflight.and_then(|p| p.values(name).next()).map(text::trim).filter(|v| !v.is_empty());
    let allowed = first("access-control-allow-origin");
    let sent = preflight.and_then(|p| p.request_headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("origin")));
    let echoed = sent.is_some_and(|(_, origin)| allowed == Some(text::trim(origin)));
    let credentials = first("access-control-allow-credentials").is_some_and(|v| v.to_lowercase() == "true");
    let verdict = match allowed {
        None => &CLOSED,
        Some("*") => &PUBLIC,
        Some(_) if echoed && credentials => &UNIVERSAL,
        Some(_) => &RESTRICTED,
    };
    let detail = HeaderDetail { data: allowed.map(str::to_lowercase), http: allowed.is_some(), meta: false };
    let shown = ["access-control-allow-origin", "access-control-allow-credentials"];
    let shown = shown.into_iter().filter_map(|name| first(name).map(|value| format!("{name}: {value}")));
    TestResult::new(TEST, verdict, detail.into_detail()).with_evidence(shown)
}
