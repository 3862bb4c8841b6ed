//! The entries of a source list, and what their author may have meant.

use super::check::{Checked, Token, shown};
use super::names::{self, Code};
use super::source::{Algorithm, Keyword, Source, is_base64, is_host_pattern, is_port, strip_prefix_any_case};
use super::words_check::repeated;
use crate::nearest::nearest;

/// Schemes that are written without their colon by mistake; no host has such a name.
const SCHEMES: [&str; 9] = ["http", "https", "ws", "wss", "data", "blob", "mediastream", "filesystem", "about"];

/// Checks the entries that are clean to the byte; `written` is how many there were.
pub(super) fn list(directive: &str, name: Token<'_>, values: &[Token<'_>], written: usize, checked: &mut Checked) {
    if written == 0 {
        checked.warn(name.span(), format!("`{directive}` has no value and allows nothing"), "write 'none' if that is meant");
    }
    for value in values {
        match Source::parse(value.text) {
            Some(source) => meaning(directive, *value, source, written, checked),
            None => {
                let (message, label) = mistake(value.text, checked.has_room());
                checked.error(value.span(), message, label);
            }
        }
    }
    repeated(name, values, checked);
}

/// What is well formed and yet not what is meant.
fn meaning(directive: &str, value: Token<'_>, source: Source<'_>, written: usize, checked: &mut Checked) {
    let text = value.text;
    match source {
        Source::None if written > 1 => {
            checked.error(value.span(), "`'none'` stands beside other sources, and browsers then pass over it", "leave one of them out");
        }
        Source::Nonce(_) if fits(directive, source) => {
            let message = format!("the nonce `{}` is the same in every response, so an attacker can read it", shown(text));
            checked.warn(value.span(), message, "write 'nonce': casque then makes a fresh one for each");
        }
        Source::Hash(algorithm, hash) => hash_length(value, algorithm, hash, checked),
        Source::Host(host) if host.scheme.is_none() && host.port.is_none() && host.path.is_empty() => bare_word(value, checked),
        _ => {}
    }
    if !fits(directive, source) {
        let message = format!("`{}` means nothing in `{directive}`", shown(text));
        // A policy of ours that asks for a nonce where none can work was thought to do something that it does not.
        let strict = directive == "frame-ancestors" || source == Source::ResponseNonce;
        let label = if directive == "frame-ancestors" { "write hosts, schemes, 'self' or 'none'" } else { "take it out" };
        if strict { checked.error(value.span(), message, label) } else { checked.warn(value.span(), message, label) }
    }
    let quoted_upper =
        text.starts_with('\'') && !matches!(source, Source::Nonce(_) | Source::Hash(..)) && text.bytes().any(|b| b.is_ascii_uppercase());
    if quoted_upper {
        checked.warn(value.span(), format!("`{}` is written in upper case", shown(text)), format!("write {}", text.to_ascii_lowercase()));
    }
}

/// Whether the entry means something in the directive.
pub(super) fn fits(directive: &str, source: Source<'_>) -> bool {
    let code = names::code(directive);
    let scripts = matches!(code, Code::Scripts | Code::Both);
    match source {
        Source::Nonce(_) | Source::ResponseNonce => code != Code::Neither && !directive.ends_with("-attr"),
        Source::Hash(..) => code != Code::Neither,
        Source::Keyword(keyword) => match keyword {
            Keyword::SelfOrigin => true,
            Keyword::UnsafeInline | Keyword::UnsafeHashes | Keyword::ReportSample => code != Code::Neither,
            Keyword::UnsafeEval
            | Keyword::StrictDynamic
            | Keyword::WasmUnsafeEval
            | Keyword::TrustedTypesEval
            | Keyword::InlineSpeculationRules
            | Keyword::ReportSha256
            | Keyword::ReportSha384
            | Keyword::ReportSha512 => scripts,
            Keyword::UnsafeWebtransportHashes => matches!(directive, "connect-src" | "default-src"),
            Keyword::UnsafeAllowRedirects => directive == "navigate-to",
        },
        Source::None | Source::Any | Source::Scheme(_) | Source::Host(_) => true,
    }
}

/// A digest has one length: a hash of any other matches nothing.
fn hash_length(value: Token<'_>, algorithm: Algorithm, hash: &str, checked: &mut Checked) {
    if !is_complete(algorithm, hash) {
        let (letters, wanted) = (hash.trim_end_matches('=').len(), letters(algorithm));
        let message = format!("`{}` is no complete hash: it has {letters} letters of {wanted}", shown(value.text));
        checked.error(value.span(), message, "copy the whole hash");
    }
}

/// Whether the text of a hash has the length of the algorithm's digests.
pub(super) fn is_complete(algorithm: Algorithm, hash: &str) -> bool {
    hash.trim_end_matches('=').len() == letters(algorithm)
}

/// Base64 without its `=`.
fn letters(algorithm: Algorithm) -> usize {
    (algorithm.bytes() * 4).div_ceil(3)
}

