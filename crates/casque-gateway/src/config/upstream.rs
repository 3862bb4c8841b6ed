//! Where the app is.

use std::fmt;
use std::path::PathBuf;

/// The address of an app: `http://host:port` or `unix:/path/to/socket`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Upstream {
    /// A TCP address; the host is a name or an IP address (IPv6 without brackets).
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

impl Upstream {
    /// Reads an address.
    ///
    /// # Errors
    /// What would have been right, as a sentence fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str = "expected \"http://host:port\" or \"unix:/path/to/socket\"";
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.starts_with('/') {
                Ok(Self::Unix(PathBuf::from(path)))
            } else {
                Err("the socket's path must be absolute, such as \"unix:/run/app.sock\"".to_owned())
            };
        }
        if text.starts_with("https://") {
            return Err("an app behind TLS is not spoken to yet: use its http port".to_owned());
        }
        let authority = text.strip_prefix("http://").ok_or(HELP)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains(['/', '?', '#', '@']) {
            return Err("only the address: paths are passed on as they come".to_owned());
        }
        let (host, port) = split_port(authority).ok_or(HELP)?;
        let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
        if host.is_empty() || !plain {
            return Err(HELP.to_owned());
        }
        Ok(Self::Tcp { host: host.to_owned(), port })
    }

    /// The value of a `Host` field for it, when the client sent none.
    #[must_use]
    pub fn authority(&self) -> String {
        match self {
            Self::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port } => format!("{host}:{port}"),
            Self::Unix(_) => "localhost".to_owned(),
        }
    }
}

fn split_port(authority: &str) -> Option<(&str, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        let port = if after.is_empty() { 80 } else { after.strip_prefix(':')?.parse().ok()? };
        return Some((host, port));
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, port.parse().ok().filter(|p| *p > 0)?)),
        None => Some((authority, 80)),
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { .. } => write!(f, "http://{}", self.authority()),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(Upstream::parse("http://127.0.0.1:3000/").unwrap().to_string(), "http://127.0.0.1:3000");
        assert_eq!(Upstream::parse("http://[::1]:3000").unwrap().authority(), "[::1]:3000");
        assert_eq!(Upstream::parse("http://app").unwrap().authority(), "app:80");
        assert_eq!(Upstream::parse("unix:/run/app.sock").unwrap(), Upstream::Unix("/run/app.sock".into()));
        for bad in [
            "",
            "127.0.0.1:3000",
            "https://a",
            "http://",
            "http://a:0",
            "http://a:x",
            "http://a/b",
            "http://u@a",
            "unix:app.sock",
            "ftp://a",
            "http://a b",
        ] {
            assert!(Upstream::parse(bad).is_err(), "{bad}");
        }
    }
}
