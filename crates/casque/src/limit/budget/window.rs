//! So many in a period of the calendar, such as a day or a month.

use super::Decision;
use crate::clock::Micros;

/// What may be used of the period that runs now. [`crate::limit::Quota`] makes it from the calendar, so that no store needs one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// So many.
    pub limit: u32,
    /// The period's number: days or months since 1970, whatever the unit is.
    pub index: u64,
    /// When it ends.
    pub ends: Micros,
    /// How long it is, in microseconds.
    pub length_micros: u64,
}

/// What was used of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Which period.
    pub index: u64,
    /// How much of it.
    pub used: u32,
    /// When it ends.
    pub ends: Micros,
}

impl Window {
    /// Decides on a request of `cost` and gives what the key has used then.
    #[must_use]
    pub fn decide(&self, used: Used, now: Micros, cost: u32) -> (Used, Decision) {
        let used = self.current(used);
        let left = self.limit.saturating_sub(used.used);
        let ends = if used.index > self.index { used.ends } else { self.ends };
        let to_end = ends.0.saturating_sub(now.0);
        let reset = |n: u32| if n == 0 { 0 } else { to_end };
        if cost > self.limit {
            return (used, Decision::refuse(left, None, reset(used.used)));
        }
        if cost > left {
            return (used, Decision::refuse(left, Some(to_end), reset(used.used)));
        }
        let next = used.used.saturating_add(cost);
        (self.with(used, next), Decision::pass(left - cost, reset(next)))
    }

    /// Takes back a charge that this period was charged with; one of an earlier period is gone with it.
    #[must_use]
    pub fn refund(&self, used: Used, cost: u32) -> Used {
        if used.index == self.index { self.with(used, used.used.saturating_sub(cost)) } else { used }
    }

    pub(super) fn penalise(&self, used: Used, n: u32) -> Used {
        let used = self.current(used);
        self.with(used, used.used.saturating_add(n).min(self.limit))
    }

    /// What was used of this period; of a later one if a replica whose clock is ahead has already begun it, so that nobody can
    /// be let through twice by clocks that disagree.
    fn current(&self, used: Used) -> Used {
        if used.index >= self.index { used } else { Used { index: self.index, used: 0, ends: self.ends } }
    }

    fn with(&self, used: Used, n: u32) -> Used {
        let ends = if used.index == self.index { self.ends } else { used.ends };
        // Nothing used is nothing to keep.
        Used { index: used.index, used: n, ends: if n == 0 { Micros(0) } else { ends } }
    }
}
