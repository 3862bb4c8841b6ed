//! Whole sites; and, in `observatory`, each mistake of the Observatory that this profile mends.

mod observatory;

use proptest::prelude::*;

use super::*;
use crate::capture::{Hop, Other, Role, Source};
use crate::exchange::Exchange;
use crate::mdn::Preload;
use crate::report::{Finding, Grade, Severity};

const HSTS: (&str, &str) = ("Strict-Transport-Security", "max-age=31536000");
const CSP: (&str, &str) = ("Content-Security-Policy", "default-src 'self'; base-uri 'self'; form-action 'self'; object-src 'none'");

fn answer(url: &str, headers: &[(&str, &str)], body: &str) -> Exchange {
    let html = ("Content-Type".to_owned(), "text/html".to_owned());
    let own = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Exchange {
        url: url.to_owned(),
        method: "GET".to_owned(),
        status: 200,
        headers: std::iter::once(html).chain(own).collect(),
        body: body.as_bytes().to_vec(),
        verified: url.starts_with("https:"),
        ..Exchange::default()
    }
}

/// A public site over https, with http redirected to it.
fn site_with(headers: &[(&str, &str)], body: &str) -> Capture {
    let hop = |url: &str, status| Hop { url: url.to_owned(), status };
    Capture {
        host: "shop.example".to_owned(),
        https: Some(answer("https://shop.example/", headers, body)),
        http: Some(answer("https://shop.example/", headers, body)),
        redirects: vec![hop("http://shop.example/", 301), hop("https://shop.example/", 200)],
        ..Capture::default()
    }
}

fn local(headers: &[(&str, &str)]) -> Capture {
    Capture {
        host: "localhost".to_owned(),
        port: Some(3000),
        http: Some(answer("http://localhost:3000/", headers, "<p>hi")),
        ..Capture::default()
    }
}

fn graded(capture: &Capture) -> Report {
    grade(capture, &Context::default()).unwrap()
}

fn found<'r>(report: &'r Report, id: &str) -> Option<&'r Finding> {
    report.findings.iter().find(|f| f.id == id)
}

/// Whether grading finds something under this name.
fn finds(capture: &Capture, id: &str) -> bool {
    found(&graded(capture), id).is_some()
}

fn page_finds(headers: &[(&str, &str)], id: &str) -> bool {
    finds(&site_with(headers, ""), id)
}

fn cors(origin: &str, allowed: &str, credentials: bool) -> Capture {
    let mut capture = site_with(&[], "");
    let mut exchange = answer("https://shop.example/", &[("Access-Control-Allow-Origin", allowed), ("Vary", "Origin")], "");
    if credentials {
        exchange.headers.push(("Access-Control-Allow-Credentials".to_owned(), "true".to_owned()));
    }
    exchange.request_headers.push(("origin".to_owned(), origin.to_owned()));
    capture.others.push(Other { role: Role::CorsProbe, exchange });
    capture
}

#[test]
fn a_page_of_foreign_scripts_is_a_short_report() {
    let mut body = String::new();
    for n in 0..20_000 {
        body.push_str(&format!("<script src=//a.example/{n}></script><link rel=stylesheet href=//a.example/{n}>"));
    }
    let report = graded(&site_with(&[], &body));
    let foreign: Vec<&Finding> = report.findings.iter().filter(|f| f.id == "content-without-integrity").collect();
    assert_eq!(foreign.len(), 10);
    let all = body.matches("//a.example/").count();
    assert!(all == 40_000 && foreign[9].title.ends_with(" (and 39990 more)"), "{}", foreign[9].title);
    let judged = [crate::render::Judged { report, delta: None }];
    for (name, format) in crate::render::Format::NAMES {
        assert!(crate::render::render(format, &judged, None).len() < 100_000, "{name}");
    }
}

