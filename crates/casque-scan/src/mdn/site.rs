//! What a user names for a scan: a host, perhaps a port and a path.

use std::fmt;

use url::Url;

/// The longest host name, in bytes (RFC 1035, section 2.3.4, less the length octet and the root).
const LONGEST: usize = 253;

/// A site to be scanned, as the Observatory reads it: `example.com:8443/path`, without a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The host in lower case, in ASCII form.
    pub hostname: String,
    /// The port, unless it is none or 443.
    pub port: Option<u16>,
    /// The path, at least `/`; a query and a fragment are left off.
    pub path: String,
}

impl Site {
    /// Reads a site.
    ///
    /// # Errors
    /// When the text is no host with a port and a path, or the host is a bare label: a scan from outside needs a host below a
    /// top-level domain.
    pub fn parse(text: &str) -> Result<Self, SiteError> {
        let bad = || SiteError::Unreadable(text.to_owned());
        let url = Url::parse(&format!("https://{text}")).map_err(|_| bad())?;
        let hostname = url.host_str().ok_or_else(bad)?.to_owned();
        let labels: Vec<&str> = hostname.split('.').collect();
        if labels.len() < 2 || labels.iter().any(|l| l.is_empty()) {
            return Err(SiteError::Hostname(hostname));
        }
        if hostname.len() > LONGEST {
            return Err(SiteError::TooLong(hostname.len()));
        }
        Ok(Self { hostname, port: url.port(), path: url.path().to_owned() })
    }
}

/// Why a text names no site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteError {
    /// The text is no host with a port and a path.
    Unreadable(String),
    /// The host is not one below a top-level domain.
    Hostname(String),
    /// The host has this many bytes; 253 is the most.
    TooLong(usize),
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(text) => write!(f, "{text:?} names no site; write a host, like example.com or example.com:8443/path"),
            Self::Hostname(host) => write!(f, "{host:?} is not below a top-level domain; write the whole name, like www.example.com"),
            Self::TooLong(bytes) => write!(f, "the host has {bytes} bytes and at most {LONGEST} are possible; look for a doubled part"),
        }
    }
}

impl std::error::Error for SiteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_ports_and_paths() {
        let read = |text: &str| Site::parse(text).map(|s| (s.hostname, s.port, s.path));
        assert_eq!(read("EXAMPLE.com:8443/a/../b?q#f"), Ok(("example.com".to_owned(), Some(8443), "/b".to_owned())));
        assert_eq!(read("bücher.example:443"), Ok(("xn--bcher-kva.example".to_owned(), None, "/".to_owned())));
        assert_eq!(read("localhost:3000"), Err(SiteError::Hostname("localhost".to_owned())));
        assert_eq!(read("https://example.com"), Err(SiteError::Hostname("https".to_owned())));
        assert_eq!(read("a b.example"), Err(SiteError::Unreadable("a b.example".to_owned())));
        assert_eq!(read(&format!("{}com", "a.".repeat(200))), Err(SiteError::TooLong(403)));
        assert!(read("").is_err());
    }
}
