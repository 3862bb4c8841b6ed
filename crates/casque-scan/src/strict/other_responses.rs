//! Everything that is not the page: error pages, files, what a recording holds. They need the page's defences too.

use super::Context;
use super::book::{Book, bad};
use super::csp;
use super::fixes::in_the_app;
use super::framing;
use super::hsts::Hsts;
use super::site::{Site, is_html, list};
use super::sniffing;
use crate::capture::Role;
use crate::exchange::Exchange;
use crate::report::{Fix, Severity};

const TEST: &str = "other-responses";

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    let kinds = [
        (
            Role::ErrorPage,
            "other-error-page-bare",
            "The error page",
            "Error pages often print the address that was asked for, which makes them a place for injected scripts.",
        ),
        (
            Role::Static,
            "other-file-bare",
            "A file that the page loads",
            "Uploaded files are where sniffing hurts, and a worker script takes its policy from its own answer.",
        ),
        (
            Role::Recorded,
            "other-answer-bare",
            "Another answer of the site",
            "An attacker picks the answer that lacks the defence, not the page that has it.",
        ),
    ];
    for (role, id, what, why) in kinds {
        let bare = site.others(role).find_map(|exchange| {
            let lacking = lacking(site, exchange);
            (!lacking.is_empty()).then_some((exchange, lacking))
        });
        if let Some((exchange, lacking)) = bare {
            let title = format!("{what} lacks what the page has: {}", lacking.join(", "));
            let fix = Fix {
                nginx: "# add_header without `always` skips error pages, and one add_header in a location drops all of the level above\nadd_header X-Content-Type-Options nosniff always;".to_owned(),
                ..in_the_app("// before everything else, static files and error handlers included\napp.use(helmet());")
            };
            book.add(bad(TEST, id, Severity::Low, 5, title, why).at(&exchange.url).mended_by(fix));
        }
    }
}

/// The defences that the page has and this answer would need too. What the page lacks is told there.
fn lacking(site: &Site<'_>, exchange: &Exchange) -> Vec<&'static str> {
    let mut lacking = Vec::new();
    if (300..400).contains(&exchange.status) || exchange.status < 200 {
        return lacking;
    }
    let both_https = site.is_https() && exchange.url.starts_with("https:");
    if site.needs_https() && both_https && Hsts::of(site.page).is_some() && Hsts::of(exchange).is_none() {
        lacking.push("Strict-Transport-Security");
    }
    if exchange.status != 204 && sniffing::is_held(site.page) && !sniffing::is_held(exchange) {
        lacking.push("X-Content-Type-Options");
    }
    if is_html(exchange) {
        if !csp::enforced(site.page).is_empty() && csp::enforced(exchange).is_empty() {
            lacking.push("Content-Security-Policy");
        }
        if is_framing_limited(site.page) && !is_framing_limited(exchange) {
            lacking.push("X-Frame-Options or frame-ancestors");
        }
    }
    lacking
}

fn is_framing_limited(exchange: &Exchange) -> bool {
    let by_csp = csp::enforced(exchange).iter().any(|p| framing::lets_anybody(p) == Some(false));
    by_csp || list(exchange, "x-frame-options").any(|v| v.eq_ignore_ascii_case("deny") || v.eq_ignore_ascii_case("sameorigin"))
}
