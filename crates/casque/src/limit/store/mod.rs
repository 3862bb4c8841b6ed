//! Where the state of limits lives: in memory, or in Redis (feature `redis`).

#[cfg(test)]
pub(super) mod contract;
mod creators;
pub mod memory;
mod pending;
#[cfg(feature = "redis")]
pub mod redis;

use std::fmt;
use std::future::Future;

use super::budget::{Budget, Change};
use super::decision::Decisions;
use super::subject::{Key, Subject};
use crate::clock::Micros;

pub use pending::Pending;

/// One key to charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Which state.
    pub key: Key,
    /// The rule.
    pub budget: Budget,
    /// How much. Zero looks without charging.
    pub cost: u32,
    /// Only to be told: a refusal of this charge neither stops nor undoes the others, and is not charged itself.
    pub advisory: bool,
    /// Who answers for the key if it is new, where clients make up keys as they like (a header, an account name): the store
    /// lets each creator begin only so many keys an hour and counts the others under the creator's name. `None`: nobody does.
    pub creator: Option<Subject>,
}

/// What a store needs to take charges back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt {
    /// When they were made, on the store's own clock.
    pub at: Micros,
    /// Bit `i` is set where charge `i` was counted under its creator's name instead of its key.
    pub shared: u8,
    /// Whether they were made in the fallback, while the store could not be reached. The time is the fallback's then.
    pub fallback: bool,
}

/// The answer to a set of charges.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The answers in order, up to and including the first refusal that counts.
    pub decisions: Decisions,
    /// The charge that was refused, if one was; then none of them was charged. Never an advisory one.
    pub refused: Option<usize>,
    /// For [`Store::refund`].
    pub receipt: Receipt,
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
///
/// `now` is this process's monotonic time; a store with a clock of its own uses that instead, and says so in the [`Receipt`].
/// What a store does to a key's state is [`Budget`]'s; `store/contract.rs` is the suite that every store passes.
pub trait Store: Send + Sync + 'static {
    /// The answer. A named type, so that a store that knows at once needs no allocation: [`std::future::Ready`].
    type Future: Future<Output = Result<Outcome, StoreError>> + Send + Unpin;

    /// Charges all keys or none (advisory ones aside), as [`Budget::decide`]. At most [`super::MAX_LIMITS`] of them.
    fn charge(&self, charges: &[Charge], now: Micros) -> Self::Future;

    /// Takes charges back that [`Store::charge`] made, as [`Budget::refund`]. `charges` are the same in the same order, those
    /// to be kept with a cost of zero; `receipt` is the outcome's. The decisions tell how the keys stand then.
    fn refund(&self, charges: &[Charge], receipt: Receipt, now: Micros) -> Self::Future;

    /// Changes one key's state without asking, as [`Budget::change`]; the one decision tells how it stands then.
    fn change(&self, key: Key, budget: Budget, change: Change, now: Micros) -> Self::Future;
}
