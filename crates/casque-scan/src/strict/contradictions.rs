//! Headers that contradict themselves or each other, are sent twice, or are of another age.

use casque::headers::value::check;

use super::Context;
use super::book::{Book, bad};
use super::csp;
use super::fixes::{in_the_app, remove, send, toml};
use super::framing::{self, FrameOptions};
use super::site::{Site, evidence, shown};
use crate::report::{Fix, Severity};

const TEST: &str = "contradictions";

/// Headers of which browsers take one line, and what they do with two.
const SINGLE: [(&str, &str); 9] = [
    ("strict-transport-security", "Browsers take the first alone (RFC 6797 8.1)."),
    ("x-frame-options", "Browsers differ in which they take, and some deny every frame."),
    ("x-content-type-options", "Browsers join them to one value, which they may not know."),
    ("cross-origin-opener-policy", "Two lines make the header void (RFC 8941)."),
    ("cross-origin-embedder-policy", "Two lines make the header void (RFC 8941)."),
    ("cross-origin-resource-policy", "Browsers join them to one value, which they do not know."),
    ("origin-agent-cluster", "Two lines make the header void (RFC 8941)."),
    ("access-control-allow-origin", "Browsers refuse two origins, and the request fails."),
    ("content-type", "Browsers take the last, proxies and scanners often the first."),
];
/// Those that differ from one response to the next, so that one value for all would break the site.
const PER_RESPONSE: [&str; 2] = ["access-control-allow-origin", "content-type"];
/// Headers that no browser heeds any more.
const DEAD: [(&str, &str); 6] = [
    ("public-key-pins", "Browsers dropped it, and while they had it, one mistake locked visitors out for months."),
    ("public-key-pins-report-only", "Browsers dropped it."),
    ("expect-ct", "Browsers demand Certificate Transparency by themselves now."),
    ("feature-policy", "Permissions-Policy took its place, with another syntax."),
    ("x-content-security-policy", "Browsers know it by the name Content-Security-Policy alone."),
    ("x-webkit-csp", "Browsers know it by the name Content-Security-Policy alone."),
];

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    let url = &site.page.url;
    for (name, what_happens) in SINGLE {
        let lines: Vec<&str> = site.page.values(name).map(str::trim).collect();
        let [first, rest @ ..] = lines.as_slice() else { continue };
        if rest.is_empty() {
            continue;
        }
        let (id, severity, takes, what) = if rest.iter().all(|l| l.eq_ignore_ascii_case(first)) {
            ("header-sent-twice", Severity::Low, 2, "is sent more than once")
        } else {
            ("header-contradicts-itself", Severity::Medium, 10, "is sent more than once, with different values")
        };
        let why = format!("{what_happens} It mostly means that app and proxy both set it: let one of them do it.");
        let finding = bad(TEST, id, severity, takes, format!("{} {what}", shown(name)), &why);
        book.add(finding.seen(evidence(site.page, name).unwrap_or_default()).at(url).mended_by(once(name, &lines)));
    }
    frames(site, book);
    for (name, why) in DEAD {
        if let Some(seen) = evidence(site.page, name) {
            let title = format!("{} is a header of the past", shown(name));
            book.add(bad(TEST, "header-of-the-past", Severity::Info, 0, title, why).seen(seen).at(url).mended_by(remove(name)));
        }
    }
    let filter = site.page.values("x-xss-protection").next().is_some_and(|v| v.trim().starts_with('1'));
    if filter {
        let title = "X-XSS-Protection switches a filter on that did more harm than good";
        let why = "Browsers dropped it because attackers could switch off a page's own scripts with it. In old ones it still does harm.";
        let seen = evidence(site.page, "x-xss-protection").unwrap_or_default();
        book.add(bad(TEST, "x-xss-protection-on", Severity::Info, 0, title, why).seen(seen).at(url).mended_by(send(
            site.page,
            "x-xss-protection",
            "0",
        )));
    }
}

