//! A policy as browsers of one CSP level see it.

use super::Version;
use super::finding::{FindingKind, Report, Severity};
use crate::headers::csp::policy::Csp;
use crate::headers::csp::source::Source;

/// The directives that rule scripts, the widest first.
pub(super) const SCRIPTS: [&str; 3] = ["script-src", "script-src-elem", "script-src-attr"];

/// Directives that CSP Level 3 brought.
const NEW_IN_3: [&str; 9] = [
    "manifest-src",
    "report-to",
    "require-trusted-types-for",
    "script-src-attr",
    "script-src-elem",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "worker-src",
];

/// Takes out what such a browser does not know or does not heed, and says so where it may surprise.
pub(super) fn at(written: &Csp, version: Version, report: &mut Report) -> Csp {
    let mut seen = written.clone();
    let mut names: Vec<String> = SCRIPTS.iter().filter_map(|n| written.effective(n)).map(|d| d.name().to_owned()).collect();
    names.dedup();
    for directive in seen.directives.iter_mut().filter(|d| names.contains(&d.name)) {
        let trusted = directive.values.iter().any(|v| is_nonce(v) || is_hash(v));
        let dynamic = directive.values.iter().any(|v| v == "'strict-dynamic'");
        let name = directive.name.clone();
        directive.values.retain(|value| {
            if trusted && version == Version::Csp1 && (value.starts_with("'nonce-") || value.starts_with("'sha")) {
                return false;
            }
            if trusted && version >= Version::Csp2 && value == "'unsafe-inline'" {
                ignored(report, &name, value, "a nonce or a hash stands beside it");
                return false;
            }
            if dynamic && version < Version::Csp3 {
                return value != "'strict-dynamic'";
            }
            if dynamic && (!value.starts_with('\'') || value == "'self'" || value == "'unsafe-inline'") {
                ignored(report, &name, value, "'strict-dynamic' stands beside it");
                return false;
            }
            true
        });
    }
    if version < Version::Csp3 {
        seen.directives.retain(|d| !NEW_IN_3.contains(&d.name()));
    }
    seen
}

fn ignored(report: &mut Report, directive: &str, value: &str, why: &str) {
    let description = format!("{value} counts for nothing, because {why}");
    report.add(FindingKind::Ignored, Severity::None, directive, Some(value), description, "leave it for older browsers, or take it out");
}

/// A nonce that browsers take for one, or casque's own word for it.
pub(super) fn is_nonce(value: &str) -> bool {
    match Source::parse(value) {
        Some(Source::Nonce(_)) => value.starts_with("'nonce-"),
        Some(Source::ResponseNonce) => true,
        _ => false,
    }
}

/// A hash that browsers take for one.
pub(super) fn is_hash(value: &str) -> bool {
    value.starts_with("'sha") && matches!(Source::parse(value), Some(Source::Hash(..)))
}
