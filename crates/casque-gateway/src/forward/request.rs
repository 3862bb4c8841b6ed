//! The request head, from the client's to the app's.

use std::net::IpAddr;

use bytes::Bytes;
use casque::headers::Nonce;
use casque::{RequestId, Scheme};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, TE, TRANSFER_ENCODING, UPGRADE, VIA};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version};

use crate::admit::Exchange;
use crate::error::Error;
use crate::policy::Target;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request that has passed through so many casques goes in circles.
const MAX_HOPS: usize = 16;

/// What there is to know about a request once its head is ready.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) upgrade: bool,
    pub(super) expects_continue: bool,
    pub(super) content_length: Option<u64>,
    pub(super) version: Version,
}

/// Rewrites the head in place: hop-by-hop fields out (RFC 9110 7.6.1), forwarding fields in, the target in origin form.
pub(super) fn prepare<B>(req: &mut Request<B>, exchange: &Exchange, target: &Target) -> Result<Prepared, Error> {
    let version = req.version();
    let authority = req.uri().authority().map(|a| HeaderValue::from_str(a.as_str()));
    if let Some(Ok(authority)) = authority {
        // RFC 9112 3.2.2: the target's authority replaces whatever Host says.
        req.headers_mut().insert(HOST, authority);
        to_origin_form(req.uri_mut());
    }
    *req.version_mut() = Version::HTTP_11;
    // With a nonce in play the two fields that tell it are our own.
    let nonced = req.extensions().get::<Nonce>().is_some();
    let headers = req.headers_mut();
    if version == Version::HTTP_10
        && !headers.contains_key(HOST)
        && let Ok(host) = HeaderValue::from_str(&target.authority)
    {
        headers.insert(HOST, host);
    }

    let seen = survey(headers, exchange.peer_is_trusted, nonced);
    let content_length = if seen.content_length { headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok()) } else { None };
    let has_body = content_length.is_some_and(|n| n > 0) || seen.transfer_encoding;
    let upgrade = seen.upgrade && !has_body && version == Version::HTTP_11 && may_upgrade(headers, &target.upgrades);
    let expects_continue = seen.expect && has_body && version == Version::HTTP_11;

    if seen.connection {
        remove_nominated(headers);
        headers.remove(CONNECTION);
    }
    if seen.transfer_encoding {
        headers.remove(TRANSFER_ENCODING);
    }
    if seen.te {
        headers.remove(TE);
    }
    if seen.expect && !expects_continue {
        headers.remove(EXPECT);
    }
    if upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    } else if seen.upgrade {
        headers.remove(UPGRADE);
    }
    for name in seen.strangers {
        headers.remove(name);
    }
    forwarding_fields(headers, exchange, version, seen.via)?;
    Ok(Prepared { upgrade, expects_continue, content_length, version })
}

fn to_origin_form(uri: &mut Uri) {
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *uri = Uri::from(path);
}

/// What one pass over the names finds.
#[derive(Debug, Default)]
struct Seen {
    connection: bool,
    transfer_encoding: bool,
    te: bool,
    upgrade: bool,
    expect: bool,
    content_length: bool,
    via: bool,
    /// Fields that must not reach the app: hop-by-hop ones, and ones that only a trusted proxy may write.
    strangers: Vec<HeaderName>,
}

fn survey(headers: &HeaderMap, peer_is_trusted: bool, nonced: bool) -> Seen {
    let mut seen = Seen::default();
    for name in headers.keys() {
        let text = name.as_str();
        match text {
            "connection" => seen.connection = true,
            "transfer-encoding" => seen.transfer_encoding = true,
            "te" => seen.te = true,
            "upgrade" => seen.upgrade = true,
            "expect" => seen.expect = true,
            "content-length" => seen.content_length = true,
            "via" => seen.via = true,
            "keep-alive" | "proxy-connection" | "proxy-authorization" | "http2-settings" => seen.strangers.push(name.clone()),
            "casque-csp-nonce" | "content-security-policy" if nonced => {}
            _ => {
                if is_stranger(text, peer_is_trusted) {
                    seen.strangers.push(name.clone());
                }
            }
        }
    }
    seen
}

/// Whether a field claims what only a proxy may: by its name, or by a spelling that CGI-like servers fold into it.
fn is_stranger(name: &str, peer_is_trusted: bool) -> bool {
    let bytes = name.as_bytes();
    let may_be_one = matches!(bytes.first(), Some(b'x' | b'f' | b'c' | b'v' | b'h' | b't' | b'p'));
    if !may_be_one {
        return false;
    }
    let alias = bytes.iter().any(|b| matches!(b, b'_' | b'.'));
    if !alias {
        return is_never_passed(name) || (is_forwarding(name) && !(peer_is_trusted && is_told_by_proxies(name)));
    }
    let folded = name.replace(['_', '.'], "-");
    is_forwarding(&folded)
        || is_never_passed(&folded)
        || matches!(folded.as_str(), "via" | "host" | "content-length" | "transfer-encoding" | "x-request-id" | "cookie" | "content-type")
}