#[test]
fn a_page_with_scripts_in_it_is_not_told_to_forbid_them() {
    let casque = |headers: &[(&str, &str)], body: &str, id: &str| {
        let report = graded(&site_with(headers, body));
        found(&report, id).and_then(|f| f.fix.clone()).unwrap_or_else(|| panic!("{id}")).casque
    };
    let open = ("Content-Security-Policy", "script-src 'unsafe-inline'");
    let anywhere = ("Content-Security-Policy", "script-src *");
    for (headers, id) in [(&[][..], "csp-not-implemented"), (&[open], "csp-unsafe-inline"), (&[anywhere], "csp-scripts-from-anywhere")] {
        let fix = casque(headers, "<script>start()</script>", id);
        assert!(fix.contains("script-src 'nonce'") && fix.contains("casque-csp-nonce") && !fix.contains("default-src"), "{id}: {fix}");
    }
    assert!(casque(&[], "<script src=/app.js></script>", "csp-not-implemented").contains("default-src 'self'"));
}

#[test]
fn usual_sites_get_usual_grades() {
    let bare = graded(&site_with(&[("X-Powered-By", "Express")], ""));
    assert_eq!((bare.grade, bare.score), (Grade::DMinus, 25));
    let helmet = graded(&site_with(
        &[
            (
                "Content-Security-Policy",
                "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
            ),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Origin-Agent-Cluster", "?1"),
            ("Referrer-Policy", "no-referrer"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "SAMEORIGIN"),
            ("X-XSS-Protection", "0"),
        ],
        "",
    ));
    assert_eq!((helmet.grade, helmet.score), (Grade::APlus, 135));
    assert!(helmet.findings.iter().all(|f| f.pass || f.severity == Severity::Info), "{:#?}", helmet.findings);
}

#[test]
fn a_development_machine_is_not_blamed_for_plain_http() {
    let report = graded(&local(&[
        CSP,
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Set-Cookie", "sid=1; HttpOnly; SameSite=Lax"),
    ]));
    assert!(report.grade >= Grade::A, "{:#?}", report.findings);
    assert!(report.not_judged.iter().any(|n| n.contains("localhost")));
    let bare = graded(&local(&[("Set-Cookie", "sid=1")]));
    assert!(found(&bare, "cookies-session-without-httponly-flag").is_some() && found(&bare, "framing-not-limited").is_some());
    assert!(!bare.findings.iter().any(|f| ["strict-transport-security", "redirection", "certificate"].contains(&f.test.as_str())));
}

#[test]
fn a_port_of_its_own_is_not_blamed_for_what_nobody_asked() {
    let mut capture = local(&[]);
    capture.host = "shop.example".to_owned();
    capture.port = Some(8080);
    capture.http.as_mut().unwrap().url = "http://shop.example:8080/".to_owned();
    let report = graded(&capture);
    assert_eq!(found(&report, "hsts-not-implemented-no-https").unwrap().title, "The page comes over plain http");
    assert!(!report.findings.iter().any(|f| f.test == "redirection"));
}

#[test]
fn a_response_alone_is_judged_by_what_it_has() {
    let capture = Capture {
        https: Some(Exchange { url: String::new(), ..answer("https://x/", &[("Server", "nginx/1.25.1")], "") }),
        source: Source::Response,
        ..Capture::default()
    };
    let report = graded(&capture);
    assert_eq!(report.target, "the response");
    assert!(found(&report, "information-server-version").is_some() && found(&report, "hsts-not-implemented").is_none());
    assert!(report.not_judged.iter().any(|n| n.starts_with("https")));
}

#[test]
fn what_answers_with_an_error_gets_no_grade() {
    let with = |status, source| {
        let mut capture = Capture { source, ..local(&[]) };
        capture.http.as_mut().unwrap().status = status;
        grade(&capture, &Context::default())
    };
    for status in [400, 404, 500, 503] {
        assert_eq!(with(status, Source::Network).unwrap_err(), ScanError::Status(status));
    }
    assert!(ScanError::Status(500).to_string().contains("the app answered 500, so nothing was graded"));
    for source in [Source::Recording, Source::Response] {
        assert!(with(404, source).unwrap().not_judged.iter().any(|n| n.contains("status 404")));
        assert_eq!(with(500, source).unwrap_err(), ScanError::Status(500));
    }
    assert!(with(401, Source::Network).is_ok() && with(302, Source::Network).is_ok());
    assert_eq!(grade(&Capture::default(), &Context::default()).unwrap_err(), ScanError::NoAnswer);
}

