//! Step six: the app is asked.
//!
//! **Attacks and answers.** *Smuggling*: nothing that frames the request is passed on; it is written anew from what the strict
//! reader understood, and a connection on which anything was odd is not used again. *Forged proxy fields*: what the app reads as
//! `X-Forwarded-*`, `Forwarded`, `Via` or `X-Request-Id` was written here, and other spellings of those names (`_` or `.` for
//! `-`, which CGI-like servers fold) are taken out. *Tunnelling past the policy*: only listed protocols may be switched to,
//! never without the app's 101, never with a body. *Exhausting memory*: bodies are streamed with back-pressure in both
//! directions; nothing is gathered.

mod body;
mod connect;
mod continuation;
mod patience;
mod pool;
mod request;
mod response;
mod upgrade;

use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use casque::headers::HeaderPolicy;
use casque::serve::{Connection, Drain, Refusal};
use http::{Method, Request, Response, StatusCode, Version};
use tower_service::Service;

pub(crate) use body::Body;

use self::body::{ClientBody, Progress, RequestBody, UpstreamBody};
use self::continuation::Continuation;
use self::patience::Patience;
use self::pool::Pools;
use crate::admit::Exchange;
use crate::error::Error;

/// How many 1xx of one request are passed on. Two are usual; an app that sends them for ever keeps no client busy with them.
const MAX_INFORMATIONAL: u32 = 32;

/// The leaf of the stack: one per worker thread, with that worker's connections.
#[derive(Debug, Clone)]
pub(crate) struct Forward {
    pools: Rc<Pools>,
    patience: Rc<Patience>,
    /// Ends tunnels when the gateway is stopped.
    drain: Drain,
}

impl Forward {
    pub(crate) fn new(drain: Drain) -> Self {
        Self { pools: Rc::default(), patience: Rc::default(), drain }
    }
}

impl Service<Request<ClientBody>> for Forward {
    type Response = Response<Body>;
    type Error = Error;
    // The one boxed future of a request.
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<ClientBody>) -> Self::Future {
        Box::pin(forward(self.clone(), req))
    }
}

async fn forward(worker: Forward, mut req: Request<ClientBody>) -> Result<Response<Body>, Error> {
    let Forward { pools, patience, drain } = worker;
    if let Some(refusal) = req.extensions().get::<Refusal>() {
        return Err(Error::Refused(*refusal));
    }
    let exchange = req.extensions_mut().remove::<Exchange>().expect("put there by the admit layer");
    let conn = req.extensions_mut().remove::<Arc<Connection>>().expect("put there by the server");
    let route = &exchange.route;

    let Some(target) = &route.upstream else { return Err(Error::NoApp) };
    let prepared = request::prepare(&mut req, &exchange, target)?;
    if let (Some(max), Some(length)) = (route.max_body_size, prepared.content_length)
        && length > max
    {
        return Err(Error::BodyTooLarge);
    }
    let wants_upgrade = prepared.upgrade;
    let client_side = wants_upgrade.then(|| hyper::upgrade::on(&mut req));
    let continuation = (prepared.expects_continue && !conn.body_came_along()).then(Continuation::new);
    let progress = Rc::new(Progress::default());

    let replay = replayable(&req);
    req.extensions_mut().clear();
    let mut outgoing = req.map(|body| RequestBody::new(body, progress.clone(), continuation.clone(), route.max_body_size));
    if prepared.version == Version::HTTP_11 {
        pass_on_informational(&mut outgoing, &conn, continuation.as_ref(), &route.headers);
    }

    let mut lease = pools.lease(target, replay).await?;
    let copy = if lease.is_suspect() { copy_of_head(&outgoing) } else { None };
    // Pinned here: handed on by value, it would be copied at each hand, and it is as large as the request.
    let sending = pin!(lease.send(outgoing));
    let mut sent = patience.wait(sending, &progress, route.response_timeout).await.map_err(|_| Error::ResponseTimeout)?;
    if let Err(failed) = &mut sent {
        pools.trouble(target);
        // The app closed an idle connection just as it was used again. What was never sent, or may be sent twice (RFC 9110
        // 9.2.2) and got no answer, is tried once more, on a fresh connection.
        let again = failed.take_message().or(copy.filter(|_| progress.untouched()));
        if let Some(again) = again {
            lease = pools.connect(target).await?;
            sent = patience.wait(lease.send(again), &progress, route.response_timeout).await.map_err(|_| Error::ResponseTimeout)?;
        }
    }
    let response = sent.map_err(|failed| blame(failed.into_error(), &conn, &progress))?;

    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    match (switched, client_side) {
        (true, Some(client_side)) => upgrade::tunnel(response, client_side, &target.upgrades, drain),
        (true, None) => Err(Error::UnexpectedSwitch),
        (false, _) => {
            let (mut parts, body) = response.into_parts();
            let keep_alive = response::clean(&mut parts.headers)?;
            parts.version = Version::HTTP_11;
            let home = lease.on_the_way_home(&pools, keep_alive, progress);
            Ok(Response::from_parts(parts, Body::upstream(UpstreamBody::new(body, home))))
        }
    }
}

/// Whether a request may be sent twice: its method says that twice is as good as once, and it has no body.
fn replayable(req: &Request<ClientBody>) -> bool {
    http_body::Body::is_end_stream(req.body())
        && matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}

/// The same request, for a second try, if it has no body.
#[cold]
fn copy_of_head(req: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let body = req.body().empty_copy()?;
    let mut copy = Request::new(body);
    *copy.method_mut() = req.method().clone();
    *copy.uri_mut() = req.uri().clone();
    *copy.headers_mut() = req.headers().clone();
    Some(copy)
}

/// Sends 1xx on to the client as they come, but for 100, which answers an expectation that is settled between each two hops.
fn pass_on_informational(
    req: &mut Request<RequestBody>,
    conn: &Arc<Connection>,
    continuation: Option<&Arc<Continuation>>,
    policy: &Arc<HeaderPolicy>,
) {
    let (conn, continuation, policy) = (conn.clone(), continuation.cloned(), policy.clone());
    let passed = AtomicU32::new(0);
    hyper::ext::on_informational(req, move |informational| {
        if informational.status() == StatusCode::CONTINUE {
            if let Some(continuation) = &continuation {
                continuation.go_on();
            }
            return;
        }
        if passed.fetch_add(1, Ordering::Relaxed) < MAX_INFORMATIONAL
            && let Some(headers) = response::informational_fields(informational.headers(), &policy)
        {
            conn.send_informational(informational.status(), &headers);
        }
    });
}

/// Whose fault was it that the request was not answered?
fn blame(error: hyper::Error, conn: &Connection, progress: &Progress) -> Error {
    if let Some(refusal) = conn.fault() {
        return Error::Refused(refusal);
    }
    if progress.too_large() {
        return Error::BodyTooLarge;
    }
    if progress.failed() {
        return Error::ClientGone;
    }
    Error::BadResponse(error)
}
