//! How versions are written.

use std::fmt;

use super::MAX_LENGTH;
use super::key::{KeyWriter, Version};

/// The largest number in an npm version: 2^53 - 1 (node-semver, `MAX_SAFE_INTEGER`).
pub(super) const NPM_MAX: u64 = (1 << 53) - 1;

/// Who writes the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// npm's strict one: SemVer 2.0.0, and a `v` in front.
    Npm,
    /// npm's loose one, which npm reads lockfiles and advisories with: `=1.2.3`, `1.2.3beta` and leading zeros pass.
    NpmLoose,
    /// Cargo's (the `semver` crate): SemVer 2.0.0 with numbers of 64 bits.
    Cargo,
    /// For bounds in advisories, which need not be versions that exist: one to three numbers of any length; what follows the third
    /// after a dot is taken as build metadata.
    Lenient,
}

/// A text that is no version in the grammar asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unparsable;

impl fmt::Display for Unparsable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not a version of the form 1.2.3")
    }
}

impl std::error::Error for Unparsable {}

impl Grammar {
    /// Reads a version.
    ///
    /// # Errors
    /// The text is no version in this grammar, or longer than [`MAX_LENGTH`].
    pub fn version(self, text: &str) -> Result<Version, Unparsable> {
        // Bytes are never fewer than UTF-16 units, and those are counted for few.
        if text.len() > MAX_LENGTH && text.encode_utf16().count() > MAX_LENGTH {
            return Err(Unparsable);
        }
        match self {
            Self::Npm => strict(text.trim_matches(js_space).strip_prefix_once('v'), number_npm),
            Self::NpmLoose => loose(text.trim_matches(js_space)),
            Self::Cargo => strict(text, |digits| digits.parse::<u64>().is_ok()),
            Self::Lenient => lenient(text.trim().strip_prefix_once('v')),
        }
        .ok_or(Unparsable)
    }
}

trait StripOnce {
    fn strip_prefix_once(&self, prefix: char) -> &Self;
}

impl StripOnce for str {
    fn strip_prefix_once(&self, prefix: char) -> &Self {
        self.strip_prefix(prefix).unwrap_or(self)
    }
}

/// What `\s` and `trim` mean in JavaScript (ECMA-262, WhiteSpace and LineTerminator).
pub(super) fn js_space(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}'
    )
}

pub(super) fn number_npm(digits: &str) -> bool {
    digits.trim_start_matches('0').len() <= 16 && digits.parse::<u64>().is_ok_and(|n| n <= NPM_MAX)
}

/// The run of digits at the start, and the rest.
pub(super) fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The run of characters of identifiers at the start, and the rest.
pub(super) fn identifier(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(text.len()))
}

pub(super) fn canonical(digits: &str) -> bool {
    digits == "0" || !digits.is_empty() && !digits.starts_with('0')
}

/// Identifiers after the hyphen of SemVer, up to build metadata: a numeric one has no leading zero. Gives the rest.
pub(super) fn strict_prerelease(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    loop {
        let (found, after) = identifier(rest);
        let numeric = found.bytes().all(|b| b.is_ascii_digit());
        if found.is_empty() || numeric && !canonical(found) {
            return None;
        }
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None => return Some((text.get(..text.len() - after.len())?, after)),
        }
    }
}

fn build(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix('+').is_some_and(|build| build.split('.').all(|part| !part.is_empty() && identifier(part).1.is_empty()))
}

fn strict(text: &str, number: impl Fn(&str) -> bool) -> Option<Version> {
    let mut key = KeyWriter::default();
    let mut rest = text;
    for place in 0..3 {
        if place > 0 {
            rest = rest.strip_prefix('.')?;
        }
        let (found, after) = digits(rest);
        if !canonical(found) || !number(found) {
            return None;
        }
        key.number(found);
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('-') {
        let (prerelease, after) = strict_prerelease(after)?;
        identifiers(&mut key, prerelease);
        rest = after;
    }
    build(rest).then(|| key.finish())
}

/// npm compares numeric identifiers as JavaScript numbers, which are exact up to 2^53 only.
fn identifiers(key: &mut KeyWriter, prerelease: &str) {
    for part in prerelease.split('.') {
        let numeric = part.bytes().all(|b| b.is_ascii_digit());
        match part.parse::<f64>() {
            Ok(rounded) if numeric && rounded.is_finite() && part.len() > 15 => key.identifier(&format!("{rounded:.0}")),
            _ => key.identifier(part),
        }
    }
}

fn loose(text: &str) -> Option<Version> {
    let (numbers, prerelease) = loose_parts(text)?;
    if !numbers.into_iter().all(number_npm) {
        return None;
    }
    let mut key = KeyWriter::default();
    for number in numbers {
        key.number(number);
    }
    if let Some(prerelease) = prerelease {
        identifiers(&mut key, prerelease);
    }
    Some(key.finish())
}

/// The parts of a text that has the form of a loose version, whatever the size of its numbers.
pub(super) fn loose_parts(text: &str) -> Option<([&str; 3], Option<&str>)> {
    let text = text.trim_start_matches(prefix);
    let (major, rest) = digits(text);
    let (minor, rest) = digits(rest.strip_prefix('.')?);
    let (patch, rest) = digits(rest.strip_prefix('.')?);
    if major.is_empty() || minor.is_empty() || patch.is_empty() {
        return None;
    }
    let (patch, rest) = give_back(text, patch, rest);
    let (prerelease, rest) = loose_prerelease(rest);
    build(rest).then_some(([major, minor, patch], prerelease))
}

/// npm's expressions give a digit of the patch back when a dot follows: `1.2.34.5` is `1.2.3-4.5`.
pub(super) fn give_back<'a>(text: &'a str, patch: &'a str, rest: &'a str) -> (&'a str, &'a str) {
    let at = text.len() - rest.len();
    match (patch.get(..patch.len().saturating_sub(1)), at.checked_sub(1).and_then(|at| text.get(at..))) {
        (Some(shorter), Some(longer)) if rest.starts_with('.') && !shorter.is_empty() => (shorter, longer),
        _ => (patch, rest),
    }
}

