//! Whether the policy stops scripts at all.

use super::effective::{SCRIPTS, is_hash, is_nonce};
use super::finding::{FindingKind, Report, Severity};
use super::hosts::after_scheme;
use crate::headers::csp::policy::{Csp, Directive};

pub(super) fn check(csp: &Csp, report: &mut Report) {
    for directive in effective(csp, &SCRIPTS) {
        words(directive, report);
    }
    for directive in effective(csp, &["script-src", "script-src-elem", "script-src-attr", "object-src", "base-uri"]) {
        wide_open(directive, report);
    }
    missing(csp, report);
}

/// The directives that rule in the place of those, each once.
fn effective<'c>(csp: &'c Csp, names: &[&str]) -> Vec<&'c Directive> {
    let mut found: Vec<&Directive> = Vec::new();
    for directive in names.iter().filter_map(|n| csp.effective(n)) {
        if !found.iter().any(|f| f.name() == directive.name()) {
            found.push(directive);
        }
    }
    found
}

fn words(directive: &Directive, report: &mut Report) {
    for value in directive.values() {
        let (kind, severity, description, remedy) = match value.as_str() {
            "'unsafe-inline'" => (
                FindingKind::ScriptUnsafeInline,
                Severity::High,
                "'unsafe-inline' runs every script and handler that an attacker gets into the page",
                "use nonces or hashes",
            ),
            "'unsafe-eval'" => (
                FindingKind::ScriptUnsafeEval,
                Severity::MediumMaybe,
                "'unsafe-eval' lets the page run texts as scripts, an attacker's too",
                "take it out, or use 'wasm-unsafe-eval' if it is for WebAssembly",
            ),
            "'unsafe-hashes'" => (
                FindingKind::ScriptUnsafeHashes,
                Severity::MediumMaybe,
                "'unsafe-hashes' lets an attacker use the allowed handlers on elements of their own",
                "move handlers into scripts: addEventListener",
            ),
            _ => continue,
        };
        report.add(kind, severity, directive.name(), Some(value), description, remedy);
    }
}

fn wide_open(directive: &Directive, report: &mut Report) {
    for value in directive.values() {
        if matches!(value.as_str(), "data:" | "http:" | "https:") {
            let description = format!("{value} lets in what an attacker has put anywhere under that scheme");
            report.add(
                FindingKind::PlainUrlSchemes,
                Severity::High,
                directive.name(),
                Some(value),
                description,
                "name the hosts, or use nonces",
            );
        } else if after_scheme(value) == "*" {
            let description = format!("{value} lets in what an attacker has put anywhere");
            report.add(
                FindingKind::PlainWildcard,
                Severity::High,
                directive.name(),
                Some(value),
                description,
                "name the hosts, or use nonces",
            );
        }
    }
}

fn missing(csp: &Csp, report: &mut Report) {
    let mut lacks = |directive, description: &str, remedy: &str| {
        report.add(FindingKind::MissingDirectives, Severity::High, directive, None, description, remedy);
    };
    if csp.effective("object-src").is_none_or(|d| d.values().is_empty()) {
        lacks("object-src", "nothing rules plug-ins, which can run scripts", "add object-src 'none'");
    }
    let scripts = csp.effective("script-src");
    if scripts.is_none() {
        lacks("script-src", "nothing rules where scripts come from", "add script-src, or default-src for everything");
    }
    // A base address of the attacker's makes a trusted script of a relative address theirs.
    let values = scripts.map(Directive::values).unwrap_or_default();
    let dynamic = values.iter().any(|v| v == "'strict-dynamic'");
    let by_trust = values.iter().any(|v| is_nonce(v) || (dynamic && is_hash(v)));
    if by_trust && csp.get("base-uri").is_none() {
        lacks("base-uri", "a <base> of an attacker's makes the page's own script tags load theirs", "add base-uri 'none', or 'self'");
    }
}
