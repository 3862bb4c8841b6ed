//! Whether a request may come from where it comes from.

use http::{HeaderMap, HeaderName};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// What a request says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metadata<'r> {
    /// `Sec-Fetch-Site`.
    pub site: Option<&'r [u8]>,
    /// `Sec-Fetch-Mode`.
    pub mode: Option<&'r [u8]>,
    /// `Sec-Fetch-Dest`.
    pub dest: Option<&'r [u8]>,
    /// Whether there is an `Access-Control-Request-Method`.
    pub asks_for_method: bool,
}

impl<'r> Metadata<'r> {
    /// Reads a request's fields. A field that stands there twice with two values says nothing; no browser sends that.
    #[must_use]
    pub fn of(headers: &'r HeaderMap) -> Self {
        Self {
            site: value(headers, &SITE),
            mode: value(headers, &MODE),
            dest: value(headers, &DEST),
            asks_for_method: headers.contains_key(http::header::ACCESS_CONTROL_REQUEST_METHOD),
        }
    }
}

fn value<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Option<&'r [u8]> {
    let mut lines = headers.get_all(name).iter().map(|line| line.as_bytes().trim_ascii());
    let first = lines.next()?;
    lines.all(|line| line == first).then_some(first)
}

/// The decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allow(Allowed),
    /// It may not.
    Refuse(Refused),
}

/// Why a request passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// It does not say where it comes from, or in a word that does not exist.
    Unknown,
    /// The app itself, a sibling of its site, or the user: typed, bookmarked.
    Own,
    /// Another site's link to a page, or a frame around it.
    Navigation,
}

/// Why a request does not pass. All of these were started by another site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// A page of it asks for data, an image, a script, a style.
    Resource,
    /// A form of it posts here, or anything else that navigates with a method that may change things.
    Form,
    /// It embeds this in an `object` or `embed`, where frame rules do not hold in every browser.
    Embed,
    /// A script of it opens a WebSocket, which no CORS guards.
    WebSocket,
    /// A script of it asks, by CORS, whether it may send a request.
    Preflight,
}

impl Refused {
    /// The names for logs.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("resource", Self::Resource),
        ("form", Self::Form),
        ("embed", Self::Embed),
        ("websocket", Self::WebSocket),
        ("preflight", Self::Preflight),
    ];

    /// The name for logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, refused)| *refused == self).map_or("", |(name, _)| *name)
    }
}

