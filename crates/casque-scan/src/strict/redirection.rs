//! From http to https: the whole chain, hop by hop.

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::redirect_to_https;
use super::site::Site;
use crate::address::Address;
use crate::capture::Role;
use crate::report::Severity;

const TEST: &str = "redirection";
const WHY: &str = "What goes over plain http can be read and changed on the way: a log-in page that arrives so can be made to send its \
                   password elsewhere.";

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    let looked = site.is_complete() || !site.capture.redirects.is_empty();
    // A port of its own speaks one scheme; where the other would be, nobody can say.
    let one_port = site.capture.port.is_some() && !site.is_https();
    if !site.needs_https() || !looked || one_port {
        return;
    }
    falls_back(site, book);
    let hops: Vec<(Option<Address>, &str)> =
        site.capture.redirects.iter().map(|hop| (Address::parse(&hop.url), hop.url.as_str())).collect();
    // An empty chain says that nothing answered over http, not that all is preloaded.
    let [(_, start), rest @ ..] = hops.as_slice() else {
        if site.capture.http.is_none() && site.is_https() {
            book.add(good(TEST, "redirection-not-needed-no-http", 0, "The site does not answer over plain http").at(&site.page.url));
        }
        return;
    };
    let is_https = |hop: &(Option<Address>, &str)| hop.0.as_ref().is_some_and(|a| a.https);
    let ends_on_https = rest.last().is_some_and(is_https);
    if rest.is_empty() {
        let finding =
            bad(TEST, "redirection-missing", Severity::High, 20, "The site answers over plain http instead of redirecting to https", WHY);
        book.add(finding.at(start).mended_by(redirect_to_https()));
    } else if !ends_on_https {
        let finding = bad(TEST, "redirection-not-to-https", Severity::High, 20, "Redirects from http never reach https", WHY);
        book.add(finding.seen(chain(&hops)).at(start).mended_by(redirect_to_https()));
    } else if !rest.first().is_some_and(is_https) {
        let title = "The first redirect from http leads to http again";
        let why = "HSTS can only protect a name that has once answered over https, so go to https on the same name first.";
        let finding = bad(TEST, "redirection-not-to-https-on-initial-redirection", Severity::Medium, 10, title, why);
        book.add(finding.seen(chain(&hops)).at(start).mended_by(redirect_to_https()));
    } else if host(rest.first()) != host(hops.first()) {
        let title = "The first redirect from http leads to another name";
        let why = "The name that people type never answers over https itself, so HSTS cannot protect it: redirect to https on the same name first.";
        let finding = bad(TEST, "redirection-off-host-from-http", Severity::Low, 5, title, why);
        book.add(finding.seen(chain(&hops)).at(start).mended_by(redirect_to_https()));
    } else {
        book.add(good(TEST, "redirection-to-https", 0, "Plain http is redirected to https").at(start));
    }
}

/// A step back to http, after https had been reached, on either way to the page.
fn falls_back(site: &Site<'_>, book: &mut Book) {
    let https_chain: Vec<&str> = site.others(Role::Redirect).map(|e| e.url.as_str()).chain([site.page.url.as_str()]).collect();
    let http_chain: Vec<&str> = site.capture.redirects.iter().map(|h| h.url.as_str()).collect();
    for chain in [http_chain, https_chain] {
        let is_https = |url: &&str| url.starts_with("https:");
        let reached = chain.iter().position(is_https);
        if let Some(back) = reached.and_then(|at| chain.iter().skip(at).find(|url| !is_https(url))) {
            let title = "On the way to the page a redirect over https leads back to plain http";
            let finding = bad(TEST, "redirection-falls-back-to-http", Severity::High, 20, title, WHY);
            book.add(finding.seen(chain.join(" -> ")).at(back).mended_by(redirect_to_https()));
        }
    }
}

fn host(hop: Option<&(Option<Address>, &str)>) -> Option<String> {
    hop.and_then(|(address, _)| address.as_ref()).map(|a| a.host.clone())
}

fn chain(hops: &[(Option<Address>, &str)]) -> String {
    hops.iter().map(|(_, url)| *url).collect::<Vec<_>>().join(" -> ")
}
