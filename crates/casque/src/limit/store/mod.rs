//! Where the state of limits lives.

#[cfg(test)]
pub(super) mod contract;
pub mod memory;

use std::fmt;
use std::future::Future;

use super::decision::Decisions;
use super::gcra::Gcra;
use crate::clock::Micros;

/// One key to charge.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    /// Which limit, as [`super::Limit::id`] gives it: the same across reloads and replicas for the same name.
    pub limit: u64,
    /// Whom it counts: the bytes of the normalised key. Stores hash them with a secret; they never leave the process as they are.
    pub subject: &'a [u8],
    /// The rule.
    pub gcra: Gcra,
    /// How much.
    pub cost: u32,
    /// Only to be told: a refusal of this charge neither stops nor undoes the others, and is not charged itself.
    pub advisory: bool,
}

/// The answer to a set of charges.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// The answers in order, up to and including the first refusal that counts.
    pub decisions: Decisions,
    /// The charge that was refused, if one was; then none of them was charged. Never an advisory one.
    pub refused: Option<usize>,
}

/// The store could not answer. Never to be mistaken for a refusal: the caller's failure policy decides what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    message: String,
}

impl StoreError {
    /// An error with what is known about it.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit store: {}", self.message)
    }
}

impl std::error::Error for StoreError {}

/// Keeps the state of limits. One call is one decision: all charges pass, or none is made.
pub trait Store: Send + Sync + 'static {
    /// The answer. A named type, so that a store that knows at once needs no allocation: [`std::future::Ready`].
    type Future: Future<Output = Result<Outcome, StoreError>> + Send + Unpin;

    /// Charges all keys or none (advisory ones aside). `now` is this process's monotonic time; a store with a clock of its own uses that instead.
    fn charge(&self, charges: &[Charge<'_>], now: Micros) -> Self::Future;
}
