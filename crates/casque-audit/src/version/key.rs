//! The key that a version is kept as.
//!
//! ```text
//! version    = number number number ( release | prerelease )
//! number     = how many digits (1 byte), the digits in ASCII without leading zeros; zero is "0"
//! release    = 0xFF
//! prerelease = 0x01 identifier* 0x00
//! identifier = 0x01 number | 0x02 letters 0x00
//! ```
//! A longer number is a larger one, so numbers compare as bytes. A release is above its prereleases, fewer identifiers are below
//! more, and numeric ones below others: each is the order of the marks. The empty key is below every version, which is what OSV's
//! `introduced: "0"` means.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

pub(crate) const RELEASE: u8 = 0xff;
const PRERELEASE: u8 = 0x01;
const NUMERIC: u8 = 0x01;
const LETTERS: u8 = 0x02;
const END: u8 = 0x00;

/// What is kept in place; nearly all versions are shorter.
const INLINE: usize = 22;

/// A version of a package, without its build metadata.
///
/// Its order is the precedence of SemVer 2.0.0, section 11. Its text is canonical: `v1.02.3+build` is shown as `1.2.3`.
#[derive(Clone)]
pub struct Version(Repr);

#[derive(Clone)]
enum Repr {
    Inline(u8, [u8; INLINE]),
    Heap(Box<[u8]>),
}

