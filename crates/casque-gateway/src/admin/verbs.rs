//! `GET /limits/top`, `GET /limits/explain?who=...` and `POST /limits/unblock`: how clients stand with the limits, and an end to that.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use casque::clock::{Clock, SystemClock};
use casque::serve::Body as ClientBody;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use serde::Deserialize;
use serde_json::Value;
use tower_service::Service;

use super::logins::Logins;
use super::standing::{Asked, explain, top, unblock};
use super::{answer, text};
use crate::server::Shared;
use crate::store::LimitStore;

/// The largest body.
const MAX_BODY: usize = 8 * 1024;
/// How many are told if nobody says how many.
const TOP: usize = 20;

#[derive(Debug, Clone)]
pub(crate) struct Verbs {
    shared: Arc<Shared>,
    store: Arc<LimitStore>,
}

/// What to unblock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unblock {
    /// An address, a key or a name; none: all that are listed.
    who: Option<String>,
    /// Of this limit only.
    limit: Option<String>,
}

impl Service<Request<ClientBody>> for Verbs {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<ClientBody>) -> Self::Future {
        let verbs = self.clone();
        Box::pin(async move {
            let (parts, body) = req.into_parts();
            let body = match Limited::new(body, MAX_BODY).collect().await {
                Ok(body) => body.to_bytes(),
                Err(_) => return Ok(text(StatusCode::BAD_REQUEST, "the body could not be read: 8 KiB of JSON at most\n")),
            };
            Ok(verbs.answer(&parts.method, parts.uri.path(), parts.uri.query().unwrap_or(""), &body))
        })
    }
}

impl Verbs {
    pub(crate) fn new(shared: Arc<Shared>, store: Arc<LimitStore>) -> Self {
        Self { shared, store }
    }

    fn answer(&self, method: &Method, path: &str, query: &str, body: &[u8]) -> Response<Full<Bytes>> {
        let (policy, clock) = (self.shared.policy(), SystemClock);
        let (limits, now) = (policy.limits(), clock.now());
        let logins = Logins::of(policy.logins());
        let asked = Asked { limits: &limits, logins: &logins, store: &self.store, clock: &clock, now };
        match (method, path) {
            (&Method::GET, "/limits/top") => match parameter(query, "n").map_or(Ok(TOP), |n| n.parse()) {
                Ok(n) => told(&top(&asked, n)),
                Err(_) => text(StatusCode::BAD_REQUEST, "n is how many: a number\n"),
            },
            (&Method::GET, "/limits/explain") => match parameter(query, "who").filter(|who| !who.trim().is_empty()) {
                Some(who) => told(&explain(&asked, &who)),
                None => text(StatusCode::BAD_REQUEST, "say whom: ?who=192.0.2.1\n"),
            },
            (&Method::POST, "/limits/unblock") => match serde_json::from_slice::<Unblock>(body) {
                Ok(what) => match unblock(&asked, what.who.as_deref(), what.limit.as_deref()) {
                    Ok(done) => told(&done),
                    Err(why) => text(StatusCode::BAD_REQUEST, &format!("{why}\n")),
                },
                Err(_) => text(StatusCode::BAD_REQUEST, "say whom as JSON: {\"who\": \"192.0.2.1\"}, {\"limit\": \"login\"} or both\n"),
            },
            (_, "/limits/top" | "/limits/explain" | "/limits/unblock") => {
                text(StatusCode::METHOD_NOT_ALLOWED, "GET top, GET explain, POST unblock\n")
            }
            _ => text(StatusCode::NOT_FOUND, "there are /limits/top, /limits/explain and /limits/unblock\n"),
        }
    }
}

fn told(value: &Value) -> Response<Full<Bytes>> {
    answer(StatusCode::OK, "application/json", value.to_string())
}

/// A parameter of a query, percent-encodings decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))?.1;
    let mut out = Vec::new();
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        out.push(if byte == b'%' { digit(bytes.next())? << 4 | digit(bytes.next())? } else { byte });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        assert_eq!(parameter("n=5&who=2001%3adb8%3a%3A1", "who").as_deref(), Some("2001:db8::1"));
        for (query, who) in [("", None), ("who", None), ("who=%2", None), ("who=%zz", None), ("who=%ff", None), ("who=", Some(""))] {
            assert_eq!(parameter(query, "who").as_deref(), who, "{query}");
        }
    }
}
