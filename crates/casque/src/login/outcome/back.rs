//! Apps that send people back to the page they came from, as Laravel does after a wrong password.
//!
//! That page is whatever the client says in `Referer`, so a guesser could choose what a wrong password looks like. An attempt's
//! `Referer` therefore goes to the app with a mark in its query, unless it leads to a page to log in at anyway; a redirect that
//! carries the mark leads back, which tells nothing good, and the mark is taken off before the client sees it.

use http::header::{LOCATION, REFERER};
use http::{HeaderMap, HeaderValue};

use super::location::Redirect;
use super::usual::leads_in;

const MARK: &str = "casque-back";

/// Marks where an attempt says that it came from. `asked` is the path of the attempt.
pub(in crate::login) fn mark(headers: &mut HeaderMap, asked: &str) {
    let marked: Vec<HeaderValue> =
        headers.get_all(REFERER).iter().map(|line| marked(line, asked).unwrap_or_else(|| line.clone())).collect();
    headers.remove(REFERER);
    for line in marked {
        headers.append(REFERER, line);
    }
}

fn marked(line: &HeaderValue, asked: &str) -> Option<HeaderValue> {
    let referer = std::str::from_utf8(line.as_bytes()).ok()?;
    if !leads_in(&Redirect::read(referer, asked), asked) {
        return None;
    }
    let (page, fragment) = referer.split_at(referer.find('#').unwrap_or(referer.len()));
    let separator = if page.contains('?') { '&' } else { '?' };
    HeaderValue::try_from(format!("{page}{separator}{MARK}{fragment}")).ok()
}

/// Takes the mark off where an answer redirects to.
pub(in crate::login) fn unmark(headers: &mut HeaderMap) {
    let Some(target) = headers.get(LOCATION).and_then(|line| line.to_str().ok()) else { return };
    if let Some(Ok(line)) = unmarked(target).map(HeaderValue::try_from) {
        headers.insert(LOCATION, line);
    }
}

fn unmarked(target: &str) -> Option<String> {
    let (before, after) = target.split_at_checked(target.find(MARK)?)?;
    let after = after.strip_prefix(MARK)?;
    let after = after.strip_prefix('=').unwrap_or(after);
    let separator = before.chars().next_back().filter(|c| matches!(c, '?' | '&'))?;
    let before = before.strip_suffix(separator)?;
    match after.chars().next() {
        None | Some('#') => Some(format!("{before}{after}")),
        Some('&') => Some(format!("{before}{separator}{}", after.get(1..)?)),
        Some(_) => None,
    }
}

/// Whether a redirect leads to the page that the client named. `rest` is what follows its path.
pub(super) fn is_marked(rest: &str) -> bool {
    rest.contains(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(referer: &str) -> String {
        let mut headers = HeaderMap::from_iter([(REFERER, referer.parse().unwrap())]);
        mark(&mut headers, "/login");
        headers[REFERER].to_str().unwrap().to_owned()
    }

    #[test]
    fn pages_to_log_in_at_stay_as_they_are() {
        for page in
            ["https://shop.example/login", "https://shop.example/account/sign-in?next=/x", "https://shop.example/x?error=1", "/login"]
        {
            assert_eq!(sent(page), page);
        }
        assert_eq!(sent("https://shop.example/"), "https://shop.example/?casque-back");
        assert_eq!(sent("https://shop.example/x?y=1#z"), "https://shop.example/x?y=1&casque-back#z");
        assert_eq!(sent("https://shop.example/login/../x"), "https://shop.example/login/../x?casque-back");
    }

    #[test]
    fn the_client_never_sees_the_mark() {
        for (marked, bare) in [
            ("https://a/?casque-back", "https://a/"),
            ("/x?y=1&casque-back#z", "/x?y=1#z"),
            ("/x?casque-back=&y=1", "/x?y=1"),
            ("/x?a&casque-back=&y=1", "/x?a&y=1"),
            ("/login?next=%2Fx%3Fcasque-back", "/login?next=%2Fx%3Fcasque-back"),
            ("/casque-back", "/casque-back"),
            ("/x?casque-backs=1", "/x?casque-backs=1"),
        ] {
            let mut headers = HeaderMap::from_iter([(LOCATION, marked.parse().unwrap())]);
            unmark(&mut headers);
            assert_eq!(headers[LOCATION], bare);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_marked_and_sent_back_is_as_it_was(referer in "(https?://[a-z]{1,5})?/[a-z/.]{0,6}(\\?[a-z&=]{0,6})?(#[a-z]{0,3})?") {
            let mut headers = HeaderMap::from_iter([(LOCATION, sent(&referer).parse().unwrap())]);
            unmark(&mut headers);
            proptest::prop_assert_eq!(headers[LOCATION].to_str().unwrap(), referer);
        }
    }
}