/// A host of one word may be a keyword without its quotes, or a scheme without its colon.
fn bare_word(value: Token<'_>, checked: &mut Checked) {
    let lower = value.text.to_ascii_lowercase();
    let quoted = format!("'{lower}'");
    let is_keyword = lower == "none" || lower == "nonce" || Keyword::NAMES.iter().any(|(name, _)| *name == quoted);
    let is_value = !lower.contains('.')
        && ["nonce-", "sha256-", "sha384-", "sha512-"].iter().any(|prefix| lower.len() > prefix.len() && lower.starts_with(prefix));
    let message = format!("`{}` is read as the name of a host", shown(value.text));
    if is_keyword {
        checked.error(value.span(), message, format!("write it in quotes: {quoted}"));
    } else if is_value {
        checked.error(value.span(), message, format!("write it in quotes: '{}'", shown(value.text)));
    } else if SCHEMES.contains(&lower.as_str()) {
        checked.error(value.span(), message, format!("write it with a colon: {lower}:"));
    } else if !lower.contains('.') && lower.contains('-') && checked.has_room() {
        let keywords = Keyword::NAMES.iter().map(|(name, _)| *name).filter(|name| name.contains('-'));
        if let Some(near) = nearest(&quoted, keywords) {
            checked.error(value.span(), message, format!("did you mean {near}?"));
        }
    }
}

/// Why a word is no source, and the remedy. Without `room` no nearest word is looked for.
fn mistake(text: &str, room: bool) -> (String, String) {
    let inner = text.trim_matches(['\'', '"']);
    let opens = text.starts_with('\'');
    let closes = text.len() > 1 && text.ends_with('\'');
    if text.starts_with('"') || text.ends_with('"') {
        return (format!("`{}` is in double quotes", shown(text)), format!("write '{}'", shown(inner)));
    }
    if opens != closes {
        let label = if Source::parse(inner).is_some_and(|s| matches!(s, Source::Host(_))) && inner.contains(['.', ':']) {
            format!("hosts stand without quotes: {}", shown(inner))
        } else {
            format!("write '{}'", shown(inner))
        };
        return (format!("the quotes of `{}` are not closed", shown(text)), label);
    }
    if opens {
        return in_quotes(text, inner, room);
    }
    for prefix in ["nonce-", "sha256-", "sha384-", "sha512-"] {
        if strip_prefix_any_case(text, prefix).is_some_and(is_base64) {
            return (format!("`{}` is read as the name of a host", shown(text)), format!("write it in quotes: '{}'", shown(text)));
        }
    }
    (format!("`{}` is no source", shown(text)), host_label(text))
}

fn in_quotes(text: &str, inner: &str, room: bool) -> (String, String) {
    if let Some(nonce) = strip_prefix_any_case(inner, "nonce-") {
        let what = if nonce.is_empty() { "is empty" } else { "is not base64" };
        return (
            format!("the nonce of `{}` {what}", shown(text)),
            "write 'nonce': casque then makes a fresh one for each response".to_owned(),
        );
    }
    for (prefix, _) in Algorithm::PREFIXES {
        if let Some(hash) = strip_prefix_any_case(inner, prefix) {
            let what = if hash.is_empty() { "is empty" } else { "is not base64" };
            return (format!("the hash of `{}` {what}", shown(text)), "copy the whole hash".to_owned());
        }
    }
    let message = format!("unknown word `{}`", shown(text));
    if matches!(Source::parse(inner), Some(Source::Host(_) | Source::Scheme(_) | Source::Any)) && inner.contains(['.', ':', '*', '/']) {
        return (message, format!("hosts and schemes stand without quotes: {}", shown(inner)));
    }
    let words = Keyword::NAMES.iter().map(|(name, _)| *name).chain(["'none'", "'nonce'", "'sha256-'", "'sha384-'", "'sha512-'"]);
    let near = if room { nearest(text, words) } else { None };
    (message, near.map_or_else(|| "no browser knows it: take it out".to_owned(), |near| format!("did you mean {near}?")))
}

fn host_label(text: &str) -> String {
    if let Some(rest) = text.strip_prefix("//") {
        return format!("leave the slashes out: {}", shown(rest));
    }
    if let Some(scheme) = text.strip_suffix("://") {
        return format!("write the scheme alone: {}:", shown(scheme));
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    if rest.starts_with('[') || authority.matches(':').count() > 1 {
        return "browsers match no IPv6 address here: use a name".to_owned();
    }
    if let Some(end) = text.find(['?', '#']) {
        return format!("a source has no query and no fragment: {}", shown(&text[..end]));
    }
    let (name, port) = authority.split_once(':').map_or((authority, None), |(name, port)| (name, Some(port)));
    if port.is_some_and(|p| !is_port(p)) {
        return "a port is a number up to 65535, or *".to_owned();
    }
    if name.contains('*') && !is_host_pattern(name) {
        return "`*` stands for whole labels at the start alone: *.example.com".to_owned();
    }
    "write a host such as cdn.example.com, a scheme such as https:, or a word in quotes".to_owned()
}
