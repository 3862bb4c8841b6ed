//! Every error becomes an answer here and nowhere else.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use casque::RequestId;
use casque::reply::{Format, PAGE_CSP, Reply};
use http::header::{ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::admit::Exchange;
use crate::error::Error;

/// Turns errors of the services inside into pages, and never fails itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RescueLayer;

impl<S> Layer<S> for RescueLayer {
    type Service = Rescue<S>;

    fn layer(&self, inner: S) -> Rescue<S> {
        Rescue { inner }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Rescue<S> {
    inner: S,
}

impl<S, B, ResBody> Service<Request<B>> for Rescue<S>
where
    S: Service<Request<B>, Response = Response<ResBody>, Error = Error>,
    ResBody: From<Bytes>,
{
    type Response = Response<ResBody>;
    type Error = std::convert::Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // The services inside are always ready; an error in being ready would be reported by the call.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let accept = req.headers().get(ACCEPT).cloned();
        let id = req.extensions().get::<Exchange>().map(|e| e.id);
        ResponseFuture { inner: self.inner.call(req), accept, id }
    }
}

pin_project_lite::pin_project! {
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // Read only when there is a page to draw.
        accept: Option<HeaderValue>,
        id: Option<RequestId>,
    }
}

impl<F, ResBody> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, Error>>,
    ResBody: From<Bytes>,
{
    type Output = Result<Response<ResBody>, std::convert::Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(Ok(match ready!(this.inner.poll(cx)) {
            Ok(response) => response,
            Err(error) => page(&error, Format::negotiate(this.accept.as_ref().map(HeaderValue::as_bytes)), *this.id),
        }))
    }
}

/// The answer to what another site made a browser ask for.
pub(crate) fn cross_site(headers: &HeaderMap, extensions: &http::Extensions) -> Response<Bytes> {
    let id = extensions.get::<Exchange>().map(|e| e.id);
    page(&Error::CrossSite, Format::negotiate(headers.get(ACCEPT).map(HeaderValue::as_bytes)), id)
}

fn page<ResBody: From<Bytes>>(error: &Error, format: Format, id: Option<RequestId>) -> Response<ResBody> {
    let status = error.status();
    let hex = id.map(|id| id.to_string());
    let retry_after = matches!(status, 502..=504).then_some(5);
    let reply = Reply { status, detail: error.detail(), retry_after, request_id: hex.as_deref(), ..Reply::default() };
    let mut response = Response::new(Bytes::from(reply.body(format)).into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_CSP));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(id) = id {
        let bytes = Bytes::copy_from_slice(&id.as_hex());
        if let Ok(value) = HeaderValue::from_maybe_shared(bytes) {
            headers.insert(HeaderName::from_static("x-request-id"), value);
        }
    }
    if status == 405 {
        headers.insert(http::header::ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    }
    if error.closes() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response.extensions_mut().insert(Cause(error.to_string()));
    response
}

/// In a response's extensions: what the log says of an answer that is not the app's.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub(crate) String);