/// What may stand before a loose version (`[v=\s]*`).
pub(super) fn prefix(c: char) -> bool {
    c == 'v' || c == '=' || js_space(c)
}

/// The longest prerelease at the start, whose hyphen may be left out, and the rest.
pub(super) fn loose_prerelease(text: &str) -> (Option<&str>, &str) {
    let hyphenless = text.strip_prefix('-').filter(|after| !identifier(after).0.is_empty()).unwrap_or(text);
    let (first, mut rest) = identifier(hyphenless);
    if first.is_empty() {
        return (None, text);
    }
    while let Some((next, after)) = rest.strip_prefix('.').map(identifier)
        && !next.is_empty()
    {
        rest = after;
    }
    (hyphenless.get(..hyphenless.len() - rest.len()), rest)
}

fn lenient(text: &str) -> Option<Version> {
    let mut key = KeyWriter::default();
    let mut rest = text;
    for place in 0..3 {
        if place > 0 {
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None => {
                    key.number("0");
                    continue;
                }
            }
        }
        let (found, after) = digits(rest);
        if found.is_empty() || found.len() > 250 {
            return None;
        }
        key.number(found);
        rest = after;
    }
    if rest.starts_with('.') {
        return rest.split('.').skip(1).all(|part| !part.is_empty() && identifier(part).1.is_empty()).then(|| key.finish());
    }
    let (prerelease, rest) = loose_prerelease(rest);
    for part in prerelease.into_iter().flat_map(|p| p.split('.')) {
        key.identifier(part);
    }
    build(rest).then(|| key.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(grammar: Grammar, text: &str) -> Option<String> {
        grammar.version(text).ok().map(|v| v.to_string())
    }

    #[test]
    fn what_is_a_version_depends_on_who_reads_it() {
        use Grammar::*;
        let rows: [(&str, [Option<&str>; 4]); 14] = [
            ("1.2.3", [Some("1.2.3"); 4]),
            ("v1.2.3", [Some("1.2.3"), Some("1.2.3"), None, Some("1.2.3")]),
            ("=1.2.3", [None, Some("1.2.3"), None, None]),
            ("1.2.3beta", [None, Some("1.2.3-beta"), None, Some("1.2.3-beta")]),
            ("01.2.3", [None, Some("1.2.3"), None, Some("1.2.3")]),
            ("1.2", [None, None, None, Some("1.2.0")]),
            ("1.2.3.4", [None, None, None, Some("1.2.3")]),
            ("1.2.34.5", [None, Some("1.2.3-4.5"), None, Some("1.2.34")]),
            ("1.2.3-", [None, Some("1.2.3--"), None, Some("1.2.3--")]),
            ("1.2.3-01", [None, Some("1.2.3-1"), None, Some("1.2.3-1")]),
            ("1.2.3+a..b", [None; 4]),
            ("9007199254740992.0.0", [None, None, Some("9007199254740992.0.0"), Some("9007199254740992.0.0")]),
            ("18446744073709551616.0.0", [None, None, None, Some("18446744073709551616.0.0")]),
            ("", [None; 4]),
        ];
        for (text, wanted) in rows {
            let got = [Npm, NpmLoose, Cargo, Lenient].map(|g| shown(g, text));
            assert_eq!(got, wanted.map(|w| w.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn a_version_has_at_most_256_characters() {
        let long = |n: usize| format!("1.2.3-{}", "a".repeat(n - 6));
        assert!(Grammar::Npm.version(&long(256)).is_ok());
        assert!(Grammar::Npm.version(&long(257)).is_err());
        assert!(Grammar::Lenient.version(&format!("{}.1", "9".repeat(251))).is_err());
    }

    #[test]
    fn npm_numbers_in_prereleases_are_doubles() {
        let version = |text| Grammar::Npm.version(text).unwrap();
        assert_eq!(version("1.0.0-9007199254740993"), version("1.0.0-9007199254740992"));
        assert!(version("1.0.0-9007199254740993") < version("1.0.0-9007199254740994"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*|[v= 0-9.x*+-]{0,24}") {
            for grammar in [Grammar::Npm, Grammar::NpmLoose, Grammar::Cargo, Grammar::Lenient] {
                if let Ok(version) = grammar.version(&text) {
                    proptest::prop_assert_eq!(Version::from_key(version.key()), Some(version));
                }
            }
        }
    }
}
