//! Who is calling: the client's address and scheme, read only from proxies that were named.
//!
//! The wrong client address is the oldest hole in rate limiting: a limiter that believes the leftmost `X-Forwarded-For`
//! lets every request choose its own key, and lets an attacker spend a victim's budget. So the rule here is:
//!
//! - the address of the socket counts, unless that peer is a configured trusted proxy;
//! - then the list is read from the right, the first address that is not a trusted proxy is the client;
//! - an unreadable hop stops the walk at the last readable one; it never falls through to the left, where the client writes;
//! - the scheme is believed from a trusted proxy only, and only its own (the rightmost) word.
//!
//! **Attacks and answers.** Forged `X-Forwarded-For` from outside: not read. Forged through a proxy that appends: stands left
//! of the proxy's own entry, never reached. One IPv6 customer with 2^64 addresses: counted by /64. `::ffff:1.2.3.4`, NAT64 and
//! 6to4 spellings of one IPv4 address: folded into it, so they neither share one bucket nor get one each.

mod layer;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::Scheme;

#[cfg(feature = "serve")]
pub(crate) use layer::mark;
pub use layer::{ClientIpLayer, Identify};

/// The address that limits and logs count by. Only this file makes one, so holding it proves that the trusted-proxy walk was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientIp(IpAddr);

impl ClientIp {
    /// The address, IPv4-mapped forms unmapped.
    #[must_use]
    pub fn addr(self) -> IpAddr {
        self.0
    }

    /// The address as a limiter key: IPv4 whole, IPv6 by /64.
    #[must_use]
    pub fn key(self) -> [u8; 16] {
        network_key(self.0, 32, 64)
    }

    /// The client's network as a limiter key: IPv4 by /24, IPv6 by /48.
    #[must_use]
    pub fn network_key(self) -> [u8; 16] {
        network_key(self.0, 24, 48)
    }
}

impl fmt::Display for ClientIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which header a trusted proxy reports the client in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, with the scheme in `X-Forwarded-Proto`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239), with the scheme in its `proto` parameter.
    Forwarded,
}

/// The proxies whose word counts. Empty by default: nobody's does.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

/// Why an entry of the trusted list was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxyError {
    entry: String,
}

impl fmt::Display for TrustedProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is neither an IP address nor a network such as 10.0.0.0/8", self.entry)
    }
}

impl std::error::Error for TrustedProxyError {}

/// What [`TrustedProxies::identify`] found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The client.
    pub ip: ClientIp,
    /// The scheme that a trusted proxy reported, if one did.
    pub reported_scheme: Option<Scheme>,
    /// Whether the socket's peer is itself a trusted proxy (so that its other `X-Forwarded-*` fields may be kept).
    pub peer_is_trusted: bool,
}

impl TrustedProxies {
    /// Reads a list of addresses and networks.
    ///
    /// # Errors
    /// The first entry that is neither.
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, TrustedProxyError> {
        let mut networks = Vec::new();
        for entry in entries {
            networks.push(parse_network(entry.as_ref())?);
        }
        Ok(Self { networks, header: ForwardedHeader::default() })
    }

    /// The same proxies, reporting in another header.
    #[must_use]
    pub fn with_header(mut self, header: ForwardedHeader) -> Self {
        self.header = header;
        self
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether some entry is the whole address space, which trusts everybody and so protects nobody.
    #[must_use]
    pub fn trusts_everyone(&self) -> bool {
        self.networks.iter().any(|n| n.prefix_len() == 0)
    }

    /// Whether this address is a trusted proxy.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = unmap(ip);
        self.networks.iter().any(|n| n.contains(&ip))
    }

    /// Finds the client behind a socket's peer.
    #[must_use]
    pub fn identify(&self, peer: IpAddr, headers: &HeaderMap) -> Caller {
        let peer = unmap(peer);
        if self.networks.is_empty() || !self.contains(peer) {
            return Caller { ip: ClientIp(peer), reported_scheme: None, peer_is_trusted: false };
        }
        let (ip, reported_scheme) = match self.header {
            ForwardedHeader::XForwardedFor => {
                let hops = list_items(headers, &X_FORWARDED_FOR);
                let proto = list_items(headers, &X_FORWARDED_PROTO).last().and_then(|p| Scheme::parse(unquote(p)));
                (self.walk(peer, hops.iter().map(|h| Some(*h))), proto)
            }
            ForwardedHeader::Forwarded => {
                let elements = list_items(headers, &FORWARDED);
                let proto = elements.last().and_then(|e| forwarded_param(e, "proto")).and_then(|p| Scheme::parse(unquote(p)));
                (self.walk(peer, elements.iter().map(|e| forwarded_param(e, "for"))), proto)
            }
        };
        Caller { ip: ClientIp(ip), reported_scheme, peer_is_trusted: true }
    }