/// Our own fields; `Proxy`, which CGI programs take for a variable that redirects their requests; the fields by which some servers
/// serve another path than the one that was asked for and checked; and a policy, from which Next.js takes a nonce.
fn is_never_passed(name: &str) -> bool {
    name.starts_with("casque-")
        || matches!(name, "proxy" | "x-original-url" | "x-rewrite-url" | "content-security-policy" | "content-security-policy-report-only")
}

fn is_forwarding(name: &str) -> bool {
    name.starts_with("x-forwarded-")
        || matches!(name, "forwarded" | "x-real-ip" | "x-client-ip" | "x-cluster-client-ip" | "true-client-ip" | "cf-connecting-ip")
}

/// What a trusted proxy may say besides the address, which is told anew. Proxies pass other fields of this kind through from the
/// client without a look.
fn is_told_by_proxies(name: &str) -> bool {
    matches!(name, "forwarded" | "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host" | "x-forwarded-port" | "x-forwarded-prefix")
}

/// RFC 9110 7.8: the client lists protocols; the first that is allowed is the one asked for. All must be known, or the app could
/// choose one that is not.
fn may_upgrade(headers: &HeaderMap, allowed: &[String]) -> bool {
    let connection_says_so = headers.get_all(CONNECTION).iter().any(|v| has_token(v, "upgrade"));
    let mut protocols = headers.get_all(UPGRADE).iter().flat_map(|v| v.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii);
    connection_says_so && protocols.all(|p| allowed.iter().any(|a| p.eq_ignore_ascii_case(a.as_bytes())))
}

