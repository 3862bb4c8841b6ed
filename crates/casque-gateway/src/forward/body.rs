//! Bodies on their way through: nothing is gathered, everything waits for whoever reads it.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use casque::login::Replay;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use super::continuation::Continuation;
use super::pool::WayHome;

/// How long an app may leave an expectation unanswered before the body is sent anyway.
const CONTINUE_PATIENCE: Duration = Duration::from_secs(1);

/// The body of a request, of which the login guard may have read the beginning.
pub(super) type ClientBody = Replay<casque::serve::Body>;

/// How far the request body has come; shared with whoever waits for the answer.
#[derive(Debug, Default)]
pub(super) struct Progress {
    frames: Cell<u64>,
    waits_for_client: Cell<bool>,
    done: Cell<bool>,
    too_large: Cell<bool>,
    failed: Cell<bool>,
}

impl Progress {
    pub(super) fn frames(&self) -> u64 {
        self.frames.get()
    }

    pub(super) fn waits_for_client(&self) -> bool {
        self.waits_for_client.get()
    }

    /// Whether nothing of a body was ever sent.
    pub(super) fn untouched(&self) -> bool {
        self.frames.get() == 0
    }

    /// Whether the request was sent to its end, so that its connection may carry another.
    pub(super) fn done(&self) -> bool {
        self.done.get()
    }

    pub(super) fn too_large(&self) -> bool {
        self.too_large.get()
    }

    /// Whether the client's side broke off.
    pub(super) fn failed(&self) -> bool {
        self.failed.get()
    }
}

/// A request body on its way to the app.
#[derive(Debug)]
pub(super) struct RequestBody {
    /// `None` for the copy of a request without a body.
    inner: Option<ClientBody>,
    progress: Rc<Progress>,
    expectation: Option<(Arc<Continuation>, Pin<Box<tokio::time::Sleep>>)>,
    left: Option<u64>,
}

/// Why a request body was cut.
#[derive(Debug)]
pub(super) enum CutShort {
    Client,
    TooLarge,
}

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "the client's request ended too early",
            Self::TooLarge => "the request body is too large",
        })
    }
}

impl std::error::Error for CutShort {}

impl RequestBody {
    pub(super) fn new(inner: ClientBody, progress: Rc<Progress>, continuation: Option<Arc<Continuation>>, max: Option<u64>) -> Self {
        progress.done.set(inner.is_end_stream());
        let expectation = continuation.map(|c| (c, Box::pin(tokio::time::sleep(CONTINUE_PATIENCE))));
        Self { inner: Some(inner), progress, expectation, left: max }
    }

    /// The same, if there is nothing in it.
    pub(super) fn empty_copy(&self) -> Option<Self> {
        self.is_end_stream().then(|| Self { inner: None, progress: self.progress.clone(), expectation: None, left: None })
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        if let Some((continuation, patience)) = &mut this.expectation {
            if continuation.poll_go(cx).is_pending() {
                ready!(patience.as_mut().poll(cx));
            }
            this.expectation = None;
        }
        let progress = &this.progress;
        let Poll::Ready(frame) = Pin::new(&mut *inner).poll_frame(cx) else {
            progress.waits_for_client.set(true);
            return Poll::Pending;
        };
        progress.waits_for_client.set(false);
        let frame = match frame {
            None => {
                progress.done.set(true);
                return Poll::Ready(None);
            }
            Some(Err(_)) => {
                progress.failed.set(true);
                return Poll::Ready(Some(Err(CutShort::Client)));
            }
            Some(Ok(frame)) => frame,
        };
        progress.frames.set(progress.frames.get() + 1);
        if let (Some(left), Some(data)) = (&mut this.left, frame.data_ref()) {
            match left.checked_sub(data.len() as u64) {
                Some(rest) => *left = rest,
                None => {
                    progress.too_large.set(true);
                    return Poll::Ready(Some(Err(CutShort::TooLarge)));
                }
            }
        }
        if inner.is_end_stream() {
            progress.done.set(true);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or(SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

/// A response body: the app's, or a page of ours.
#[derive(Debug)]
pub(crate) struct Body(Kind);

#[derive(Debug)]
enum Kind {
    Upstream(UpstreamBody),
    Page(Option<Bytes>),
}

impl Body {
    pub(super) fn upstream(body: UpstreamBody) -> Self {
        Self(Kind::Upstream(body))
    }

    pub(super) fn empty() -> Self {
        Self(Kind::Page(None))
    }
}

impl From<Bytes> for Body {
    fn from(page: Bytes) -> Self {
        Self(Kind::Page(Some(page).filter(|p| !p.is_empty())))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Kind::Upstream(body) => body.poll_frame(cx),
            Kind::Page(page) => Poll::Ready(page.take().map(|p| Ok(Frame::data(p)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Upstream(body) => body.inner.is_end_stream(),
            Kind::Page(page) => page.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Upstream(body) => body.inner.size_hint(),
            Kind::Page(page) => SizeHint::with_exact(page.as_ref().map_or(0, |p| p.len() as u64)),
        }
    }
}

/// The app's response body. At its end the connection goes back to the pool; dropped before, the connection is closed.
#[derive(Debug)]
pub(super) struct UpstreamBody {
    inner: Incoming,
    home: Option<WayHome>,
}

impl UpstreamBody {
    pub(super) fn new(inner: Incoming, home: WayHome) -> Self {
        let mut body = Self { inner, home: Some(home) };
        body.go_home_at_end();
        body
    }

    fn go_home_at_end(&mut self) {
        if self.inner.is_end_stream()
            && let Some(home) = self.home.take()
        {
            home.go();
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(_)) => self.go_home_at_end(),
            Some(Err(_)) => self.home = None,
            None => {
                if let Some(home) = self.home.take() {
                    home.go();
                }
            }
        }
        Poll::Ready(frame)
    }
}
