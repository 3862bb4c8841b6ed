//! Who was refused most, in bounded memory.

use std::sync::{Mutex, PoisonError};

use crate::clock::Micros;
use crate::limit::subject::Key;

const SHARDS: usize = 16;
const PER_SHARD: usize = 16;
/// Who was not refused for so long makes room first, in microseconds.
const STALE: u64 = 3_600_000_000;

/// A key that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offender {
    /// The key.
    pub key: Key,
    /// How often it was refused; of a key that took another's place, at most so often.
    pub refused: u64,
    /// When it was last.
    pub last: Micros,
}

/// The space-saving algorithm (Metwally, Agrawal and El Abbadi, 2005): a newcomer takes the place of the least and its count.
/// Whoever was refused more often than a share of 1/16 of its shard's refusals is in it.
#[derive(Debug)]
pub(super) struct Offenders {
    shards: Vec<Mutex<Vec<Offender>>>,
}

impl Default for Offenders {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::new(Vec::with_capacity(PER_SHARD))).collect() }
    }
}

impl Offenders {
    pub(super) fn bytes(&self) -> usize {
        SHARDS * (PER_SHARD * size_of::<Offender>() + size_of::<Mutex<Vec<Offender>>>())
    }

    /// Notes a refusal. Never waits: if another thread is noting one, this one goes uncounted.
    pub(super) fn note(&self, fingerprint: u64, key: Key, now: Micros) {
        let mut shard = match self.shards[fingerprint as usize % SHARDS].try_lock() {
            Ok(shard) => shard,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return,
        };
        if let Some(known) = shard.iter_mut().find(|o| o.key == key) {
            known.refused += 1;
            known.last = now;
        } else if shard.len() < PER_SHARD {
            shard.push(Offender { key, refused: 1, last: now });
        } else if let Some(least) = shard.iter_mut().min_by_key(|o| (now.0.saturating_sub(o.last.0) < STALE, o.refused)) {
            let stale = now.0.saturating_sub(least.last.0) >= STALE;
            *least = Offender { key, refused: if stale { 1 } else { least.refused + 1 }, last: now };
        }
    }

    /// The `n` most refused, the worst first.
    pub(super) fn top(&self, n: usize) -> Vec<Offender> {
        let mut all: Vec<Offender> = Vec::new();
        for shard in &self.shards {
            all.extend(shard.lock().unwrap_or_else(PoisonError::into_inner).iter());
        }
        all.sort_by_key(|o| std::cmp::Reverse((o.refused, o.last)));
        all.truncate(n);
        all
    }

    /// Forgets a key, whose state was reset or unblocked.
    pub(super) fn forget(&self, fingerprint: u64, key: Key) {
        let shard = &self.shards[fingerprint as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner).retain(|o| o.key != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Subject;

    #[test]
    fn the_worst_is_found_among_many() {
        let (offenders, now) = (Offenders::default(), Micros(1));
        let key = |n: u64| Key { limit: 1, subject: Subject::of([n.to_le_bytes()]) };
        for n in 0..10_000u64 {
            offenders.note(n, key(n), now);
            offenders.note(7, key(123_456), now);
        }
        let top = offenders.top(3);
        assert_eq!(top[0].key, key(123_456));
        assert!(top[0].refused >= 10_000 && top.len() == 3);
        offenders.forget(7, key(123_456));
        assert_ne!(offenders.top(1)[0].key, key(123_456));
    }
}
