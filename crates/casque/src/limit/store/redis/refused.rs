//! Keys that Redis has just refused: for a moment they are refused here, without asking again.
//!
//! A key under attack is asked for most, and its answer is known: its limit is full until a moment that the refusal has told.
//! But another process may unblock it or take a charge back, so what is known here is believed for a second at most.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Micros;
use crate::limit::decision::Decision;
use crate::limit::store::Charge;
use crate::limit::subject::Key;

const SHARDS: usize = 16;
/// Keys in a shard; a newcomer takes the place that its hash falls on.
const PER_SHARD: usize = 256;
/// How long a refusal is believed, in microseconds.
const BELIEVED: u64 = 1_000_000;

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    cost: u32,
    /// Until when it is refused.
    until: Micros,
    /// Until when that is believed.
    believed: Micros,
    decision: Decision,
    told_at: Micros,
}

/// See the module. Of fixed size, filled as it is used.
#[derive(Debug)]
pub(super) struct Refusals {
    shards: Vec<Mutex<Vec<Option<Entry>>>>,
    hasher: std::hash::RandomState,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: std::hash::RandomState::default() }
    }
}

impl Refusals {
    /// The place of a key; nobody outside can make two keys fall on one.
    fn place(&self, key: &Key) -> (MutexGuard<'_, Vec<Option<Entry>>>, usize) {
        let hash = std::hash::BuildHasher::hash_one(&self.hasher, key) as usize;
        let shard = self.shards[hash % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        (shard, hash / SHARDS % PER_SHARD)
    }

    /// Remembers that a charge was refused.
    pub(super) fn note(&self, charge: &Charge, key: Key, decision: &Decision, now: Micros) {
        let Some(wait) = decision.retry_after else { return };
        let until = now.after(wait);
        let believed = Micros(until.0.min(now.0.saturating_add(BELIEVED)));
        let (mut shard, place) = self.place(&key);
        if shard.is_empty() {
            *shard = vec![None; PER_SHARD];
        }
        shard[place] = Some(Entry { key, cost: charge.cost, until, believed, decision: *decision, told_at: now });
    }

    /// The refusal of a charge, if it is known.
    pub(super) fn known(&self, charge: &Charge, key: Key, now: Micros) -> Option<Decision> {
        if charge.cost == 0 {
            return None;
        }
        let (shard, place) = self.place(&key);
        let entry = shard.get(place).copied().flatten()?;
        // Less may fit where more did not.
        if entry.key != key || entry.believed <= now || charge.cost < entry.cost {
            return None;
        }
        drop(shard);
        let gone = now.since(entry.told_at);
        let left = |time: std::time::Duration| time.saturating_sub(gone);
        Some(Decision { retry_after: Some(entry.until.since(now)), reset_after: left(entry.decision.reset_after), ..entry.decision })
    }

    /// Forgets a key, which somebody has changed.
    pub(super) fn forget(&self, key: Key) {
        let (mut shard, place) = self.place(&key);
        if let Some(slot) = shard.get_mut(place)
            && slot.is_some_and(|entry| entry.key == key)
        {
            *slot = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limit::{Budget, Gcra, Subject};

    const NOW: Micros = Micros(1_000_000_000);

    fn charge(cost: u32) -> Charge {
        let key = Key { limit: 1, subject: Subject::of(["a"]) };
        Charge { key, budget: Budget::Rate(Gcra::new(1_000_000, 5)), cost, advisory: false, creator: None }
    }

    fn refused(ms: u64) -> Decision {
        Decision::refuse(1, Some(ms * 1000), ms * 2000)
    }

    #[test]
    fn a_refusal_is_believed_until_it_ends_and_for_a_second_at_most() {
        let (refusals, key) = (Refusals::default(), charge(2).key);
        let at = |ms: u64| Micros(NOW.0 + ms * 1000);
        assert_eq!(refusals.known(&charge(2), key, NOW), None);
        refusals.note(&charge(2), key, &refused(300), NOW);
        let known = refusals.known(&charge(2), key, at(100)).unwrap();
        assert_eq!((known.retry_after, known.reset_after), (Some(Duration::from_millis(200)), Duration::from_millis(500)));
        assert_eq!(refusals.known(&charge(2), key, at(300)), None);
        refusals.note(&charge(2), key, &refused(60_000), NOW);
        assert!(refusals.known(&charge(2), key, at(999)).is_some());
        assert_eq!(refusals.known(&charge(2), key, at(1000)), None);
    }

    #[test]
    fn only_what_must_be_refused_too_is() {
        let (refusals, key) = (Refusals::default(), charge(2).key);
        refusals.note(&charge(2), key, &refused(900), NOW);
        assert!(refusals.known(&charge(3), key, NOW).is_some());
        assert_eq!(refusals.known(&charge(1), key, NOW), None, "less may fit");
        assert_eq!(refusals.known(&charge(0), key, NOW), None, "looking is never refused");
        assert_eq!(refusals.known(&charge(2), Key { limit: 2, ..key }, NOW), None);
        refusals.forget(key);
        assert_eq!(refusals.known(&charge(2), key, NOW), None);
        refusals.note(&charge(9), key, &Decision::refuse(5, None, 0), NOW);
        assert_eq!(refusals.known(&charge(9), key, NOW), None, "what can never pass has no end to be cached until");
    }
}
