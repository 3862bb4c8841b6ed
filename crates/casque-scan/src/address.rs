//! Web addresses, as far as a scan needs them: what is asked, where a redirect leads, whose script a page loads.
//!
//! Read as browsers read them (the WHATWG URL standard, by the crate `url`), with the leniency that attackers count on: schemes in
//! any case, `\` for `/`, tabs and line breaks inside, `2130706433` for 127.0.0.1.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest address that is read: what browsers take at most in practice.
const MAX_BYTES: usize = 64 * 1024;

/// An http or https address without user, password and fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whether it is https.
    pub https: bool,
    /// The host in lower case; an IPv6 address without its brackets.
    pub host: String,
    /// The port if it is not the scheme's own.
    pub port: Option<u16>,
    /// Path and query, from the first `/` on.
    pub path: String,
}

impl Address {
    /// Reads an absolute http or https address. `None` for any other scheme, and where there is no usable host.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        Self::of(&Url::parse(text).ok()?)
    }

    /// Where a reference on this page leads: a redirect's `Location`, a script's `src`. `None` when that is not on the web.
    #[must_use]
    pub fn join(&self, reference: &str) -> Option<Self> {
        if reference.len() > MAX_BYTES {
            return None;
        }
        Self::of(&Url::parse(&self.to_string()).ok()?.join(reference).ok()?)
    }

    fn of(url: &Url) -> Option<Self> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = match url.host()? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        Some(Self { https, host, port: url.port(), path: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned() })
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The port that is connected to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.https { 443 } else { 80 })
    }

    /// Scheme, host and port as browsers write them in `Origin`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }

    /// Host and port as they stand in `Host`.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// Whether scheme, host and port are the same.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.https == other.https && self.host == other.host && self.port() == other.port()
    }

    /// The same place with another path.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

/// Whether a host is reached from this machine or network only: a loopback, private or link-local address, `localhost`, a name
/// without a dot, or a name under a suffix that is kept for such use (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`).
#[must_use]
pub fn is_private_host(host: &str) -> bool {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return is_private_ip(ip);
    }
    let host = host.trim_end_matches('.');
    let last = host.rsplit('.').next().unwrap_or_default();
    !host.contains('.') || matches!(last, "localhost" | "local" | "test" | "internal" | "lan" | "invalid") || host.ends_with(".home.arpa")
}

fn is_private_ip(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| is_private_v6(v6), is_private_v4),
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    // 100.64.0.0/10 is what carriers and overlay networks use inside (RFC 6598).
    let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
    ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified() || shared
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    // 64:ff9b::/96 is translated to the IPv4 address at its end (RFC 6052).
    if let [0x64, 0xff9b, 0, 0, 0, 0, ..] = ip.segments() {
        let [.., a, b, c, d] = ip.octets();
        return is_private_v4(Ipv4Addr::new(a, b, c, d));
    }
    ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn join(base: &str, reference: &str) -> Option<String> {
        Address::parse(base).unwrap().join(reference).map(|a| a.to_string())
    }

    #[test]
    fn addresses_are_read_as_browsers_read_them() {
        for (text, read) in [
            ("HTTPS://Shop.Example:443", "https://shop.example/"),
            ("http://shop.example:8080/a/../b?x=/../#top", "http://shop.example:8080/b?x=/../"),
            ("https://user:secret@shop.example/", "https://shop.example/"),
            ("https:\\\\shop.example\\a", "https://shop.example/a"),
            (" ht\ntps://shop.example?q", "https://shop.example/?q"),
            ("http://[::1]:3000/", "http://[::1]:3000/"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("https://b\u{fc}cher.example/\u{fc}", "https://xn--bcher-kva.example/%C3%BC"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), read, "{text:?}");
        }
        for text in ["", "shop.example", "ftp://a/", "javascript:alert(1)", "https://", "https://a b/", "https://a:99999/", "http://[::1/"]
        {
            assert_eq!(Address::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn references_are_resolved() {
        let base = "https://shop.example/a/b?q=1";
        for (reference, leads_to) in [
            ("", "https://shop.example/a/b?q=1"),
            ("c.js", "https://shop.example/a/c.js"),
            ("../../../c.js", "https://shop.example/c.js"),
            ("/c/./d", "https://shop.example/c/d"),
            ("?q=2", "https://shop.example/a/b?q=2"),
            ("//cdn.example/x", "https://cdn.example/x"),
            ("\\\\cdn.example/x", "https://cdn.example/x"),
            ("HTTP://shop.example/x", "http://shop.example/x"),
            ("https:c.js", "https://shop.example/a/c.js"),
            ("#top", "https://shop.example/a/b?q=1"),
        ] {
            assert_eq!(join(base, reference).unwrap(), leads_to, "{reference:?}");
        }
        assert_eq!(join(base, "data:text/plain,x"), None);
        assert_eq!(join(base, "javascript:1"), None);
    }

    #[test]
    fn private_hosts_are_told_from_public_ones() {
        for host in [
            "localhost",
            "app.localhost",
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "100.64.1.1",
            "::1",
            "fd00::1",
            "64:ff9b::a9fe:a9fe",
            "db",
            "nas.local",
        ] {
            assert!(is_private_host(host), "{host}");
        }
        for host in ["shop.example", "93.184.216.34", "2606:4700::1", "64:ff9b::5db8:d822", "local.example", "100.128.0.1"] {
            assert!(!is_private_host(host), "{host}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_read_reads_the_same_again(base in ".{0,40}", reference in "(https?:|//|\\\\|[a-z]:)?.{0,40}") {
            let _ = is_private_host(&base);
            let page = Address::parse(&base).unwrap_or_else(|| Address::parse("https://a.example/b/c").unwrap());
            if let Some(address) = page.join(&reference) {
                prop_assert_eq!(Address::parse(&address.to_string()), Some(address));
            }
        }
    }
}
