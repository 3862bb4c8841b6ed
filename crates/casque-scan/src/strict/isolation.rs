//! `Cross-Origin-Opener-Policy`, `-Embedder-Policy` and `-Resource-Policy`: what the page shares with others in the same browser.

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::{send, send_with_helmet};
use super::site::{Site, evidence};
use crate::exchange::Exchange;
use crate::report::{Fix, Severity};

/// One of the three headers.
struct Policy {
    name: &'static str,
    id: &'static str,
    /// Values that isolate.
    strong: &'static [&'static str],
    /// Values that say that nothing is isolated.
    open: &'static [&'static str],
    /// Whether it is a structured field (RFC 8941): one line, exact case, parameters allowed.
    structured: bool,
    well_done: &'static str,
    why: &'static str,
    fix: fn(&Exchange) -> Fix,
}

const POLICIES: [Policy; 3] = [
    Policy {
        name: "cross-origin-opener-policy",
        id: "coop",
        strong: &["same-origin", "same-origin-allow-popups", "noopener-allow-popups"],
        open: &["unsafe-none"],
        structured: true,
        well_done: "Other sites that open this one get no hold of its window",
        why: "A site that opens this one keeps a hold of its window and can send it elsewhere or watch it load.",
        fix: |page| {
            send_with_helmet(
                page,
                "cross-origin-opener-policy",
                "same-origin-allow-popups",
                "crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' }",
            )
        },
    },
    Policy {
        name: "cross-origin-embedder-policy",
        id: "coep",
        strong: &["require-corp", "credentialless"],
        open: &["unsafe-none"],
        structured: true,
        well_done: "The page loads nothing from others that did not agree",
        why: "Browsers ignore the header, so the page is not isolated though it means to be.",
        fix: |page| {
            send_with_helmet(
                page,
                "cross-origin-embedder-policy",
                "credentialless",
                "crossOriginEmbedderPolicy: { policy: 'credentialless' }",
            )
        },
    },
    Policy {
        name: "cross-origin-resource-policy",
        id: "corp",
        strong: &["same-origin", "same-site"],
        open: &["cross-origin"],
        structured: false,
        well_done: "Other sites cannot load this page into theirs",
        why: "Browsers ignore the header, so any site can pull this page into its own process, where memory can be read (Spectre).",
        fix: |page| send(page, "cross-origin-resource-policy", "same-site"),
    },
];

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    for policy in &POLICIES {
        let Some(seen) = evidence(site.page, policy.name) else { continue };
        let id = |what: &str| format!("{}-{what}", policy.id);
        let finding = match value(site, policy) {
            Some(value) if policy.strong.contains(&value) => good(policy.name, &id("implemented"), 10, policy.well_done),
            Some(value) if policy.open.contains(&value) => continue,
            _ => {
                let title = format!("{} is not valid, so browsers ignore it", super::site::shown(policy.name));
                bad(policy.name, &id("header-invalid"), Severity::Low, 5, title, policy.why).mended_by((policy.fix)(site.page))
            }
        };
        book.add(finding.seen(seen).at(&site.page.url));
    }
}

/// The one value that browsers take.
fn value<'s>(site: &'s Site<'_>, policy: &Policy) -> Option<&'s str> {
    let mut lines = site.page.values(policy.name);
    let line = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    let line = line.trim_matches([' ', '\t']);
    if !policy.structured {
        return Some(line);
    }
    let (token, parameters) = line.split_once(';').unwrap_or((line, ""));
    let is_parameter = |p: &str| {
        let key = p.trim_matches(' ').split('=').next().unwrap_or_default();
        key.starts_with(|c: char| c.is_ascii_lowercase() || c == '*')
            && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.*".contains(&b))
    };
    (parameters.is_empty() || parameters.split(';').all(is_parameter)).then_some(token.trim_end_matches(' '))
}
