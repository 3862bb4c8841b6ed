//! Partial versions in ranges: `1`, `1.x`, `1.2.*-beta`. The names in brackets are those of node-semver's expressions.

use super::grammar::{canonical, digits, give_back, identifier, loose_prerelease, prefix};

/// One to three places, each a number, `x`, `X` or `*`; an empty text is a place that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partial<'a> {
    pub(super) major: &'a str,
    pub(super) minor: &'a str,
    pub(super) patch: &'a str,
    /// Empty if there is none.
    pub(super) prerelease: &'a str,
}

/// Whether a place is left open.
pub(super) fn open(place: &str) -> bool {
    matches!(place, "" | "x" | "X" | "*")
}

/// Reads the whole text as a partial version (`XRANGEPLAIN`, `XRANGEPLAINLOOSE`, anchored). Build metadata must be off already.
pub(super) fn partial(text: &str, loose: bool) -> Option<Partial<'_>> {
    let text = text.trim_start_matches(prefix);
    let (mut found, mut rest) = places(text, loose)?;
    if loose && found.patch.starts_with(|c: char| c.is_ascii_digit()) {
        (found.patch, rest) = give_back(text, found.patch, rest);
    }
    if !found.patch.is_empty() {
        let (prerelease, after) = if loose { loose_prerelease(rest) } else { strict_prerelease(rest) };
        found.prerelease = prerelease.unwrap_or_default();
        rest = after;
    }
    rest.is_empty().then_some(found)
}

/// How much of the text, from its start, looks like a version or a partial one (`LOOSEPLAIN`, else `XRANGEPLAIN`).
pub(super) fn plain_length(text: &str) -> Option<usize> {
    let start = text.trim_start_matches(prefix);
    // A loose version has three numbers; any other start counts as a partial one, strictly read.
    let numbers = |found: &Partial<'_>| [found.major, found.minor, found.patch].into_iter().all(|place| !open(place));
    let rest = match places(start, true) {
        Some((found, rest)) if numbers(&found) => loose_prerelease(rest).1,
        _ => match places(start, false)? {
            (Partial { patch: "", .. }, rest) => rest,
            (_, rest) => strict_prerelease(rest).1,
        },
    };
    Some(text.len() - rest.len())
}

fn places(text: &str, loose: bool) -> Option<(Partial<'_>, &str)> {
    let (major, rest) = place(text, loose)?;
    let mut found = Partial { major, minor: "", patch: "", prerelease: "" };
    let Some((minor, rest)) = rest.strip_prefix('.').and_then(|r| place(r, loose)) else { return Some((found, rest)) };
    found.minor = minor;
    let Some((patch, rest)) = rest.strip_prefix('.').and_then(|r| place(r, loose)) else { return Some((found, rest)) };
    found.patch = patch;
    Some((found, rest))
}

fn place(text: &str, loose: bool) -> Option<(&str, &str)> {
    let length = match text.as_bytes().first()? {
        b'x' | b'X' | b'*' => 1,
        b'0' if !loose => 1,
        _ => digits(text).0.len(),
    };
    (length > 0).then(|| text.split_at(length))
}

/// The longest prerelease at the start (`PRERELEASE`): a numeric identifier ends after a leading zero.
fn strict_prerelease(text: &str) -> (Option<&str>, &str) {
    let one = |text: &str| {
        let found = identifier(text).0;
        let numeric = found.bytes().all(|b| b.is_ascii_digit());
        if numeric && !canonical(found) { usize::from(!found.is_empty()) } else { found.len() }
    };
    let Some(after) = text.strip_prefix('-') else { return (None, text) };
    let mut length = one(after);
    if length == 0 {
        return (None, text);
    }
    while let Some(next) = after.get(length..).and_then(|rest| rest.strip_prefix('.')).map(one)
        && next > 0
    {
        length += 1 + next;
    }
    let (prerelease, rest) = after.split_at(length);
    (Some(prerelease), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_may_be_open_or_left_out() {
        let found = |text, loose| partial(text, loose).map(|p| [p.major, p.minor, p.patch, p.prerelease]);
        assert_eq!(found("1", false), Some(["1", "", "", ""]));
        assert_eq!(found("v1.x", false), Some(["1", "x", "", ""]));
        assert_eq!(found("1.2.3-beta.1", false), Some(["1", "2", "3", "beta.1"]));
        assert_eq!(found("1.2.3beta", false), None);
        assert_eq!(found("1.2.3beta", true), Some(["1", "2", "3", "beta"]));
        assert_eq!(found("01.2", false), None);
        assert_eq!(found("01.2", true), Some(["01", "2", "", ""]));
        assert_eq!(found("1.2.34.5", true), Some(["1", "2", "3", "4.5"]));
        assert_eq!(found("1.", true), None);
    }

    #[test]
    fn the_start_of_a_text_may_look_like_a_version() {
        for (text, wanted) in
            [("1.2.3beta <2", Some(9)), ("= v1.x>2", Some(6)), ("x.1", Some(3)), ("~1", None), ("1.2.3-01", Some(8)), ("", None)]
        {
            assert_eq!(plain_length(text), wanted, "{text}");
        }
    }
}
