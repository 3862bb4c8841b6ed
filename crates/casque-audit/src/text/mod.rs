//! Bytes to text, and the readers of what lockfiles are written in.
//!
//! The readers are ours because they must do what the usual ones do not: borrow from the text instead of building a tree, know
//! the place of every key, refuse doubled keys (two tools that disagree on which one counts is how a lockfile hides a package
//! from one of them), and meet no nesting that the stack cannot carry.

pub(crate) mod json;
pub(crate) mod percent;
mod seen;
pub(crate) mod yaml;

use std::borrow::Cow;

use crate::error::Error;
use crate::place::Lines;

/// How deep values may nest. Each level costs stack, so this is no setting.
pub(crate) const DEPTH: u32 = 160;

/// What is wrong at an offset. Becomes an [`Error`] with line and column once, at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) message: String,
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

pub(crate) fn fault<T>(at: usize, message: impl Into<String>) -> Result<T> {
    Err(Fault { at, message: message.into() })
}

/// A key and its place.
#[derive(Debug, Clone)]
pub(crate) struct Key<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) at: usize,
}

/// Text of the file, fit for a message: escaped, and no longer than a line.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut quoted: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        quoted.push_str("...");
    }
    format!("`{quoted}`")
}

/// The bytes as text, without a byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> std::result::Result<&str, Error> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Error::whole("longer than 4 GiB"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Error::whole("this is UTF-16, as some shells write it; save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let (valid, _) = bytes.split_at(e.valid_up_to());
        let place = std::str::from_utf8(valid).ok().map(|t| Lines::new(t).place(t.len()));
        Error { path: None, place, message: "not UTF-8: the file is damaged, or is no text".to_owned() }
    })
}

/// The fault as it is shown. Where a merge left its markers, they are what is wrong, whatever the reader stumbled over.
pub(crate) fn locate(text: &str, fault: Fault) -> Error {
    let (at, message) = match conflict(text) {
        Some(at) => (at, "a merge conflict was left here; resolve it, or let the package manager write the file anew".to_owned()),
        None if fault.at >= text.trim_end().len() && !text.is_empty() => {
            (text.len(), format!("the file ends too early: {}", fault.message))
        }
        None => (fault.at, fault.message),
    };
    Error { path: None, place: Some(Lines::new(text).place(at)), message }
}

/// The first line that git leaves in a file that it could not merge.
fn conflict(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_marker = |at: usize| {
        let line = &bytes[at..];
        let middle = line.starts_with(b"=======") && line.get(7).is_none_or(|b| matches!(b, b'\n' | b'\r'));
        middle || [b"<<<<<<< ", b"||||||| ", b">>>>>>> "].iter().any(|m| line.starts_with(*m))
    };
    if is_marker(0) {
        return Some(0);
    }
    memchr::memchr_iter(b'\n', bytes).map(|n| n + 1).find(|&at| is_marker(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_says_where() {
        assert_eq!(decode(b"\xef\xbb\xbf{}"), Ok("{}"));
        let e = decode(b"{\n \"a\xff\"").unwrap_err();
        assert_eq!((e.place.unwrap().line, e.place.unwrap().column), (2, 4));
        assert!(decode(b"\xff\xfe{\0").unwrap_err().message.contains("UTF-16"));
    }

    #[test]
    fn conflict_markers_are_named_with_their_line() {
        let text = "a\nb\n<<<<<<< HEAD\nc\n=======\nd\n>>>>>>> x\n";
        let e = locate(text, Fault { at: 0, message: "odd".to_owned() });
        assert_eq!(e.place.unwrap().line, 3);
        assert!(e.message.contains("merge conflict"));
        assert_eq!(conflict("a\n=======\n"), Some(2));
        assert_eq!(conflict("a\n======== b\n<<<<<<<\n"), None);
    }

    #[test]
    fn quoted_text_cannot_steer_a_terminal() {
        assert_eq!(quote("a\u{1b}[2Jb"), "`a\\u{1b}[2Jb`");
        assert!(quote(&"x".repeat(500)).len() < 80);
    }
}
