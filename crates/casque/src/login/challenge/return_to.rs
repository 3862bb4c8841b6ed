//! Where the browser goes after a challenge: back to the form, and never anywhere else.

use http::Method;

use super::REDEEM_PATH;

/// The most bytes of a place to go back to.
pub const MAX_RETURN_TO: usize = 1024;

/// A path on this site, with its query. Holding one proves that a `Location` made of it leads nowhere else: it starts with a
/// single `/`, has no empty or dot segment, no `\` and nothing but visible ASCII (RFC 9110 10.2.2; WHATWG URL: browsers read
/// `\` as `/` and drop tabs and line ends, so that `/\host` and `/<tab>/host` are other sites to them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Reads a path with or without a query. `None` if it is longer than [`MAX_RETURN_TO`] bytes, is not such a path, or is the
    /// place where challenges are redeemed, which would lead in a circle.
    #[must_use]
    pub fn parse(target: &str) -> Option<Self> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let visible = target.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#');
        let mut segments = path.strip_prefix('/')?.split('/').peekable();
        let mut plain = true;
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            plain &= !is_dots(segment) && (last || !segment.is_empty());
        }
        (target.len() <= MAX_RETURN_TO && visible && plain && path != REDEEM_PATH).then(|| Self(target.to_owned()))
    }

    /// The front page.
    #[must_use]
    pub fn front_page() -> Self {
        Self("/".to_owned())
    }

    /// Where the form of a guarded request is: for what a link leads to, the request's own target; for a form that was sent, the
    /// page that it was on, if the browser says so (`Referer`) and that is a page of this host, else the target too.
    #[must_use]
    pub fn of_request(method: &Method, target: &str, referer: Option<&[u8]>, host: Option<&str>) -> Self {
        let own = || Self::parse(target).unwrap_or_else(Self::front_page);
        if method == Method::GET || method == Method::HEAD {
            return own();
        }
        let page = referer.and_then(|r| std::str::from_utf8(r).ok()).zip(host).and_then(|(referer, host)| page_on(host, referer));
        page.and_then(Self::parse).unwrap_or_else(own)
    }

    /// The path and query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `.`, `..` and their encoded spellings, which browsers resolve too.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Path and query of a `Referer` on this host.
fn page_on<'r>(host: &str, referer: &'r str) -> Option<&'r str> {
    let rest = referer.strip_prefix("https://").or_else(|| referer.strip_prefix("http://"))?;
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (authority, path) = rest.split_at_checked(rest.find('/')?)?;
    (!host.is_empty() && authority.eq_ignore_ascii_case(host)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_site_are_kept_as_they_are() {
        for path in ["/", "/login", "/login/", "/login?next=//evil.example/..&x=%2F", "/a/b.c;d/..e", "/%2f%2fevil.example", "/?"] {
            assert_eq!(ReturnTo::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn nothing_leads_to_another_site() {
        for path in [
            "",
            "login",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/a\r\nSet-Cookie: x=y",
            "https://evil.example/",
            "https:evil.example",
            "javascript:alert(1)",
            "/.//evil.example",
            "/x/..//evil.example",
            "/%2e//evil.example",
            "/a/%2E%2e/b",
            "/a//b",
            "/a b",
            "/caf\u{e9}",
            "/a#b",
            "/.well-known/casque/login",
            "/.well-known/casque/login?token=x",
        ] {
            assert_eq!(ReturnTo::parse(path), None, "{path:?}");
        }
        assert!(ReturnTo::parse(&format!("/{}", "a".repeat(MAX_RETURN_TO - 1))).is_some());
        assert!(ReturnTo::parse(&format!("/{}", "a".repeat(MAX_RETURN_TO))).is_none());
    }

    #[test]
    fn a_sent_form_goes_back_to_its_page() {
        let of = |method, target, referer: Option<&str>| {
            ReturnTo::of_request(&method, target, referer.map(str::as_bytes), Some("Shop.example:8443")).as_str().to_owned()
        };
        let (login, post) = ("https://shop.example:8443/account/login?next=/cart", Method::POST);
        assert_eq!(of(Method::POST, "/api/login", Some(login)), "/account/login?next=/cart");
        assert_eq!(of(Method::POST, "/login", None), "/login");
        assert_eq!(of(Method::GET, "/login?x=1", Some(login)), "/login?x=1");
        for other in [
            "https://shop.example/login",
            "https://evil.example/x",
            "https://shop.example:8443@evil.example/x",
            "https://shop.example:8443",
            "ftp://shop.example:8443/x",
            "https://shop.example:8443//evil.example",
        ] {
            assert_eq!(of(post.clone(), "/login", Some(other)), "/login", "{other}");
        }
        assert_eq!(of(post, "//evil.example", None), "/");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_accepted_resolves_to_the_same_site(target in "[/\\\\.%2eE?a\t#:@]{0,12}", any in "\\PC{0,20}") {
            let base = "https://site.example/.well-known/casque/login";
            for target in [target, any] {
                if let Some(to) = ReturnTo::parse(&target) {
                    proptest::prop_assert!(to.as_str().starts_with('/') && !to.as_str().starts_with("//"), "{target} from {base}");
                    proptest::prop_assert!(!to.as_str().contains(['\\', '\t', '\n', '\r']));
                }
            }
        }
    }
}
