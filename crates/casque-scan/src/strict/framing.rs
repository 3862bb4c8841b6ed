//! Who may put the page into a frame: `frame-ancestors` where there is one, else `X-Frame-Options`.

use casque::headers::csp::{Csp, Source};

use super::Context;
use super::book::{Book, bad, good};
use super::csp;
use super::fixes::send_with_helmet;
use super::site::{Site, evidence, list};
use crate::report::{Finding, Severity};

const TEST: &str = "framing";
const WHY: &str = "Any site can show this one in an invisible frame and have its visitors click there: on Delete, on Pay, on Allow \
                   (clickjacking).";

/// What `X-Frame-Options` comes to (HTML, 7.6: all values must agree).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameOptions {
    Absent,
    Deny,
    SameOrigin,
    /// A value that browsers ignore, such as `ALLOW-FROM`.
    Ignored,
    /// `ALLOWALL`, which browsers take for no restriction.
    Everybody,
    /// Values that contradict each other: browsers then deny.
    Conflict,
}

pub(super) fn frame_options(site: &Site<'_>) -> FrameOptions {
    let mut values: Vec<String> = list(site.page, "x-frame-options").map(str::to_ascii_lowercase).collect();
    values.sort();
    values.dedup();
    match values.as_slice() {
        [] => FrameOptions::Absent,
        [one] => match one.as_str() {
            "deny" => FrameOptions::Deny,
            "sameorigin" => FrameOptions::SameOrigin,
            "allowall" => FrameOptions::Everybody,
            _ => FrameOptions::Ignored,
        },
        several if several.iter().any(|v| matches!(v.as_str(), "deny" | "sameorigin" | "allowall")) => FrameOptions::Conflict,
        _ => FrameOptions::Ignored,
    }
}

/// Whether a policy lets just anybody frame the page. `None` when it does not say.
pub(super) fn lets_anybody(policy: &Csp) -> Option<bool> {
    let directive = policy.get("frame-ancestors")?;
    let any = |source: Source<'_>| match source {
        Source::Any => true,
        Source::Scheme(scheme) => ["http", "https"].iter().any(|s| scheme.eq_ignore_ascii_case(s)),
        // A wildcard over all names, or over all names of a registry.
        Source::Host(host) => host.name == "*" || host.name.strip_prefix("*.").is_some_and(crate::domain::is_public_suffix),
        _ => false,
    };
    Some(directive.sources().any(any))
}

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    if !site.is_document() {
        return;
    }
    // A <meta> cannot say it, and a report-only policy does not do it (CSP Level 3, 6.4.2).
    let said: Vec<bool> = csp::enforced(site.page).iter().filter_map(lets_anybody).collect();
    let finding = if said.contains(&false) {
        good(TEST, "framing-limited-by-csp", 5, "The Content-Security-Policy says who may frame the page").at(&site.page.url)
    } else if said.is_empty() {
        by_options(site)
    } else {
        let title = "frame-ancestors lets any site frame the page";
        wrong(site, "framing-open-to-all", title).seen(evidence(site.page, "content-security-policy").unwrap_or_default())
    };
    book.add(finding);
}

fn by_options(site: &Site<'_>) -> Finding {
    let seen = evidence(site.page, "x-frame-options").unwrap_or_default();
    match frame_options(site) {
        FrameOptions::Deny | FrameOptions::SameOrigin => {
            good(TEST, "framing-limited-by-x-frame-options", 5, "X-Frame-Options keeps other sites from framing the page")
                .seen(seen)
                .at(&site.page.url)
        }
        FrameOptions::Conflict => good(TEST, "framing-denied", 0, "No site can frame the page, since X-Frame-Options contradicts itself")
            .seen(seen)
            .at(&site.page.url),
        FrameOptions::Absent => wrong(site, "framing-not-limited", "Any site may frame the page"),
        FrameOptions::Everybody => wrong(site, "framing-open-to-all", "X-Frame-Options lets any site frame the page").seen(seen),
        FrameOptions::Ignored => wrong(
            site,
            "framing-x-frame-options-ignored",
            "X-Frame-Options has a value that browsers ignore, so any site may frame the page",
        )
        .seen(seen),
    }
}

fn wrong(site: &Site<'_>, id: &str, title: &str) -> Finding {
    let fix = send_with_helmet(site.page, "x-frame-options", "SAMEORIGIN", "xFrameOptions: { action: 'sameorigin' }");
    bad(TEST, id, Severity::Medium, 20, title, WHY).at(&site.page.url).mended_by(fix)
}
