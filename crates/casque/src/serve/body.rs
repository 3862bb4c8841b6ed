//! The bodies of requests and responses that pass through the server.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use super::state::InFlight;

/// The body of a request, as it comes from the wire.
#[derive(Debug)]
pub struct Body(pub(super) Incoming);

/// Why a request body ended before its end: the client went away, was too slow, or broke the framing.
/// [`super::Connection::fault`] tells which.
#[derive(Debug)]
pub struct BodyError(hyper::Error);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request body ended too early")
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll_frame(cx)).map(|frame| frame.map_err(BodyError)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

pin_project_lite::pin_project! {
    /// The body of a response on its way out. While it lives, its request counts as in flight.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        pub(super) inner: Content<B>,
        pub(super) in_flight: InFlight,
    }
}

pin_project_lite::pin_project! {
    /// The service's own body, or a page of the server's.
    #[derive(Debug)]
    #[project = ContentProjection]
    pub(super) enum Content<B> {
        Service { #[pin] body: B },
        Page { page: Option<Bytes> },
    }
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().inner.project() {
            ContentProjection::Service { body } => body.poll_frame(cx),
            ContentProjection::Page { page } => Poll::Ready(page.take().map(|p| Ok(Frame::data(p)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Content::Service { body } => body.is_end_stream(),
            Content::Page { page } => page.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Content::Service { body } => body.size_hint(),
            Content::Page { page } => SizeHint::with_exact(page.as_ref().map_or(0, |p| p.len() as u64)),
        }
    }
}
