//! What caches on the way may keep (RFC 9111).

use super::Context;
use super::book::{Book, bad};
use super::fixes::in_the_app;
use super::site::{Site, list};
use crate::exchange::Exchange;
use crate::report::Severity;

const TEST: &str = "caching";

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    for exchange in site.responses().filter(|e| e.values("set-cookie").next().is_some()) {
        let Some(directive) = shared(exchange) else { continue };
        let title = "An answer that sets a cookie may be kept by shared caches";
        let why = "A cache that stores it hands one visitor's cookie to all others: they are then logged in as that visitor.";
        let cookie = exchange.values("set-cookie").next().and_then(|l| l.split('=').next()).unwrap_or_default().trim();
        let fix = in_the_app("res.set('Cache-Control', 'private, no-store');    // wherever a cookie is set, log-ins first of all");
        let finding = bad(TEST, "caching-shares-cookies", Severity::High, 20, title, why);
        book.add(finding.seen(format!("Cache-Control: {directive}, and Set-Cookie: {cookie}=…")).at(&exchange.url).mended_by(fix));
    }
}

/// The directive that lets a shared cache keep an answer, if one does (RFC 9111 5.2.2).
fn shared(exchange: &Exchange) -> Option<String> {
    let directives: Vec<String> = list(exchange, "cache-control").map(str::to_ascii_lowercase).collect();
    let name = |d: &String| d.split('=').next().unwrap_or_default().trim().to_owned();
    if directives.iter().any(|d| matches!(name(d).as_str(), "private" | "no-store" | "no-cache") && !d.contains('=')) {
        return None;
    }
    // no-cache="set-cookie" keeps the field, and the field alone, out of caches.
    if directives.iter().any(|d| d.contains("set-cookie")) {
        return None;
    }
    let lasting = |d: &String| {
        let seconds = d.split('=').nth(1).map(|v| v.trim().trim_matches('"'));
        match name(d).as_str() {
            "public" => true,
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
        let of = |value: &str| shared(&Exchange { headers: vec![("Cache-Control".into(), value.into())], ..Exchange::default() });
        for kept in ["public", "max-age=60", "S-MaxAge=1, must-revalidate", "max-age=\"5\""] {
            assert!(of(kept).is_some(), "{kept}");
        }
        for not in ["", "private, max-age=60", "no-store", "max-age=0", "no-cache, max-age=9", "max-age=60, no-cache=\"set-cookie\""] {
            assert_eq!(of(not), None, "{not}");
        }
    }
}
