//! What of a request a limit counts by.
//!
//! **Attacks and answers.** *Rotating a made-up header or cookie for a fresh budget each time*: whoever makes up keys may begin
//! only so many an hour ([`super::Charge::creator`]), the others share one. *Leaving it out*: then the client's address counts.
//! *Sending two, of which the app takes the other one*: two are as good as none. *Spelling it differently*: quotes, white space,
//! percent-encodings and the case of an authorization scheme do not make another key. *A long one*: keys are digests.

use std::borrow::Cow;
use std::fmt;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, Method};

use super::subject::{Subject, SubjectHasher};
use crate::client_ip::ClientIp;
use crate::path::normalize;

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The client's address: IPv4 whole, IPv6 by /64.
    Client,
    /// The client's network: IPv4 /24, IPv6 /48.
    Network,
    /// A request header's value. A request without it, or with more than one, counts by client.
    Header(HeaderName),
    /// A cookie's value. A request without it, or with more than one of that name, counts by client.
    Cookie(String),
    /// The path in normal form.
    Path,
    /// The method.
    Method,
}

/// As in casque.toml.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("client"),
            Self::Network => f.write_str("network"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Path => f.write_str("path"),
            Self::Method => f.write_str("method"),
        }
    }
}

/// Header fields in which proxies write addresses, and in which clients write what they like.
const ADDRESS_FIELDS: [&str; 7] =
    ["x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip", "x-client-ip", "x-cluster-client-ip"];

impl Part {
    /// Reads a part as it is written in casque.toml: `client`, `network`, `header:NAME`, `cookie:NAME`, `path` or `method`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence fragment with the remedy.
    pub fn parse(written: &str) -> Result<Self, String> {
        match written.split_once(':') {
            None => match written {
                "client" => Ok(Self::Client),
                "network" => Ok(Self::Network),
                "path" => Ok(Self::Path),
                "method" => Ok(Self::Method),
                _ => Err("expected client, network, path, method, header:NAME or cookie:NAME".to_owned()),
            },
            Some(("header", name)) => {
                let name = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no name of a header field"))?;
                if ADDRESS_FIELDS.contains(&name.as_str()) {
                    return Err("clients write there what they like; use \"client\", and name your proxies in [client-ip]".to_owned());
                }
                if name == COOKIE {
                    return Err("name the cookie: cookie:NAME".to_owned());
                }
                Ok(Self::Header(name))
            }
            Some(("cookie", name)) => {
                // A cookie-name is a token (RFC 6265 4.1.1), as a header's is.
                let token = HeaderName::try_from(name).is_ok();
                if token { Ok(Self::Cookie(name.to_owned())) } else { Err(format!("`{name}` is no name of a cookie")) }
            }
            Some(_) => Err("expected client, network, path, method, header:NAME or cookie:NAME".to_owned()),
        }
    }
}

/// What a limit counts by: a list of parts, of which every combination has its own budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountBy {
    parts: Vec<Part>,
}

impl Default for CountBy {
    fn default() -> Self {
        Self { parts: vec![Part::Client] }
    }
}

/// What of a request a key is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'r> {
    pub(super) client: ClientIp,
    pub(super) method: &'r Method,
    pub(super) path: &'r str,
    pub(super) headers: &'r HeaderMap,
}

impl CountBy {
    /// These parts together; none is the client.
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: Vec<Part> = parts.into_iter().collect();
        if parts.is_empty() { Self::default() } else { Self { parts } }
    }

    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether the client's address is all, which is the usual case.
    #[inline]
    pub(super) fn is_client(&self) -> bool {
        matches!(self.parts[..], [Part::Client])
    }

    /// Whether it looks at header fields or cookies, which a log does not have.
    #[must_use]
    pub fn needs_headers(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Header(_) | Part::Cookie(_)))
    }

    /// Whom a client's requests are counted under that have none of the header fields and cookies that are looked at; `None` where
    /// that depends on the request.
    #[must_use]
    pub fn of_client(&self, client: ClientIp) -> Option<Subject> {
        let depends = self.parts.iter().any(|part| matches!(part, Part::Path | Part::Method));
        let asked = Asking { client, method: &Method::GET, path: "/", headers: &HeaderMap::new() };
        (!depends).then(|| self.subject(asked).0)
    }

    /// Whom requests with this value are counted under, where one header field or cookie is all that is looked at.
    #[must_use]
    pub fn of_value(&self, value: &str) -> Option<Subject> {
        let hasher = |value: &[u8]| {
            let mut hasher = SubjectHasher::default();
            hasher.part(value);
            hasher.part(b"given");
            hasher.finish()
        };
        match &self.parts[..] {
            [Part::Header(name)] => header_value(name, value.as_bytes()).map(|value| hasher(&value)),
            [Part::Cookie(_)] => cookie_value(value.trim().as_bytes()).map(|value| hasher(&value)),
            _ => None,
        }
    }

    /// Whom a request is counted under, and who answers for a new key where a client can make one up.
    pub(super) fn subject(&self, asked: Asking<'_>) -> (Subject, Option<Subject>) {
        match self.parts[..] {
            [Part::Client] => return (Subject::client(asked.client), None),
            [Part::Network] => return (Subject::network(asked.client), None),
            _ => {}
        }
        let mut hasher = SubjectHasher::default();
        let mut made_up = false;
        for part in &self.parts {
            let value = match part {
                Part::Client => Some(Cow::Owned(asked.client.key().to_vec())),
                Part::Network => Some(Cow::Owned(asked.client.network_key().to_vec())),
                Part::Method => Some(Cow::Owned(asked.method.as_str().to_ascii_uppercase().into_bytes())),
                Part::Path => {
                    made_up = true;
                    Some(Cow::Owned(normalize(asked.path).into_owned().into_bytes()))
                }
                Part::Header(name) => header(asked.headers, name),
                Part::Cookie(name) => cookie(asked.headers, name),
            };
            made_up |= value.is_some() && matches!(part, Part::Header(_) | Part::Cookie(_));
            // What is absent is not what is empty, nor what looks like an address.
            match value {
                Some(value) => hasher.part(&value),
                None => {
                    hasher.part(b"absent");
                    hasher.part(&asked.client.key());
                }
            }
            hasher.part(if made_up { b"given" } else { b"known" });
        }
        (hasher.finish(), made_up.then(|| Subject::client(asked.client)))
    }
}

