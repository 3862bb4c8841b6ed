//! What is asked besides the page: ten requests or so that no site should mind.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;

use casque_scan::{Address, Capture, Exchange, Other, Role};
use http::Method;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};

use super::Target;
use super::client::{Ask, Client};

/// Another site, as far as the one under scan can tell. The name can never be anybody's (RFC 6761 6.5).
const STRANGER: &str = "casque-scan.example";

/// Where the probes go: to where the page was found, unless that is somebody else's site, a shared log-in say.
pub(super) fn base(target: &Target, page: Address, capture: &mut Capture) -> Address {
    if is_same_site(&page.host, &target.address.host) {
        return page;
    }
    capture.notes.push(format!("{}: the page leads to {}, another site, of which only that page was asked", target.address, page.origin()));
    target.address.clone()
}

/// `www.shop.example` and `shop.example` belong together; two names that merely share an ending do not.
fn is_same_site(a: &str, b: &str) -> bool {
    let below = |a: &str, b: &str| a.strip_suffix(b).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    below(a, b) || below(b, a)
}

/// Asks everything, one after another. What fails becomes a note; when the time is up, the rest becomes one.
pub(super) async fn run(client: &mut Client, base: &Address, capture: &mut Capture) {
    let missing = base.with_path(&format!("/casque-scan-{:016x}", RandomState::new().hash_one(&base.host)));
    let mut plan = vec![
        ("/robots.txt", Role::Robots, base.with_path("/robots.txt")),
        ("/.well-known/security.txt", Role::SecurityTxt, base.with_path("/.well-known/security.txt")),
        ("an address that is not there", Role::ErrorPage, missing),
    ];
    let page = capture.https.as_ref().or(capture.http.as_ref());
    if let Some(asset) = page.and_then(Exchange::first_asset).filter(|a| a.same_origin(base)) {
        plan.push(("a file that the page loads", Role::Static, asset));
    }
    let mut probing = Probing { client, capture, late: Vec::new() };
    for (what, role, address) in plan {
        // robots.txt is the Observatory's second look for cookies.
        let ask = Ask { cookies: role == Role::Robots, ..Ask::probe(&address) };
        if let Some(exchange) = probing.ask(what, &ask).await {
            probing.capture.others.push(Other { role, exchange });
        }
    }
    let fields = vec![(ORIGIN, format!("https://{STRANGER}")), (ACCESS_CONTROL_REQUEST_METHOD, "GET".to_owned())];
    let preflight = Ask { method: Method::OPTIONS, fields, ..Ask::probe(base) };
    probing.capture.preflight = probing.ask("a preflight", &preflight).await;
    for origin in foreign_origins(base) {
        let ask = Ask { fields: vec![(ORIGIN, origin)], ..Ask::probe(base) };
        if let Some(exchange) = probing.ask("what other sites may read (CORS)", &ask).await {
            probing.capture.others.push(Other { role: Role::CorsProbe, exchange });
        }
    }
    probing.end();
}

/// Probes under way.
struct Probing<'c> {
    client: &'c mut Client,
    capture: &'c mut Capture,
    /// What there was no time for.
    late: Vec<&'static str>,
}

impl Probing<'_> {
    async fn ask(&mut self, what: &'static str, ask: &Ask<'_>) -> Option<Exchange> {
        match self.client.send(ask).await {
            Ok(exchange) => return Some(exchange),
            Err(_) if self.client.is_time_up() => self.late.push(what),
            Err(error) => self.note(format!("{what}: {error}")),
        }
        None
    }

    fn note(&mut self, note: String) {
        if !self.capture.notes.contains(&note) {
            self.capture.notes.push(note);
        }
    }

    fn end(mut self) {
        if !self.late.is_empty() {
            self.late.dedup();
            self.note(format!("{}: the time was up", self.late.join(", ")));
        }
    }
}

/// The origins that careless checks let in: any at all; the one of sandboxed frames and local files; a name that starts with the
/// site's own; one that ends with it, without a dot between; the site itself without encryption.
fn foreign_origins(base: &Address) -> Vec<String> {
    let scheme = base.scheme();
    let mut origins =
        vec![format!("https://{STRANGER}"), "null".to_owned(), format!("{scheme}://{}.{STRANGER}", base.host.replace(':', "-"))];
    // No name ends with an address, so no browser would ever send such an origin.
    if base.host.parse::<IpAddr>().is_err() {
        origins.push(format!("{scheme}://casque-scan{}", base.host));
    }
    if base.https {
        origins.push(Address { https: false, port: None, ..base.clone() }.origin());
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_stay_with_the_site() {
        assert!(is_same_site("www.shop.example", "shop.example"));
        assert!(is_same_site("shop.example", "www.shop.example"));
        assert!(!is_same_site("evilshop.example", "shop.example"));
        assert!(!is_same_site("accounts.example", "shop.example"));
    }

    #[test]
    fn origins_that_careless_checks_let_in() {
        let origins = foreign_origins(&Address::parse("https://shop.example:8443/x").unwrap());
        assert_eq!(
            origins,
            [
                "https://casque-scan.example",
                "null",
                "https://shop.example.casque-scan.example",
                "https://casque-scanshop.example",
                "http://shop.example"
            ]
        );
        assert_eq!(foreign_origins(&Address::parse("http://[::1]:3000/").unwrap()).len(), 3);
    }
}
