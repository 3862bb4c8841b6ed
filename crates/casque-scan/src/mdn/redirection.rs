//! Test `redirection`: whether plain http leads to https, and by which way.

use url::Url;

use crate::capture::Capture;
use crate::report::Severity::{Low, Medium};

use super::TestResult;
use super::detail::Detail;
use super::preload::Preload;
use super::verdict::Verdict;

pub(super) const TEST: &str = "redirection";

const PRELOADED: Verdict =
    Verdict::neutral("redirection-all-redirects-preloaded", "Browsers know of every host on the way that it is https only");
const TO_HTTPS: Verdict = Verdict::neutral("redirection-to-https", "Plain http leads to https on the same host first");
const NO_HTTP: Verdict = Verdict::neutral("redirection-not-needed-no-http", "The site does not answer over plain http");
const OFF_HOST: Verdict = Verdict::bad(
    "redirection-off-host-from-http",
    -5,
    Low,
    "Plain http leads to another host first",
    "The named host never gets to say that it is https only, so that its visitors start in the clear every time.",
);
const NOT_AT_FIRST: Verdict = Verdict::bad(
    "redirection-not-to-https-on-initial-redirection",
    -10,
    Low,
    "Plain http leads to more plain http before https",
    "Every step in the clear is one at which a visitor can be led elsewhere.",
);
const NOT_TO_HTTPS: Verdict = Verdict::bad(
    "redirection-not-to-https",
    -20,
    Medium,
    "Plain http leads to a page over plain http",
    "Whoever sits on the visitor's network reads and changes everything.",
);
const MISSING: Verdict = Verdict::bad(
    "redirection-missing",
    -20,
    Medium,
    "Plain http is answered without a way to https",
    "Whoever types the bare name is served in the clear; what they see and send can be read and changed.",
);
const BAD_CERT: Verdict = Verdict::bad(
    "redirection-invalid-cert",
    -20,
    Medium,
    "Plain http leads to an invalid certificate",
    "Visitors see a warning and learn to click it away; an attacker's certificate looks no different.",
);

/// What the test read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedirectionDetail {
    /// The last address.
    pub destination: Option<String>,
    /// Whether there is a redirect.
    pub redirects: bool,
    /// All addresses, if the way counts.
    pub route: Vec<String>,
    /// The status at its end.
    pub status_code: Option<u16>,
}

pub(super) fn test(capture: &Capture, preload: &Preload) -> TestResult {
    let hops: Vec<Url> = capture.redirects.iter().filter_map(|hop| Url::parse(&hop.url).ok()).collect();
    let http = capture.http.as_ref();
    let mut detail = RedirectionDetail {
        destination: hops.last().map(Url::to_string),
        redirects: true,
        route: Vec::new(),
        status_code: http.map(|h| h.status),
    };
    let verdict = match http {
        None => &NO_HTTP,
        Some(end) if !end.verified && ends_on_https(&end.url, &hops) => &BAD_CERT,
        Some(_) => {
            detail.route = hops.iter().map(Url::to_string).collect();
            of_route(&hops, preload)
        }
    };
    detail.redirects = verdict != &MISSING;
    let shown: Vec<String> = capture.redirects.iter().map(|hop| format!("{} {}", hop.status, hop.url)).collect();
    TestResult::new(TEST, verdict, Detail::Redirection(detail)).with_evidence(shown)
}

/// Plain http knows no certificate; only an end over https can have a bad one.
fn ends_on_https(url: &str, hops: &[Url]) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => scheme.eq_ignore_ascii_case("https"),
        None => hops.last().is_none_or(|last| last.scheme() == "https"),
    }
}

fn of_route(hops: &[Url], preload: &Preload) -> &'static Verdict {
    let preloaded = |hop: &Url| hop.host_str().is_some_and(|host| preload.covers(host).is_some());
    match hops {
        // No hop at all is all of them, too.
        _ if hops.iter().all(preloaded) => &PRELOADED,
        [] | [_] => &MISSING,
        [.., last] if last.scheme() != "https" => &NOT_TO_HTTPS,
        [_, second, ..] if second.scheme() != "https" => &NOT_AT_FIRST,
        [first, second, ..] if first.scheme() == "http" && first.host_str() != second.host_str() => &OFF_HOST,
        _ => &TO_HTTPS,
    }
}