    /// Right to left: past trusted hops, up to the first that is not; an unreadable hop ends the walk where it stands.
    fn walk<'a>(&self, peer: IpAddr, hops: impl DoubleEndedIterator<Item = Option<&'a str>>) -> IpAddr {
        let mut last = peer;
        for hop in hops.rev() {
            let Some(ip) = hop.and_then(parse_hop) else { return last };
            last = ip;
            if !self.contains(ip) {
                return ip;
            }
        }
        last
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED: HeaderName = http::header::FORWARDED;

/// The comma-separated items of all lines of a header, in order.
///
/// Commas separate even inside quotes: no address has one, and honouring quotes would let a client's lone `"` swallow the entry
/// that the proxy appends after it. A line that is not ASCII gives one unreadable item, so that it stops the walk instead of
/// vanishing from it.
fn list_items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let mut items = Vec::new();
    for value in headers.get_all(name) {
        match value.to_str() {
            Ok(line) => items.extend(line.split(',').map(str::trim)),
            Err(_) => items.push(""),
        }
    }
    items
}

/// One parameter of a `Forwarded` element (RFC 7239 section 4): names in any case, values token or quoted.
fn forwarded_param<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element.split(';').find_map(|pair| {
        let (k, v) = pair.split_once('=')?;
        k.trim().eq_ignore_ascii_case(name).then(|| v.trim())
    })
}

fn unquote(s: &str) -> &str {
    s.strip_prefix('"').and_then(|s| s.strip_suffix('"')).unwrap_or(s)
}

/// One hop as proxies write it: `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]:5`, either in quotes, a zone id dropped.
#[must_use]
pub fn parse_hop(s: &str) -> Option<IpAddr> {
    let s = unquote(s.trim());
    let bare = if let Some(rest) = s.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        let port_ok = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
        if !port_ok {
            return None;
        }
        inside
    } else if s.bytes().filter(|b| *b == b':').count() == 1 {
        let (host, port) = s.split_once(':')?;
        if !is_port(port) {
            return None;
        }
        host
    } else {
        s
    };
    let bare = bare.split_once('%').map_or(bare, |(addr, _zone)| addr);
    bare.parse().ok().map(unmap)
}

fn is_port(s: &str) -> bool {
    !s.is_empty() && s.len() <= 5 && s.bytes().all(|b| b.is_ascii_digit())
}

fn parse_network(entry: &str) -> Result<IpNet, TrustedProxyError> {
    let trimmed = entry.trim();
    if let Ok(net) = trimmed.parse::<IpNet>() {
        return Ok(net.trunc());
    }
    parse_hop(trimmed).map(IpNet::from).ok_or_else(|| TrustedProxyError { entry: entry.to_owned() })
}

/// Folds the IPv6 spellings of an IPv4 address into it.
///
/// IPv4-mapped `::ffff:a.b.c.d` (RFC 4291 2.5.5.2) and the deprecated IPv4-compatible form; not `::` and `::1`, which look like the latter.
fn unmap(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    let o = v6.octets();
    if o[..12] == [0; 12] && (o[12] != 0 || o[13] != 0) {
        return IpAddr::V4(Ipv4Addr::new(o[12], o[13], o[14], o[15]));
    }
    ip
}

/// The network an address belongs to, as 16 bytes: what limits count by.
///
/// IPv4 in mapped form, cut to `v4_prefix` bits; IPv6 cut to `v6_prefix` bits. The transition forms NAT64 (`64:ff9b::/96`,
/// RFC 6052) and 6to4 (`2002::/16`, RFC 3056) count as the IPv4 address they carry, or all their users would share one bucket.
#[must_use]
pub fn network_key(ip: IpAddr, v4_prefix: u8, v6_prefix: u8) -> [u8; 16] {
    match unmap(ip) {
        IpAddr::V4(v4) => v4_key(v4, v4_prefix),
        IpAddr::V6(v6) => {
            let o = v6.octets();
            if o[..12] == [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] {
                return v4_key(Ipv4Addr::new(o[12], o[13], o[14], o[15]), v4_prefix);
            }
            if o[..2] == [0x20, 0x02] {
                return v4_key(Ipv4Addr::new(o[2], o[3], o[4], o[5]), v4_prefix);
            }
            let bits = u128::from(v6) & mask(u32::from(v6_prefix.min(128)));
            Ipv6Addr::from(bits).octets()
        }
    }
}

