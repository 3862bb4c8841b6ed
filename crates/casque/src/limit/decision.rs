//! What the limiter answers.

use std::time::Duration;

/// The most limits that can apply to one request. Bounds the work and the state that one request can cause.
pub const MAX_LIMITS: usize = 8;

/// One limit's answer to one request. Durations, never points in time: clocks differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decision {
    /// Whether it may pass.
    pub allowed: bool,
    /// Whether the key is blocked, which no waiting for single requests ends: only [`Self::retry_after`] or an unblock does.
    pub blocked: bool,
    /// How many more could pass right now.
    pub remaining: u32,
    /// How long until the same request could pass; zero if it passed, `None` if it never can (it costs more than the burst).
    pub retry_after: Option<Duration>,
    /// How long until the key is as if it had never been seen.
    pub reset_after: Duration,
}

impl Decision {
    /// It passes, or would.
    pub(super) fn pass(remaining: u32, reset_micros: u64) -> Self {
        Self { allowed: true, blocked: false, remaining, retry_after: Some(Duration::ZERO), reset_after: micros(reset_micros) }
    }

    /// It does not pass; `retry_micros` is `None` if it never can.
    pub(super) fn refuse(remaining: u32, retry_micros: Option<u64>, reset_micros: u64) -> Self {
        Self { allowed: false, blocked: false, remaining, retry_after: retry_micros.map(micros), reset_after: micros(reset_micros) }
    }

    /// The key is blocked for so long.
    pub(super) fn block(left_micros: u64) -> Self {
        Self { blocked: true, ..Self::refuse(0, Some(left_micros), left_micros) }
    }
}

fn micros(n: u64) -> Duration {
    Duration::from_micros(n)
}

/// The answers of the limits that were asked, in order, without an allocation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Decisions {
    items: [Decision; MAX_LIMITS],
    len: usize,
}

impl Decisions {
    /// Adds one; beyond [`MAX_LIMITS`] it is dropped.
    pub fn push(&mut self, decision: Decision) {
        if let Some(slot) = self.items.get_mut(self.len) {
            *slot = decision;
            self.len += 1;
        }
    }

    /// The answers.
    #[must_use]
    pub fn as_slice(&self) -> &[Decision] {
        &self.items[..self.len]
    }
}
