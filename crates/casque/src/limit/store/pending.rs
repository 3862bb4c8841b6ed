//! An answer that a store has at once, or will have.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Outcome, StoreError};

type Answer = Result<Outcome, StoreError>;

/// The future of stores that know some answers at once and have to ask for others. What is known costs no allocation.
pub struct Pending(State);

enum State {
    /// `None` once it was given.
    Known(Option<Answer>),
    Asked(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

impl Pending {
    /// An answer that is known.
    #[must_use]
    #[inline]
    pub fn known(answer: Answer) -> Self {
        Self(State::Known(Some(answer)))
    }

    /// An answer that comes.
    #[must_use]
    pub fn asked(answer: impl Future<Output = Answer> + Send + 'static) -> Self {
        Self(State::Asked(Box::pin(answer)))
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self.0, State::Known(_)) { "Pending::Known" } else { "Pending::Asked" })
    }
}

impl Future for Pending {
    type Output = Answer;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.0 {
            State::Known(answer) => Poll::Ready(answer.take().expect("not polled after completion")),
            State::Asked(answer) => answer.as_mut().poll(cx),
        }
    }
}