fn v4_key(v4: Ipv4Addr, prefix: u8) -> [u8; 16] {
    // In the mapped form the first 96 bits are fixed, so the IPv4 prefix starts there.
    let mapped = u128::from(v4.to_ipv6_mapped()) & mask(96 + u32::from(prefix.min(32)));
    Ipv6Addr::from(mapped).octets()
}

fn mask(bits: u32) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (128 - bits) }
}

#[cfg(feature = "axum")]
mod extract {
    use axum_core::extract::FromRequestParts;
    use http::StatusCode;
    use http::request::Parts;

    use super::ClientIp;

    /// In a handler: `async fn login(ip: ClientIp, ...)`. Needs `casque::serve` or a [`super::ClientIpLayer`], which put the
    /// address on every request.
    impl<S: Send + Sync> FromRequestParts<S> for ClientIp {
        type Rejection = (StatusCode, &'static str);

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
            parts.extensions.get::<Self>().copied().ok_or((
                StatusCode::INTERNAL_SERVER_ERROR,
                "no client address on the request: serve the app with casque::serve or add a ClientIpLayer",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (k, v) in pairs {
            map.append(*k, v.parse().unwrap());
        }
        map
    }

    fn ip(s: &str) -> IpAddr {
        s.parse().unwrap()
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        let trust = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
        let caller = trust.identify(ip("198.51.100.7"), &headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]));
        assert_eq!(caller.ip.addr(), ip("198.51.100.7"));
        assert_eq!(caller.reported_scheme, None);
        assert!(!caller.peer_is_trusted);
    }

    #[test]
    fn the_walk_goes_right_to_left_over_all_lines() {
        let trust = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
        let h = headers(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.5, 10.0.0.9")]);
        assert_eq!(trust.identify(ip("10.0.0.2"), &h).ip.addr(), ip("203.0.113.5"));
    }

    #[test]
    fn an_unreadable_line_stops_the_walk() {
        let trust = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
        let mut h = headers(&[("x-forwarded-for", "6.6.6.6")]);
        h.append("x-forwarded-for", http::HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(trust.identify(ip("10.0.0.2"), &h).ip.addr(), ip("10.0.0.2"));
    }

    #[test]
    fn the_scheme_is_the_word_of_the_nearest_proxy() {
        let trust = TrustedProxies::parse(["10.0.0.2"]).unwrap();
        let h = headers(&[("x-forwarded-for", "203.0.113.5"), ("x-forwarded-proto", "https, http")]);
        assert_eq!(trust.identify(ip("10.0.0.2"), &h).reported_scheme, Some(Scheme::Http));
    }

    #[test]
    fn forwarded_is_read_when_asked_for() {
        let trust = TrustedProxies::parse(["10.0.0.0/8"]).unwrap().with_header(ForwardedHeader::Forwarded);
        let h =
            headers(&[("forwarded", "for=6.6.6.6, For=\"[2001:db8::1]:4711\";proto=HTTPS;by=10.0.0.2"), ("x-forwarded-for", "1.1.1.1")]);
        let caller = trust.identify(ip("10.0.0.2"), &h);
        assert_eq!(caller.ip.addr(), ip("2001:db8::1"));
        assert_eq!(caller.reported_scheme, Some(Scheme::Https));
        let obfuscated = headers(&[("forwarded", "for=6.6.6.6, for=_hidden")]);
        assert_eq!(trust.identify(ip("10.0.0.2"), &obfuscated).ip.addr(), ip("10.0.0.2"));
    }

    #[test]
    fn a_bad_entry_is_named() {
        let err = TrustedProxies::parse(["10.0.0.0/8", "10.0.0.0/33"]).unwrap_err();
        assert_eq!(err.to_string(), "`10.0.0.0/33` is neither an IP address nor a network such as 10.0.0.0/8");
    }

    #[test]
    fn one_customer_network_is_one_key() {
        let key = |s: &str| network_key(ip(s), 32, 64);
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:1.2.3.4"), key("1.2.3.4"));
        assert_ne!(key("1.2.3.4"), key("1.2.3.5"));
        assert_ne!(key("::1"), key("0.0.0.1"));
    }

    proptest::proptest! {
        #[test]
        fn no_hop_text_panics(s in "\\PC{0,60}") {
            let _ = parse_hop(&s);
        }

        #[test]
        fn an_attacker_left_of_a_proxys_entry_changes_nothing(left in "[ -~]{0,40}") {
            let trust = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
            let mut h = HeaderMap::new();
            h.append("x-forwarded-for", format!("{left}, 203.0.113.5").parse().unwrap());
            proptest::prop_assert_eq!(trust.identify(ip("10.0.0.2"), &h).ip.addr(), ip("203.0.113.5"));
        }
    }
}
