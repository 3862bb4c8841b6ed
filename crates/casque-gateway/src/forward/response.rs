//! The response head, from the app's to the client's.

use std::time::Duration;

use casque::headers::{CSP_ADD, HeaderPolicy, PROFILE};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, SET_COOKIE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue};

use super::request::remove_nominated;
use crate::error::Error;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// How long the app says it keeps an idle connection.
pub(super) type KeepAlive = Option<Duration>;

/// Takes the hop-by-hop fields out (RFC 9110 7.6.1) and tells what they said about the connection.
///
/// # Errors
/// The body has a transfer coding besides `chunked`. It cannot be undone here, and without its field nobody could later.
pub(super) fn clean(headers: &mut HeaderMap) -> Result<KeepAlive, Error> {
    // One pass over the few names that are there is cheaper than asking for each that must not be.
    let (mut connection, mut keep_alive, mut coding, mut others, mut ours) = (false, false, false, false, false);
    for name in headers.keys() {
        match name.as_str() {
            "connection" => connection = true,
            "keep-alive" => keep_alive = true,
            "transfer-encoding" => coding = true,
            "proxy-connection" | "upgrade" => others = true,
            name => ours |= is_ours(name),
        }
    }
    let timeout = if keep_alive { headers.remove(KEEP_ALIVE).and_then(|v| timeout_of(&v)) } else { None };
    if connection {
        remove_nominated(headers);
        headers.remove(CONNECTION);
    }
    if coding {
        let chunked = headers.get_all(TRANSFER_ENCODING).iter().all(|c| c.as_bytes().eq_ignore_ascii_case(b"chunked"));
        headers.remove(TRANSFER_ENCODING);
        if !chunked {
            return Err(Error::TransferCoding);
        }
        // RFC 9112 6.3: a transfer coding overrides a length, and a proxy must take the length out.
        headers.remove(CONTENT_LENGTH);
    }
    if others {
        headers.remove(PROXY_CONNECTION);
        headers.remove(UPGRADE);
    }
    if ours {
        while let Some(name) = headers.keys().find(|name| is_ours(name.as_str())).cloned() {
            headers.remove(&name);
        }
    }
    Ok(timeout)
}

/// Names between casque and the app, but for the two that the headers layer reads and takes out itself.
fn is_ours(name: &str) -> bool {
    name.starts_with("casque") && matches!(name.as_bytes().get(6), Some(b'-' | b'_')) && PROFILE != name && CSP_ADD != name
}

/// The fields of an informational response that may go on to the client: not cookies, which are hardened on final responses only,
/// nor what the policy takes out.
pub(super) fn informational_fields(theirs: &HeaderMap, policy: &HeaderPolicy) -> Option<HeaderMap> {
    let mut headers = theirs.clone();
    clean(&mut headers).ok()?;
    // What an app says to casque, it says of final responses.
    for name in [&SET_COOKIE, &PROFILE, &CSP_ADD].into_iter().chain(policy.removed()) {
        headers.remove(name);
    }
    Some(headers)
}

/// `timeout=5` among the parameters of a Keep-Alive field, as Node sends it.
fn timeout_of(value: &HeaderValue) -> KeepAlive {
    let parameters = value.as_bytes().split(|b| *b == b',').map(<[u8]>::trim_ascii);
    let seconds = parameters.filter_map(|p| p.strip_prefix(b"timeout=")).next()?;
    let plain = (1..=6).contains(&seconds.len()) && seconds.iter().all(u8::is_ascii_digit);
    plain.then(|| Duration::from_secs(seconds.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_one_hop_goes_and_the_rest_stays() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, x-hop"),
            ("keep-alive", "timeout=5, max=100"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("casque-csp-nonce", "n"),
            ("casque_profile", "p"),
            ("content-type", "text/plain"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(clean(&mut headers).unwrap(), Some(Duration::from_secs(5)));
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["content-type"]);
        assert_eq!(clean(&mut HeaderMap::new()).unwrap(), None);
        headers.insert("transfer-encoding", HeaderValue::from_static("gzip, chunked"));
        assert!(clean(&mut headers).is_err());
    }
}
