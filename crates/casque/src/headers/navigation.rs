//! Requests for a page, told from those for what a page is made of.

use http::header::{ACCEPT, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Takes the conditions out of a request for a page that is to carry a nonce.
///
/// A 304 would tell the browser to take its stored page, whose nonce is an old one. Scripts, styles and images keep theirs.
pub(super) fn make_unconditional(headers: &mut HeaderMap) {
    if !(headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE)) {
        return;
    }
    let is_page = match headers.get(SEC_FETCH_DEST) {
        Some(dest) => matches!(dest.as_bytes(), b"document" | b"iframe" | b"frame" | b"embed" | b"object"),
        // Browsers that do not say: what accepts HTML is a page.
        None => headers.get(ACCEPT).is_some_and(|a| memchr::memmem::find(a.as_bytes(), b"text/html").is_some()),
    };
    if is_page {
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn pages_lose_their_conditions_and_assets_keep_them() {
        let conditional = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static("\"1\""));
            headers.insert(name, HeaderValue::from_static(value));
            make_unconditional(&mut headers);
            headers.contains_key(IF_NONE_MATCH)
        };
        assert!(!conditional("sec-fetch-dest", "document"));
        assert!(!conditional("accept", "text/html,*/*"));
        assert!(conditional("sec-fetch-dest", "script"));
        assert!(conditional("accept", "*/*"));
    }
}
