//! One key's state in 64 bits.

use crate::clock::Micros;
use crate::limit::budget::State;

const TAG_BITS: u32 = 12;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;
const BLOCKED: u64 = TAG_MASK;
/// Bits of the slack that are kept, after the highest.
const MANTISSA_BITS: u32 = 6;

/// A point in time, and how it is to be taken: 52 bits of microseconds, which last 142 years, over 12 bits of tag.
///
/// The tag of a rate's state says how far ahead its TAT may be for one more request to pass (its *slack*), as a small
/// floating-point number rounded down. So an entry tells how near it is to its limit without its limit being known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Word(pub(super) u64);

/// How much an entry would be missed if it were forgotten; the greater, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// Nothing is kept of the key any more.
    Free,
    /// It has used so much of its limit, in 1/1024.
    Partly(u64),
    /// It is at its limit. Never to be forgotten.
    Full,
    /// It is blocked. Never to be forgotten, nor to be taken for a key that is merely at its limit, as the sketch may do.
    Blocked,
}

/// Whether an entry of this worth makes room for another. One at its limit does so for a block only, and goes into the sketch.
pub(super) fn makes_room(old: Worth, new: Worth) -> bool {
    match old {
        Worth::Free => true,
        Worth::Partly(_) => old <= new,
        Worth::Full => new == Worth::Blocked,
        Worth::Blocked => false,
    }
}

impl Word {
    /// The word of a state, of a rate with this `slack`; `None` for states that need more than a word.
    #[inline]
    pub(super) fn of(state: State, slack: u64) -> Option<Self> {
        match state {
            State::Fresh => Some(Self(0)),
            State::Rate(tat) => Some(Self::rate(tat, slack)),
            State::Blocked { until } => Some(Self(shifted(until) | BLOCKED)),
            State::Strict(_) | State::Window(_) => None,
        }
    }

    #[inline]
    pub(super) fn rate(tat: Micros, slack: u64) -> Self {
        Self(shifted(tat) | tag(slack))
    }

    /// What is worth least: nothing that is counted.
    pub(super) fn mark(until: Micros) -> Self {
        Self::rate(until, u64::MAX)
    }

    #[inline]
    pub(super) fn is_block(self) -> bool {
        self.0 & TAG_MASK == BLOCKED
    }

    /// The TAT or the end of the block.
    #[inline]
    pub(super) fn time(self) -> Micros {
        Micros(self.0 >> TAG_BITS)
    }

    pub(super) fn state(self, now: Micros) -> State {
        let state = if self.is_block() { State::Blocked { until: self.time() } } else { State::Rate(self.time()) };
        state.at(now)
    }

    pub(super) fn worth(self, now: Micros) -> Worth {
        let ahead = self.time().0.saturating_sub(now.0);
        if ahead == 0 {
            return Worth::Free;
        }
        if self.is_block() {
            return Worth::Blocked;
        }
        let slack = slack(self.0 & TAG_MASK);
        if ahead > slack { Worth::Full } else { Worth::Partly((ahead << 10) / slack.max(1)) }
    }
}

fn shifted(time: Micros) -> u64 {
    time.0.min(u64::MAX >> TAG_BITS) << TAG_BITS
}

/// The slack as exponent and mantissa: 0 for 0, and never [`BLOCKED`], whose exponent no 52-bit number has.
#[inline]
fn tag(slack: u64) -> u64 {
    if slack == 0 {
        return 0;
    }
    let slack = slack.min(u64::MAX >> TAG_BITS);
    let exponent = slack.ilog2();
    let mantissa = ((slack << MANTISSA_BITS) >> exponent) & ((1 << MANTISSA_BITS) - 1);
    (u64::from(exponent) + 1) << MANTISSA_BITS | mantissa
}

fn slack(tag: u64) -> u64 {
    if tag == 0 {
        return 0;
    }
    // What was restored may be a tag that no slack has.
    let exponent = (tag >> MANTISSA_BITS).saturating_sub(1);
    let mantissa = 1 << MANTISSA_BITS | tag & ((1 << MANTISSA_BITS) - 1);
    (mantissa << exponent.min(52)) >> MANTISSA_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn slack_is_rounded_down_by_less_than_a_sixtieth(given in 0u64..1 << 52) {
            let kept = slack(tag(given));
            proptest::prop_assert!(kept <= given && given - kept <= given / 60, "{kept}");
            proptest::prop_assert_ne!(tag(given), BLOCKED);
        }

        #[test]
        fn what_goes_in_comes_out(time in 1u64..1 << 52, given: u64) {
            let word = Word::rate(Micros(time), given);
            proptest::prop_assert_eq!(word.state(Micros(0)), State::Rate(Micros(time)));
            let block = State::Blocked { until: Micros(time) };
            proptest::prop_assert_eq!(Word::of(block, given).unwrap().state(Micros(0)), block);
        }

        #[test]
        fn no_word_of_a_strangers_dump_panics(bits: u64, tag in 0u64..1 << TAG_BITS, now in 0u64..1 << 52) {
            for word in [Word(bits), Word(bits & !TAG_MASK | tag)] {
                let _ = (word.worth(Micros(now)), word.state(Micros(now)));
            }
        }
    }

    #[test]
    fn a_key_at_its_limit_is_worth_more_than_any_other() {
        let (second, now) = (1_000_000, Micros(1_000_000_000));
        // Ten a minute: 6 s each, so nine of them are the slack.
        let at = |ahead: u64| Word::rate(Micros(now.0 + ahead), 54 * second).worth(now);
        assert_eq!(at(0), Worth::Free);
        assert!(at(6 * second) < at(12 * second));
        assert!(at(50 * second) < at(60 * second));
        assert_eq!(at(60 * second), Worth::Full);
        // One an hour is at its limit after one.
        assert_eq!(Word::rate(Micros(now.0 + 1), 0).worth(now), Worth::Full);
    }
}
