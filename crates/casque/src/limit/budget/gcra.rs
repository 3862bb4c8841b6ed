//! The generic cell rate algorithm, in integer microseconds. Pure: the state and the time come in, the new state goes out.

use super::Decision;
use crate::clock::Micros;
use crate::limit::quota::Quota;

/// A quota in the units the algorithm counts in.
///
/// The state of a key is one number, its *theoretical arrival time* (TAT): when all it has used will be paid back. A request
/// that costs `n` moves it `n` intervals ahead, and passes if the TAT is then at most `burst` intervals ahead of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gcra {
    /// The weight of one request, in microseconds.
    interval: u64,
    /// How far ahead of now the TAT may run, in microseconds: `burst` intervals.
    tolerance: u64,
    burst: u32,
}

/// The furthest that a TAT may run ahead: 2^51 microseconds, 71 years. Stores keep times in as little as 52 bits, and a TAT that was
/// cut off would let everything through.
const HORIZON: u64 = 1 << 51;

impl From<Quota> for Gcra {
    /// The quota's rate; of a strict quota and one of the calendar, a rate that lets through no more.
    fn from(quota: Quota) -> Self {
        quota.rate()
    }
}

impl Gcra {
    /// One request per `interval` microseconds (at least 1), and `burst` of them (at least 1) at once. An interval is at most 71
    /// years, and so is what a burst comes to: of a burst that takes longer to pay back, only so much counts.
    #[must_use]
    pub fn new(interval: u64, burst: u32) -> Self {
        let interval = interval.clamp(1, HORIZON);
        let burst = burst.clamp(1, u32::try_from(HORIZON / interval).unwrap_or(u32::MAX));
        Self { interval, tolerance: interval.saturating_mul(u64::from(burst)), burst }
    }

    /// The rate that lets at most `limit` through in any `window` (microseconds): half of them at once, the others spread.
    #[must_use]
    pub fn never_more_than(limit: u32, window: u64) -> Self {
        match limit {
            0 | 1 => Self::new(window, 1),
            n => Self::new(window.saturating_mul(2).div_ceil(u64::from(n)), n / 2),
        }
    }

    /// Decides on a request of `cost` and gives the key's new TAT.
    ///
    /// A refused request changes nothing, but that a TAT further ahead than this quota can put it comes back to where it can; keep
    /// that, or the key waits for the rest of it. A cost of zero looks without charging.
    #[must_use]
    #[inline]
    pub fn decide(&self, tat: Micros, now: Micros, cost: u32) -> (Micros, Decision) {
        let tat = self.clamped(tat, now);
        if cost > self.burst {
            return (Micros(tat), Decision::refuse(self.remaining(tat - now.0), None, tat - now.0));
        }
        let next = tat.saturating_add(self.cost(cost));
        let ahead = next - now.0;
        if ahead > self.tolerance {
            return (Micros(tat), Decision::refuse(self.remaining(tat - now.0), Some(ahead - self.tolerance), tat - now.0));
        }
        (Micros(next), Decision::pass(self.remaining(ahead), ahead))
    }

    /// Takes back a charge that was made at `at`. Never gives credit.
    ///
    /// Time pays a debt back, and what it has paid of this charge since then must not be paid again: the charge counts as the
    /// first that is paid off. So a refund is worth the charge less the time since, and whoever holds many charges and lets
    /// them go late has no more than if he had never made them.
    #[must_use]
    pub fn refund(&self, tat: Micros, at: Micros, now: Micros, cost: u32) -> Micros {
        let unpaid = self.cost(cost).saturating_sub(now.0.saturating_sub(at.0));
        Micros(self.clamped(tat, now).saturating_sub(unpaid).max(now.0))
    }

    /// Charges without asking, up to the limit.
    pub(super) fn penalise(&self, tat: Micros, now: Micros, n: u32) -> Micros {
        let more = self.clamped(tat, now).saturating_add(self.cost(n));
        Micros(self.clamped(Micros(more), now))
    }

    /// Takes off so much.
    pub(super) fn reward(&self, tat: Micros, now: Micros, n: u32) -> Micros {
        Micros(self.clamped(tat, now).saturating_sub(self.cost(n)).max(now.0))
    }

    /// How many may come at once.
    #[must_use]
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// The weight of one request, in microseconds.
    #[must_use]
    pub fn interval(&self) -> u64 {
        self.interval
    }

    /// How far ahead of now the TAT may run, in microseconds.
    #[must_use]
    pub fn tolerance(&self) -> u64 {
        self.tolerance
    }

