//! The Observatory's reading of Content-Security-Policy: many policies become one.
//!
//! This is not what a browser does (that is the business of casque's own CSP parser). Everything is lower-cased, nonces included. All
//! policies are laid over each other, the first one setting the directives: one that only a later policy has allows nothing. Where two
//! have it, their sources are sorted together, and a source stays if it is the same as the one before it from the other policy, or
//! lies below it as a path. What once stayed is not taken away by a third policy. A source that starts with the one before it from its
//! own policy is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::text;

/// The shortest policy there can be, in UTF-16 units.
const SHORTEST: usize = 6;
/// Directives that may come twice. The last one counts in the first policy; in a later one each is laid over what is there.
const REPEATABLE: [&str; 2] = ["report-uri", "report-to"];
/// How much text of policies is read, in bytes. No server sends as much in a header; more of it, in `<meta>`, counts as invalid.
const MOST_TEXT: usize = 64 << 10;

/// All policies of a page as one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Each directive with its sources, in the order of CLDR's root collation. No sources are `'none'`.
    pub directives: BTreeMap<String, Vec<String>>,
    /// Which of `report-uri` and `report-to` came twice in a policy, in the order in which that was seen.
    pub repeated: Vec<String>,
}

/// Why policies do not count at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyError {
    /// A policy is too short to be one. This is what it says, trimmed.
    TooShort(String),
    /// A policy has a directive twice.
    Repeated {
        /// The directive.
        directive: String,
        /// Which policy, counted from 0.
        policy: usize,
    },
    /// All policies together have more than 64 KiB.
    TooLong,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(text) => write!(f, "{text:?} is too short for a policy; look for a stray comma"),
            Self::Repeated { directive, policy } => write!(f, "policy {} has {directive:?} twice; merge the two", policy + 1),
            Self::TooLong => f.write_str("the policies have more than 64 KiB; shorten the lists of sources"),
        }
    }
}

impl std::error::Error for PolicyError {}

/// A source while policies are laid over each other.
struct Source {
    text: String,
    policy: usize,
    stays: bool,
}

impl Policy {
    /// Reads policies, each one without commas, and lays them over each other.
    ///
    /// # Errors
    /// When one of them is not acceptable, or they are too long together.
    pub fn parse<'p>(policies: impl IntoIterator<Item = &'p str>) -> Result<Self, PolicyError> {
        let mut bare = Vec::new();
        let mut length = 0;
        for policy in policies {
            length += policy.len() + 1;
            if length > MOST_TEXT {
                return Err(PolicyError::TooLong);
            }
            bare.push(stripped(policy)?);
        }
        let mut merged: BTreeMap<String, Vec<Source>> = BTreeMap::new();
        let mut repeated = Vec::new();
        for (index, policy) in bare.iter().enumerate() {
            for (directive, sources) in read(policy, index, &mut repeated)? {
                match merged.get_mut(&directive) {
                    Some(there) if index > 0 => lay_over(there, sources),
                    Some(there) => *there = drop_covered(sources),
                    None if index == 0 => _ = merged.insert(directive, drop_covered(sources)),
                    None => _ = merged.insert(directive, Vec::new()),
                }
            }
        }
        let directives = merged.into_iter().map(|(name, sources)| (name, texts(sources))).collect();
        Ok(Self { directives, repeated })
    }

    /// A directive's sources.
    pub(super) fn get(&self, directive: &str) -> Option<&[String]> {
        self.directives.get(directive).map(Vec::as_slice)
    }
}

/// A policy without line breaks and the white space around it.
fn stripped(policy: &str) -> Result<String, PolicyError> {
    let bare: String = policy.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bare = text::trim(&bare);
    if bare.encode_utf16().count() < SHORTEST { Err(PolicyError::TooShort(bare.to_owned())) } else { Ok(bare.to_owned()) }
}

/// One policy: its directives in order, each with its sources, sorted, each once.
fn read(policy: &str, index: usize, repeated: &mut Vec<String>) -> Result<Vec<(String, Vec<Source>)>, PolicyError> {
    let mut read = Vec::new();
    let mut names = BTreeSet::new();
    for directive in policy.split(';') {
        let mut words = directive.split(text::is_white).filter(|word| !word.is_empty());
        let Some(name) = words.next() else { continue };
        let name = name.to_lowercase();
        let mut texts: Vec<String> = words.map(str::to_lowercase).collect();
        if texts.is_empty() {
            texts.push("'none'".to_owned());
        }
        texts.sort_by(|a, b| text::collate(a, b));
        texts.dedup();
        if !names.insert(name.clone()) {
            if !REPEATABLE.contains(&name.as_str()) {
                return Err(PolicyError::Repeated { directive: name, policy: index });
            }
            if !repeated.contains(&name) {
                repeated.push(name.clone());
            }
        }
        read.push((name, texts.into_iter().map(|text| Source { text, policy: index, stays: false }).collect()));
    }
    Ok(read)
}