#[test]
fn what_was_asked_for_as_somebody_is_not_for_everybody() {
    let finds = |headers: &[(&str, &str)], credentials: &[&str]| {
        let mut capture = site_with(headers, "");
        capture.https.as_mut().unwrap().credentials = credentials.iter().map(|n| (*n).to_owned()).collect();
        let report = graded(&capture);
        found(&report, "caching-shares-private-page").map(|f| (f.modifier, f.evidence.clone().unwrap_or_default()))
    };
    let public = ("Cache-Control", "public");
    assert_eq!(finds(&[public], &["cookie"]), Some((-10, "Cache-Control: public, asked with Cookie: …".to_owned())));
    assert!(finds(&[("Cache-Control", "s-maxage=60")], &["authorization"]).is_some());
    assert!(finds(&[("Cache-Control", "max-age=60")], &["cookie"]).is_some());
    assert!(finds(&[("Cache-Control", "max-age=60, must-revalidate")], &["authorization"]).is_some());
    assert_eq!(finds(&[public], &[]), None);
    assert_eq!(finds(&[public, ("Vary", "Accept, Cookie")], &["cookie"]), None);
    assert_eq!(finds(&[("Cache-Control", "max-age=60")], &["authorization"]), None);
    assert_eq!(finds(&[("Cache-Control", "private, max-age=60")], &["cookie", "authorization"]), None);
}

#[test]
fn forms_must_not_lead_to_plain_http() {
    let finds = |headers: &[(&str, &str)], body: &str| finds(&site_with(headers, body), "form-over-http");
    assert!(finds(&[], "<form method=post action=http://shop.example/login><input name=password></form>"));
    assert!(finds(&[], "<form action=/x><button formaction='HTTP://a.example/'>Go</button></form>"));
    assert!(!finds(&[], "<form action=/login></form><form></form><input name=q><form action=https://a.example/></form>"));
    let upgraded = ("Content-Security-Policy", "upgrade-insecure-requests");
    assert!(!finds(&[upgraded], "<form action=http://shop.example/login></form>"));
    let mut capture = local(&[]);
    capture.http.as_mut().unwrap().body = b"<form action=http://localhost:3000/x></form>".to_vec();
    assert!(found(&graded(&capture), "form-over-http").is_none());
}

#[test]
fn sensitive_answers_must_not_be_shared() {
    assert!(page_finds(&[("Set-Cookie", "sid=1"), ("Cache-Control", "public, max-age=60")], "caching-shares-cookies"));
    assert!(!page_finds(&[("Set-Cookie", "sid=1"), ("Cache-Control", "private, max-age=60")], "caching-shares-cookies"));
    assert!(!page_finds(&[("Cache-Control", "public, max-age=60")], "caching-shares-cookies"));
}

#[test]
fn contradictions_are_told() {
    let twice = [("Strict-Transport-Security", "max-age=31536000"), ("Strict-Transport-Security", "max-age=0")];
    assert!(page_finds(&twice, "header-contradicts-itself"));
    assert!(page_finds(&[("X-Frame-Options", "DENY"), ("X-Frame-Options", "DENY")], "header-sent-twice"));
    assert!(page_finds(&[("X-Frame-Options", "DENY"), ("Content-Security-Policy", "frame-ancestors *")], "framing-contradiction"));
    assert!(!page_finds(&[("X-Frame-Options", "DENY"), ("Content-Security-Policy", "frame-ancestors 'self'")], "framing-contradiction"));
    assert!(page_finds(&[("Expect-CT", "max-age=0")], "header-of-the-past"));
}

