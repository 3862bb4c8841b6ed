//! Test `subresource-integrity`: whether scripts of other sites are pinned to what they were.

use std::collections::BTreeMap;

use url::Url;

use crate::domain::registrable;
use crate::html::Element;
use crate::report::Severity::{High, Low, Medium};

use super::TestResult;
use super::detail::Detail;
use super::page::Page;
use super::verdict::Verdict;

const TEST: &str = "subresource-integrity";

const ALL: Verdict = Verdict::good("sri-implemented-and-all-scripts-loaded-securely", 5, "The site's own scripts are pinned by their hash");
const EXTERNAL: Verdict = Verdict::good(
    "sri-implemented-and-external-scripts-loaded-securely",
    5,
    "Scripts of other sites are pinned by their hash and come over https",
);
const NOT_HTML: Verdict = Verdict::neutral("sri-not-implemented-response-not-html", "The answer is no page and loads no scripts");
const NO_SCRIPTS: Verdict = Verdict::neutral("sri-not-implemented-but-no-scripts-loaded", "The page has no scripts");
const OWN: Verdict =
    Verdict::neutral("sri-not-implemented-but-all-scripts-loaded-from-secure-origin", "All scripts come from the site itself, not pinned");
const NOT_PINNED: Verdict = Verdict::bad(
    "sri-not-implemented-but-external-scripts-loaded-securely",
    -5,
    Low,
    "Scripts of other sites are not pinned by a hash",
    "Whoever takes over the other site's server runs scripts on this one.",
);
const PINNED_IN_THE_CLEAR: Verdict = Verdict::bad(
    "sri-implemented-but-external-scripts-not-loaded-securely",
    -20,
    Medium,
    "Scripts of other sites are pinned, but may come over plain http",
    "Whoever sits on the visitor's network sees what is loaded and can keep it from loading.",
);
const IN_THE_CLEAR: Verdict = Verdict::bad(
    "sri-not-implemented-and-external-scripts-not-loaded-securely",
    -50,
    High,
    "Scripts of other sites may come over plain http and are not pinned by a hash",
    "Whoever sits on the visitor's network replaces the script and runs their own in the page.",
);

/// What the scripts of a page can be found to be; the last one found among them is the result. Pinned scripts of the site's own
/// outrank pinned ones of others, and a script that is not pinned at all outranks a pinned one in the clear.
const OUTRANKING: [&Verdict; 6] = [&OWN, &EXTERNAL, &ALL, &PINNED_IN_THE_CLEAR, &NOT_PINNED, &IN_THE_CLEAR];

/// A script of another site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExternalScript {
    /// `crossorigin`, unless it is empty.
    pub crossorigin: Option<String>,
    /// `integrity`, unless it is empty.
    pub integrity: Option<String>,
}

/// Where a script comes from.
enum Origin {
    /// The site's own, over https.
    OwnSecure,
    /// The site's own, over http, or inline.
    Own,
    /// Another site's, over https.
    OtherSecure,
    /// Another site's over http, or one that follows the page's scheme.
    Other,
}

pub(super) fn test(page: Option<&Page<'_>>, host: &str) -> TestResult {
    let Some(page) = page else {
        return TestResult::new(TEST, &NO_SCRIPTS, Detail::Scripts(BTreeMap::new())).without_page();
    };
    let Some(document) = &page.document else {
        return TestResult::new(TEST, &NOT_HTML, Detail::Scripts(BTreeMap::new()));
    };
    let mut found = &NO_SCRIPTS;
    let mut rank = None;
    let mut scripts = BTreeMap::new();
    let mut guilty = Vec::new();
    for script in &document.scripts {
        let source = filled(script, "src").unwrap_or_default();
        let integrity = filled(script, "integrity");
        let origin = origin(source, host, page.https);
        let verdict = match (&origin, integrity.is_some()) {
            (Origin::OwnSecure, true) => &ALL,
            (Origin::OwnSecure | Origin::Own, _) => &OWN,
            (Origin::OtherSecure, true) => &EXTERNAL,
            (Origin::OtherSecure, false) => &NOT_PINNED,
            (Origin::Other, true) => &PINNED_IN_THE_CLEAR,
            (Origin::Other, false) => &IN_THE_CLEAR,
        };
        if matches!(origin, Origin::OtherSecure | Origin::Other) {
            let own = |name| filled(script, name).map(str::to_owned);
            scripts.insert(source.to_owned(), ExternalScript { crossorigin: own("crossorigin"), integrity: own("integrity") });
        }
        let its = OUTRANKING.iter().position(|v| *v == verdict);
        if its > rank {
            (rank, found) = (its, verdict);
            guilty.clear();
        }
        if its == rank && !source.is_empty() {
            guilty.push(source);
        }
    }
    let shown = guilty.into_iter().map(|source| format!("<script src=\"{source}\">"));
    TestResult::new(TEST, found, Detail::Scripts(scripts)).with_evidence(shown)
}

fn filled<'e>(script: &'e Element, name: &str) -> Option<&'e str> {
    script.attribute(name).filter(|value| !value.is_empty())
}

/// The Observatory's idea of where an address leads: only `http://` and `https://` in lower case name a host, and what starts with
/// two slashes counts as foreign and in the clear.
fn origin(source: &str, host: &str, https: bool) -> Origin {
    let secure = source.starts_with("https://");
    if secure || source.starts_with("http://") {
        let url = Url::parse(source).ok();
        let theirs = url.as_ref().and_then(Url::host_str);
        // An address without a registered name is like every other of its kind: hosts that are bare addresses are all one.
        let same = theirs.is_some_and(|theirs| registrable(theirs) == registrable(host));
        return match (same, secure) {
            (true, true) => Origin::OwnSecure,
            (true, false) => Origin::Own,
            (false, true) => Origin::OtherSecure,
            (false, false) => Origin::Other,
        };
    }
    let scheme_of_page = source.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    match (scheme_of_page, https && !source.is_empty()) {
        (true, _) => Origin::Other,
        (false, true) => Origin::OwnSecure,
        (false, false) => Origin::Own,
    }
}
