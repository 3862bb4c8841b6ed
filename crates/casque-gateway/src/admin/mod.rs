//! Pages for whoever runs the gateway, on an address of their own: `/` for people, `/reports.json` for programs.
//!
//! **Attacks and answers.** The address must be a loopback one, so nobody outside reaches it. A web page in the operator's own
//! browser could ask for it under a name that resolves to 127.0.0.1 (DNS rebinding): only `localhost` and addresses are
//! served as `Host`. Nothing here changes anything: GET and HEAD only. All that is shown came from strangers: every text is
//! escaped, and the page may load and run nothing at all ([`PAGE_CSP`]).
//!
//! What names clients or changes anything is not here but on a socket of its own (`socket.rs`).
//!
//! [`PAGE_CSP`]: page::PAGE_CSP

mod logins;
mod page;
mod socket;
mod standing;
mod verbs;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use casque::host::without_port;
use casque::serve::{Body as ClientBody, Drain};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower_service::Service;

pub(crate) use self::socket::AdminSocket;
pub(crate) use self::verbs::Verbs;
use crate::reports::Inbox;

/// How many groups of reports, and how many single ones, are shown.
const SHOWN: usize = 200;

/// Serves the pages on a thread of their own until the gateway is told to stop.
pub(crate) fn start(listener: TcpListener, inbox: Arc<Inbox>, drain: Drain) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("casque-admin".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            let served = casque::serve(listener, Pages { inbox });
            tokio::select! {
                _ = served.into_future() => {}
                () = drain.begun() => {}
            }
        });
    })?;
    Ok(())
}

#[derive(Debug, Clone)]
struct Pages {
    inbox: Arc<Inbox>,
}

impl Service<Request<ClientBody>> for Pages {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<ClientBody>) -> Self::Future {
        ready(Ok(self.answer(req.method(), req.uri().path(), req.headers())))
    }
}

impl Pages {
    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let host = headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or("");
        if !is_own_name(without_port(host)) {
            return text(StatusCode::FORBIDDEN, "ask for this page as localhost or by its address\n");
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "GET only\n");
        }
        match path {
            "/" => answer(StatusCode::OK, "text/html; charset=utf-8", page::draw(&self.inbox.to_json(SHOWN))),
            "/reports.json" => answer(StatusCode::OK, "application/json", self.inbox.to_json(SHOWN).to_string()),
            _ => text(StatusCode::NOT_FOUND, "there are / and /reports.json\n"),
        }
    }
}

/// A name that no stranger's DNS can answer for.
fn is_own_name(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", body.to_owned())
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let fields: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, page::PAGE_CSP),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fields {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &Method, path: &str, host: &'static str) -> u16 {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        Pages { inbox: Arc::default() }.answer(method, path, &headers).status().as_u16()
    }

    #[test]
    fn only_the_operator_is_answered() {
        for host in ["localhost:9901", "127.0.0.1", "[::1]:9901", "LOCALHOST"] {
            assert_eq!(ask(&Method::GET, "/", host), 200, "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.example"] {
            assert_eq!(ask(&Method::GET, "/reports.json", host), 403, "{host}");
        }
        assert_eq!(ask(&Method::POST, "/", "localhost"), 405);
        assert_eq!(ask(&Method::GET, "/x", "localhost"), 404);
    }
}
