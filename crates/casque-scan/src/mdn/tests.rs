//! What holds for the whole profile.

use proptest::prelude::*;

use super::*;
use crate::capture::{Hop, JarCookie};
use crate::report::Severity;

fn exchange(scheme: &str, headers: &[(&str, &str)], body: &str) -> Exchange {
    Exchange {
        url: format!("{scheme}://mozilla.org/"),
        status: 200,
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
        verified: scheme == "https",
        ..Exchange::default()
    }
}

fn site(headers: &[(&str, &str)], body: &str) -> Capture {
    let hop = |url: &str, status| Hop { url: url.to_owned(), status };
    Capture {
        host: "mozilla.org".to_owned(),
        https: Some(exchange("https", headers, body)),
        http: Some(exchange("https", headers, body)),
        redirects: vec![hop("http://mozilla.org/", 301), hop("https://mozilla.org/", 200)],
        ..Capture::default()
    }
}

#[test]
fn a_bare_site_gets_a_d() {
    let report = grade(&site(&[("Content-Type", "text/html")], ""), &Preload::unknown()).unwrap();
    assert_eq!((report.score, report.grade, report.profile), (30, Grade::D, Profile::Mdn));
    assert_eq!(report.target, "https://mozilla.org/");
    assert_eq!(report.findings.len(), 12);
    assert_eq!(report.findings[0].id, "csp-not-implemented");
    assert!(report.findings.windows(2).all(|w| (w[0].modifier >= 0 && w[0].pass) <= (w[1].modifier >= 0 && w[1].pass)));
    assert!(report.findings.iter().all(|f| f.why.is_empty() == (f.severity <= Severity::Info) && !f.title.is_empty()));
    assert_eq!(report.not_judged.len(), 2, "{:?}", report.not_judged);
}

#[test]
fn what_is_not_graded() {
    let none = Capture { host: "mozilla.org".to_owned(), ..Capture::default() };
    assert_eq!(grade(&none, &Preload::unknown()), Err(ScanError::NoAnswer));
    for (status, graded) in [(200, true), (304, true), (399, true), (401, true), (403, true), (404, false), (500, false), (199, false)] {
        let mut capture = site(&[], "");
        capture.https.as_mut().unwrap().status = status;
        assert_eq!(grade(&capture, &Preload::unknown()).is_ok(), graded, "{status}");
    }
}

#[test]
fn meta_counts_like_a_header_where_it_may() {
    let body = "<meta http-equiv=content-security-policy content=\"default-src 'none'; frame-ancestors 'none'\">";
    let codes = |body: &str| analyse(&site(&[("content-type", "text/html; charset=utf-8")], body), &Preload::unknown()).tests;
    let tests = codes(body);
    assert_eq!(tests[0].result, "csp-implemented-with-no-unsafe-default-src-none");
    assert_eq!(tests[10].result, "x-frame-options-implemented-via-csp");
    let alone = codes("<meta http-equiv=content-security-policy content=\"frame-ancestors 'none'\">");
    assert_eq!((alone[0].result, alone[10].result), ("csp-not-implemented", "x-frame-options-not-implemented"));
    let typed = |kind: &str| analyse(&site(&[("content-type", kind)], body), &Preload::unknown()).tests[0].result;
    assert_eq!(typed("text/plain"), "csp-not-implemented");
}

#[test]
fn evidence_keeps_secrets() {
    let mut capture = site(&[("set-cookie", "sid=s3cret; SameSite=bogus"), ("content-type", "text/html")], "");
    capture.cookies.push(JarCookie {
        name: "sid".to_owned(),
        domain: "mozilla.org".to_owned(),
        path: "/".to_owned(),
        secure: true,
        http_only: true,
        same_site: None,
    });
    let test = analyse(&capture, &Preload::unknown()).tests.swap_remove(1);
    assert_eq!(test.evidence.as_deref(), Some("set-cookie: sid=…; SameSite=bogus"));
}

#[test]
fn hostile_pages_cost_little() {
    let deep = "<div>".repeat(100_000) + "<script src=//evil.example/x></script>";
    let tests = analyse(&site(&[("content-type", "text/html")], &deep), &Preload::unknown()).tests;
    assert_eq!(tests[8].result, "sri-not-implemented-and-external-scripts-not-loaded-securely");
    let sources: String = (0..100_000).map(|n| format!(" a{n}")).collect();
    let policy = format!("<meta http-equiv=content-security-policy content='img-src{sources}'>");
    assert_eq!(analyse(&site(&[("content-type", "text/html")], &policy), &Preload::unknown()).tests[0].result, "csp-header-invalid");
}

