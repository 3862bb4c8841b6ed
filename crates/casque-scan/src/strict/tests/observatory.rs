//! What the Observatory gets wrong, one by one.

use super::*;

#[test]
fn a_max_age_that_is_no_number_protects_nobody() {
    assert!(page_finds(&[("Strict-Transport-Security", "max-age=abc")], "hsts-header-invalid"));
    assert!(page_finds(&[("Strict-Transport-Security", "max-age=\"100\"")], "hsts-max-age-less-than-six-months"));
    assert!(page_finds(&[("Strict-Transport-Security", "max-age=\"31536000\"")], "hsts-max-age-at-least-six-months"));
    assert!(page_finds(&[("Strict-Transport-Security", "max-age=1; max-age=31536000")], "hsts-header-invalid"));
}

#[test]
fn frame_ancestors_for_everybody_is_no_protection() {
    for open in ["frame-ancestors *", "frame-ancestors https:", "frame-ancestors 'self' *.com"] {
        assert!(page_finds(&[("Content-Security-Policy", open)], "framing-open-to-all"), "{open}");
    }
    assert!(page_finds(&[("Content-Security-Policy", "frame-ancestors 'none'")], "framing-limited-by-csp"));
    assert!(page_finds(&[("Content-Security-Policy", "frame-ancestors *, frame-ancestors 'self'")], "framing-limited-by-csp"));
    assert!(page_finds(&[("X-Frame-Options", "ALLOW-FROM https://a.example")], "framing-x-frame-options-ignored"));
}

#[test]
fn scripts_by_elements_attributes_blobs_wildcards_and_open_hosts_are_seen() {
    for (policy, id) in [
        ("script-src 'self'; script-src-elem 'unsafe-inline'", "csp-unsafe-inline"),
        ("script-src 'self'; script-src-attr 'unsafe-inline'", "csp-inline-handlers"),
        ("script-src blob:", "csp-scripts-from-data"),
        ("script-src *.com", "csp-scripts-from-anywhere"),
        ("script-src https://cdnjs.cloudflare.com", "csp-bypassable-host"),
    ] {
        assert!(page_finds(&[("Content-Security-Policy", policy)], id), "{policy}");
    }
}

#[test]
fn the_full_bonus_needs_closed_forms() {
    let open = "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    assert!(page_finds(&[("Content-Security-Policy", open)], "csp-no-unsafe-script"));
    let closed = format!("{open}; form-action 'self'");
    assert!(page_finds(&[("Content-Security-Policy", &closed)], "csp-nothing-but-what-is-listed"));
}

#[test]
fn a_comma_at_the_end_is_no_mistake() {
    assert!(page_finds(&[("X-Content-Type-Options", "nosniff,")], "x-content-type-options-nosniff"));
    assert!(page_finds(&[("X-Frame-Options", "DENY,")], "framing-limited-by-x-frame-options"));
    assert!(page_finds(&[("Content-Security-Policy", "default-src 'self',")], "csp-no-unsafe-script"));
}

#[test]
fn every_origin_that_gets_in_with_cookies_is_told() {
    for (origin, id) in [
        ("https://casque-scan.example", "cors-any-origin-with-credentials"),
        ("null", "cors-null-origin-with-credentials"),
        ("https://shop.example.casque-scan.example", "cors-lookalike-origin-with-credentials"),
        ("https://casque-scanshop.example", "cors-lookalike-origin-with-credentials"),
        ("http://shop.example", "cors-http-origin-with-credentials"),
    ] {
        let report = graded(&cors(origin, origin, true));
        let finding = found(&report, id).unwrap_or_else(|| panic!("{origin}"));
        assert!(finding.modifier <= -20 && finding.fix.is_some());
        assert!(!report.findings.iter().any(|f| f.id.starts_with("cors-") && f.pass), "{origin}");
        assert!(found(&graded(&cors(origin, origin, false)), id).is_none(), "{origin} without credentials");
    }
    let ends_alike = "https://casque-scanshop.example";
    let report = graded(&cors(ends_alike, ends_alike, true));
    assert!(found(&report, "cors-lookalike-origin-with-credentials").unwrap().title.contains("only ends like"));
    assert!(finds(&cors("https://casque-scan.example", "*", true), "cors-header-invalid"));
    assert!(finds(&cors("https://casque-scan.example", "*", false), "cors-public"));
    assert!(finds(&cors("https://casque-scan.example", "https://app.example", true), "cors-restricted"));
}

