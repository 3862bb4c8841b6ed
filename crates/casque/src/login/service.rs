//! The Tower service.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::answer;
use super::cookies;
use super::future::{Guarded, ResponseFuture};
use super::layer::{GuardedRequest, LoginGuardLayer, Source};
use super::method::Methods;
use super::replay::Replay;
use super::visit::Visit;
use crate::client_ip::ClientIp;
use crate::limit::{MemoryStore, Store};
use crate::{RequestId, Scheme};

/// See [`LoginGuardLayer`].
#[derive(Debug)]
pub struct LoginGuarded<I, S = MemoryStore> {
    pub(super) inner: I,
    pub(super) layer: LoginGuardLayer<S>,
}

impl<I: Clone, S> Clone for LoginGuarded<I, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<I, S, ReqBody, ResBody> Service<Request<ReqBody>> for LoginGuarded<I, S>
where
    I: Service<Request<Replay<ReqBody>>, Response = Response<ResBody>> + Clone,
    S: Store,
    ReqBody: Body<Data = Bytes> + Unpin,
    ResBody: Body<Data = Bytes> + From<Bytes> + Unpin,
{
    type Response = Response<Replay<ResBody>>;
    type Error = I::Error;
    type Future = ResponseFuture<I, S, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request<ReqBody>) -> Self::Future {
        let extensions = req.extensions();
        let (policy, client, scheme, request_id) = match &self.layer.source {
            Source::Fixed(policy) => (
                policy.clone(),
                extensions.get::<ClientIp>().copied(),
                extensions.get::<Scheme>().copied().unwrap_or_default(),
                extensions.get::<RequestId>().copied(),
            ),
            Source::PerRequest(find) => match find(extensions) {
                Some(GuardedRequest { policy, client, scheme, request_id }) => (policy, Some(client), scheme, request_id),
                None => return ResponseFuture::pass(self.inner.call(req.map(Replay::through))),
            },
        };
        if policy.is_empty() {
            return ResponseFuture::pass(self.inner.call(req.map(Replay::through)));
        }
        let redeems = answer::is_redemption(req.uri().path());
        let which = if redeems {
            None
        } else {
            {
                let asked = Methods { method: req.method(), headers: req.headers(), query: req.uri().query() };
                policy.which(&asked, req.uri().path())
            }
        };
        if which.is_none() && !redeems {
            // The guard's cookies are between it and the browser.
            cookies::strip(req.headers_mut());
            return ResponseFuture::pass(self.inner.call(req.map(Replay::through)));
        }
        let Some(client) = client else { return ResponseFuture::answered(answer::without_client()) };
        let scheme = if self.layer.assume_https { Scheme::Https } else { scheme };
        let guards = self.layer.guards.clone();
        let visit = Visit::new(policy, which, client, scheme, request_id, guards.wall(), &mut req);
        // The service that was polled ready must be the one that is called; its clone takes the place it leaves.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        ResponseFuture::guarded(Guarded::new(Arc::new(visit), guards, ready, req))
    }
}
