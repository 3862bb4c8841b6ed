//! The Tower service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::count_by::Asking;
use super::counted::Counted;
use super::future::{Asked, ResponseFuture, Verdict};
use super::layer::{LimitLayer, LimitedRequest, Source};
use super::store::Store;
use super::store::memory::MemoryStore;
use crate::RequestId;
use crate::client_ip::ClientIp;

/// See [`LimitLayer`].
#[derive(Debug)]
pub struct Limited<I, S = MemoryStore> {
    pub(super) inner: I,
    pub(super) layer: LimitLayer<S>,
}

impl<I: Clone, S> Clone for Limited<I, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

/// In a response's extensions: the limits in shadow mode that would have refused its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowRefused {
    /// The limits' names.
    pub limits: Vec<String>,
}

impl<I, S, ReqBody, ResBody> Service<Request<ReqBody>> for Limited<I, S>
where
    I: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S: Store,
    ResBody: From<Bytes>,
{
    type Response = Response<ResBody>;
    type Error = I::Error;
    type Future = ResponseFuture<I, ReqBody, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<ReqBody>) -> Self::Future {
        let extensions = req.extensions();
        let (limits, client, request_id) = match &self.layer.source {
            Source::Fixed(limits) => (limits.clone(), extensions.get::<ClientIp>().copied(), extensions.get::<RequestId>().copied()),
            Source::PerRequest(find) => match find(extensions) {
                Some(LimitedRequest { limits, client, request_id }) => (limits, Some(client), request_id),
                None => return ResponseFuture::pass(self.inner.call(req)),
            },
        };
        let counted = Counted::of(&limits, req.method(), req.uri().path());
        if counted.is_empty() {
            return ResponseFuture::pass(self.inner.call(req));
        }
        let Some(client) = client else { return ResponseFuture::answered(Asked::without_client()) };
        let asking = Asking { client, method: req.method(), path: req.uri().path(), headers: req.headers() };
        let clock = &*self.layer.clock;
        let mut pending = counted.charge(&limits, asking, clock, |charges| self.layer.store.charge(charges, clock.now()));
        // A store in memory knows at once; then nothing has to be kept or cloned.
        let known = Pin::new(&mut pending).poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(Ok(outcome)) = &known
            && Asked::has_nothing_to_say(&limits, outcome)
        {
            return ResponseFuture::pass(self.inner.call(req));
        }
        let asked = Asked::new(limits, counted, request_id, &req);
        if let Poll::Ready(answer) = known {
            return match asked.settle(&answer, &*self.layer.clock) {
                Verdict::Pass(note) => ResponseFuture::noted(self.inner.call(req), note),
                Verdict::Answer(response) => ResponseFuture::answered(response),
            };
        }
        // The service that was polled ready must be the one that is called; its clone takes the place it leaves.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        ResponseFuture::asking(pending, asked, self.layer.clock.clone(), ready, req)
    }
}
