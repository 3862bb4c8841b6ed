//! Test `cookies`: how the cookies in the jar are protected.

use std::collections::BTreeMap;

use crate::capture::JarCookie;
use crate::report::Severity::{High, Low, Medium};

use super::TestResult;
use super::detail::Detail;
use super::page::Page;
use super::text;
use super::verdict::Verdict;

const TEST: &str = "cookies";
/// A load balancer's cookie that no app can change. Its name is compared exactly.
const IGNORED: &str = "heroku-session-affinity";

const GOOD_SAMESITE: Verdict = Verdict::good(
    "cookies-secure-with-httponly-sessions-and-samesite",
    5,
    "All cookies are sent over https only and limited to the site, and scripts cannot read the session",
);

const GOOD: Verdict =
    Verdict::neutral("cookies-secure-with-httponly-sessions", "All cookies are sent over https only, and scripts cannot read the session");

const NONE: Verdict = Verdict::neutral("cookies-not-found", "The site sets no cookies");

const NOT_SECURE_HSTS: Verdict = Verdict::bad(
    "cookies-without-secure-flag-but-protected-by-hsts",
    -5,
    Low,
    "A cookie lacks Secure; only HSTS keeps it off plain http",
    "In a browser that has not seen the HSTS header yet, the cookie travels in the clear.",
);

const SESSION_NOT_SECURE_HSTS: Verdict = Verdict::bad(
    "cookies-session-without-secure-flag-but-protected-by-hsts",
    -10,
    Medium,
    "A session cookie lacks Secure; only HSTS keeps it off plain http",
    "In a browser that has not seen the HSTS header yet, the session travels in the clear and can be taken over.",
);

const NOT_SECURE: Verdict = Verdict::bad(
    "cookies-without-secure-flag",
    -20,
    Medium,
    "A cookie lacks Secure and is sent over plain http too",
    "Whoever sits on the visitor's network reads and replaces it.",
);

const SAMESITE_INVALID: Verdict = Verdict::bad(
    "cookies-samesite-flag-invalid",
    -20,
    Medium,
    "A cookie's SameSite is misspelt, or is None without Secure",
    "Browsers ignore the attribute or the cookie: the protection that was meant is not there.",
);

const ANTICSRF: Verdict = Verdict::bad(
    "cookies-anticsrf-without-samesite-flag",
    -20,
    Medium,
    "A cookie against forged requests lacks SameSite",
    "It is sent along with requests that other sites start, which is what it should tell apart.",
);

const SESSION_READABLE: Verdict = Verdict::bad(
    "cookies-session-without-httponly-flag",
    -30,
    High,
    "A session cookie lacks HttpOnly: scripts can read it",
    "One injected script sends the session to the attacker, who is then logged in as the visitor.",
);

const SESSION_NOT_SECURE: Verdict = Verdict::bad(
    "cookies-session-without-secure-flag",
    -40,
    High,
    "A session cookie lacks Secure and is sent over plain http too",
    "Whoever sits on the visitor's network reads it and is logged in as the visitor.",
);

/// What one cookie can be found guilty of; the last of these is the worst.
const WORSE_AND_WORSE: [&Verdict; 7] =
    [&NOT_SECURE_HSTS, &SESSION_NOT_SECURE_HSTS, &NOT_SECURE, &SAMESITE_INVALID, &ANTICSRF, &SESSION_READABLE, &SESSION_NOT_SECURE];

/// What the test read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CookieDetail {
    /// The cookies that count, by name; of two with one name the later.
    pub cookies: BTreeMap<String, JarCookie>,
    /// Whether all are well protected and have `SameSite`.
    pub same_site: bool,
}

pub(super) fn test(page: Option<&Page<'_>>, jar: &[JarCookie], hsts: bool) -> TestResult {
    let counted: Vec<&JarCookie> = jar.iter().filter(|c| c.name != IGNORED && !c.name.is_empty()).collect();
    if counted.is_empty() {
        return TestResult::new(TEST, &NONE, Detail::Cookies(CookieDetail::default()));
    }
    let lines = page.map(|p| p.lines("set-cookie")).unwrap_or_default();
    let misspelt = lines.iter().any(|line| misspells_samesite(line)).then_some(&SAMESITE_INVALID);
    let worst = counted.iter().flat_map(|c| charges(c, hsts)).chain(misspelt).max_by_key(|v| WORSE_AND_WORSE.iter().position(|w| w == v));
    let all_same_site = counted.iter().all(|c| c.same_site.is_some());
    let verdict = worst.unwrap_or(if all_same_site { &GOOD_SAMESITE } else { &GOOD });
    let detail = CookieDetail {
        cookies: counted.iter().map(|c| (c.name.clone(), (*c).clone())).collect(),
        same_site: worst.is_none() && all_same_site,
    };
    let guilty = counted.iter().filter(|c| charges(c, hsts).any(|v| v == verdict)).map(|c| shown(c));
    let spelt = lines.iter().filter(|line| verdict == &SAMESITE_INVALID && misspells_samesite(line)).map(|line| without_value(line));
    TestResult::new(TEST, verdict, Detail::Cookies(detail)).with_evidence(guilty.chain(spelt))
}

fn charges(cookie: &JarCookie, hsts: bool) -> impl Iterator<Item = &'static Verdict> {
    let name = cookie.name.to_lowercase();
    let session = name.contains("login") || name.contains("sess");
    let anticsrf = name.contains("csrf");
    let insecure = match (session, hsts) {
        (false, true) => &NOT_SECURE_HSTS,
        (true, true) => &SESSION_NOT_SECURE_HSTS,
        (false, false) => &NOT_SECURE,
        (true, false) => &SESSION_NOT_SECURE,
    };
    [
        (!cookie.secure).then_some(insecure),
        (!cookie.secure && cookie.same_site.as_deref() == Some("none")).then_some(&SAMESITE_INVALID),
        (anticsrf && cookie.same_site.is_none()).then_some(&ANTICSRF),
        (session && !cookie.http_only).then_some(&SESSION_READABLE),
    ]
    .into_iter()
    .flatten()
}

/// Whether a line says `SameSite` and not one of the three words for it. The cookie's own name is not excepted.
fn misspells_samesite(line: &str) -> bool {
    line.split(';').any(|part| {
        let mut sides = part.split('=');
        let name = sides.next().map(text::folded);
        name.as_deref() == Some("samesite") && !matches!(sides.next().map(text::folded).as_deref(), Some("lax" | "strict" | "none"))
    })
}

/// The line without the cookie's value: that is a secret.
fn without_value(line: &str) -> String {
    let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
    let name = pair.split_once('=').map_or("", |(name, _)| name);
    format!("set-cookie: {name}=…;{attributes}")
}

/// The cookie as a line, without its value: that is a secret.
fn shown(cookie: &JarCookie) -> String {
    let JarCookie { name, domain, path, .. } = cookie;
    let secure = if cookie.secure { "; Secure" } else { "" };
    let http_only = if cookie.http_only { "; HttpOnly" } else { "" };
    let same_site = cookie.same_site.as_ref().map(|s| format!("; SameSite={s}")).unwrap_or_default();
    format!("{name}=…; Domain={domain}; Path={path}{secure}{http_only}{same_site}")
}
