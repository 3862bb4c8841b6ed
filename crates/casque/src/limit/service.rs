//! The Tower service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::count_by::Asking;
use super::decision::MAX_LIMITS;
use super::future::{Asked, ResponseFuture, Verdict};
use super::layer::{LimitLayer, LimitedRequest, Limits, Source};
use super::store::memory::MemoryStore;
use super::store::{Charge, Store};
use super::subject::{Key, Subject};
use crate::RequestId;
use crate::client_ip::ClientIp;
use crate::path::Readings;

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
        let counted = which(&limits, &req);
        if counted.is_empty() {
            return ResponseFuture::pass(self.inner.call(req));
        }
        let Some(client) = client else { return ResponseFuture::answered(Asked::without_client()) };
        let mut pending = self.ask(&limits, counted, client, &req);
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

impl<I, S: Store> Limited<I, S> {
    fn ask<B>(&self, limits: &Limits, counted: Counted, client: ClientIp, req: &Request<B>) -> S::Future {
        let (all, clock) = (limits.as_slice(), &*self.layer.clock);
        let charge = |i: usize| {
            let limit = &all[i];
            let (subject, creator) = if limit.count_by().is_client() {
                (Subject::client(client), None)
            } else {
                limit.count_by().subject(Asking { client, method: req.method(), path: req.uri().path(), headers: req.headers() })
            };
            let key = Key { limit: limit.id(), subject };
            Charge { key, budget: limit.budget(clock), cost: 1, advisory: !limit.is_enforced(), creator }
        };
        let mut indices = counted.iter();
        let first = charge(indices.next().unwrap_or_default());
        if counted.len == 1 {
            return self.layer.store.charge(std::slice::from_ref(&first), clock.now());
        }
        let mut charges = [first; MAX_LIMITS];
        for (slot, i) in charges.iter_mut().skip(1).zip(indices) {
            *slot = charge(i);
        }
        self.layer.store.charge(&charges[..usize::from(counted.len)], clock.now())
    }
}

/// The indices of the limits that count a request, in order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    indices: [u8; MAX_LIMITS],
    len: u8,
}

impl Counted {
    fn push(&mut self, index: usize) {
        if let (Some(slot), Ok(index)) = (self.indices.get_mut(usize::from(self.len)), u8::try_from(index)) {
            *slot = index;
            self.len += 1;
        }
    }

    fn is_empty(self) -> bool {
        self.len == 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..usize::from(self.len)).map(move |i| usize::from(self.indices[i]))
    }
}

fn which<B>(limits: &Limits, req: &Request<B>) -> Counted {
    let mut counted = Counted::default();
    let readings = std::cell::OnceCell::new();
    for (i, limit) in limits.as_slice().iter().enumerate() {
        if limit.counts(req.method(), || readings.get_or_init(|| Readings::of(req.uri().path()))) {
            counted.push(i);
        }
    }
    counted
}