    /// How far ahead of now the TAT may be for one more request to pass.
    pub(in crate::limit) fn slack(&self) -> u64 {
        self.tolerance - self.interval
    }

    /// A TAT further ahead than any charge can put it comes from a clock that was set back or a quota that was narrower; without
    /// the clamp the key would stay locked for all of it.
    fn clamped(&self, tat: Micros, now: Micros) -> u64 {
        tat.0.clamp(now.0, now.0.saturating_add(self.tolerance))
    }

    fn cost(&self, n: u32) -> u64 {
        self.interval.saturating_mul(u64::from(n))
    }

    fn remaining(&self, ahead: u64) -> u32 {
        let left = self.tolerance.saturating_sub(ahead);
        match (u32::try_from(left), u32::try_from(self.interval)) {
            // Up to an hour; many processors divide these in a third of the time.
            (Ok(left), Ok(interval)) => left / interval.max(1),
            _ => u32::try_from(left / self.interval).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn opens_exactly_when_promised() {
        let gcra = Gcra::from(Quota::per_minute(20));
        let start = Micros(1_000_000);
        let mut tat = Micros(0);
        for _ in 0..20 {
            let (next, d) = gcra.decide(tat, start, 1);
            assert!(d.allowed);
            tat = next;
        }
        let (_, refused) = gcra.decide(tat, start, 1);
        assert!(!refused.allowed);
        let wait = refused.retry_after.unwrap();
        assert_eq!(wait, Duration::from_secs(3));
        let just_before = Micros(start.after(wait).0 - 1);
        assert!(!gcra.decide(tat, just_before, 1).1.allowed);
        assert!(gcra.decide(tat, start.after(wait), 1).1.allowed);
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out_for_the_step() {
        let gcra = Gcra::from(Quota::per_second(10));
        let far_ahead = Micros(1_000_000_000_000);
        let (kept, d) = gcra.decide(far_ahead, Micros(5_000_000), 1);
        assert_eq!(d.retry_after, Some(Duration::from_millis(100)));
        assert!(gcra.decide(kept, Micros(5_100_000), 1).1.allowed, "what a refusal gives back has to be kept");
    }

    proptest! {
        /// In any window never more than burst + rate, whatever the arrival times.
        #[test]
        fn never_more_than_burst_plus_rate(
            requests in 1u32..50, window_ms in 1u64..5_000, burst in 1u32..50,
            steps in proptest::collection::vec(0u64..2_000_000, 1..300),
        ) {
            let quota = Quota::new(requests, Duration::from_millis(window_ms)).burst(burst);
            let gcra = Gcra::from(quota);
            let (mut tat, mut now) = (Micros(0), Micros(10_000_000));
            let mut passed: Vec<u64> = Vec::new();
            for step in steps {
                now = Micros(now.0 + step);
                let (next, d) = gcra.decide(tat, now, 1);
                prop_assert!(next >= tat || tat < now);
                tat = next;
                if d.allowed {
                    passed.push(now.0);
                }
            }
            let window = quota.window().as_micros() as u64;
            for (i, first) in passed.iter().enumerate() {
                let in_window = passed[i..].iter().take_while(|t| **t < first + window).count();
                prop_assert!(in_window as u64 <= u64::from(burst) + u64::from(requests));
            }
        }

        /// Waiting as long as told is always enough, and one microsecond less never is.
        #[test]
        fn retry_after_is_exact(requests in 1u32..1000, window_ms in 1u64..100_000, burst in 1u32..100, ahead in 0u64..10_000_000, cost in 1u32..100) {
            let gcra = Gcra::from(Quota::new(requests, Duration::from_millis(window_ms)).burst(burst));
            let now = Micros(50_000_000);
            let tat = Micros(now.0 + ahead);
            let (same, d) = gcra.decide(tat, now, cost);
            if let (false, Some(wait)) = (d.allowed, d.retry_after) {
                prop_assert!(gcra.decide(same, now.after(wait), cost).1.allowed);
                prop_assert!(!gcra.decide(same, Micros(now.after(wait).0 - 1), cost).1.allowed);
            }
        }

        /// A refund undoes its own charge at once.
        #[test]
        fn a_refund_undoes_its_charge(ahead in 0u64..1_000_000, cost in 0u32..=10) {
            let gcra = Gcra::from(Quota::per_second(10));
            let now = Micros(50_000_000);
            let tat = Micros(now.0 + ahead);
            let (charged, d) = gcra.decide(tat, now, cost);
            if d.allowed {
                prop_assert_eq!(gcra.refund(charged, now, now, cost), tat);
            }
        }
    }
}