/// The result of one test for a site with one header.
fn result(test: &str, name: &str, value: &str) -> &'static str {
    of(test, &site(&[("content-type", "text/html"), (name, value)], "<p>"))
}

fn of(test: &str, capture: &Capture) -> &'static str {
    let known = Preload::of_hosts([("known.example".to_owned(), true)]);
    analyse(capture, &known).tests.into_iter().find(|t| t.test == test).unwrap().result
}

#[test]
fn policies_are_judged_by_their_worst() {
    for (policy, wanted) in [
        ("default-src 'none'; script-src 'self'", "no-unsafe-default-src-none"),
        ("default-src 'self'", "no-unsafe"),
        ("default-src 'self'; report-uri /a; report-uri /b", ""),
        ("default-src 'self'; style-src 'unsafe-inline'", "unsafe-inline-in-style-src-only"),
        ("default-src 'self'; img-src http:", "insecure-scheme-in-passive-content-only"),
        ("default-src 'self'; img-src http:; script-src 'unsafe-eval'", "unsafe-eval"),
        ("default-src 'self'; font-src ftp:; script-src 'unsafe-eval'", "insecure-scheme"),
        ("default-src 'self'; script-src 'unsafe-inline' http:", "unsafe-inline"),
        ("default-src 'self'; object-src *", "unsafe-inline"),
        ("script-src 'self'", "unsafe-inline"),
        ("default-src 'self'; script-src 'NONCE-a' 'unsafe-inline'", "no-unsafe"),
        ("default-src 'self'; script-src 'nonce-a' 'strict-dynamic' https: 'self'", "no-unsafe"),
        ("default-src 'self', default-src 'none'", "no-unsafe-default-src-none"),
    ] {
        let wanted = if wanted.is_empty() { "csp-implemented-but-duplicate-directives" } else { &format!("csp-implemented-with-{wanted}") };
        assert_eq!(result("content-security-policy", "content-security-policy", policy), wanted, "{policy}");
    }
    for invalid in ["", "abc", "img-src a; img-src b", "default-src 'self',", "script-src 'strict-dynamic'"] {
        assert_eq!(result("content-security-policy", "content-security-policy", invalid), "csp-header-invalid", "{invalid}");
    }
    let reported = result("content-security-policy", "content-security-policy-report-only", "default-src 'self'");
    assert_eq!(reported, "csp-not-implemented-but-reporting-enabled");
}

#[test]
fn headers_of_one_word() {
    for (test, value, wanted) in [
        ("cross-origin-embedder-policy", "require-corp; report-to=\"x\"", "coep-implemented-with-require-corp"),
        ("cross-origin-embedder-policy", "Require-Corp", "coep-header-invalid"),
        ("cross-origin-opener-policy", "noopener-allow-popups", "coop-implemented-with-noopener-allow-popups"),
        ("cross-origin-opener-policy", "same-origin, same-origin", "coop-header-invalid"),
        ("cross-origin-resource-policy", "SAME-SITE", "corp-implemented-with-same-site"),
        ("cross-origin-resource-policy", "same-site;", "corp-header-invalid"),
        ("referrer-policy", "unsafe-url, no-referrer, later", "referrer-policy-private"),
        ("referrer-policy", "no-referrer, origin", "referrer-policy-unsafe"),
        ("referrer-policy", "never", "referrer-policy-header-invalid"),
        ("strict-transport-security", "max-age=15552000; includeSubDomains", "hsts-implemented-max-age-at-least-six-months"),
        ("strict-transport-security", "max-age=15551999", "hsts-implemented-max-age-less-than-six-months"),
        ("strict-transport-security", "max-age=\"1\"", "hsts-implemented-max-age-at-least-six-months"),
        ("strict-transport-security", "max-age=31536000, preload", "hsts-header-invalid"),
        ("x-content-type-options", " NoSniff", "x-content-type-options-nosniff"),
        ("x-content-type-options", "nosniff, nosniff", "x-content-type-options-header-invalid"),
        ("x-frame-options", "deny", "x-frame-options-sameorigin-or-deny"),
        ("x-frame-options", "allow-from https://a.example", "x-frame-options-allow-from-origin"),
        ("x-frame-options", "ALLOWALL", "x-frame-options-header-invalid"),
    ] {
        assert_eq!(result(test, test, value), wanted, "{value}");
    }
}

