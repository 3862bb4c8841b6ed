//! URLs without what they give away.

use super::clean::{MARK, visible};

/// Longest path that is kept, in bytes.
const PATH: usize = 256;
/// Longest host name there is (RFC 1035 2.3.4), in characters.
const HOST: usize = 253;
/// Letters and digits in a row from which on a path segment is taken for a token: 128 bits in base 36 and shorter alphabets.
const TOKEN: usize = 24;
/// Hexadecimal digits from which on a path segment is taken for an id: 64 bits.
const ID: usize = 16;
/// The schemes that have a host, and their default ports.
const SCHEMES: [(&str, u16); 4] = [("https", 443), ("http", 80), ("wss", 443), ("ws", 80)];

/// Where something is on the web: origin and path of an http, https, ws or wss URL, and nothing else of it.
///
/// Query, fragment and userinfo are dropped because they carry tokens and passwords; so are path parameters (`;jsessionid=..`), and
/// `…` stands for a segment that looks like a token: 24 or more letters and digits in a row, digits among them, in a segment
/// without a dot, or a JSON Web Token.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Scheme, host in lower case, and the port unless it is the scheme's own: `https://shop.example`.
    pub origin: Box<str>,
    /// The path, `/` at least, at most 256 bytes; empty where only the origin counts.
    pub path: Box<str>,
}

