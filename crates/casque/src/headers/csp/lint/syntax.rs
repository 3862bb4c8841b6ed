//! What browsers do not read as it was meant.

use super::finding::{FindingKind, Report, Severity};
use super::hosts::{host_and_path, is_address};
use crate::headers::csp::names;
use crate::headers::csp::policy::{Csp, Directive};
use crate::headers::csp::source::{Keyword, OTHER_WORDS, Source, is_base64};
use crate::nearest::nearest;

/// The retired directives that csp-evaluator names; the others are among the gaps.
pub(super) const LONG_RETIRED: [&str; 4] = ["reflected-xss", "referrer", "disown-opener", "prefetch-src"];

/// How many unknown words get the nearest known one looked up: finding it takes long, and a policy of hundreds is no typing mistake.
const MOST_HINTS: usize = 20;

pub(super) fn check(csp: &Csp, report: &mut Report) {
    let mut hints = MOST_HINTS;
    for directive in csp.directives() {
        name(directive, &mut hints, report);
        for value in directive.values() {
            word(directive, value, &mut hints, report);
            nonce(directive, value, report);
            address(directive, value, report);
        }
    }
}

fn name(directive: &Directive, hints: &mut usize, report: &mut Report) {
    let name = directive.name();
    match names::known(name) {
        None => {
            let near = hint(name.trim_end_matches(':'), names::DIRECTIVES.iter().map(|d| d.name), hints);
            let remedy = near.map_or_else(|| "take it out".to_owned(), |near| format!("did you mean {near}?"));
            report.add(
                FindingKind::UnknownDirective,
                Severity::Syntax,
                name,
                None,
                format!("{name} is no directive, and browsers skip it"),
                remedy,
            );
        }
        Some(known) => {
            if let Some(instead) = known.retired.filter(|_| LONG_RETIRED.contains(&name)) {
                report.add(
                    FindingKind::DeprecatedDirective,
                    Severity::Info,
                    name,
                    None,
                    format!("browsers no longer heed {name}"),
                    instead,
                );
            }
        }
    }
}

fn hint(word: &str, known: impl Iterator<Item = &'static str>, hints: &mut usize) -> Option<&'static str> {
    *hints = hints.checked_sub(1)?;
    nearest(word, known)
}

fn word(directive: &Directive, value: &str, hints: &mut usize, report: &mut Report) {
    let name = directive.name();
    if names::known(value).is_some() {
        let description = format!("{value} is the name of a directive, but stands as a value here");
        report.add(FindingKind::MissingSemicolon, Severity::Syntax, name, Some(value), description, "put a ; before it");
        return;
    }
    let known = || Keyword::NAMES.iter().map(|(n, _)| *n).chain(OTHER_WORDS);
    if let Some(quoted) = value.strip_prefix('\'') {
        let good = match name {
            "require-trusted-types-for" => value == "'script'",
            "trusted-types" => matches!(value, "'allow-duplicates'" | "'none'"),
            _ => {
                let is_value = matches!(Source::parse(value), Some(Source::Nonce(_) | Source::Hash(..) | Source::ResponseNonce));
                known().any(|k| k == value) || (is_value && quoted.starts_with(|c: char| c.is_ascii_lowercase()))
            }
        };
        if !good {
            let near = hint(value, known(), hints);
            let remedy = near.map_or_else(|| "take it out".to_owned(), |near| format!("did you mean {near}?"));
            report.add(
                FindingKind::InvalidKeyword,
                Severity::Syntax,
                name,
                Some(value),
                format!("{value} means nothing to browsers"),
                remedy,
            );
        }
    } else {
        let is_word = known().any(|k| k.trim_matches('\'') == value);
        if is_word || ["nonce-", "sha256-", "sha384-", "sha512-"].iter().any(|prefix| value.starts_with(prefix)) {
            let description = format!("{value} without its quotes is the name of a host");
            report.add(FindingKind::InvalidKeyword, Severity::Syntax, name, Some(value), description, format!("write '{value}'"));
        }
    }
}

fn nonce(directive: &Directive, value: &str, report: &mut Report) {
    let Some(nonce) = value.strip_prefix("'nonce-").and_then(|n| n.strip_suffix('\'')).filter(|n| !n.is_empty()) else { return };
    if nonce.len() < 8 {
        let description = format!("{value} is short enough to be guessed");
        report.add(
            FindingKind::NonceLength,
            Severity::Medium,
            directive.name(),
            Some(value),
            description,
            "make nonces of 128 random bits",
        );
    }
    if !is_base64(nonce) {
        let description = format!("{value} has letters that base64 has not");
        report.add(FindingKind::NonceCharset, Severity::Info, directive.name(), Some(value), description, "write nonces in base64");
    }
}

fn address(directive: &Directive, value: &str, report: &mut Report) {
    let (host, _) = host_and_path(value);
    if is_address(host) {
        let description = if host == "127.0.0.1" {
            format!("{value} is the visitor's own machine; was it left over from development?")
        } else {
            format!("browsers pass over {value}: they match no address but 127.0.0.1")
        };
        report.add(FindingKind::IpSource, Severity::Info, directive.name(), Some(value), description, "use the name of the host");
    }
    if value.starts_with("http://") {
        let description = format!("{value} goes over the network in clear");
        report.add(FindingKind::SrcHttp, Severity::Medium, directive.name(), Some(value), description, "write https://");
    }
}