/// The value of the only line of that name.
fn header<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Option<Cow<'r, [u8]>> {
    let mut lines = headers.get_all(name).iter();
    header_value(name, lines.next().filter(|_| lines.next().is_none())?.as_bytes())
}

/// In normal form; `None` if it is empty.
fn header_value<'v>(name: &HeaderName, value: &'v [u8]) -> Option<Cow<'v, [u8]>> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return None;
    }
    if *name != AUTHORIZATION {
        return Some(Cow::Borrowed(value));
    }
    // Schemes are compared in any case (RFC 9110 11.1), and what separates them from the rest is any space.
    let end = value.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    let mut normal = scheme.to_ascii_lowercase();
    normal.push(b' ');
    normal.extend_from_slice(rest.trim_ascii());
    Some(Cow::Owned(normal))
}

/// The value of the only cookie of that name, without quotes and with percent-encodings decoded, as most apps read it.
fn cookie<'r>(headers: &'r HeaderMap, name: &str) -> Option<Cow<'r, [u8]>> {
    let mut found = None;
    for line in headers.get_all(COOKIE) {
        for pair in line.as_bytes().split(|b| *b == b';') {
            let Some(equals) = pair.iter().position(|b| *b == b'=') else { continue };
            let (key, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
            if key == name.as_bytes() && found.replace(value).is_some() {
                return None;
            }
        }
    }
    cookie_value(found?)
}

fn cookie_value(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let value = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
    (!value.is_empty()).then(|| percent_decoded(value))
}