impl Address {
    /// Reads a URL. `None` for other schemes, and for a host that no browser would send.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let (scheme, default_port) = SCHEMES.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name))?;
        // A backslash ends the host as it does in browsers (WHATWG URL, authority state), so that both see the same one.
        let (authority, tail) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = split_port(host)?;
        let mut origin = format!("{scheme}://{}", host.to_ascii_lowercase());
        if let Some(port) = port.filter(|p| *p != default_port) {
            origin.push(':');
            origin.push_str(&port.to_string());
        }
        let path = tail.split(['?', '#']).next().unwrap_or("");
        Some(Self { origin: origin.into(), path: visible(&without_secrets(path), PATH) })
    }

    /// The host name, without scheme and port; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.origin.split_once("://").map_or(&*self.origin, |(_, host)| host);
        match host.rfind(']') {
            Some(end) => &host[..=end],
            None => host.split(':').next().unwrap_or(host),
        }
    }

    /// The path with `…` for every segment that is a number or an id in hexadecimal, UUIDs among them.
    pub(super) fn route(&self) -> Box<str> {
        let segments: Vec<&str> = self.path.split('/').map(|segment| if is_id(segment) { MARK } else { segment }).collect();
        visible(&segments.join("/"), PATH)
    }

    /// The same place with only its origin left.
    pub(super) fn origin_only(self) -> Self {
        Self { path: Box::default(), ..self }
    }

    pub(super) fn heap(&self) -> usize {
        self.origin.len() + self.path.len()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

fn split_port(host: &str) -> Option<(&str, Option<u16>)> {
    let end = if host.starts_with('[') { host.find(']')? + 1 } else { host.find(':').unwrap_or(host.len()) };
    let (name, port) = host.split_at(end);
    let in_brackets = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let plain = match in_brackets {
        Some(address) => address.contains(':') && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'),
        None => !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    if !plain || name.len() > HOST {
        return None;
    }
    match port.strip_prefix(':') {
        None => port.is_empty().then_some((name, None)),
        Some("") => Some((name, None)),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some((name, Some(digits.parse().ok()?))),
        Some(_) => None,
    }
}

fn without_secrets(path: &str) -> String {
    let mut out = String::with_capacity(path.len().min(2 * PATH));
    for segment in path.split(['/', '\\']).skip(1) {
        let name = segment.split(';').next().unwrap_or("");
        out.push('/');
        out.push_str(if looks_like_a_token(name) { MARK } else { name });
        if out.len() > PATH {
            break;
        }
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

fn looks_like_a_token(segment: &str) -> bool {
    // File names of builds carry hashes and are no secrets; JSON Web Tokens all begin with the same three letters.
    let is_candidate = segment.starts_with("eyJ") || !segment.contains('.');
    is_candidate
        && segment.bytes().any(|b| b.is_ascii_digit())
        && segment.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() >= TOKEN)
}

fn is_id(segment: &str) -> bool {
    let is_number = !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit());
    let is_hex = segment.len() >= ID && segment.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    is_number || (is_hex && segment.bytes().any(|b| b.is_ascii_digit()))
}

/// The text with every URL in it cut to origin and path, a mark where something was left out.
pub(super) fn without_queries(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let start = rest[..at].char_indices().rev().take_while(|(_, c)| is_scheme(*c)).last().map_or(at, |(i, _)| i);
        let tail = &rest[at + 3..];
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
        let end = at + 3 + tail.find(ends).unwrap_or(tail.len());
        out.push_str(&rest[..start]);
        let url = &rest[start..end];
        match Address::parse(url) {
            Some(address) => out.push_str(&address.to_string()),
            None => out.push_str(&rest[start..at + 3]),
        }
        if url.contains(['?', '#', '@']) {
            out.push_str(MARK);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(url: &str) -> String {
        Address::parse(url).map_or_else(|| "none".to_owned(), |a| a.to_string())
    }

    #[test]
    fn only_origin_and_path_are_kept() {
        let cases = [
            ("https://shop.example/cart?token=s3cret#frag", "https://shop.example/cart"),
            ("HTTPS://User:Pass@Shop.Example:443/a", "https://shop.example/a"),
            ("http://localhost:3000", "http://localhost:3000/"),
            ("wss://shop.example/live;jsessionid=42/x", "wss://shop.example/live/x"),
            ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
            ("https://evil.example\\@shop.example/", "https://evil.example/@shop.example/"),
            ("https://a@b@shop.example?x", "https://shop.example/"),
            ("https://shop.example/reset/9f86d081884c7d659a2feaa0c55ad015/ok", "https://shop.example/reset/…/ok"),
            ("https://shop.example/v/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP", "https://shop.example/v/…"),
            ("https://cdn.example/app.9f86d081884c7d659a2feaa0c55ad015.js", "https://cdn.example/app.9f86d081884c7d659a2feaa0c55ad015.js"),
            ("https://shop.example/how-to-make-10-pancakes-in-a-row", "https://shop.example/how-to-make-10-pancakes-in-a-row"),
            ("https://shop.example/a\u{1b}[2J\u{202e}", "https://shop.example/a\\u{1b}[2J\\u{202e}"),
        ];
        for (url, kept) in cases {
            assert_eq!(parse(url), kept);
        }
        for url in
            ["", "shop.example", "data:text/html,x", "file:///etc/passwd", "https:///x", "https://a b/", "https://a:99999/", "https://ü/"]
        {
            assert_eq!(parse(url), "none", "{url}");
        }
        assert_eq!(Address::parse("https://[::1]:8443/x").unwrap().host(), "[::1]");
        assert_eq!(Address::parse("https://A.example:8443/x").unwrap().host(), "a.example");
    }

    #[test]
    fn one_route_has_many_addresses() {
        for (path, route) in [
            ("/orders/17/lines/3", "/orders/…/lines/…"),
            ("/u/550e8400-e29b-41d4-a716-446655440000", "/u/…"),
            ("/u/64b0c0ffee64b0c0ffee0000/x", "/u/…/x"),
            ("/v2/decade/facade-2", "/v2/decade/facade-2"),
            ("/", "/"),
        ] {
            assert_eq!(&*Address::parse(&format!("https://a.example{path}")).unwrap().route(), route);
        }
    }

    #[test]
    fn urls_inside_a_text_lose_their_queries() {
        let cases = [
            ("x = a ? b : c", "x = a ? b : c"),
            ("fetch('https://api.example/v1?key=s3cret')", "fetch('https://api.example/v1…')"),
            ("see https://a.example/x and ftp://u:p@h/x.", "see https://a.example/x and ftp://…"),
            ("://?s3cret", "://…"),
            ("url(https://a.example/f,1?s3cret,2)", "url(https://a.example/f,1…"),
        ];
        for (text, kept) in cases {
            assert_eq!(without_queries(text), kept);
        }
    }

    proptest! {
        #[test]
        fn no_url_panics_and_no_secret_stays(url in any::<String>(), path in "[a-z/]{0,20}", secret in "S[0-9]{8}") {
            let _ = (Address::parse(&url), without_queries(&url));
            for (before, after) in [(format!("u:{secret}@"), String::new()), (String::new(), format!("?{secret}")), (String::new(), format!("#{secret}"))] {
                let url = format!("https://{before}a.example/{path}{after}");
                prop_assert!(!parse(&url).contains(&secret));
                let text = format!("x{url} {url}\"{url}");
                prop_assert!(!without_queries(&text).contains(&secret));
            }
        }

        #[test]
        fn an_address_is_short(url in "https://[a-z]{1,300}/.{0,600}") {
            if let Some(address) = Address::parse(&url) {
                prop_assert!(address.heap() <= 600);
            }
        }
    }
}
