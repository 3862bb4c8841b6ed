//! `Strict-Transport-Security` (RFC 6797) and the certificate it rests on.

use std::net::IpAddr;

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::{redirect_to_https, send, send_with_helmet};
use super::site::{Site, evidence};
use crate::capture::{Role, Source};
use crate::exchange::Exchange;
use crate::report::{Fix, Severity};

const TEST: &str = "strict-transport-security";
/// Half a year, in seconds, as the Observatory counts it.
const SIX_MONTHS: u64 = 15_552_000;
/// What hstspreload.org asks for, in seconds.
const PRELOAD_AGE: u64 = 31_536_000;
const WHY: &str = "Until a browser has seen this header it may ask over plain http first, and whoever sits on the network (a café's \
                   Wi-Fi, say) can answer instead of the site and read or change everything.";

/// What a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hsts {
    /// In seconds.
    pub(super) max_age: u64,
    pub(super) subdomains: bool,
    pub(super) preload: bool,
}

impl Hsts {
    /// Reads a field as browsers do (RFC 6797 6.1): directives once each, a `max-age` of digits, bare or in quotes.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (mut max_age, mut subdomains, mut preload) = (None, false, false);
        let mut seen: Vec<String> = Vec::new();
        for part in value.split(';').map(str::trim).filter(|p| !p.is_empty()) {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim())),
                None => (part, None),
            };
            let name = name.to_ascii_lowercase();
            // A directive that is there twice makes the field void, and so does what is no token.
            let is_token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&b));
            if !is_token || seen.contains(&name) || seen.len() > 20 {
                return None;
            }
            match (name.as_str(), value) {
                ("max-age", Some(value)) => max_age = Some(seconds(value)?),
                ("max-age", None) => return None,
                ("includesubdomains", None) => subdomains = true,
                ("preload", None) => preload = true,
                _ => {}
            }
            seen.push(name);
        }
        // A comma joins two fields into one that is neither.
        (!value.contains(',')).then_some(())?;
        max_age.map(|max_age| Self { max_age, subdomains, preload })
    }

    /// The field that browsers heed: the first (RFC 6797 8.1), if it is valid.
    pub(super) fn of(exchange: &Exchange) -> Option<Self> {
        Self::parse(exchange.values(TEST).next()?)
    }
}

