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

/// So many answers need no allocation: one limit for every request and one for its path is what most policies come to.
const FEW: usize = 2;

/// The answers of the limits that were asked, in order. Small, for it is made and handed on for every request.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    few: [Decision; FEW],
    len: usize,
    /// All of them, where there are more.
    many: Option<Box<[Decision; MAX_LIMITS]>>,
}

impl Decisions {
    /// Adds one; beyond [`MAX_LIMITS`] it is dropped.
    #[inline]
    pub fn push(&mut self, decision: Decision) {
        if let Some(slot) = self.few.get_mut(self.len) {
            *slot = decision;
            self.len += 1;
        } else {
            self.push_more(decision);
        }
    }

    #[cold]
    fn push_more(&mut self, decision: Decision) {
        let many = self.many.get_or_insert_with(|| {
            let mut many = Box::new([Decision::default(); MAX_LIMITS]);
            many.iter_mut().zip(self.few).for_each(|(slot, few)| *slot = few);
            many
        });
        if let Some(slot) = many.get_mut(self.len) {
            *slot = decision;
            self.len += 1;
        }
    }

    /// The answers.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[Decision] {
        self.many.as_ref().map_or(&self.few[..], |many| &many[..]).get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stay_in_order_and_there_are_at_most_so_many() {
        let mut decisions = Decisions::default();
        for n in 0..MAX_LIMITS as u32 + 3 {
            let told: Vec<u32> = decisions.as_slice().iter().map(|d| d.remaining).collect();
            assert_eq!(told, (0..n.min(MAX_LIMITS as u32)).collect::<Vec<_>>());
            decisions.push(Decision::pass(n, 0));
        }
    }
}