fn percent_decoded(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'%') {
        return Cow::Borrowed(value);
    }
    let digit = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let escape = digit(value.get(at + 1)).zip(digit(value.get(at + 2)));
        match escape.filter(|_| *byte == b'%') {
            Some((high, low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::client_ip::TrustedProxies;

    fn client(ip: &str) -> ClientIp {
        TrustedProxies::default().identify(ip.parse::<IpAddr>().unwrap(), &HeaderMap::new()).ip
    }

    fn count(parts: &[&str], ip: &str, path: &str, fields: &[(&str, &str)]) -> (Subject, Option<Subject>) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let by = CountBy::new(parts.iter().map(|p| Part::parse(p).unwrap()));
        by.subject(Asking { client: client(ip), method: &Method::GET, path, headers: &headers })
    }

    fn key(parts: &[&str], fields: &[(&str, &str)]) -> Subject {
        count(parts, "192.0.2.1", "/", fields).0
    }

    #[test]
    fn a_header_counts_wherever_it_comes_from() {
        let by = ["header:x-api-key"];
        let from = |ip, value| count(&by, ip, "/", &[("x-api-key", value)]);
        assert_eq!(from("192.0.2.1", "k1").0, from("198.51.100.9", " k1 ").0);
        assert_ne!(from("192.0.2.1", "k1").0, from("192.0.2.1", "k2").0);
        assert_eq!(from("192.0.2.1", "k1").1, Some(Subject::client(client("192.0.2.1"))), "its sender answers for a new key");
    }

    #[test]
    fn without_it_or_with_two_the_client_counts() {
        let by = ["header:x-api-key"];
        let absent = count(&by, "192.0.2.1", "/", &[]);
        assert_eq!(absent, count(&by, "192.0.2.1", "/", &[("x-api-key", "")]));
        assert_eq!(absent, count(&by, "192.0.2.1", "/", &[("x-api-key", "a"), ("x-api-key", "b")]));
        assert_ne!(absent.0, count(&by, "192.0.2.2", "/", &[]).0, "all who leave it out must not share one budget");
        assert_eq!(absent.1, None);
        let by = ["cookie:sid"];
        let absent = key(&by, &[]);
        for cookies in ["sid=a; sid=b", "sid=", "sid", "x=1", "sid=\"\""] {
            assert_eq!(key(&by, &[("cookie", cookies)]), absent, "{cookies}");
        }
        assert_eq!(key(&by, &[("cookie", "sid=a"), ("cookie", "sid=b")]), absent);
    }

    #[test]
    fn spellings_of_one_value_are_one_key() {
        let by = ["cookie:sid"];
        let plain = key(&by, &[("cookie", "sid=abc")]);
        for other in ["sid=\"abc\"", "a=1; sid=abc ;b=2", " sid = abc", "sid=%61b%63"] {
            assert_eq!(key(&by, &[("cookie", other)]), plain, "{other}");
        }
        assert_ne!(key(&by, &[("cookie", "SID=abc")]), plain, "names of cookies are told apart by case");
        let by = ["header:authorization"];
        assert_eq!(key(&by, &[("authorization", "Bearer  x.y")]), key(&by, &[("authorization", "bEARER x.y")]));
        assert_ne!(key(&by, &[("authorization", "Bearer x.Y")]), key(&by, &[("authorization", "Bearer x.y")]));
        let by = ["path"];
        assert_eq!(count(&by, "192.0.2.1", "//Login/", &[]).0, count(&by, "198.51.100.1", "/login", &[]).0);
    }

    #[test]
    fn an_operator_finds_whom_a_request_was_counted_under() {
        let by = |parts: &[&str]| CountBy::new(parts.iter().map(|p| Part::parse(p).unwrap()));
        let alice = client("192.0.2.1");
        assert_eq!(by(&["client"]).of_client(alice), Some(Subject::client(alice)));
        assert_eq!(by(&["network"]).of_client(alice), Some(Subject::network(alice)));
        assert_eq!(by(&["header:x-api-key"]).of_client(alice), Some(key(&["header:x-api-key"], &[])));
        assert_eq!(by(&["client", "path"]).of_client(alice), None);
        assert_eq!(
            by(&["header:authorization"]).of_value("BEARER  x.y "),
            Some(key(&["header:authorization"], &[("authorization", "Bearer x.y")]))
        );
        assert_eq!(by(&["cookie:sid"]).of_value("\"a%62c\""), Some(key(&["cookie:sid"], &[("cookie", "sid=abc")])));
        for (parts, value) in [(&["header:a"][..], " "), (&["cookie:a"], "\"\""), (&["client"], "x"), (&["header:a", "client"], "x")] {
            assert_eq!(by(parts).of_value(value), None);
        }
        assert!(by(&["client", "cookie:a"]).needs_headers() && !by(&["client", "path", "method", "network"]).needs_headers());
    }

    #[test]
    fn parts_are_kept_apart() {
        let both = ["header:a", "header:b"];
        assert_ne!(key(&both, &[("a", "x"), ("b", "y")]), key(&both, &[("a", "y"), ("b", "x")]));
        assert_ne!(key(&both, &[("a", "x")]), key(&both, &[("b", "x")]));
        let by_client = count(&["client"], "2001:db8::1", "/", &[]).0;
        assert_eq!(by_client, count(&["client"], "2001:db8::2", "/", &[]).0);
        let network = |ip| count(&["network"], ip, "/", &[]).0;
        assert_eq!(network("192.0.2.1"), network("192.0.2.254"));
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:ffff::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_ne!(count(&["client", "method"], "192.0.2.1", "/", &[]).0, count(&["client", "path"], "192.0.2.1", "/", &[]).0);
    }

    #[test]
    fn parts_are_written_as_they_are_read() {
        for part in ["client", "network", "path", "method", "header:x-api-key", "cookie:sid"] {
            assert_eq!(Part::parse(part).unwrap().to_string(), part);
        }
    }

    #[test]
    fn what_cannot_be_counted_by_is_refused_with_the_remedy() {
        for (written, told) in [
            ("ip", "expected client"),
            ("header:", "no name of a header"),
            ("header:x y", "no name of a header"),
            ("header:X-Forwarded-For", "[client-ip]"),
            ("header:cookie", "cookie:NAME"),
            ("cookie:a b", "no name of a cookie"),
            ("body:x", "expected client"),
        ] {
            assert!(Part::parse(written).unwrap_err().contains(told), "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_request_panics(cookie: Vec<u8>, authorization: Vec<u8>, path: String) {
            let mut headers = HeaderMap::new();
            for (name, bytes) in [(COOKIE, cookie), (AUTHORIZATION, authorization)] {
                if let Ok(value) = http::HeaderValue::from_bytes(&bytes) {
                    headers.append(name, value);
                }
            }
            let by = CountBy::new(["cookie:a", "header:authorization", "path", "network"].map(|p| Part::parse(p).unwrap()));
            let _ = by.subject(Asking { client: client("192.0.2.1"), method: &Method::GET, path: &path, headers: &headers });
        }
    }
}
