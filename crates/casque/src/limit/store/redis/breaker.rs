//! When to stop asking a Redis that does not answer, and when to try again. Pure: times come in.
//!
//! A Redis that hangs would hold up every request for the whole timeout. After a few failures nobody asks any more; twice a
//! second one probe does, beside the requests and not in place of one.

use crate::clock::Micros;

/// Failures in a row that open it.
const IN_A_ROW: u32 = 5;
/// Decisions in a period from which on more than half of them failing opens it.
const MANY: u32 = 20;
/// The period, in microseconds.
const PERIOD: u64 = 1_000_000;
/// Between two probes, in microseconds; plus or minus a tenth, so that processes do not probe at the same moment.
const PROBE_EVERY: u64 = 500_000;
/// A probe of which nothing was heard for so long has got lost, in microseconds.
const PROBE_LOST: u64 = 10_000_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { in_a_row: u32, asked: u32, failed: u32, since: Micros },
    Open { probe_at: Micros },
    Probing { since: Micros },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { in_a_row: 0, asked: 0, failed: 0, since: Micros(0) }
    }
}

/// Whether to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Yes.
    Ask,
    /// No; but a probe is due, which is the caller's to begin.
    Probe,
    /// No.
    Shut,
}

impl Breaker {
    /// Whether to ask now.
    pub(super) fn gate(&mut self, now: Micros) -> Gate {
        let due = match self.state {
            State::Closed { .. } => return Gate::Ask,
            State::Open { probe_at } => now >= probe_at,
            State::Probing { since } => now.0.saturating_sub(since.0) >= PROBE_LOST,
        };
        if due {
            self.state = State::Probing { since: now };
            return Gate::Probe;
        }
        Gate::Shut
    }

    /// An answer came. What was asked before it opened counts for nothing: only a probe closes it.
    pub(super) fn answered(&mut self, now: Micros) {
        self.count(now, false);
    }

    /// None came in time. Whether that has opened it; `random` spreads the probes.
    pub(super) fn failed(&mut self, now: Micros, random: u64) -> bool {
        let opens = self.count(now, true);
        if opens {
            self.state = State::Open { probe_at: next_probe(now, random) };
        }
        opens
    }

    /// How a probe went.
    pub(super) fn probed(&mut self, answered: bool, now: Micros, random: u64) {
        self.state = if answered { State::default() } else { State::Open { probe_at: next_probe(now, random) } };
    }

    fn count(&mut self, now: Micros, is_failure: bool) -> bool {
        let State::Closed { in_a_row, asked, failed, since } = &mut self.state else { return false };
        if now.0.saturating_sub(since.0) >= PERIOD {
            (*asked, *failed, *since) = (0, 0, now);
        }
        *asked += 1;
        *failed += u32::from(is_failure);
        *in_a_row = if is_failure { *in_a_row + 1 } else { 0 };
        *in_a_row >= IN_A_ROW || (*asked >= MANY && *failed * 2 > *asked)
    }
}

fn next_probe(now: Micros, random: u64) -> Micros {
    Micros(now.0.saturating_add(PROBE_EVERY - PROBE_EVERY / 10 + random % (PROBE_EVERY / 5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_000_000_000);

    fn at(ms: u64) -> Micros {
        Micros(NOW.0 + ms * 1000)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        assert!((0..5).any(|_| breaker.failed(NOW, 0)));
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 0..4 {
                assert!(!breaker.failed(NOW, 0));
            }
            breaker.answered(NOW);
        }
        assert_eq!(breaker.gate(NOW), Gate::Ask);
        assert_eq!((0..5).map(|_| breaker.failed(at(2000), 0)).collect::<Vec<_>>(), [false, false, false, false, true]);
        assert_eq!(breaker.gate(at(2000)), Gate::Shut);
    }

    #[test]
    fn so_does_every_other_of_many() {
        let mut breaker = Breaker::default();
        let mut ask = |n: u64, now| {
            if n.is_multiple_of(3) {
                breaker.answered(now);
                return false;
            }
            breaker.failed(now, 0)
        };
        assert!((0..100).all(|n| !ask(n, at(n * 100))), "few in a second are no reason");
        assert_eq!((0..30).find(|n| ask(*n, at(20_000))), Some(19), "two of three fail, and twenty were asked");
    }

    #[test]
    fn one_probe_at_a_time_and_only_a_probe_closes_it() {
        let mut breaker = opened();
        breaker.answered(at(1));
        assert_eq!(breaker.gate(at(449)), Gate::Shut, "an answer to what was asked before is no probe");
        assert_eq!((breaker.gate(at(450)), breaker.gate(at(450)), breaker.gate(at(9000))), (Gate::Probe, Gate::Shut, Gate::Shut));
        assert!(!breaker.failed(at(500), 0));
        breaker.probed(false, at(500), u64::MAX);
        assert_eq!(breaker.gate(at(949)), Gate::Shut);
        assert_eq!(breaker.gate(at(1050)), Gate::Probe);
        breaker.probed(true, at(1050), 0);
        assert_eq!(breaker.gate(at(1050)), Gate::Ask);
        assert!(!breaker.failed(at(1050), 0), "it begins anew");
    }

    #[test]
    fn a_lost_probe_is_made_again() {
        let mut breaker = opened();
        assert_eq!(breaker.gate(at(600)), Gate::Probe);
        assert_eq!((breaker.gate(at(10_599)), breaker.gate(at(10_600))), (Gate::Shut, Gate::Probe));
    }

    proptest::proptest! {
        /// Probes are half a second apart, give or take a tenth, whatever is random.
        #[test]
        fn probes_are_spread(random: u64) {
            let wait = next_probe(NOW, random).0 - NOW.0;
            proptest::prop_assert!((450_000..550_000).contains(&wait));
        }
    }
}
