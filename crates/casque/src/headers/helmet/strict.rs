//! What helmet lets pass and casque does not.
//!
//! helmet compares whole texts, so that `["'self' none"]` escapes its check for unquoted keywords; it looks at no quote's other
//! end; and what cannot be sent in a header at all it finds out on every request, as an error 500. Whatever can be told from the
//! options alone is told here, at its place; the rest is the business of whoever reads the finished policy.

use super::csp::should_be_quoted;
use super::features::dashed;
use super::middleware::Middleware;
use super::options::camel;
use super::report::{Place, Report, Reported};
use super::value::{Key, Value, shown};
use super::{Outcome, Result};

/// Checks what a middleware was given, and what it sends for it.
pub(super) fn check(middleware: Middleware, options: Option<&Value>, outcome: &Outcome, place: &Place, report: &Report) -> Result<()> {
    let before = report.errors();
    sendable(outcome, place, report);
    match middleware {
        Middleware::ContentSecurityPolicy => each_text(options, "directives", place, report, &directive, &source_list),
        Middleware::FeaturePolicy => each_text(options, "features", place, report, &|_, _, _| (), &old_origin),
        Middleware::PermissionsPolicy => {
            each_text(options, "features", place, report, &feature, &origin);
            one_spelling_each(options, place, report);
        }
        _ => {}
    }
    if report.errors() > before { Err(Reported) } else { Ok(()) }
}

/// Whether every value can be sent: visible ASCII and spaces, and not nothing.
fn sendable(outcome: &Outcome, place: &Place, report: &Report) {
    for (name, value) in &outcome.set {
        // A tab and bytes beyond ASCII could be sent, but mean nothing to a browser.
        if let Some(c) = value.chars().find(|c| !matches!(c, ' '..='~')) {
            let remedy = "use ASCII without control bytes; a host name beyond ASCII is written in punycode (xn--...)";
            report.error(place, format!("the header {name} cannot hold {}", shown(&c.to_string())), remedy);
        } else if value.trim().is_empty() && *name != "referrer-policy" {
            report.error(place, format!("the header {name} would be empty"), "leave the option out, or switch it off with false");
        }
    }
}

/// The entries of a table among the options.
fn table<'v>(options: Option<&'v Value>, name: &str, place: &Place) -> (&'v [(Key, Value)], Place) {
    let found = options.and_then(Value::as_map).unwrap_or_default().iter().find(|(k, _)| camel(&k.name) == name);
    match found {
        Some((key, value)) => (value.as_map().unwrap_or_default(), place.key(&key.name, &value.span)),
        None => (&[], place.clone()),
    }
}

/// Looks at every key of a table among the options, and at every text that it has.
fn each_text(
    options: Option<&Value>,
    name: &str,
    place: &Place,
    report: &Report,
    look_at_key: &dyn Fn(&str, &Place, &Report),
    look_at: &dyn Fn(&str, &Place, &Report),
) {
    let (entries, place) = table(options, name, place);
    for (key, value) in entries {
        look_at_key(&key.name, &place.key(&key.name, &key.span), report);
        let place = place.key(&key.name, &value.span);
        if let Some(text) = value.as_text() {
            look_at(text, &place, report);
        }
        for (i, item) in value.as_list().unwrap_or_default().iter().enumerate() {
            if let Some(text) = item.as_text() {
                look_at(text, &place.item(i, &item.span), report);
            }
        }
    }
}

/// A directive's name, which helmet-csp 2 does not look at in loose mode.
fn directive(name: &str, place: &Place, report: &Report) {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        report.error(place, format!("{} is no directive's name", shown(name)), "a directive's name is made of letters, digits and dashes");
    }
}

/// Sources of a Content-Security-Policy, one by one.
fn source_list(text: &str, place: &Place, report: &Report) {
    if text.contains([';', ',']) {
        let remedy = "a semicolon would begin another directive, a comma another policy: write each on its own";
        report.error(place, format!("{} holds a semicolon or a comma", shown(text)), remedy);
    }
    for source in text.split_ascii_whitespace() {
        let (opened, closed) = (source.starts_with('\''), source.len() > 1 && source.ends_with('\''));
        let inner = source.trim_matches('\'');
        if opened != closed || source.contains('"') || inner.contains('\'') {
            let message = format!("{} is not quoted properly", shown(source));
            let remedy = format!("keywords, nonces and hashes stand in one pair of single quotes: {}", shown(&format!("'{inner}'")));
            report.error(place, message, remedy);
        } else if !opened && should_be_quoted(&source.to_ascii_lowercase()) {
            let message = format!("{} without its quotes is the name of a host", shown(source));
            report.error(place, message, format!("write {}", shown(&format!("'{source}'"))));
        } else if matches!(inner.to_ascii_lowercase().as_str(), "nonce-" | "sha256-" | "sha384-" | "sha512-") {
            report.error(place, format!("{} is empty", shown(source)), "a nonce or a hash follows the dash");
        }
    }
}

/// An origin of a Feature-Policy.
fn old_origin(text: &str, place: &Place, report: &Report) {
    if text.is_empty() || text.contains([' ', '\t', ';', ',']) {
        report.error(place, format!("{} is no origin", shown(text)), "write each origin as a text of its own");
    }
}

/// A feature's name in a Permissions-Policy, which is a key of a structured field (RFC 9651 3.1.2).
fn feature(name: &str, place: &Place, report: &Report) {
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        report.error(place, format!("{} is no feature's name", shown(name)), "a feature's name is in camelCase or kebab-case");
    }
}

/// An origin of a Permissions-Policy.
fn origin(text: &str, place: &Place, report: &Report) {
    let inner = text.trim_matches('"');
    if text == "none" {
        report.error(place, "\"none\" is no keyword of Permissions-Policy", "write an empty list to forbid the feature to everyone");
    } else if text == "src" {
        report.error(place, "\"src\" means something in the allow attribute of frames alone", "name the origin");
    } else if text.starts_with('"') && (inner.is_empty() || inner.contains(['"', '\\', ' '])) {
        report.error(place, format!("{} is no origin", shown(text)), "write one origin in double quotes: '\"https://example.com\"'");
    }
}

/// Of two entries for one feature browsers take the last.
fn one_spelling_each(options: Option<&Value>, place: &Place, report: &Report) {
    let (entries, place) = table(options, "features", place);
    let mut names = std::collections::HashSet::new();
    for (key, _) in entries {
        if !names.insert(dashed(&key.name)) {
            let remedy = "camelCase and kebab-case are the same feature: keep one";
            report.error(&place.key(&key.name, &key.span), format!("the feature {} stands here twice", shown(&key.name)), remedy);
        }
    }
}
