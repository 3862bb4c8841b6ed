//! How pnpm writes which package is meant.
//!
//! | format | key |
//! |---|---|
//! | 5.x | `/name/1.0.0`, `/@s/n/1.0.0_peers`, `host/name/1.0.0`, `github.com/u/r/hash` |
//! | 6.x | `/name@1.0.0(peer@2.0.0)`, `host/name@1.0.0` |
//! | 9.0 | `name@1.0.0(peer@2.0.0)`, `name@https://...`, `name@file:...` |

use std::borrow::Cow;

use super::spec::{Spec, is_registry_address, split_name};
use crate::graph::Source;

/// A key taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    /// A version, or what stands for one: an address, `runtime:22.0.0`.
    pub(super) version: &'a str,
    /// The peers.
    pub(super) rest: &'a str,
}

/// A key of any format without its peers in parentheses.
pub(super) fn without_peers(key: &str) -> &str {
    // Addresses may hold parentheses, but peers are at the end.
    if !key.ends_with(')') {
        return key;
    }
    let mut depth = 0usize;
    for (at, b) in key.bytes().enumerate().rev() {
        match b {
            b')' => depth += 1,
            b'(' => depth = depth.saturating_sub(1),
            _ if depth == 0 => return &key[..=at],
            _ => {}
        }
    }
    key
}

/// Takes a key apart.
pub(super) fn split(key: &str) -> Option<Named<'_>> {
    let bare = without_peers(key);
    let rest = &key[bare.len()..];
    // A host before the name, or the empty one of the default registry.
    let (host, local) = match bare.split_once('/') {
        Some((host, local)) if !bare.starts_with('@') && !host.contains('@') => (host, local),
        _ => (if bare.starts_with('/') { "" } else { "-" }, bare),
    };
    let local = if local.is_empty() { return None } else { local };
    if let Some((name, version)) = split_name(local).filter(|(name, _)| is_name(name)) {
        return Some(Named { name, version, rest });
    }
    // 5.x: the version is the path's next part.
    let parts = if local.starts_with('@') { 2 } else { 1 };
    let end = local.match_indices('/').nth(parts - 1).map(|(at, _)| at);
    match end {
        Some(at) if local[at + 1..].starts_with(|c: char| c.is_ascii_digit()) && !local[at + 1..].contains('/') => {
            let (version, peers) = local[at + 1..].split_once('_').unwrap_or((&local[at + 1..], ""));
            Some(Named { name: &local[..at], version, rest: peers })
        }
        // `github.com/user/repository/hash`: the entry has name and version of its own.
        _ if !host.is_empty() => Some(Named { name: bare, version: bare, rest }),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    let slashes = name.bytes().filter(|b| *b == b'/').count();
    slashes == usize::from(name.starts_with('@'))
}

/// Where a package comes from, by what stands for its version and the archive's address, if it has an own.
pub(super) fn source(version: &str, tarball: Option<&str>) -> Source {
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('/');
    match (is_version, Spec::parse(version)) {
        (true, _) => Source::Registry,
        (false, Spec::Elsewhere(Source::Tarball | Source::Git)) if is_registry_address(version) => Source::Registry,
        (false, Spec::Elsewhere(source)) => source,
        (false, _) => match tarball {
            Some(address) if is_registry_address(address) => Source::Registry,
            Some(address) if address.starts_with("file:") => Source::File,
            _ => Source::Tarball,
        },
    }
}

/// The keys that a request may mean, the likeliest first: `1.0.0` of `name`, or a key that is written whole (an alias, an address).
pub(super) fn keys<'a>(name: &'a str, reference: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
    (0..4).map(move |way| match way {
        0 => Cow::Owned([name, "@", reference].concat()),
        1 => Cow::Owned(["/", name, "@", reference].concat()),
        2 => Cow::Owned(["/", name, "/", reference].concat()),
        _ => Cow::Borrowed(reference),
    })
}

/// The folder that a relative path leads to; none outside the root.
pub(super) fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_format_are_taken_apart() {
        for (key, name, version, rest) in [
            ("/a/1.0.0", "a", "1.0.0", ""),
            ("/@s/n/1.0.0_react@17.0.1", "@s/n", "1.0.0", "react@17.0.1"),
            ("/@s/n/1.0.0_@babel+core@7.1.0", "@s/n", "1.0.0", "@babel+core@7.1.0"),
            ("/a/1.0.0_0123abcd", "a", "1.0.0", "0123abcd"),
            ("registry.example/a/1.0.0", "a", "1.0.0", ""),
            ("registry.example/@s/n/1.0.0", "@s/n", "1.0.0", ""),
            ("/a@1.0.0", "a", "1.0.0", ""),
            ("/@s/n@1.0.0(@b/c@2.0.0(d@1.0.0))(e@3.0.0)", "@s/n", "1.0.0", "(@b/c@2.0.0(d@1.0.0))(e@3.0.0)"),
            ("registry.example/@s/n@1.0.0", "@s/n", "1.0.0", ""),
            ("a@1.0.0(b@2.0.0)", "a", "1.0.0", "(b@2.0.0)"),
            ("@s/n@1.0.0", "@s/n", "1.0.0", ""),
            ("a@https://codeload.example/u/r/tar.gz/0123", "a", "https://codeload.example/u/r/tar.gz/0123", ""),
            ("a@file:../b(c@1.0.0)", "a", "file:../b", "(c@1.0.0)"),
            ("node@runtime:26.7.0", "node", "runtime:26.7.0", ""),
            ("github.com/u/r/0123", "github.com/u/r/0123", "github.com/u/r/0123", ""),
        ] {
            assert_eq!(split(key), Some(Named { name, version, rest }), "{key}");
        }
        assert_eq!(split("/"), None);
        assert_eq!(split(""), None);
    }

    #[test]
    fn links_lead_to_folders() {
        assert_eq!(join("packages/a", "../b").as_deref(), Some("packages/b"));
        assert_eq!(join("packages/a", "../..").as_deref(), Some(""));
        assert_eq!(join("", "packages/b").as_deref(), Some("packages/b"));
        assert_eq!(join("a", "../../b"), None);
    }
}
