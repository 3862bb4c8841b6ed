//! What a dependency of the npm world asks for: a range, another name, a repository, a file.

use crate::graph::Source;

/// A request taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spec<'a> {
    /// A range, an exact version or a tag of the name itself.
    Range(&'a str),
    /// Another package under this name.
    Alias { name: &'a str, range: &'a str },
    /// Something that is no package of the registry.
    Elsewhere(Source),
}

const HOSTS: [&str; 3] = ["github.com", "gitlab.com", "bitbucket.org"];

impl<'a> Spec<'a> {
    /// Takes a request apart, as npm-package-arg does, with the protocols of yarn, pnpm and deno besides.
    pub(crate) fn parse(spec: &'a str) -> Self {
        let spec = spec.trim();
        if let Some(rest) = strip_prefix(spec, "npm:") {
            return match split_name(rest) {
                Some((name, range)) => Self::Alias { name, range },
                None if looks_like_range(rest) => Self::Range(rest),
                None => Self::Alias { name: rest, range: "*" },
            };
        }
        match Self::source(spec) {
            Some(source) => Self::Elsewhere(source),
            None => Self::Range(spec),
        }
    }

    fn source(spec: &str) -> Option<Source> {
        let protocol = spec.split_once(':').map(|(p, _)| p.to_ascii_lowercase());
        let by_protocol = match protocol.as_deref() {
            Some("git" | "github" | "gitlab" | "bitbucket" | "gist" | "ssh") => Some(Source::Git),
            Some(p) if p.starts_with("git+") || p.starts_with("git@") => Some(Source::Git),
            Some("http" | "https") => Some(if is_repository(spec) { Source::Git } else { Source::Tarball }),
            Some("file" | "exec") => Some(Source::File),
            Some("link" | "portal") => Some(Source::Link),
            Some("workspace") => Some(Source::Workspace),
            Some("jsr") => Some(Source::Jsr),
            Some("runtime") => Some(Source::Runtime),
            _ => None,
        };
        let is_drive = || matches!(spec.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic());
        let is_path = || spec.starts_with(['.', '/', '~']) && spec.contains('/') && !spec.starts_with("~>");
        // `user/repository`: no range has a slash in it.
        let is_short = || !spec.starts_with('@') && spec.contains('/') && !spec.contains([' ', ':']);
        by_protocol.or_else(|| (is_drive() || is_path()).then_some(Source::File)).or_else(|| is_short().then_some(Source::Git))
    }
}

/// `name@rest`; the `@` of a scope is none of these.
pub(crate) fn split_name(text: &str) -> Option<(&str, &str)> {
    let from = usize::from(text.starts_with('@'));
    let at = text.get(from..)?.find('@')? + from;
    (at > 0).then(|| (&text[..at], &text[at + 1..]))
}

/// Whether an address of an archive is one of a registry: `.../name/-/name-1.0.0.tgz`, for all that speak npm's protocol.
pub(crate) fn is_registry_address(address: &str) -> bool {
    let path = address.split(['#', '?']).next().unwrap_or("");
    strip_prefix(address, "http").is_some() && path.contains("/-/")
}

/// An `https:` address that npm and yarn clone rather than download.
fn is_repository(address: &str) -> bool {
    let bare = address.split(['#', '?']).next().unwrap_or("");
    let mut parts = bare.split("://").nth(1).unwrap_or("").trim_end_matches('/').split('/');
    let host = parts.next().unwrap_or("").rsplit('@').next().unwrap_or("");
    bare.ends_with(".git") || (HOSTS.contains(&host) && parts.count() == 2)
}

fn looks_like_range(text: &str) -> bool {
    text.is_empty()
        || text.starts_with(['^', '~', '<', '>', '=', '*'])
        || text.starts_with(|c: char| c.is_ascii_digit())
        || matches!(text, "x" | "X" | "latest")
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.get(..prefix.len()).filter(|p| p.eq_ignore_ascii_case(prefix)).map(|_| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_taken_apart() {
        for (text, wanted) in [
            ("^1.2.3", Spec::Range("^1.2.3")),
            ("~> 1.2", Spec::Range("~> 1.2")),
            (">= 1 < 2 || *", Spec::Range(">= 1 < 2 || *")),
            ("latest", Spec::Range("latest")),
            ("", Spec::Range("")),
            ("catalog:", Spec::Range("catalog:")),
            ("npm:^1", Spec::Range("^1")),
            ("npm:lodash@3.10.1", Spec::Alias { name: "lodash", range: "3.10.1" }),
            ("npm:@a/b@^1", Spec::Alias { name: "@a/b", range: "^1" }),
            ("npm:@a/b", Spec::Alias { name: "@a/b", range: "*" }),
            ("git+ssh://git@github.com/a/b.git#0123", Spec::Elsewhere(Source::Git)),
            ("git@github.com:a/b.git", Spec::Elsewhere(Source::Git)),
            ("github:a/b", Spec::Elsewhere(Source::Git)),
            ("a/b#main", Spec::Elsewhere(Source::Git)),
            ("https://github.com/a/b", Spec::Elsewhere(Source::Git)),
            ("https://h.example/a/b.git", Spec::Elsewhere(Source::Git)),
            ("https://github.com/a/b/tarball/master", Spec::Elsewhere(Source::Tarball)),
            ("file:../x", Spec::Elsewhere(Source::File)),
            ("../x", Spec::Elsewhere(Source::File)),
            ("C:\\x", Spec::Elsewhere(Source::File)),
            ("link:../x", Spec::Elsewhere(Source::Link)),
            ("portal:../x", Spec::Elsewhere(Source::Link)),
            ("workspace:*", Spec::Elsewhere(Source::Workspace)),
            ("jsr:^1", Spec::Elsewhere(Source::Jsr)),
        ] {
            assert_eq!(Spec::parse(text), wanted, "{text}");
        }
    }

    #[test]
    fn names_are_split_from_what_follows() {
        assert_eq!(split_name("@a/b@1@2"), Some(("@a/b", "1@2")));
        assert_eq!(split_name("a@"), Some(("a", "")));
        assert_eq!(split_name("@a/b"), None);
        assert_eq!(split_name("@"), None);
        assert_eq!(split_name(""), None);
    }
}
