//! What other sites may read: `Access-Control-Allow-Origin`, tried with origins that careless checks let in.

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::in_the_app;
use super::site::{Site, evidence};
use crate::address::Address;
use crate::capture::Role;
use crate::exchange::Exchange;
use crate::report::{Finding, Fix, Severity};

const TEST: &str = "cross-origin-resource-sharing";
const ALLOW: &str = "access-control-allow-origin";
const WHY: &str = "Any site that a visitor opens can read this one with the visitor's cookies: their mail, their balance, the token that \
                   protects the forms.";

/// One answer to an origin that is not the site's own.
struct Probe<'c> {
    exchange: &'c Exchange,
    origin: &'c str,
    allowed: &'c str,
    with_cookies: bool,
}

impl<'c> Probe<'c> {
    fn of(exchange: &'c Exchange) -> Option<Self> {
        let origin = exchange.request_headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("origin")).map(|(_, v)| v.as_str())?;
        let allowed = exchange.values(ALLOW).next()?.trim();
        // Only this exact word counts (Fetch, 3.2.3).
        let with_cookies = exchange.values("access-control-allow-credentials").next().is_some_and(|v| v.trim() == "true");
        Some(Self { exchange, origin, allowed, with_cookies })
    }

    fn lets_in(&self) -> bool {
        self.allowed == self.origin
    }

    fn seen(&self, finding: Finding) -> Finding {
        let with = if self.with_cookies { "; Access-Control-Allow-Credentials: true" } else { "" };
        finding
            .seen(format!("Access-Control-Allow-Origin: {}{with} (asked with Origin: {})", self.allowed, self.origin))
            .at(&self.exchange.url)
    }
}

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    let asked: Vec<&Exchange> = site.others(Role::CorsProbe).chain(site.capture.preflight.as_ref()).collect();
    if asked.is_empty() {
        book.leave_out("what other sites may read (CORS): no request with a foreign Origin was captured");
    }
    let probes: Vec<Probe<'_>> = asked.into_iter().chain([site.page]).filter_map(Probe::of).collect();
    let host = site.address.as_ref().map(|a| a.host.as_str()).unwrap_or_default();
    let strangers: Vec<&Probe<'_>> = probes.iter().filter(|p| p.lets_in() && p.with_cookies && !is_own(p.origin, host)).collect();
    // An origin at random is let in: the others are no news. Else each trick that works is one.
    match strangers.iter().find(|p| is_unrelated(p.origin, host)) {
        Some(probe) => {
            let title = "Any site may read this one with the visitor's cookies";
            book.add(probe.seen(bad(TEST, "cors-any-origin-with-credentials", Severity::High, 50, title, WHY)).mended_by(fix()));
        }
        None => strangers.iter().for_each(|probe| book.add(trick(probe, host))),
    }
    for probe in probes.iter().filter(|p| p.lets_in() && p.with_cookies && is_downgrade(p.origin, host)) {
        let title = "The site over plain http may read this one with the visitor's cookies";
        let why = "Whoever sits on the network can answer for the http address, and from there read everything over https.";
        book.add(probe.seen(bad(TEST, "cors-http-origin-with-credentials", Severity::Medium, 20, title, why)).mended_by(fix()));
    }
    for probe in probes.iter().chain(Probe::of(site.page).as_ref()) {
        refused(probe, book);
    }
    vary(&probes, book);
    if book.is_clean(TEST) {
        fine(site, &probes, book);
    }
}

fn trick(probe: &Probe<'_>, host: &str) -> Finding {
    const LOOKALIKE: &str = "cors-lookalike-origin-with-credentials";
    let ends_alike = Address::parse(probe.origin).is_some_and(|a| a.host.ends_with(host));
    let (id, title) = if probe.origin == "null" {
        (
            "cors-null-origin-with-credentials",
            "The origin null may read the site with the visitor's cookies: any site can have it, by a sandboxed frame",
        )
    } else if ends_alike {
        (LOOKALIKE, "A name that only ends like the site's own may read it with the visitor's cookies")
    } else {
        (LOOKALIKE, "A name that only starts like the site's own may read it with the visitor's cookies")
    };
    probe.seen(bad(TEST, id, Severity::High, 50, title, WHY)).mended_by(fix())
}

