//! The outermost layer: notes what comes in and, when the answer's last byte is out, logs it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use casque::RequestId;
use casque::client_ip::ClientIp;
use casque::clock::{Clock, Micros, SystemClock};
use casque::cookie::CookieChanges;
use casque::headers::HeaderChanges;
use casque::headers::fetch_metadata::CrossSite;
use casque::limit::{Refusal, ShadowRefused};
use casque::login::{Guarded, Outcome, Trust};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower_layer::Layer;
use tower_service::Service;

use super::access_log::{Event, Logger};
use crate::rescue::Cause;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct RecordLayer {
    logger: Logger,
}

impl RecordLayer {
    pub(crate) fn new(logger: Logger) -> Self {
        Self { logger }
    }
}

impl<S> Layer<S> for RecordLayer {
    type Service = Record<S>;

    fn layer(&self, inner: S) -> Record<S> {
        Record { inner, logger: self.logger.clone() }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Record<S> {
    inner: S,
    logger: Logger,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Record<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<RecordedBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request<ReqBody>) -> Self::Future {
        let note = self.logger.is_on().then(|| Note::begin(&self.logger, &mut req));
        ResponseFuture { inner: self.inner.call(req), note }
    }
}

/// In a request's extensions while it is logged: filled in by the layer that finds out who is calling.
pub(crate) type Who = Arc<OnceLock<(ClientIp, RequestId)>>;

/// What is noted of a request until it is logged; logged at the latest when it is dropped, so that an abandoned request is told too.
#[derive(Debug)]
struct Note {
    logger: Logger,
    started: Micros,
    who: Who,
    /// Taken when it is logged.
    event: Option<Event>,
}

impl Note {
    fn begin<B>(logger: &Logger, req: &mut Request<B>) -> Box<Self> {
        let who = Who::default();
        req.extensions_mut().insert(who.clone());
        let event = Event::of(req.method().clone(), req.uri().path().to_owned());
        Box::new(Self { logger: logger.clone(), started: SystemClock.now(), who, event: Some(event) })
    }

    fn read<B: Body>(&mut self, response: &Response<B>) {
        let Some(event) = &mut self.event else { return };
        let extensions = response.extensions();
        event.status = response.status().as_u16();
        event.limited_by = extensions.get::<Refusal>().map(|r| r.limit.clone());
        event.would_limit = extensions.get::<ShadowRefused>().map(|s| s.limits.clone()).unwrap_or_default();
        event.cause = extensions.get::<Cause>().map(|c| c.0.clone());
        event.cookies = extensions.get::<CookieChanges>().map(|c| c.0.names().collect()).unwrap_or_default();
        event.cross_site = extensions.get::<CrossSite>().map(|c| c.why.name());
        event.headers = extensions.get::<HeaderChanges>().map(|c| c.iter().map(ToString::to_string).collect()).unwrap_or_default();
        event.login = extensions.get::<Guarded>().map(|g| (g.guard.clone(), ended(g)));
        event.complete = response.body().is_end_stream();
    }

    fn count(&mut self, bytes: usize, complete: bool) {
        if let Some(event) = &mut self.event {
            event.bytes += bytes as u64;
            event.complete |= complete;
        }
    }
}

/// How an attempt ended, in a word: a known browser's apart, for its failures are somebody's who has been in before.
fn ended(guarded: &Guarded) -> &'static str {
    match (guarded.outcome, guarded.trust) {
        (Outcome::Success, Some(Trust::Known)) => "success-known",
        (Outcome::Success, _) => "success",
        (Outcome::Failure, Some(Trust::Known)) => "failure-known",
        (Outcome::Failure, _) => "failure",
        (Outcome::Neutral, _) => "neutral",
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        if let Some(mut event) = self.event.take() {
            event.took = SystemClock.now().since(self.started);
            if let Some((client, id)) = self.who.get() {
                event.client = Some(*client);
                event.id = Some(*id);
            }
            self.logger.log(event);
        }
    }
}

pin_project_lite::pin_project! {
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        inner: F,
        note: Option<Box<Note>>,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<RecordedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let mut note = this.note.take();
        if let Some(note) = &mut note {
            note.read(&response);
        }
        Poll::Ready(Ok(response.map(|inner| RecordedBody { inner, note })))
    }
}

pin_project_lite::pin_project! {
    /// A response body that counts itself.
    #[derive(Debug)]
    pub(crate) struct RecordedBody<B> {
        #[pin]
        inner: B,
        note: Option<Box<Note>>,
    }
}

impl<B: Body<Data = Bytes>> Body for RecordedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(note) = this.note {
            match &frame {
                Some(Ok(frame)) => note.count(frame.data_ref().map_or(0, Bytes::len), this.inner.is_end_stream()),
                Some(Err(_)) => {}
                None => note.count(0, true),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