#[test]
fn preloading_is_judged_with_a_list_only() {
    let list = Preload::of_hosts([("shop.example".to_owned(), true)]);
    let context = Context { preload: Some(&list), ..Context::default() };
    assert!(grade(&site_with(&[], ""), &context).unwrap().findings.iter().any(|f| f.id == "hsts-preloaded"));
    assert!(graded(&site_with(&[HSTS], "")).not_judged.iter().any(|n| n.contains("preload")));
    assert!(page_finds(&[("Strict-Transport-Security", "max-age=31536000; preload")], "hsts-preload-not-eligible"));
    assert!(page_finds(&[("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload")], "hsts-preload-eligible"));
}

#[test]
fn security_txt_can_be_missing_or_expired() {
    let with = |status, body: &str| {
        let mut capture = site_with(&[], "");
        let mut exchange = answer("https://shop.example/.well-known/security.txt", &[], body);
        exchange.headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        capture.others.push(Other { role: Role::SecurityTxt, exchange: Exchange { status, ..exchange } });
        let context = Context { now: Some(Duration::from_secs(1_767_323_045)), ..Context::default() };
        let report = grade(&capture, &context).unwrap();
        report.findings.iter().find(|f| f.test == "security-txt").unwrap().id.clone()
    };
    assert_eq!(with(404, ""), "security-txt-missing");
    assert_eq!(with(200, "Contact: mailto:a@b.example\nExpires: 2030-01-01T00:00:00Z\n"), "security-txt-present");
    assert_eq!(with(200, "Contact: mailto:a@b.example\nExpires: 2020-01-01T00:00:00Z\n"), "security-txt-expired");
    assert_eq!(with(200, "Contact: mailto:a@b.example\n"), "security-txt-without-expiry");
}

#[test]
fn whatever_is_wrong_says_why_and_where() {
    let everything = site_with(
        &[
            ("Content-Security-Policy", "script-src 'unsafe-inline' *; base-urii x"),
            ("Strict-Transport-Security", "x"),
            ("Set-Cookie", "sid=geheim"),
            ("Server", "nginx/1.2"),
            ("Permissions-Policy", "camera 'none'"),
            ("Cross-Origin-Opener-Policy", "yes"),
            ("Referrer-Policy", "unsafe-url"),
        ],
        "<script src=http://a.example></script>",
    );
    let report = graded(&everything);
    for finding in report.findings.iter().filter(|f| !f.pass) {
        assert!(!finding.why.is_empty() && !finding.url.is_empty(), "{finding:?}");
        assert!(!finding.title.ends_with('.'), "{finding:?}");
    }
    assert!(!format!("{report:?}").contains("geheim"), "a cookie's value is in the report");
}

proptest! {
    #[test]
    fn no_site_panics(
        names in prop::collection::vec(prop::sample::select(vec![
            "content-security-policy", "strict-transport-security", "x-frame-options", "set-cookie", "permissions-policy", "cache-control",
            "access-control-allow-origin", "server", "referrer-policy", "content-type", "cross-origin-opener-policy", "x-content-type-options",
        ]), 0..6),
        values in prop::collection::vec("(\\PC|[;,=\"' *:]|script-src|max-age|'unsafe-inline'|frame-ancestors|é){0,12}", 6),
        body in "(<script src=|<meta http-equiv=|<link rel=stylesheet href=|>|'|\\PC){0,12}",
        url in "(https?://)?\\PC{0,12}",
    ) {
        let headers: Vec<(&str, &str)> = names.iter().copied().zip(values.iter().map(String::as_str)).collect();
        let mut capture = site_with(&headers, &body);
        if let Some(page) = &mut capture.https {
            page.headers.remove(0);
        }
        capture.redirects.push(Hop { url: url.clone(), status: 302 });
        capture.others.push(Other { role: Role::CorsProbe, exchange: Exchange { request_headers: vec![("Origin".to_owned(), url.clone())], ..answer(&url, &headers, &body) } });
        let report = graded(&capture);
        prop_assert!(report.findings.iter().all(|f| !f.id.is_empty()));
    }
}
