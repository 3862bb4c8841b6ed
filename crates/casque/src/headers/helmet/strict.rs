//! What helmet lets pass and casque does not.
//!
//! helmet compares whole texts, so that `["'self' none"]` escapes its check for unquoted keywords; it looks at no quote's other
//! end; and what cannot be sent in a header at all it finds out on every request, as an error 500. Whatever can be told from the
//! options alone is told here, at its place; the rest is the business of whoever reads the finished policy.

use super::Outcome;
use super::csp::should_be_quoted;
use super::options::camel;
use super::report::{Place, Report};
use super::value::{Value, shown};

/// Whether every value can be sent: visible ASCII and spaces, and not nothing. Reports what cannot.
pub(super) fn sendable(outcome: &Outcome, place: &Place, report: &Report) -> bool {
    let mut all = true;
    for (name, value) in &outcome.set {
        // A tab and bytes beyond ASCII could be sent, but mean nothing to a browser.
        let sent = value.bytes().all(|b| matches!(b, b' '..=b'~'));
        if !sent {
            let remedy = "use ASCII without control bytes; a host name beyond ASCII is written in punycode (xn--...)";
            report.error(place, format!("the header {name} cannot hold {}", culprit(value)), remedy);
        } else if value.trim().is_empty() && *name != "referrer-policy" {
            report.error(place, format!("the header {name} would be empty"), "leave the option out, or switch it off with false");
        }
        all &= sent;
    }
    all
}

/// The first character that a header cannot hold.
fn culprit(value: &str) -> String {
    let found = value.chars().find(|c| !matches!(c, ' '..='~'));
    found.map_or_else(|| "this text".to_owned(), |c| shown(&c.to_string()))
}

/// Looks at every source of a Content-Security-Policy, one by one.
pub(super) fn sources(options: &Value, place: &Place, report: &Report) {
    let Some((key, value)) = options.as_map().unwrap_or_default().iter().find(|(k, _)| camel(&k.name) == "directives") else { return };
    let place = place.key(&key.name, &value.span);
    for (key, value) in value.as_map().unwrap_or_default() {
        let place = place.key(&key.name, &value.span);
        if let Some(text) = value.as_text() {
            source_list(text, &place, report);
        }
        for (i, item) in value.as_list().unwrap_or_default().iter().enumerate() {
            if let Some(text) = item.as_text() {
                source_list(text, &place.item(i, &item.span), report);
            }
        }
    }
}

fn source_list(text: &str, place: &Place, report: &Report) {
    for source in text.split_ascii_whitespace() {
        let (opened, closed) = (source.starts_with('\''), source.len() > 1 && source.ends_with('\''));
        let inner = source.trim_matches('\'');
        if opened != closed || source.contains('"') || inner.contains('\'') {
            let message = format!("{} is not quoted properly", shown(source));
            report.error(
                place,
                message,
                format!("keywords, nonces and hashes stand in one pair of single quotes: {}", shown(&format!("'{inner}'"))),
            );
        } else if !opened && should_be_quoted(&source.to_ascii_lowercase()) {
            let message = format!("{} without its quotes is the name of a host", shown(source));
            report.error(place, message, format!("write {}", shown(&format!("'{source}'"))));
        } else if matches!(inner.to_ascii_lowercase().as_str(), "nonce-" | "sha256-" | "sha384-" | "sha512-") {
            report.error(place, format!("{} is empty", shown(source)), "a nonce or a hash follows the dash");
        }
    }
}