#[test]
fn cookies_are_judged_by_the_worst() {
    for (lines, wanted) in [
        (&["a=1; Secure; SameSite=Lax"][..], "secure-with-httponly-sessions-and-samesite"),
        (&["a=1; Secure; SameSite=Lax", "sess=1; Secure; HttpOnly"], "secure-with-httponly-sessions"),
        (&["a=1"], "without-secure-flag"),
        (&["a=1; SameSite=None"], "samesite-flag-invalid"),
        (&["a=1", "csrf=1; Secure"], "anticsrf-without-samesite-flag"),
        (&["csrf=1", "Login=1; Secure"], "session-without-httponly-flag"),
        (&["mysession=1; Secure", "b_sess=1; HttpOnly"], "session-without-secure-flag"),
        (&["heroku-session-affinity=1"], "not-found"),
    ] {
        let mut capture = site(&[], "");
        let from = url::Url::parse("https://mozilla.org/").unwrap();
        capture.cookies = lines.iter().filter_map(|line| JarCookie::from_set_cookie(line, &from)).collect();
        assert_eq!(of("cookies", &capture), format!("cookies-{wanted}"), "{lines:?}");
    }
}

#[test]
fn the_way_to_https() {
    for (urls, wanted) in [
        (&["http://mozilla.org/", "https://mozilla.org/"][..], "to-https"),
        (&["http://mozilla.org/", "https://www.mozilla.org/"], "off-host-from-http"),
        (&["http://mozilla.org/", "http://mozilla.org/a", "https://mozilla.org/"], "not-to-https-on-initial-redirection"),
        (&["http://mozilla.org/", "https://mozilla.org/", "http://mozilla.org/"], "not-to-https"),
        (&["http://mozilla.org/"], "missing"),
        (&["http://known.example/", "http://a.known.example/"], "all-redirects-preloaded"),
    ] {
        let mut capture = site(&[], "");
        capture.redirects = urls.iter().map(|url| Hop { url: (*url).to_owned(), status: 301 }).collect();
        assert_eq!(of("redirection", &capture), format!("redirection-{wanted}"), "{urls:?}");
        capture.http.as_mut().unwrap().verified = false;
        assert_eq!(of("redirection", &capture), "redirection-invalid-cert");
        capture.http.as_mut().unwrap().url = "http://mozilla.org/".to_owned();
        assert_eq!(of("redirection", &capture), format!("redirection-{wanted}"), "plain http has no certificate");
        capture.http = None;
        assert_eq!(of("redirection", &capture), "redirection-not-needed-no-http");
    }
}

#[test]
fn scripts_of_others() {
    let script = |src: &str| format!("<script src='{src}'></script><script src='{src}#2' integrity=x></script>");
    for (body, wanted) in [
        ("<p>".to_owned(), "not-implemented-but-no-scripts-loaded"),
        (script("/a.js"), "implemented-and-all-scripts-loaded-securely"),
        (script("http://www.mozilla.org/a.js"), "not-implemented-but-all-scripts-loaded-from-secure-origin"),
        (script("https://cdn.example/a.js"), "not-implemented-but-external-scripts-loaded-securely"),
        (script("//mozilla.org/a.js"), "not-implemented-and-external-scripts-not-loaded-securely"),
        ("<script src=https://cdn.example/ integrity=x></script>".to_owned(), "implemented-and-external-scripts-loaded-securely"),
        ("<script src=//cdn.example/ integrity=x></script>".to_owned(), "implemented-but-external-scripts-not-loaded-securely"),
    ] {
        assert_eq!(of("subresource-integrity", &site(&[("content-type", "text/html")], &body)), format!("sri-{wanted}"), "{body}");
        assert_eq!(of("subresource-integrity", &site(&[("content-type", "image/png")], &body)), "sri-not-implemented-response-not-html");
    }
}

