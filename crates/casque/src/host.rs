//! Which host a request is for, and which hosts a rule.

use http::header::HOST;
use http::{HeaderMap, HeaderValue};

/// The first `Host` field of a request. Clients send it before all others (RFC 9110 section 7.2), so looking from the start is quicker
/// than asking the map, which would hash the name.
#[must_use]
pub fn field(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.iter().find(|(name, _)| *name == HOST).map(|(_, value)| value)
}

/// A host name, or all names below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Any,
    Is(String),
    /// Any name below this one, which begins with a dot.
    Below(String),
}

impl HostPattern {
    /// Every host, and a request that names none.
    pub const ANY: Self = Self(Kind::Any);

    /// Reads `shop.example` or `*.shop.example`. Letter case does not matter.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence fragment.
    pub fn parse(written: &str) -> Result<Self, String> {
        let written = written.strip_suffix('.').unwrap_or(written);
        let below = written.strip_prefix('*');
        let name = below.unwrap_or(written);
        if below.is_some_and(|b| !b.starts_with('.')) || name.trim_matches('.').is_empty() {
            return Err("expected a name such as \"shop.example\" or \"*.shop.example\"".to_owned());
        }
        let literal = name.starts_with('[') && name.ends_with(']');
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if !plain && !literal {
            return Err("expected a host alone: no scheme, no port (it is for all of them), no path".to_owned());
        }
        let name = name.to_ascii_lowercase();
        Ok(Self(if below.is_some() { Kind::Below(name) } else { Kind::Is(name) }))
    }

    /// Whether a host, as it stands in a `Host` field but without a port ([`without_port`]), is meant.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match &self.0 {
            Kind::Any => true,
            Kind::Is(name) => host.eq_ignore_ascii_case(name),
            Kind::Below(suffix) => {
                let (host, suffix) = (host.as_bytes(), suffix.as_bytes());
                host.len() > suffix.len() && host[host.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
            }
        }
    }

    /// How particular it is; of several that match, the greatest should count.
    #[must_use]
    pub fn specificity(&self) -> usize {
        match &self.0 {
            Kind::Any => 0,
            Kind::Is(_) => usize::MAX,
            Kind::Below(suffix) => suffix.len(),
        }
    }
}

/// A `Host` value without its port, and without the dot that a fully qualified name may end in.
#[must_use]
pub fn without_port(host: &str) -> &str {
    let end = if host.starts_with('[') { host.find(']').map_or(host.len(), |i| i + 1) } else { host.find(':').unwrap_or(host.len()) };
    let name = &host[..end];
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_everything_below() {
        let matches = |p: &str, h: &str| HostPattern::parse(p).unwrap().matches(without_port(h));
        assert!(matches("shop.example", "SHOP.example.:443"));
        assert!(!matches("shop.example", "www.shop.example"));
        assert!(matches("*.shop.example", "www.shop.example:8080"));
        assert!(!matches("*.shop.example", "shop.example"));
        assert!(!matches("*.shop.example", "\u{e9}shop.example"));
        assert!(matches("[::1]", "[::1]:3000"));
        for bad in ["", "*", "*shop.example", ".", "https://a.example", "a.example:80", "a/b", "a b"] {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
