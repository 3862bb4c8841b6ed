//! `Referrer-Policy`: what other sites learn of the addresses here.

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::send_with_helmet;
use super::site::{Site, evidence, list};
use crate::mdn::http_equiv;
use crate::report::Severity;

const TEST: &str = "referrer-policy";
const PRIVATE: [&str; 4] = ["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"];
const OPEN: [&str; 2] = ["unsafe-url", "no-referrer-when-downgrade"];
const ORIGIN: [&str; 2] = ["origin", "origin-when-cross-origin"];

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    let url = &site.page.url;
    let meta = if super::site::is_html(site.page) { http_equiv(&site.page.body).1 } else { None };
    let tokens: Vec<String> =
        list(site.page, TEST).map(str::to_owned).chain(meta.iter().flat_map(|m| m.split(',')).map(|t| t.trim().to_owned())).collect();
    if tokens.iter().all(String::is_empty) {
        // Without one, browsers behave as with strict-origin-when-cross-origin.
        let finding = good(TEST, "referrer-policy-not-implemented", 0, "No Referrer-Policy; browsers tell other sites the origin alone");
        book.add(finding.at(url));
        return;
    }
    let seen = evidence(site.page, TEST)
        .unwrap_or_else(|| format!("<meta name=\"referrer\" content=\"{}\">", meta.as_deref().unwrap_or_default()));
    let fix = || {
        send_with_helmet(
            site.page,
            TEST,
            "strict-origin-when-cross-origin",
            "referrerPolicy: { policy: 'strict-origin-when-cross-origin' }",
        )
    };
    let known = |t: &&str| PRIVATE.contains(t) || OPEN.contains(t) || ORIGIN.contains(t);
    let lower: Vec<String> = tokens.iter().map(|t| t.to_ascii_lowercase()).collect();
    // The last that a browser knows counts (Referrer Policy, 11.1).
    let finding = match lower.iter().map(String::as_str).rfind(known) {
        Some(policy) if OPEN.contains(&policy) => {
            let title = format!("Other sites learn the whole addresses here (Referrer-Policy: {policy})");
            let why = "Addresses hold what was searched for, and the tokens of password resets and invitations.";
            bad(TEST, "referrer-policy-unsafe", Severity::Low, 5, title, why).mended_by(fix())
        }
        Some(policy) if ORIGIN.contains(&policy) => good(
            TEST,
            "referrer-policy-origin",
            0,
            format!("Other sites learn the origin alone, also over plain http (Referrer-Policy: {policy})"),
        ),
        Some(policy) => good(TEST, "referrer-policy-private", 5, format!("Other sites learn no addresses (Referrer-Policy: {policy})")),
        None => {
            let title = "Referrer-Policy has no value that browsers know";
            bad(TEST, "referrer-policy-header-invalid", Severity::Low, 5, title, "Browsers ignore it and use their default.")
                .mended_by(fix())
        }
    };
    book.add(finding.seen(seen).at(url));
}
