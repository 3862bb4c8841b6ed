//! The page that is judged: its headers and what its `<meta>` elements add.

use crate::capture::Capture;
use crate::exchange::Exchange;
use crate::html::{self, Document};

use super::text;

/// The types whose body is read as a page, as the Observatory compares them: exactly.
const HTML_TYPES: [&str; 2] = ["text/html", "application/xhtml+xml"];

/// The answer that is judged, read: over https if there was one, else over http.
pub(super) struct Page<'c> {
    pub exchange: &'c Exchange,
    /// Whether the address it was found at in the end is https.
    pub https: bool,
    /// Its elements; `None` if its type says that it is no page. No type at all is a page.
    pub document: Option<Document>,
    /// Policies in `<meta http-equiv=content-security-policy>`.
    pub meta_csp: Vec<String>,
    /// `<meta name=referrer>`.
    pub meta_referrer: Option<String>,
}

impl<'c> Page<'c> {
    pub(super) fn of(capture: &'c Capture) -> Option<Self> {
        let exchange = capture.https.as_ref().or(capture.http.as_ref())?;
        let https = match exchange.url.split_once("://") {
            Some((scheme, _)) => scheme.eq_ignore_ascii_case("https"),
            None => capture.https.is_some(),
        };
        let kind = exchange.values("content-type").next();
        let kind = kind.map(|k| text::trim(k).split(';').next().unwrap_or_default());
        let said = kind.is_some_and(|k| HTML_TYPES.contains(&k));
        let document = (said || kind.is_none_or(str::is_empty)).then(|| html::read(&exchange.body));
        // Elements count for policies only where the type is said.
        let (meta_csp, meta_referrer) = document.as_ref().filter(|_| said).map(of_metas).unwrap_or_default();
        Some(Self { exchange, https, document, meta_csp, meta_referrer })
    }

    /// All lines of a header.
    pub(super) fn lines(&self, name: &'static str) -> Vec<&str> {
        self.exchange.values(name).collect()
    }

    /// The header's first line, unless it is empty.
    pub(super) fn first(&self, name: &'static str) -> Option<&str> {
        self.exchange.values(name).next().filter(|value| !value.is_empty())
    }

    /// The header's lines with its name, for showing.
    pub(super) fn shown(&self, name: &'static str) -> impl Iterator<Item = String> {
        self.exchange.values(name).map(move |value| format!("{name}: {value}"))
    }
}

/// What a page's `<meta>` elements say in place of headers: policies in order, and the last word on referrers.
///
/// This is the Observatory's reading. The `http-equiv` of an element hides its `name`, an empty `content` is none, and it does not
/// matter where in the page an element is.
#[must_use]
pub fn http_equiv(body: &[u8]) -> (Vec<String>, Option<String>) {
    of_metas(&html::read(body))
}

fn of_metas(document: &Document) -> (Vec<String>, Option<String>) {
    let mut policies = Vec::new();
    let mut referrer = None;
    for meta in &document.metas {
        let Some(content) = meta.attribute("content").filter(|c| !c.is_empty()) else { continue };
        if let Some(header) = meta.attribute("http-equiv") {
            if text::folded(header) == "content-security-policy" {
                policies.push(content.to_owned());
            }
        } else if meta.attribute("name").is_some_and(|name| text::folded(name) == "referrer") {
            referrer = Some(content.to_owned());
        }
    }
    (policies, referrer)
}