#[test]
fn what_a_preflight_shows() {
    let origin = "https://probe.example";
    for (allowed, credentials, wanted) in [
        ("", "true", "not-implemented"),
        ("*", "true", "implemented-with-public-access"),
        (origin, "", "implemented-with-restricted-access"),
        ("null", "true", "implemented-with-restricted-access"),
        (origin, "True", "implemented-with-universal-access"),
    ] {
        let mut preflight =
            exchange("https", &[("access-control-allow-origin", allowed), ("Access-Control-Allow-Credentials", credentials)], "");
        preflight.request_headers.push(("Origin".to_owned(), origin.to_owned()));
        let capture = Capture { preflight: Some(preflight), ..site(&[], "") };
        assert_eq!(of("cross-origin-resource-sharing", &capture), format!("cross-origin-resource-sharing-{wanted}"));
    }
}

const NAMES: [&str; 15] = [
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "set-cookie",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "location",
    "X",
];

prop_compose! {
    fn a_header()(name in 0..NAMES.len(), value in "(\\PC|[;,= \t\"'()?]|default-src |'none'|max-age=|nosniff|DENY|same-origin|report-to|samesite|\\*|http:){0,12}") -> (String, String) {
        (NAMES[name].to_owned(), value)
    }
}

prop_compose! {
    fn an_exchange()(
        url in "(https?://)?(mozilla\\.org|\\PC{0,8}|\\[::1\\]|1\\.2\\.3\\.4)(/\\PC{0,4})?",
        headers in proptest::collection::vec(a_header(), 0..10),
        request in proptest::collection::vec(a_header(), 0..2),
        body in "(<|>|meta|script| |src=|content=|http-equiv=|content-security-policy|'|\"|https?://|\\PC){0,40}",
        status in 0_u16..700,
        verified in any::<bool>(),
    ) -> Exchange {
        Exchange { url, headers, request_headers: request, body: body.into_bytes(), status, verified, ..Exchange::default() }
    }
}

prop_compose! {
    fn a_capture()(
        host in "(mozilla\\.org|\\PC{0,10}|[a-z.]{0,10}|1\\.2\\.3\\.4)",
        https in proptest::option::of(an_exchange()),
        http in proptest::option::of(an_exchange()),
        preflight in proptest::option::of(an_exchange()),
        urls in proptest::collection::vec("(https?://)?[a-z.:/0-9\\[\\]]{0,12}", 0..4),
        lines in proptest::collection::vec("\\PC{0,20}(; ?(secure|httponly|samesite=\\PC{0,4}))*", 0..4),
    ) -> Capture {
        let from = url::Url::parse("https://mozilla.org/").unwrap();
        Capture {
            cookies: lines.iter().filter_map(|line| JarCookie::from_set_cookie(line, &from)).collect(),
            redirects: urls.into_iter().map(|url| Hop { url, status: 301 }).collect(),
            host, https, http, preflight, ..Capture::default()
        }
    }
}

proptest! {
    #[test]
    fn no_site_panics(capture in a_capture()) {
        for preload in [Preload::unknown(), Preload::of_hosts([("mozilla.org".to_owned(), true)])] {
            let analysis = analyse(&capture, &preload);
            prop_assert_eq!(analysis.tests.len(), 12);
            prop_assert!(analysis.score <= 165);
            prop_assert_eq!(analysis.grade, Grade::of_score(analysis.score));
            _ = grade(&capture, &preload);
        }
    }

    #[test]
    fn a_further_penalty_never_raises_the_score(modifiers in proptest::collection::vec(-50..=10_i32, 0..12), penalty in -50..0_i32) {
        let with = |modifiers: &[i32]| {
            let result = |modifier: &i32| {
                let mut result = TestResult::new("x", &TEST_VERDICT, Detail::Header(HeaderDetail::default()));
                result.modifier = *modifier;
                result
            };
            score(&modifiers.iter().map(result).collect::<Vec<_>>()).0
        };
        let before = with(&modifiers);
        let mut more = modifiers;
        more.push(penalty);
        prop_assert!(with(&more) <= before);
    }

    #[test]
    fn no_site_string_and_no_list_panics(text in "\\PC{0,40}", json in "[\\[\\]{}\":,/a-z\n]{0,40}") {
        _ = Site::parse(&text);
        _ = Preload::parse(&text);
        _ = Preload::parse(&json);
    }
}

const TEST_VERDICT: Verdict = Verdict::neutral("x", "x");
