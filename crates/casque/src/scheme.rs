//! The scheme the browser used, which is not always the scheme of the socket.

/// How the outside world reached the app: what stands before `://` in the browser's address bar.
///
/// It travels in the request's extensions. A request without one counts as [`Scheme::Http`]: the safe reading, because
/// an HTTPS-only header on plain HTTP can lock people out, while its absence can be seen and mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scheme {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTP over TLS, ended here or at a trusted proxy.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Reads `http` or `https` in any case; anything else is `None`.
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        if s.eq_ignore_ascii_case("https") {
            Some(Self::Https)
        } else if s.eq_ignore_ascii_case("http") {
            Some(Self::Http)
        } else {
            None
        }
    }
}