/// What no browser accepts, so that somebody will look for a wider rule.
fn refused(probe: &Probe<'_>, book: &mut Book) {
    let why = "Browsers refuse the combination. What is tried next is often to echo any origin, which lets everybody in.";
    let lines = probe.exchange.values(ALLOW).count();
    let is_origin =
        probe.allowed == "*" || probe.allowed == "null" || Address::parse(probe.allowed).is_some_and(|a| a.origin() == probe.allowed);
    let title = if probe.allowed == "*" && probe.with_cookies {
        "Access-Control-Allow-Origin: * does not go with credentials"
    } else if lines > 1 || probe.allowed.contains(',') || probe.allowed.contains(' ') {
        "Access-Control-Allow-Origin has several values where browsers take one"
    } else if !is_origin {
        "Access-Control-Allow-Origin has a value that is no origin"
    } else {
        return;
    };
    book.add(probe.seen(bad(TEST, "cors-header-invalid", Severity::Low, 5, title, why)).mended_by(fix()));
}

fn vary(probes: &[Probe<'_>], book: &mut Book) {
    let depends = |p: &&Probe<'_>| p.lets_in() && p.exchange.method != "OPTIONS";
    let names_origin = |e: &Exchange| super::site::list(e, "vary").any(|v| v == "*" || v.eq_ignore_ascii_case("origin"));
    if let Some(probe) = probes.iter().filter(depends).find(|p| !names_origin(p.exchange)) {
        let title = "Answers depend on Origin, but there is no Vary: Origin";
        let why = "A shared cache hands the answer for one origin to another, so the wrong site is let in or the right one kept out.";
        let fix = in_the_app("app.use((req, res, next) => { res.vary('Origin'); next(); });");
        book.add(probe.seen(bad(TEST, "cors-without-vary", Severity::Low, 5, title, why)).mended_by(fix));
    }
}

fn fine(site: &Site<'_>, probes: &[Probe<'_>], book: &mut Book) {
    let url = &site.page.url;
    let public = |p: &&Probe<'_>| p.allowed == "*" || p.lets_in();
    let Some(probe) = probes.iter().find(public) else {
        let seen = evidence(site.page, ALLOW);
        let title =
            if seen.is_some() { "Other sites may read this one only where it says so" } else { "Other sites may not read this one" };
        book.add(good(TEST, "cors-restricted", 0, title).at(url));
        return;
    };
    if site.private {
        let title = "Every site may read this one, though it is reached from here only";
        let why = "Whatever page is open in the same browser can read what this address answers, and send it out.";
        book.add(probe.seen(bad(TEST, "cors-public-on-private-host", Severity::Info, 0, title, why)).mended_by(fix()));
    } else {
        book.add(probe.seen(good(TEST, "cors-public", 0, "Every site may read this one, without cookies")));
    }
}

/// The site's own origin over any scheme.
fn is_own(origin: &str, host: &str) -> bool {
    Address::parse(origin).is_some_and(|a| a.host == host)
}

/// The site's own name, without encryption.
fn is_downgrade(origin: &str, host: &str) -> bool {
    Address::parse(origin).is_some_and(|a| a.host == host && !a.https)
}

/// An origin that shares nothing with the site's name.
fn is_unrelated(origin: &str, host: &str) -> bool {
    Address::parse(origin).is_some_and(|a| !a.host.starts_with(host) && !a.host.ends_with(host))
}

fn fix() -> Fix {
    Fix {
        nginx: "map $http_origin $allowed { default \"\"; \"https://app.example.com\" $http_origin; }\nadd_header Access-Control-Allow-Origin $allowed always;\nadd_header Vary Origin always;".to_owned(),
        ..in_the_app("// exact origins only; a pattern or `origin: true` lets lookalikes in\napp.use(cors({ origin: ['https://app.example.com'], credentials: true }));")
    }
}