fn seconds(value: &str) -> Option<u64> {
    let digits = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    // More seconds than fit are for ever.
    all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Whether browsers that have been there know to use https alone.
pub(super) fn protects(site: &Site<'_>) -> bool {
    site.is_https() && site.page.verified && Hsts::of(site.page).is_some_and(|h| h.max_age >= SIX_MONTHS)
}

pub(super) fn judge(site: &Site<'_>, context: &Context<'_>, book: &mut Book) {
    if site.capture.source == Source::Response {
        book.leave_out("https, the certificate, redirects, HSTS and Secure cookies: a response alone does not say how it came");
        return;
    }
    if !site.needs_https() {
        book.leave_out(format!("https, the certificate, redirects and HSTS: {} is reached from here only", site.capture.host));
        return;
    }
    let url = &site.page.url;
    if !site.is_https() {
        let asked = site.is_complete() && site.capture.port.is_none();
        let title = if asked { "The site is not there over https" } else { "The page comes over plain http" };
        let finding = bad(TEST, "hsts-not-implemented-no-https", Severity::High, 20, title, WHY);
        book.add(finding.at(url).mended_by(redirect_to_https()));
        return;
    }
    if !site.page.verified {
        let why = "Browsers turn visitors away, and those who go on cannot tell the site from somebody who pretends to be it.";
        book.add(bad("certificate", "certificate-invalid", Severity::High, 20, "The certificate is not valid", why).at(url));
        book.leave_out("HSTS: browsers ignore it where the certificate is not valid");
        return;
    }
    let is_address = site.capture.host.parse::<IpAddr>().is_ok();
    if is_address {
        book.leave_out("HSTS: browsers ignore it on bare addresses");
        return;
    }
    field(site, context, book);
    redirects(site, book);
}

fn field(site: &Site<'_>, context: &Context<'_>, book: &mut Book) {
    let url = &site.page.url;
    let fix =
        || send_with_helmet(site.page, TEST, "max-age=31536000", "strictTransportSecurity: { maxAge: 31536000, includeSubDomains: false }");
    let seen = evidence(site.page, TEST);
    let covered = context.preload.map(|list| list.covers(&site.capture.host).is_some());
    match covered {
        Some(true) => {
            book.add(good(TEST, "hsts-preloaded", 5, "The name is on the preload list: browsers never ask it over http").at(url));
            return;
        }
        Some(false) => {}
        None => book.leave_out("HSTS preloading: no list was given (--preload-list)"),
    }
    let (Some(seen), hsts) = (seen, Hsts::of(site.page)) else {
        let finding = bad(TEST, "hsts-not-implemented", Severity::Medium, 20, "No Strict-Transport-Security", WHY);
        book.add(finding.at(url).mended_by(fix()));
        return;
    };
    let finding = match hsts {
        None => {
            let title = "Strict-Transport-Security is not valid, so browsers ignore it";
            bad(TEST, "hsts-header-invalid", Severity::Medium, 20, title, WHY)
        }
        Some(Hsts { max_age: 0, .. }) => {
            bad(TEST, "hsts-switched-off", Severity::Medium, 20, "Strict-Transport-Security is switched off (max-age=0)", WHY)
        }
        Some(hsts) if hsts.max_age < SIX_MONTHS => {
            let title = format!("Strict-Transport-Security lasts {} days, less than six months", hsts.max_age / 86_400);
            let why = "A visitor who comes back later than that starts without protection again.";
            bad(TEST, "hsts-max-age-less-than-six-months", Severity::Low, 10, title, why)
        }
        Some(hsts) => return eligible(site, hsts, &seen, book),
    };
    book.add(finding.seen(seen).at(url).mended_by(fix()));
}

/// A long enough field; whoever asks for preloading must also be fit for it (hstspreload.org).
fn eligible(site: &Site<'_>, hsts: Hsts, seen: &str, book: &mut Book) {
    let url = &site.page.url;
    book.add(good(TEST, "hsts-max-age-at-least-six-months", 0, "Strict-Transport-Security lasts six months or more").seen(seen).at(url));
    if !hsts.preload {
        return;
    }
    let mut lacking = Vec::new();
    if hsts.max_age < PRELOAD_AGE {
        lacking.push("a max-age of a year");
    }
    if !hsts.subdomains {
        lacking.push("includeSubDomains");
    }
    let first_redirect = site.capture.redirects.get(1).and_then(|hop| crate::Address::parse(&hop.url));
    if first_redirect.is_some_and(|to| !to.https || to.host != site.capture.host) {
        lacking.push("a first redirect from http to https on the same host");
    }
    if lacking.is_empty() {
        book.add(good(TEST, "hsts-preload-eligible", 0, "The name is fit for the preload list").at(url));
        return;
    }
    let title = format!("Strict-Transport-Security says preload but lacks {}", lacking.join(" and "));
    let why = "The preload list refuses the name, so the first visit stays unprotected although it looks otherwise.";
    let fix = send_with_helmet(
        site.page,
        TEST,
        "max-age=63072000; includeSubDomains; preload",
        "strictTransportSecurity: { maxAge: 63072000, includeSubDomains: true, preload: true }",
    );
    book.add(bad(TEST, "hsts-preload-not-eligible", Severity::Low, 5, title, why).seen(seen).at(url).mended_by(fix));
}

/// The apex that only redirects to `www` needs the header too: it is what people type.
fn redirects(site: &Site<'_>, book: &mut Book) {
    let bare = |e: &&Exchange| e.verified && e.url.starts_with("https:") && Hsts::of(e).is_none_or(|h| h.max_age == 0);
    if book.is_clean(TEST)
        && let Some(exchange) = site.others(Role::Redirect).find(bare)
    {
        let title = "A redirect over https has no Strict-Transport-Security";
        let why = "The name that redirects is protected by its own answers alone, and it is the one that people type.";
        let fix = Fix {
            express: "// before everything that may redirect\napp.use(helmet());".to_owned(),
            ..send(exchange, TEST, "max-age=31536000")
        };
        book.add(bad(TEST, "hsts-missing-on-redirect", Severity::Low, 5, title, why).at(&exchange.url).mended_by(fix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_browsers_read_it() {
        let plain = |max_age| Some(Hsts { max_age, subdomains: false, preload: false });
        assert_eq!(Hsts::parse("max-age=31536000"), plain(31_536_000));
        assert_eq!(Hsts::parse(" MAX-AGE = \"100\" ; x ; y=z ;"), plain(100));
        assert_eq!(Hsts::parse("max-age=99999999999999999999999"), plain(u64::MAX));
        assert_eq!(Hsts::parse("includeSubDomains; preload; max-age=1"), Some(Hsts { max_age: 1, subdomains: true, preload: true }));
        for void in [
            "",
            "max-age",
            "max-age=",
            "max-age=abc",
            "max-age=-1",
            "max-age=1.5",
            "max-age=1; max-age=2",
            "max-age=1, max-age=2",
            "includeSubDomains",
            "max-age=\"1",
        ] {
            assert_eq!(Hsts::parse(void), None, "{void}");
        }
    }
}