/// Within the first policy: a source that starts with its neighbour says nothing new.
fn drop_covered(mut sources: Vec<Source>) -> Vec<Source> {
    let keep: Vec<bool> = pairs(&sources).map(|(before, it)| before.is_none_or(|b| !it.text.starts_with(&b.text))).collect();
    retain(&mut sources, &keep);
    sources
}

/// Lays a later policy's sources over those that are there.
fn lay_over(there: &mut Vec<Source>, later: Vec<Source>) {
    there.extend(later);
    // Stable: of equal sources the earlier policy's comes first.
    there.sort_by(|a, b| text::collate(&a.text, &b.text));
    let verdicts: Vec<bool> = pairs(there)
        .map(|(before, it)| match before {
            Some(b) if b.policy == it.policy => it.stays && !it.text.starts_with(&b.text),
            Some(b) => it.stays || b.text == it.text || (b.text.ends_with('/') && it.text.starts_with(&b.text)),
            None => it.stays,
        })
        .collect();
    retain(there, &verdicts);
    for source in there {
        source.stays = true;
    }
}

/// Each source with the one before it.
fn pairs(sources: &[Source]) -> impl Iterator<Item = (Option<&Source>, &Source)> {
    std::iter::once(None).chain(sources.iter().map(Some)).zip(sources)
}

fn retain(sources: &mut Vec<Source>, keep: &[bool]) {
    let mut keep = keep.iter();
    sources.retain(|_| keep.next().is_some_and(|k| *k));
}

fn texts(sources: Vec<Source>) -> Vec<String> {
    let mut texts: Vec<String> = sources.into_iter().map(|s| s.text).collect();
    texts.dedup();
    if texts.is_empty() {
        texts.push("'none'".to_owned());
    }
    texts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sources(policies: &[&str]) -> Vec<String> {
        let policies: Vec<String> = policies.iter().map(|p| format!("default-src {p}")).collect();
        Policy::parse(policies.iter().map(String::as_str)).unwrap().get("default-src").unwrap().to_vec()
    }

    #[test]
    fn policies_are_laid_over_each_other() {
        assert_eq!(sources(&["b.x a.x", "b.x c.x"]), ["b.x"]);
        assert_eq!(sources(&["https://a.x/p/", "https://a.x/p/more"]), ["https://a.x/p/more"]);
        assert_eq!(sources(&["https://a.x/p", "https://a.x/p/more"]), ["'none'"]);
        assert_eq!(sources(&["a.x", "c.x", "a.x"]), ["'none'"]);
        assert_eq!(sources(&["a.x b.x", "b.x a.x", "c.x"]), ["a.x", "b.x"]);
        assert_eq!(sources(&["https: https://a.x 'NONCE-a' 'nonce-A'"]), ["'nonce-a'", "https:"]);
        let two = Policy::parse(["img-src 'self'", "script-src 'self'; img-src 'self'"]).unwrap();
        assert_eq!(two.get("script-src").unwrap(), ["'none'"]);
    }

    #[test]
    fn what_is_not_acceptable() {
        assert_eq!(Policy::parse([" defa\r\n"]), Err(PolicyError::TooShort("defa".to_owned())));
        let twice = Policy::parse(["img-src a", "script-src a; SCRIPT-SRC b"]).unwrap_err();
        assert_eq!(twice, PolicyError::Repeated { directive: "script-src".to_owned(), policy: 1 });
        assert_eq!(Policy::parse(["report-uri /a; report-uri /b"]).unwrap().repeated.len(), 1);
        assert_eq!(Policy::parse([format!("img-src {}", "a ".repeat(MOST_TEXT)).as_str()]), Err(PolicyError::TooLong));
        let both = Policy::parse(["img-src a; img-src b", "x"]).unwrap_err();
        assert_eq!(both, PolicyError::TooShort("x".to_owned()), "length is looked at first");
        assert!(Policy::parse([";;;;;;"]).unwrap().directives.is_empty());
    }

    proptest! {
        #[test]
        fn no_policy_panics(policies in proptest::collection::vec("(\\PC|[;, \r\n]|a/|default-src |'none'){0,30}", 0..6)) {
            if let Ok(policy) = Policy::parse(policies.iter().map(String::as_str)) {
                for sources in policy.directives.values() {
                    prop_assert!(!sources.is_empty() && sources.windows(2).all(|w| w[0] != w[1]));
                }
            }
        }
    }
}