/// Decides on a request by its method and what it says of itself.
///
/// 1. No `Sec-Fetch-Site`, or one that is not defined: allowed. Machines and old browsers send none, and the specification asks
///    servers to ignore values that they do not know, since new kinds of request may bring new ones.
/// 2. `same-origin`, `same-site`, `none`: allowed.
/// 3. `cross-site`: only GET and HEAD that navigate, and not into an `object` or `embed`. A missing mode is no navigation.
///
/// A CORS preflight (`OPTIONS` with `Access-Control-Request-Method`, the Fetch standard) is refused like the request that it announces. To
/// let it through would gain nothing: the app would say yes, and the request itself would then be refused. A path whose CORS the
/// app answers for has to be exempt as a whole, and then both pass; the reason [`Refused::Preflight`] is there so that the log
/// names such paths before anything is enforced.
#[must_use]
pub fn decide(method: &[u8], metadata: &Metadata<'_>) -> Verdict {
    match metadata.site {
        Some(b"cross-site") => {}
        Some(b"same-origin" | b"same-site" | b"none") => return Verdict::Allow(Allowed::Own),
        _ => return Verdict::Allow(Allowed::Unknown),
    }
    Verdict::Refuse(match (metadata.mode, method, metadata.dest) {
        (Some(b"navigate"), _, Some(b"object" | b"embed")) => Refused::Embed,
        (Some(b"navigate"), b"GET" | b"HEAD", _) => return Verdict::Allow(Allowed::Navigation),
        (Some(b"navigate"), _, _) => Refused::Form,
        (Some(b"websocket"), _, _) => Refused::WebSocket,
        (_, b"OPTIONS", _) if metadata.asks_for_method => Refused::Preflight,
        _ => Refused::Resource,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn verdict(method: &str, fields: &[(HeaderName, &'static str)]) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_static(value));
        }
        decide(method.as_bytes(), &Metadata::of(&headers))
    }

    #[test]
    fn what_browsers_send() {
        use {Allowed as A, Refused as R};
        const ASKS: HeaderName = http::header::ACCESS_CONTROL_REQUEST_METHOD;
        let (yes, no) = (Verdict::Allow, Verdict::Refuse);
        type Case<'a> = (&'a str, &'a str, &'a [(HeaderName, &'static str)], Verdict);
        let cases: [Case<'_>; 20] = [
            ("a webhook", "POST", &[], yes(A::Unknown)),
            ("an old browser's mode", "POST", &[(MODE, "navigate")], yes(A::Unknown)),
            ("the app's own script", "POST", &[(SITE, "same-origin"), (MODE, "cors"), (DEST, "empty")], yes(A::Own)),
            ("a sibling's form", "POST", &[(SITE, "same-site"), (MODE, "navigate"), (DEST, "document")], yes(A::Own)),
            ("the address bar", "GET", &[(SITE, "none"), (MODE, "navigate"), (DEST, "document")], yes(A::Own)),
            ("a link", "GET", &[(SITE, "cross-site"), (MODE, "navigate"), (DEST, "document")], yes(A::Navigation)),
            ("a frame", "GET", &[(SITE, "cross-site"), (MODE, "navigate"), (DEST, "iframe")], yes(A::Navigation)),
            ("a link, looked at", "HEAD", &[(SITE, "cross-site"), (MODE, "navigate")], yes(A::Navigation)),
            ("a value of tomorrow", "POST", &[(SITE, "same-party")], yes(A::Unknown)),
            ("not the token", "POST", &[(SITE, "Cross-Site")], yes(A::Unknown)),
            ("two values", "POST", &[(SITE, "cross-site"), (SITE, "same-origin")], yes(A::Unknown)),
            ("one value twice", "POST", &[(SITE, "cross-site"), (SITE, "cross-site")], no(R::Resource)),
            ("a forged form", "POST", &[(SITE, "cross-site"), (MODE, "navigate"), (DEST, "document")], no(R::Form)),
            ("an image", "GET", &[(SITE, "cross-site"), (MODE, "no-cors"), (DEST, "image")], no(R::Resource)),
            ("a fetch", "GET", &[(SITE, "cross-site"), (MODE, "cors"), (DEST, "empty")], no(R::Resource)),
            ("an object", "GET", &[(SITE, "cross-site"), (MODE, "navigate"), (DEST, "object")], no(R::Embed)),
            ("an embed", "GET", &[(SITE, "cross-site"), (MODE, "navigate"), (DEST, "embed")], no(R::Embed)),
            ("a socket", "GET", &[(SITE, "cross-site"), (MODE, "websocket"), (DEST, "websocket")], no(R::WebSocket)),
            ("a preflight", "OPTIONS", &[(SITE, "cross-site"), (MODE, "cors"), (DEST, "empty"), (ASKS, "PUT")], no(R::Preflight)),
            ("no mode", "GET", &[(SITE, "cross-site")], no(R::Resource)),
        ];
        for (what, method, fields, wanted) in cases {
            assert_eq!(verdict(method, fields), wanted, "{what}");
        }
        assert_eq!(Refused::NAMES.map(|(_, refused)| refused.name()), Refused::NAMES.map(|(name, _)| name));
    }

    proptest! {
        /// The rule in one sentence, for any words.
        #[test]
        fn only_cross_site_is_refused_and_only_links_pass(
            method in "GET|HEAD|POST|OPTIONS|[a-z]{3}",
            site in proptest::option::of("cross-site|same-site|none|[a-z -]{0,12}"),
            mode in proptest::option::of("navigate|cors|websocket|[a-z]{0,9}"),
            dest in proptest::option::of("object|embed|document|[a-z]{0,9}"),
            asks_for_method: bool,
        ) {
            let bytes = |text: &'_ Option<String>| text.clone().map(String::into_bytes);
            let (s, m, d) = (bytes(&site), bytes(&mode), bytes(&dest));
            let metadata = Metadata { site: s.as_deref(), mode: m.as_deref(), dest: d.as_deref(), asks_for_method };
            let is_link = mode.as_deref() == Some("navigate") && ["GET", "HEAD"].contains(&method.as_str())
                && !matches!(dest.as_deref(), Some("object" | "embed"));
            let refused = matches!(decide(method.as_bytes(), &metadata), Verdict::Refuse(_));
            prop_assert_eq!(refused, site.as_deref() == Some("cross-site") && !is_link);
        }
    }
}
