//! What caches on the way may keep (RFC 9111).

use super::Context;
use super::book::{Book, bad};
use super::fixes::in_the_app;
use super::site::{Site, list, shown};
use crate::exchange::Exchange;
use crate::report::Severity;

const TEST: &str = "caching";

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    for exchange in site.responses().filter(|e| e.values("set-cookie").next().is_some()) {
        let Some(directive) = shared(exchange, false) else { continue };
        let title = "An answer that sets a cookie may be kept by shared caches";
        let why = "A cache that stores it hands one visitor's cookie to all others: they are then logged in as that visitor.";
        let cookie = exchange.values("set-cookie").next().and_then(|l| l.split('=').next()).unwrap_or_default().trim();
        let fix = in_the_app("res.set('Cache-Control', 'private, no-store');    // wherever a cookie is set, log-ins first of all");
        let finding = bad(TEST, "caching-shares-cookies", Severity::High, 20, title, why);
        book.add(finding.seen(format!("Cache-Control: {directive}, and Set-Cookie: {cookie}=…")).at(&exchange.url).mended_by(fix));
    }
    private_page(site.page, book);
}

/// A page that was asked for as somebody, but may be handed to anybody. A page that is the same for all may be shared, which only its
/// author knows: so this takes fewer points than a cookie does.
fn private_page(page: &Exchange, book: &mut Book) {
    let own = |name: &&String| !list(page, "vary").any(|v| v == "*" || v.eq_ignore_ascii_case(name));
    let mut told_by = page.credentials.iter().filter(own).peekable();
    let authorised = page.credentials.iter().any(|name| name == "authorization");
    let (Some(name), Some(directive)) = (told_by.peek().map(|n| shown(n)), shared(page, authorised)) else { return };
    let title = "A page that was asked for as a known visitor may be kept by shared caches";
    let why = "A cache between here and the site (a CDN, a company's proxy) that stores it shows one visitor's page to the next. If it is \
               the same for everybody, there is nothing to mend.";
    let fix = in_the_app("res.set('Cache-Control', 'private, no-store');    // on every page that depends on who asks");
    let finding = bad(TEST, "caching-shares-private-page", Severity::Medium, 10, title, why);
    book.add(finding.seen(format!("Cache-Control: {directive}, asked with {name}: …")).at(&page.url).mended_by(fix));
}

/// The directive that lets a shared cache keep an answer, if one does (RFC 9111 5.2.2). What was asked with Authorization is only
/// kept where the answer says so itself: a bare max-age does not (RFC 9111 3.5).
fn shared(exchange: &Exchange, authorised: bool) -> Option<String> {
    let directives: Vec<String> = list(exchange, "cache-control").map(str::to_ascii_lowercase).collect();
    let name = |d: &String| d.split('=').next().unwrap_or_default().trim().to_owned();
    if directives.iter().any(|d| matches!(name(d).as_str(), "private" | "no-store" | "no-cache") && !d.contains('=')) {
        return None;
    }
    // no-cache="set-cookie" keeps the field, and the field alone, out of caches.
    if directives.iter().any(|d| d.contains("set-cookie")) {
        return None;
    }
    let revalidated = directives.iter().any(|d| name(d) == "must-revalidate");
    let lasting = |d: &String| {
        let seconds = d.split('=').nth(1).map(|v| v.trim().trim_matches('"'));
        match name(d).as_str() {
            "public" => true,
            "max-age" if authorised && !revalidated => false,
            "s-maxage" | "max-age" => seconds.is_some_and(|s| s.parse::<u64>().is_ok_and(|s| s > 0)),
            _ => false,
        }
    };
    directives.into_iter().find(lasting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shared_caches_may_keep() {
        let of = |value: &str| shared(&Exchange { headers: vec![("Cache-Control".into(), value.into())], ..Exchange::default() }, false);
        for kept in ["public", "max-age=60", "S-MaxAge=1, must-revalidate", "max-age=\"5\""] {
            assert!(of(kept).is_some(), "{kept}");
        }
        for not in ["", "private, max-age=60", "no-store", "max-age=0", "no-cache, max-age=9", "max-age=60, no-cache=\"set-cookie\""] {
            assert_eq!(of(not), None, "{not}");
        }
    }
}
