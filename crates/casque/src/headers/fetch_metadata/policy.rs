//! What is asked of requests from other sites, and where it is not.

use std::fmt;

/// Whether requests are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Do not look.
    #[default]
    Off,
    /// Say what would be refused, and let it pass.
    Report,
    /// Refuse.
    Enforce,
}

impl Mode {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 3] = [("off", Self::Off), ("report", Self::Report), ("enforce", Self::Enforce)];
}

/// A mode, and the paths that other sites may use as they like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IsolationPolicy {
    mode: Mode,
    allowed: Vec<String>,
}

/// A path that cannot be exempt, and why. Its text says both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPath {
    path: String,
    problem: &'static str,
}

impl InvalidPath {
    /// What is wrong, as the rest of a sentence that begins with the path.
    #[must_use]
    pub fn problem(&self) -> &'static str {
        self.problem
    }
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the path {:?} {}", self.path, self.problem)
    }
}

impl std::error::Error for InvalidPath {}

impl IsolationPolicy {
    /// A policy for every path.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self { mode, allowed: Vec::new() }
    }

    /// Exempts these paths and all below them, by whole segments: `/fonts` is also `/fonts/a.woff2`, and not `/fontsize`.
    ///
    /// What belongs here: what others embed or fetch by CORS, and where identity providers and payment pages post the user's
    /// browser back to (SAML, OpenID Connect's `form_post`, 3-D Secure). Webhooks need no exemption: machines send no metadata.
    ///
    /// # Errors
    /// [`InvalidPath`]: it does not begin with `/`, is `/` itself, or is spelt in a way that no request's path is compared in.
    pub fn allow<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Result<Self, InvalidPath> {
        for path in paths {
            let path = path.into();
            match problem(&path) {
                Some(problem) => return Err(InvalidPath { path, problem }),
                None => self.allowed.push(path),
            }
        }
        Ok(self)
    }

    /// The same paths under another mode.
    #[must_use]
    pub fn with_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The same mode, with the exempt paths of another policy besides its own.
    #[must_use]
    pub fn allowing_also(mut self, other: &Self) -> Self {
        self.allowed.extend(other.allowed.iter().cloned());
        self
    }

    /// Whether requests are refused.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether a request's path is exempt.
    ///
    /// Bytes are compared, so another spelling of an exempt path is not exempt. A path that some server could read as another is
    /// not either: one with dot segments, empty segments, `\`, `;`, or an encoding of those, of `/` or of `%`. Otherwise
    /// `/fonts/..%2ftransfer` would be exempt here and `/transfer` in the app.
    #[must_use]
    pub fn exempts(&self, path: &str) -> bool {
        self.allowed.iter().any(|allowed| path.strip_prefix(allowed.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
            && is_plain(path)
    }
}

fn problem(path: &str) -> Option<&'static str> {
    match path {
        "/" => Some("is the whole app; to switch the policy off, set the mode to off"),
        _ if !path.starts_with('/') => Some("does not begin with `/`"),
        _ if path.ends_with('/') => Some("ends with `/`; leave it out, all below is meant anyway"),
        _ if path.contains('*') => Some("has a `*`; name the folder, all below is meant anyway"),
        _ if path.contains(['?', '#']) => Some("has a query or fragment; only the path is compared"),
        _ if !is_plain(path) || !path.bytes().all(|b| b.is_ascii_graphic()) => {
            Some("is not plainly spelt; write it as browsers send it, without `..`, `//`, `;`, `\\` and spaces")
        }
        _ => None,
    }
}

/// Whether every server reads the path as it stands.
fn is_plain(path: &str) -> bool {
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let byte = match (first, tail) {
            (b'%', [high, low, ..]) => match (char::from(*high).to_digit(16), char::from(*low).to_digit(16)) {
                (Some(high), Some(low)) => Some(high * 16 + low),
                _ => None,
            },
            (b'%', _) | (b'\\' | b';', _) => None,
            _ => Some(0),
        };
        let is_way_out = |byte| [b'.', b'/', b'\\', b'%', b';'].into_iter().any(|b| u32::from(b) == byte);
        if byte.is_none_or(is_way_out) {
            return false;
        }
        rest = tail;
    }
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if matches!(segment, "." | "..") || (segment.is_empty() && segments.peek().is_some()) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_segments_are_exempt_and_no_way_out_of_them() {
        let policy = IsolationPolicy::new(Mode::Enforce).allow(["/fonts", "/pay/return"]).unwrap();
        for exempt in ["/fonts", "/fonts/", "/fonts/a.woff2", "/fonts/a%20b.woff2", "/fonts/.well-known/x", "/pay/return", "/pay/return/1"]
        {
            assert!(policy.exempts(exempt), "{exempt}");
        }
        for other in [
            "/",
            "",
            "/pay",
            "/fontsize",
            "/Fonts",
            "//fonts",
            "/x/fonts",
            "fonts",
            "/%66onts",
            "/fonts/../transfer",
            "/fonts/..",
            "/fonts/%2e%2e/transfer",
            "/fonts/.%2E/transfer",
            "/fonts/..%2ftransfer",
            "/fonts%2f..%2ftransfer",
            "/fonts/..%5ctransfer",
            "/fonts/..\\transfer",
            "/fonts//transfer",
            "/fonts/./x",
            "/fonts/..;/transfer",
            "/fonts/%252e%252e/x",
            "/fonts/%3b/x",
            "/fonts/%zz",
            "/fonts/%",
            "/fonts/%2",
        ] {
            assert!(!policy.exempts(other), "{other}");
        }
    }

    #[test]
    fn paths_that_cannot_be_meant_are_refused_with_the_remedy() {
        for bad in ["", "/", "fonts", "/fonts/", "/fonts/*", "/a?b", "/a//b", "/../a", "/a b", "/ü", "/a;b", "/%2e"] {
            let error = IsolationPolicy::default().allow([bad]).unwrap_err();
            assert!(error.to_string().contains(&format!("{bad:?}")) && !error.problem().is_empty());
        }
    }

    proptest! {
        /// Whatever is appended: after decoding once or twice and resolving, an exempt path is still below what was exempt.
        #[test]
        fn no_spelling_leads_out(tail in "(/|\\.|%2e|%2F|%5c|%252f|\\\\|;|a|%20){0,12}") {
            let policy = IsolationPolicy::new(Mode::Enforce).allow(["/fonts"]).unwrap();
            let path = format!("/fonts{tail}");
            if policy.exempts(&path) {
                for reading in [crate::path::normalize(&path).into_owned(), crate::path::normalize(&path.replace("%2F", "/").replace("%5c", "/")).into_owned()] {
                    prop_assert!(crate::path::is_below(&reading, "/fonts"), "{} reads as {}", path, reading);
                }
            }
        }
    }
}