fn has_token(value: &HeaderValue, token: &str) -> bool {
    value.as_bytes().split(|b| *b == b',').any(|t| t.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// Removes what `Connection` names. Names that must reach the app were refused when the head was read.
pub(super) fn remove_nominated(headers: &mut HeaderMap) {
    let plain = |v: &HeaderValue| matches!(v.as_bytes(), b"keep-alive" | b"close" | b"upgrade" | b"Upgrade");
    if headers.get_all(CONNECTION).iter().all(plain) {
        return;
    }
    let nominated: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|v| v.as_bytes().split(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|t| {
            !t.is_empty()
                && !t.eq_ignore_ascii_case(b"close")
                && !t.eq_ignore_ascii_case(b"keep-alive")
                && !t.eq_ignore_ascii_case(b"upgrade")
        })
        .filter_map(|t| HeaderName::from_bytes(t).ok())
        .collect();
    for name in nominated {
        headers.remove(name);
    }
}

fn forwarding_fields(headers: &mut HeaderMap, exchange: &Exchange, version: Version, has_via: bool) -> Result<(), Error> {
    // The client first, then the proxy it came through. What stood left of the client in a proxy's list is the client's own
    // invention, and apps that read the list from the left would take it for the truth.
    let mut hops = Hops::default();
    hops.push(exchange.client.addr());
    if exchange.peer_is_trusted && exchange.peer != exchange.client.addr() {
        hops.push(exchange.peer);
    }
    if exchange.peer_is_trusted && headers.contains_key(FORWARDED) {
        headers.insert(FORWARDED, forwarded(exchange));
    }
    headers.insert(X_FORWARDED_FOR, hops.value());
    headers.insert(
        X_FORWARDED_PROTO,
        HeaderValue::from_static(match exchange.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }),
    );
    if !(exchange.peer_is_trusted && headers.contains_key(X_FORWARDED_HOST))
        && let Some(host) = casque::host::field(headers).cloned()
    {
        headers.insert(X_FORWARDED_HOST, host);
    }
    if !(exchange.peer_is_trusted && headers.get(X_REQUEST_ID).is_some_and(is_harmless_id)) {
        headers.insert(X_REQUEST_ID, id_value(exchange.id));
    }
    via(headers, version, has_via)
}

/// RFC 9110 7.6.3: a gateway must add itself to requests.
fn via(headers: &mut HeaderMap, version: Version, there: bool) -> Result<(), Error> {
    let ours = if version == Version::HTTP_10 { "1.0 casque" } else { "1.1 casque" };
    if !there {
        headers.insert(VIA, HeaderValue::from_static(ours));
        return Ok(());
    }
    let hops = headers
        .get_all(VIA)
        .iter()
        .flat_map(|v| v.as_bytes().split(|b| *b == b','))
        .filter(|h| h.trim_ascii().ends_with(b" casque"))
        .count();
    if hops >= MAX_HOPS {
        return Err(Error::Loop);
    }
    append_to_list(headers, VIA, ours.as_bytes());
    Ok(())
}

/// Makes one line of a list field's lines and adds an item at its end.
fn append_to_list(headers: &mut HeaderMap, name: HeaderName, item: &[u8]) {
    let mut list = Vec::with_capacity(64);
    for line in headers.get_all(&name) {
        list.extend_from_slice(line.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(item);
    headers.insert(name, value(&list));
}

/// Copied once, to its length: a vector with room to spare would be kept behind a counter, which is one more allocation.
fn value(bytes: &[u8]) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::copy_from_slice(bytes)).unwrap_or(HeaderValue::from_static("unknown"))
}

/// The same in the words of RFC 7239.
fn forwarded(exchange: &Exchange) -> HeaderValue {
    let node = |ip: IpAddr| if ip.is_ipv6() { format!("for=\"[{ip}]\"") } else { format!("for={ip}") };
    let mut elements = format!("{};proto={}", node(exchange.client.addr()), exchange.scheme.as_str());
    if exchange.peer != exchange.client.addr() {
        elements.push_str(", ");
        elements.push_str(&node(exchange.peer));
    }
    value(elements.as_bytes())
}

/// A list of at most two addresses, written on the stack: it is done for every request.
#[derive(Debug)]
struct Hops {
    text: [u8; Self::ROOM],
    len: usize,
}

impl Default for Hops {
    fn default() -> Self {
        Self { text: [0; Self::ROOM], len: 0 }
    }
}

impl Hops {
    /// Two IPv6 addresses, 45 characters at most as INET6_ADDRSTRLEN of POSIX has it, and what parts them.
    const ROOM: usize = 2 * 45 + 2;

    fn push(&mut self, ip: IpAddr) {
        if self.len > 0 {
            self.bytes(b", ");
        }
        match ip {
            // By hand: the formatting machinery costs ten times as much.
            IpAddr::V4(v4) => {
                for (i, octet) in v4.octets().into_iter().enumerate() {
                    if i > 0 {
                        self.bytes(b".");
                    }
                    for (place, shown_from) in [(100, 100), (10, 10), (1, 0)] {
                        if octet >= shown_from {
                            self.bytes(&[b'0' + octet / place % 10]);
                        }
                    }
                }
            }
            IpAddr::V6(_) => self.bytes(ip.to_string().as_bytes()),
        }
    }

    /// What there is no room for is left out, which two addresses never need.
    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(place) = self.text.get_mut(self.len..self.len + bytes.len()) {
            place.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    fn value(&self) -> HeaderValue {
        value(&self.text[..self.len])
    }
}

fn id_value(id: RequestId) -> HeaderValue {
    value(&id.as_hex())
}

/// An id from another proxy: short, and of characters that mean nothing anywhere.
fn is_harmless_id(id: &HeaderValue) -> bool {
    (1..=128).contains(&id.len()) && id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=@".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_of_proxy_fields_are_strangers() {
        for name in [
            "x_forwarded_for",
            "x.forwarded.for",
            "x-forwarded_proto",
            "casque-csp-nonce",
            "casque_session",
            "x-forwarded-for",
            "forwarded",
            "x-real-ip",
            "content_length",
            "x_real_ip",
        ] {
            assert!(is_stranger(name, false), "{name}");
        }
        for name in ["x-custom_header", "user_id", "x-api-key", "cookie", "via", "x-request-id", "content-type", "host"] {
            assert!(!is_stranger(name, false), "{name}");
        }
        assert!(!is_stranger("x-forwarded-for", true) && is_stranger("x-real-ip", true) && is_stranger("true-client-ip", true));
        assert!(is_stranger("proxy", true) && is_stranger("x-original-url", false));
        assert!(is_stranger("x_forwarded_for", true) && is_stranger("casque-x", true));
    }

    #[test]
    fn addresses_are_written_as_the_standard_library_does() {
        let long = "1111:2222:3333:4444:5555:6666:7777:8888";
        for ip in ["0.0.0.0", "1.20.255.100", "10.0.9.99", "2001:db8::1", "::ffff:255.255.255.255", long] {
            let mut hops = Hops::default();
            hops.push(ip.parse().unwrap());
            assert_eq!(hops.value(), ip);
            hops.push(long.parse().unwrap());
            assert_eq!(hops.value(), format!("{ip}, {long}"));
        }
    }

    #[test]
    fn only_listed_protocols_may_be_switched_to() {
        let headers = |upgrade: &'static str, connection: &'static str| {
            HeaderMap::from_iter([(UPGRADE, HeaderValue::from_static(upgrade)), (CONNECTION, HeaderValue::from_static(connection))])
        };
        let allowed = vec!["websocket".to_owned()];
        assert!(may_upgrade(&headers("WebSocket", "keep-alive, Upgrade"), &allowed));
        assert!(!may_upgrade(&headers("websocket, h2c", "upgrade"), &allowed));
        assert!(!may_upgrade(&headers("h2c", "upgrade"), &allowed));
        assert!(!may_upgrade(&headers("websocket", "keep-alive"), &allowed));
    }

    #[test]
    fn nominated_fields_go() {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("close, X-Hop, keep-alive"));
        headers.insert("x-hop", HeaderValue::from_static("1"));
        headers.insert("x-stay", HeaderValue::from_static("1"));
        remove_nominated(&mut headers);
        assert!(!headers.contains_key("x-hop") && headers.contains_key("x-stay"));
    }

    #[test]
    fn ids_of_other_proxies_are_kept_only_if_they_are_harmless() {
        assert!(is_harmless_id(&HeaderValue::from_static("a1-b2:c3")));
        assert!(!is_harmless_id(&HeaderValue::from_static("a b")));
        assert!(!is_harmless_id(&HeaderValue::from_static("<script>")));
        assert!(!is_harmless_id(&HeaderValue::from_static("")));
    }
}