/// `frame-ancestors` wins where browsers know it; the two should say the same.
fn frames(site: &Site<'_>, book: &mut Book) {
    let said: Vec<bool> = csp::enforced(site.page).iter().filter_map(framing::lets_anybody).collect();
    let contradicts = match framing::frame_options(site) {
        FrameOptions::Deny | FrameOptions::SameOrigin => !said.is_empty() && said.iter().all(|anybody| *anybody),
        FrameOptions::Everybody => said.contains(&false),
        FrameOptions::Conflict => true,
        FrameOptions::Absent | FrameOptions::Ignored => false,
    };
    let one_line = site.page.values("x-frame-options").count() == 1;
    let both = [evidence(site.page, "x-frame-options"), evidence(site.page, "content-security-policy")];
    if contradicts && (one_line || !said.is_empty()) {
        let title = "X-Frame-Options and frame-ancestors contradict each other";
        let why = "Browsers heed frame-ancestors, older ones and other tools X-Frame-Options: one of the two is not what was meant.";
        let seen = both.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let fix = in_the_app("// say the same in both: frameAncestors: [\"'self'\"] and xFrameOptions: { action: 'sameorigin' }");
        book.add(bad(TEST, "framing-contradiction", Severity::Low, 5, title, why).seen(seen).at(&site.page.url).mended_by(fix));
    }
}

/// The header once. Which of its lines was meant nobody can say, so the first is proposed that browsers would heed; a value that they
/// drop would be no remedy.
fn once(name: &str, lines: &[&str]) -> Fix {
    let shown = shown(name);
    let value = lines.iter().copied().find(|line| is_sound(name, line)).or_else(|| usual(name));
    Fix {
        casque: value.map(|v| format!("[headers]\n{name} = {{ value = {}, mode = \"override\" }}", toml(v))).unwrap_or_default(),
        express: format!("// set {shown} in one place: the app or the proxy, not both"),
        nginx: format!("proxy_hide_header {shown};    # then add_header {shown} ... always"),
        caddy: format!("header >{shown} ...    # with > the last one written replaces the app's"),
    }
}

/// Whether a value of the site's may be proposed back to it: casque's own check has nothing to say against it, it fits a line, and it
/// is not of one of [`PER_RESPONSE`].
fn is_sound(name: &str, value: &str) -> bool {
    let plain = value.len() <= 200 && value.chars().all(|c| c.is_ascii_graphic() && !"\"'\\`$".contains(c) || c == ' ');
    plain && !PER_RESPONSE.contains(&name) && check(name, value).is_empty()
}

/// What most sites send; `None` where that depends on the response.
fn usual(name: &str) -> Option<&'static str> {
    Some(match name {
        "strict-transport-security" => "max-age=31536000",
        "x-frame-options" => "SAMEORIGIN",
        "x-content-type-options" => "nosniff",
        "cross-origin-opener-policy" => "same-origin",
        "cross-origin-embedder-policy" => "credentialless",
        "cross-origin-resource-policy" => "same-site",
        "origin-agent-cluster" => "?1",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_browsers_heed_is_proposed() {
        for (name, lines, proposed) in [
            ("x-frame-options", &["DENY", "SAMEORIGIN"][..], Some("DENY")),
            ("x-frame-options", &["ALLOW-FROM https://a.example", "DENY"], Some("DENY")),
            ("x-frame-options", &["ALLOWALL", "ALLOWALL"], Some("SAMEORIGIN")),
            ("strict-transport-security", &["max-age=abc", "yes"], Some("max-age=31536000")),
            ("x-content-type-options", &["nosniff, nosniff", "\""], Some("nosniff")),
            ("cross-origin-opener-policy", &["same origin", "x"], Some("same-origin")),
            ("origin-agent-cluster", &["true", "1"], Some("?1")),
            ("strict-transport-security", &["max-age=0", "max-age=63072000"], Some("max-age=63072000")),
            ("content-type", &["text/html", "text/plain"], None),
            ("access-control-allow-origin", &["https://a.example", "*"], None),
        ] {
            let expected = proposed.map(|v| format!("[headers]\n{name} = {{ value = \"{v}\", mode = \"override\" }}"));
            assert_eq!(once(name, lines).casque, expected.unwrap_or_default(), "{name} {lines:?}");
        }
        for (name, _) in SINGLE {
            assert!(usual(name).is_none_or(|value| is_sound(name, value)), "{name}");
        }
    }
}
