//! `Expect: 100-continue` (RFC 9110 10.1.1): the body is not asked of the client before the app wants it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Whether the app has asked for the body.
#[derive(Debug, Default)]
pub(super) struct Continuation {
    go: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Continuation {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The app has sent its 100.
    pub(super) fn go_on(&self) {
        self.go.store(true, Ordering::Release);
        if let Some(waker) = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
    }

    pub(super) fn poll_go(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.go.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        // It may have come between the look and the note.
        if self.go.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}
