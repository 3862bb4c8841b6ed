//! The Tower layer.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tower_layer::Layer;

use super::policy::{IsolationPolicy, Mode};
use super::service::FetchMetadata;

/// Refuses requests that another site started, before the service inside sees them.
///
/// Put it inside [`crate::HeadersLayer`], so that refusals carry the headers too, and outside the app.
#[derive(Debug, Clone)]
pub struct FetchMetadataLayer {
    pub(super) source: Source,
    pub(super) respond: Respond,
}

/// Finds the policy on a request.
pub type Find = fn(&http::Extensions) -> Option<Arc<IsolationPolicy>>;

/// Draws a refusal from the request's header fields and extensions. Status, body and type are the function's; `Cache-Control`
/// and `Vary` are set on whatever it gives.
pub type Respond = fn(&HeaderMap, &http::Extensions) -> Response<Bytes>;

/// Where the policy of a request comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Fixed(Arc<IsolationPolicy>),
    PerRequest(Find),
}

impl FetchMetadataLayer {
    /// The same policy for every request.
    #[must_use]
    pub fn new(policy: IsolationPolicy) -> Self {
        Self { source: Source::Fixed(Arc::new(policy)), respond: plain }
    }

    /// [`Mode::Report`] on every path.
    #[must_use]
    pub fn report() -> Self {
        Self::new(IsolationPolicy::new(Mode::Report))
    }

    /// [`Mode::Enforce`] on every path.
    #[must_use]
    pub fn enforce() -> Self {
        Self::new(IsolationPolicy::new(Mode::Enforce))
    }

    /// A policy which an outer layer put on the request and `find` finds there. A request without one is left alone.
    #[must_use]
    pub fn per_request(find: Find) -> Self {
        Self { source: Source::PerRequest(find), respond: plain }
    }

    /// Answers refused requests by `respond`. Default: 403 with one line of text.
    #[must_use]
    pub fn respond(mut self, respond: Respond) -> Self {
        self.respond = respond;
        self
    }
}

/// One line, because it is seen by a script or in a frame of another site, if at all.
fn plain(_: &HeaderMap, _: &http::Extensions) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"403 Forbidden: this request was started by another website.\n"));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl<S> Layer<S> for FetchMetadataLayer {
    type Service = FetchMetadata<S>;

    fn layer(&self, inner: S) -> FetchMetadata<S> {
        FetchMetadata { inner, layer: self.clone() }
    }
}