impl Version {
    /// A release by its numbers.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        let mut key = KeyWriter::default();
        for number in [major, minor, patch] {
            key.number(&number.to_string());
        }
        key.finish()
    }

    /// The bytes whose order is the order of versions.
    pub(crate) fn key(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Repr::Heap(bytes) => bytes,
        }
    }

    /// The version of a key, if it is one. Keys of a database file have been written by anybody.
    pub(crate) fn from_key(key: &[u8]) -> Option<Self> {
        let mut reader = KeyReader(key);
        reader.text(&mut String::new())?;
        Some(Self::of(key))
    }

    fn of(key: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..key.len()) {
            Some(start) => {
                start.copy_from_slice(key);
                // At most INLINE, or there were no such start.
                Self(Repr::Inline(key.len() as u8, bytes))
            }
            None => Self(Repr::Heap(key.into())),
        }
    }

    /// Whether it has prerelease identifiers.
    pub fn is_prerelease(&self) -> bool {
        self.key().last() != Some(&RELEASE)
    }

    /// Whether it is `0.0.0-0`, below which there is no other.
    pub fn is_lowest(&self) -> bool {
        self.key() == b"\x010\x010\x010\x01\x01\x010\x00"
    }

    /// Whether major, minor and patch are the same.
    pub fn same_core(&self, other: &Self) -> bool {
        self.core() == other.core()
    }

    fn core(&self) -> &[u8] {
        let key = self.key();
        let mut end = 0;
        for _ in 0..3 {
            end += 1 + key.get(end).map_or(0, |digits| usize::from(*digits));
        }
        key.get(..end).unwrap_or(key)
    }

    /// Major, minor and patch. `None` when one of them exceeds 64 bits.
    pub fn numbers(&self) -> Option<[u64; 3]> {
        let mut reader = KeyReader(self.key());
        let mut next = || reader.number()?.parse().ok();
        Some([next()?, next()?, next()?])
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        // A version is made of a key that could be read, or by the writer below.
        KeyReader(self.key()).text(&mut text);
        f.pad(&text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Writes a key: three numbers, then identifiers if there are any.
#[derive(Debug, Default)]
pub(super) struct KeyWriter {
    key: Vec<u8>,
    prerelease: bool,
}

impl KeyWriter {
    /// Digits, with or without leading zeros; no more than 255 of them after those.
    pub(super) fn number(&mut self, digits: &str) {
        let digits = match digits.trim_start_matches('0') {
            "" => "0",
            rest => rest,
        };
        debug_assert!(digits.len() <= 255 && digits.bytes().all(|b| b.is_ascii_digit()), "{digits}");
        self.key.push(digits.len() as u8);
        self.key.extend_from_slice(digits.as_bytes());
    }

    /// One prerelease identifier, of letters, digits and hyphens.
    pub(super) fn identifier(&mut self, identifier: &str) {
        if !self.prerelease {
            self.prerelease = true;
            self.key.push(PRERELEASE);
        }
        if identifier.bytes().all(|b| b.is_ascii_digit()) {
            self.key.push(NUMERIC);
            self.number(identifier);
        } else {
            self.key.push(LETTERS);
            self.key.extend_from_slice(identifier.as_bytes());
            self.key.push(END);
        }
    }

    pub(super) fn finish(mut self) -> Version {
        self.key.push(if self.prerelease { END } else { RELEASE });
        Version::of(&self.key)
    }
}

/// Reads a key that may be anything: `None` where it is no key.
struct KeyReader<'a>(&'a [u8]);

impl<'a> KeyReader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<&'a str> {
        let length = usize::from(self.byte()?);
        let (digits, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let canonical = digits == b"0" || !digits.starts_with(b"0");
        (canonical && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| std::str::from_utf8(digits).ok())?
    }

    fn letters(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|b| *b == END)?;
        let (letters, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..)?;
        let allowed = letters.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        (allowed && !letters.iter().all(u8::is_ascii_digit)).then(|| std::str::from_utf8(letters).ok())?
    }

    /// Appends the version's text. The whole key has to be one version.
    fn text(&mut self, to: &mut String) -> Option<()> {
        for separator in ["", ".", "."] {
            to.push_str(separator);
            to.push_str(self.number()?);
        }
        match self.byte()? {
            RELEASE => {}
            PRERELEASE => {
                let mut separator = '-';
                loop {
                    let identifier = match self.byte()? {
                        NUMERIC => self.number()?,
                        LETTERS => self.letters()?,
                        END if separator == '.' => break,
                        _ => return None,
                    };
                    to.push(separator);
                    to.push_str(identifier);
                    separator = '.';
                }
            }
            _ => return None,
        }
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grammar;
    use super::*;

    fn npm(text: &str) -> Version {
        Grammar::NpmLoose.version(text).unwrap()
    }

    #[test]
    fn keys_order_as_semver_says() {
        // SemVer 2.0.0, section 11.4, and numbers of several lengths around it.
        let ascending = [
            "0.0.0-0",
            "0.0.0",
            "0.0.9",
            "0.0.10",
            "0.9.0",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-A",
            "1.0.0-a",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-beta-",
            "1.0.0-rc.1",
            "1.0.0",
            "10.0.0",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(npm(a).cmp(&npm(b)), i.cmp(&j), "{a} and {b}");
            }
        }
    }

    #[test]
    fn a_version_is_shown_as_it_is_meant() {
        for (written, shown) in [("v1.02.3", "1.2.3"), ("1.2.3beta", "1.2.3-beta"), ("1.2.3-x.07+b", "1.2.3-x.7"), ("= 1.2.3", "1.2.3")] {
            assert_eq!(npm(written).to_string(), shown);
        }
        assert!(npm("0.0.0-0").is_lowest() && !npm("0.0.0-1").is_lowest());
        let long = "1.2.3-a-very-long-prerelease-identifier.20240321.deadbeef";
        assert_eq!(npm(long).to_string(), long);
    }

    #[test]
    fn a_key_is_read_back_and_no_other_bytes_are() {
        for text in ["0.0.0", "1.2.3-beta.1", "123.456.789-0.a.b-c"] {
            let version = npm(text);
            assert_eq!(Version::from_key(version.key()), Some(version.clone()));
            for cut in 0..version.key().len() {
                assert_eq!(Version::from_key(&version.key()[..cut]), None);
            }
        }
        for bad in [&b""[..], b"\x01x", b"\x010\x010\x010\x01\x00", b"\x010\x010\x010\x01\x02\x1b[\x00\x00", b"\x0201\x010\x010\xff"] {
            assert_eq!(Version::from_key(bad), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_no_trouble(key: Vec<u8>) {
            if let Some(version) = Version::from_key(&key) {
                let again = Grammar::Lenient.version(&version.to_string());
                proptest::prop_assert!(again.is_err() || again.unwrap() == version);
            }
        }
    }
}
