//! Test `referrer-policy`.

use crate::report::Severity::Low;

use super::TestResult;
use super::detail::HeaderDetail;
use super::page::Page;
use super::text;
use super::verdict::Verdict;

const TEST: &str = "referrer-policy";

const PRIVATE: Verdict = Verdict::good("referrer-policy-private", 5, "Other sites learn at most the site's name from links");
const MISSING: Verdict = Verdict::neutral("referrer-policy-not-implemented", "What other sites learn from links is left to the browser");
const UNSAFE: Verdict = Verdict::bad(
    "referrer-policy-unsafe",
    -5,
    Low,
    "Referrer-Policy tells more than browsers would by themselves",
    "Other sites, or everybody on the way to them, learn which page the visitor came from; addresses may hold secrets.",
);
const INVALID: Verdict = Verdict::bad(
    "referrer-policy-header-invalid",
    -5,
    Low,
    "Referrer-Policy has no value browsers know",
    "Browsers ignore it and fall back to their own default.",
);

/// The policies of the Referrer Policy specification, section 3, and which verdict they get.
const KNOWN: [(&str, &Verdict); 8] = [
    ("no-referrer", &PRIVATE),
    ("same-origin", &PRIVATE),
    ("strict-origin", &PRIVATE),
    ("strict-origin-when-cross-origin", &PRIVATE),
    ("no-referrer-when-downgrade", &UNSAFE),
    ("origin", &UNSAFE),
    ("origin-when-cross-origin", &UNSAFE),
    ("unsafe-url", &UNSAFE),
];

/// All header lines and then `<meta>` are one list; its last word that is known counts.
pub(super) fn test(page: Option<&Page<'_>>) -> TestResult {
    let Some(page) = page else {
        return TestResult::new(TEST, &MISSING, HeaderDetail::default().into_detail()).without_page();
    };
    let mut values = page.lines(TEST);
    let http = !values.is_empty();
    values.extend(page.meta_referrer.as_deref());
    let data = (!values.is_empty()).then(|| values.join(", "));
    let verdict = data.as_deref().map_or(&MISSING, |list| {
        list.rsplit(',').map(text::folded).find_map(|word| KNOWN.iter().find(|(w, _)| *w == word)).map_or(&INVALID, |(_, verdict)| verdict)
    });
    let shown = page.shown(TEST).chain(page.meta_referrer.iter().map(|m| format!("<meta name=\"referrer\">: {m}")));
    let detail = HeaderDetail { data, http, meta: page.meta_referrer.is_some() };
    TestResult::new(TEST, verdict, detail.into_detail()).with_evidence(shown)
}
