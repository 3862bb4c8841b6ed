//! One connection from its first byte to its last.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tower_service::Service;

use super::body::{Body, Content, ResponseBody};
use super::caps::Permit;
use super::framing::{REFUSED_METHOD, Refusal};
use super::guard::Guard;
use super::settings::Settings;
use super::state::{Connection, InFlight, Switch};
use crate::reply::{Format, PAGE_CSP, Reply};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Tells connections to finish what they are doing and close. Clones are one signal.
#[derive(Debug, Clone)]
pub struct Drain(Arc<DrainState>);

/// The other end of a [`Drain`].
#[derive(Debug, Clone)]
pub struct Stopper(Arc<DrainState>);

#[derive(Debug, Default)]
struct DrainState {
    begun: AtomicBool,
    notify: Notify,
}

/// A signal to drain, and its trigger.
#[must_use]
pub fn stopper() -> (Stopper, Drain) {
    let state = Arc::new(DrainState::default());
    (Stopper(state.clone()), Drain(state))
}

impl Stopper {
    /// Begins to drain, once and for all.
    pub fn stop(&self) {
        self.0.begun.store(true, Ordering::Release);
        self.0.notify.notify_waiters();
    }
}

impl Drain {
    /// Whether draining has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// Waits until draining begins.
    pub async fn begun(&self) {
        let notified = self.0.notify.notified();
        if !self.has_begun() {
            notified.await;
        }
    }
}

/// Serves one connection until it ends, in whatever task polls this.
///
/// The service gets requests with the `Arc<`[`Connection`]`>` in their extensions. It is called for one request after the
/// other; refused requests reach it only with [`Settings::pass_refusals`].
///
/// # Errors
/// None are given: what goes wrong on a connection concerns that connection, and the service has seen it as a body error or
/// was dropped.
pub async fn connection<IO, S, B>(io: IO, peer: IpAddr, service: S, settings: Arc<Settings>, permit: Permit, drain: Drain)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Body>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + 'static,
    B::Error: Into<BoxError>,
{
    let conn = Connection::new(peer);
    let mut http = hyper::server::conn::http1::Builder::new();
    // The guard times heads and idleness; a timer per request here would cost more than everything else it does.
    http.header_read_timeout(None);
    // One buffer per write: cheaper than gathering for the short responses that most are.
    http.writev(false);
    if settings.max_headers > 100 {
        http.max_headers(settings.max_headers);
    }
    // Above what the guard lets through, so that its refusal comes first.
    http.max_buf_size((settings.max_head_bytes + settings.max_target_bytes).max(64 * 1024));
    let caller = Caller { service: Mutex::new(service), conn: conn.clone(), pass_refusals: settings.pass_refusals };
    let guard = Guard::new(io, settings, conn, permit);
    let mut serving = pin!(http.serve_connection(TokioIo::new(guard), caller).with_upgrades());
    let mut begun = pin!(drain.begun());
    let (mut listening, mut draining) = (false, false);
    poll_fn(|cx| {
        // Polled once to leave a waker there; afterwards a look at the flag is enough.
        if !listening {
            listening = true;
            let _ = begun.as_mut().poll(cx);
        }
        if !draining && drain.has_begun() {
            draining = true;
            serving.as_mut().graceful_shutdown();
        }
        serving.as_mut().poll(cx).map(drop)
    })
    .await;
}

/// Calls the service for the HTTP library.
struct Caller<S> {
    service: Mutex<S>,
    conn: Arc<Connection>,
    pass_refusals: bool,
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Caller<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<B>>;
    type Error = BoxError;
    type Future = Answer<S>;

    fn call(&self, req: Request<Incoming>) -> Answer<S> {
        let in_flight = InFlight::new(self.conn.clone());
        let mut req = req.map(Body);
        req.extensions_mut().insert(self.conn.clone());
        if req.method().as_str() == REFUSED_METHOD {
            let refusal = refusal_of(&req);
            if !self.pass_refusals {
                return Answer { state: AnswerState::Refused { refusal }, in_flight: Some(in_flight) };
            }
            // No method: nothing that looks for one may take this for a request.
            *req.method_mut() = Method::from_bytes(b"-").expect("a token");
            *req.uri_mut() = Uri::from_static("/");
            req.headers_mut().clear();
            req.extensions_mut().insert(refusal);
        }
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        let state = match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => AnswerState::Called { call: service.call(req) },
            // Not ready, or failed: ask a clone, in the future, with a waker that leads somewhere.
            _ => AnswerState::Waiting { waiting: Box::new((service.clone(), Some(req))) },
        };
        Answer { state, in_flight: Some(in_flight) }
    }
}

fn refusal_of<B>(req: &Request<B>) -> Refusal {
    let place = req.uri().path().trim_start_matches('/').parse::<usize>().ok();
    place.and_then(|p| Refusal::ALL.get(p)).copied().unwrap_or(Refusal::REQUEST_LINE)
}

pin_project_lite::pin_project! {
    struct Answer<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        state: AnswerState<S, S::Future>,
        in_flight: Option<InFlight>,
    }
}

pin_project_lite::pin_project! {
    #[project = AnswerProjection]
    enum AnswerState<S, F> {
        // Boxed: rare, and as large as a request, which every move of the future would copy.
        Waiting { waiting: Box<(S, Option<Request<Body>>)> },
        Called { #[pin] call: F },
        Refused { refusal: Refusal },
    }
}

impl<S, B> Future for Answer<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<B>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (response, page) = loop {
            let called = match this.state.as_mut().project() {
                AnswerProjection::Waiting { waiting } => {
                    let (service, req) = &mut **waiting;
                    ready!(service.poll_ready(cx)).map_err(Into::into)?;
                    service.call(req.take().expect("asked once"))
                }
                AnswerProjection::Called { call } => {
                    let response = ready!(call.poll(cx)).map_err(Into::into)?;
                    break (response.map(|body| Content::Service { body }), false);
                }
                AnswerProjection::Refused { refusal } => break (refused_page(*refusal), true),
            };
            this.state.set(AnswerState::Called { call: called });
        };
        let in_flight = this.in_flight.take().expect("not polled after completion");
        if !page {
            let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            in_flight.conn.answer_switch(in_flight.number, if switched { Switch::Tunnel } else { Switch::Http });
        }
        Poll::Ready(Ok(response.map(|inner| ResponseBody { inner, in_flight })))
    }
}

fn refused_page<B>(refusal: Refusal) -> Response<Content<B>> {
    // The request could not be read, so neither could what it accepts.
    let format = Format::Problem;
    let page = Reply { status: refusal.status, detail: refusal.reason, ..Reply::default() }.body(format);
    let mut response = Response::new(Content::Page { page: Some(Bytes::from(page)) });
    *response.status_mut() = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_CSP));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