#[test]
fn sessions_are_known_by_more_names() {
    for name in ["connect.sid", "sid", "token", "jwt", "auth"] {
        let line = format!("{name}=1; Secure; SameSite=Lax");
        assert!(page_finds(&[HSTS, ("Set-Cookie", &line)], "cookies-session-without-httponly-flag"), "{name}");
    }
    assert!(page_finds(&[("Set-Cookie", "XSRF-TOKEN=1; Secure")], "cookies-anticsrf-without-samesite-flag"));
    assert!(!page_finds(&[("Set-Cookie", "XSRF-TOKEN=1; Secure; SameSite=Lax")], "cookies-session-without-httponly-flag"));
}

#[test]
fn prefixes_of_cookies_count() {
    assert!(page_finds(&[("Set-Cookie", "__Host-sid=1; Secure; HttpOnly; SameSite=Lax; Path=/a")], "cookies-prefix-broken"));
    assert!(page_finds(&[("Set-Cookie", "__Secure-sid=1; HttpOnly; SameSite=Lax")], "cookies-prefix-broken"));
    let right = [("Set-Cookie", "__Host-sid=1; Secure; HttpOnly; SameSite=Lax; Path=/")];
    assert!(
        page_finds(&right, "cookies-secure-with-httponly-sessions-and-samesite") && !page_finds(&right, "cookies-session-without-prefix")
    );
}

#[test]
fn scripts_over_http_are_seen_on_the_own_site_and_in_any_case() {
    let loads = |reference: &str| site_with(&[], &format!("<script src='{reference}'></script>"));
    for insecure in ["http://shop.example/a.js", "HTTP://static.shop.example/a.js", "http://cdn.example/a.js"] {
        assert!(finds(&loads(insecure), "content-loaded-over-http"), "{insecure}");
    }
    assert!(finds(&loads("HTTPS://cdn.example/a.js"), "content-without-integrity"));
    for own in ["/a.js", "//static.shop.example/a.js", "a.js"] {
        assert!(finds(&loads(own), "content-loaded-securely"), "{own}");
    }
}

#[test]
fn styles_need_integrity_too() {
    let hash = format!("sha384-{}", "A".repeat(64));
    let link = |integrity: &str| site_with(&[], &format!("<link rel=stylesheet href=https://cdn.example/a.css integrity='{integrity}'>"));
    assert!(finds(&link(""), "content-without-integrity"));
    assert!(finds(&link("nonsense"), "content-without-integrity"));
    assert!(finds(&link(&hash), "content-loaded-securely"));
}

#[test]
fn a_step_back_to_http_is_seen_wherever_it_is() {
    let mut capture = site_with(&[], "");
    let hop = |url: &str| Hop { url: url.to_owned(), status: 302 };
    capture.redirects =
        ["http://shop.example/", "https://shop.example/", "http://shop.example/x", "https://shop.example/x"].map(hop).to_vec();
    assert!(finds(&capture, "redirection-falls-back-to-http"));
    let mut capture = site_with(&[], "");
    let exchange = Exchange { status: 302, ..answer("http://shop.example/x", &[], "") };
    capture.others.push(Other { role: Role::Redirect, exchange: answer("https://shop.example/", &[HSTS], "") });
    capture.others.push(Other { role: Role::Redirect, exchange });
    assert!(finds(&capture, "redirection-falls-back-to-http"));
}

#[test]
fn an_empty_chain_of_redirects_is_no_praise() {
    let mut capture = site_with(&[], "");
    capture.redirects.clear();
    let report = graded(&capture);
    assert!(!report.findings.iter().any(|f| f.test == "redirection"));
    capture.http = None;
    assert!(finds(&capture, "redirection-not-needed-no-http"));
}

#[test]
fn error_pages_files_and_other_answers_are_judged() {
    for (role, id) in [(Role::ErrorPage, "other-error-page-bare"), (Role::Static, "other-file-bare"), (Role::Recorded, "other-answer-bare")]
    {
        let mut capture = site_with(&[HSTS, CSP, ("X-Content-Type-Options", "nosniff")], "");
        capture.others.push(Other { role, exchange: answer("https://shop.example/x", &[], "") });
        let report = graded(&capture);
        let title = &found(&report, id).unwrap().title;
        assert!(title.contains("Strict-Transport-Security") && title.contains("Content-Security-Policy"), "{title}");
    }
}
