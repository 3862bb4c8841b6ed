//! `X-Content-Type-Options` and the type that it holds browsers to.

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::{in_the_app, send_with_helmet};
use super::site::{Site, evidence, media_type};
use crate::exchange::Exchange;
use crate::report::Severity;

const TEST: &str = "x-content-type-options";

/// Whether browsers do not guess: the first value of the list counts (Fetch, 3.6).
pub(super) fn is_held(exchange: &Exchange) -> bool {
    let first = exchange.values(TEST).flat_map(|l| l.split(',')).next();
    first.is_some_and(|v| v.trim().eq_ignore_ascii_case("nosniff"))
}

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    let page = site.page;
    let why = "A browser may then take an uploaded picture or text for a page and run the scripts in it.";
    let fix = || send_with_helmet(page, TEST, "nosniff", "xContentTypeOptions: true");
    match (is_held(page), evidence(page, TEST)) {
        (true, _) => book.add(
            good(TEST, "x-content-type-options-nosniff", 0, "Browsers take files for what they are said to be (nosniff)").at(&page.url),
        ),
        (false, Some(seen)) => {
            let title = "X-Content-Type-Options has a value that browsers do not know";
            book.add(
                bad(TEST, "x-content-type-options-header-invalid", Severity::Low, 5, title, why).seen(seen).at(&page.url).mended_by(fix()),
            );
        }
        (false, None) => {
            let finding = bad(TEST, "x-content-type-options-not-implemented", Severity::Low, 5, "No X-Content-Type-Options: nosniff", why);
            book.add(finding.at(&page.url).mended_by(fix()));
        }
    }
    if media_type(page).is_empty() && !page.body.is_empty() {
        let title = "The page has no Content-Type";
        let fix = in_the_app("res.type('html');");
        book.add(bad(TEST, "content-type-missing", Severity::Low, 5, title, "Browsers guess what it is.").at(&page.url).mended_by(fix));
    }
}
