//! The store inside the process: a table of fixed size that no flood of keys can grow or make forgetful.

use std::future::{Ready, ready};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Charge, Outcome, Store, StoreError};
use crate::clock::Micros;

/// Entries in a bucket. A bucket is eight words, one cache line.
const WAYS: usize = 4;
const SHARDS: usize = 64;
/// Shared entries a shard has for keys that find their bucket full of heavier debt.
const OVERFLOW: usize = 64;

/// Words 0..4 are fingerprints, words 4..8 the TATs that belong to them, in microseconds.
type Bucket = [u64; 2 * WAYS];

/// A set-associative table of TATs.
///
/// - 16 bytes an entry, allocated once (untouched pages cost no memory), no timers, no sweep: an entry whose TAT has passed
///   *is* free, because a key without debt and a key never seen are the same thing.
/// - In a full bucket the key with the smallest TAT, which is the least debt, makes room. A key at its limit has the largest
///   TAT there can be, so keys that cost one request each cannot push it out.
/// - The index is SipHash under a key drawn at start, so nobody outside can aim at one bucket.
/// - Where all four owe more than the newcomer would, nobody is pushed out: the newcomer is counted together with other such
///   keys. Overflow therefore means stricter, never forgetful.
#[derive(Debug)]
pub struct MemoryStore {
    shards: Vec<Mutex<Shard>>,
    buckets_per_shard: usize,
    hasher: RandomState,
}

#[derive(Debug)]
struct Shard {
    buckets: Box<[Bucket]>,
    overflow: [u64; OVERFLOW],
}

impl Default for MemoryStore {
    /// Room for a million keys: 16 MiB when all are used.
    fn default() -> Self {
        Self::with_capacity(1 << 20)
    }
}

impl MemoryStore {
    /// A table for at least so many keys, 16 bytes each; rounded up to a power of two, at least 1,024.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Self {
        let buckets = (keys.max(1024).next_power_of_two() / WAYS / SHARDS).max(1);
        let shard = || Shard { buckets: vec![[0; 2 * WAYS]; buckets].into_boxed_slice(), overflow: [0; OVERFLOW] };
        let shards = (0..SHARDS).map(|_| Mutex::new(shard())).collect();
        Self { shards, buckets_per_shard: buckets, hasher: RandomState::new() }
    }

    fn fingerprint(&self, charge: &Charge<'_>) -> u64 {
        // Zero marks an entry that was never used.
        self.hasher.hash_one((charge.limit, charge.subject)).max(1)
    }

    fn shard(&self, fingerprint: u64) -> MutexGuard<'_, Shard> {
        let index = usize::try_from(fingerprint >> 58).unwrap_or(0) % SHARDS;
        // A panic between two writes of a word cannot leave a bucket half done, so a poisoned lock is as good as any.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies `change` to the key's TAT (`Micros(0)` when it is not known) and keeps the result.
    fn update<R>(&self, fingerprint: u64, now: Micros, change: impl Fn(Micros) -> (Micros, R)) -> R {
        let mut shard = self.shard(fingerprint);
        let Shard { buckets, overflow } = &mut *shard;
        let at = usize::try_from(fingerprint & 0xffff_ffff).unwrap_or(0);
        let bucket = &mut buckets[at % self.buckets_per_shard];
        if let Some(i) = (0..WAYS).find(|i| bucket[*i] == fingerprint) {
            let (tat, result) = change(Micros(bucket[WAYS + i]));
            bucket[WAYS + i] = tat.0;
            return result;
        }
        let (tat, result) = change(Micros(0));
        if tat <= now {
            return result;
        }
        let victim = (0..WAYS).min_by_key(|i| bucket[WAYS + *i]).unwrap_or(0);
        if bucket[WAYS + victim] <= tat.0 {
            bucket[victim] = fingerprint;
            bucket[WAYS + victim] = tat.0;
            return result;
        }
        let shared = &mut overflow[at % OVERFLOW];
        let (tat, result) = change(Micros(*shared));
        *shared = tat.0;
        result
    }
}

impl Store for MemoryStore {
    type Future = Ready<Result<Outcome, StoreError>>;

    fn charge(&self, charges: &[Charge<'_>], now: Micros) -> Self::Future {
        let mut outcome = Outcome::default();
        for (i, charge) in charges.iter().enumerate() {
            let decision = self.update(self.fingerprint(charge), now, |tat| charge.gcra.decide(tat, now, charge.cost));
            outcome.decisions.push(decision);
            if !decision.allowed && !charge.advisory {
                outcome.refused = Some(i);
                // Charged one after the other and taken back: for a moment others may be refused too early, never let
                // through too often.
                let made = charges[..i].iter().zip(outcome.decisions.as_slice()).filter(|(_, d)| d.allowed);
                for (earlier, _) in made {
                    self.update(self.fingerprint(earlier), now, |tat| (earlier.gcra.refund(tat, now, earlier.cost), ()));
                }
                break;
            }
        }
        ready(Ok(outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;
    use crate::limit::{Gcra, Quota};

    #[test]
    fn keeps_the_store_contract() {
        contract::check(MemoryStore::default);
    }

    #[test]
    fn a_flood_of_new_keys_does_not_free_the_key_at_its_limit() {
        let store = MemoryStore::with_capacity(1024);
        let now = Micros(1_000_000_000);
        let gcra = Gcra::from(Quota::per_minute(10));
        let try_key = |subject: &[u8]| {
            let charge = Charge { limit: 1, subject, gcra, cost: 1, advisory: false };
            store.charge(&[charge], now).into_inner().unwrap().refused.is_none()
        };
        for _ in 0..10 {
            assert!(try_key(b"attacker"));
        }
        assert!(!try_key(b"attacker"));
        for n in 0u32..100_000 {
            try_key(&n.to_be_bytes());
        }
        assert!(!try_key(b"attacker"), "a hundred times the table's size in fresh keys made it forget");
    }

    #[test]
    fn a_newcomer_among_heavy_debtors_is_counted_not_waved_through() {
        let store = MemoryStore::with_capacity(1024);
        let now = Micros(1_000_000_000);
        let heavy = Gcra::from(Quota::per_hour(10));
        let charge = |subject: &[u8], gcra, cost| {
            store.charge(&[Charge { limit: 1, subject, gcra, cost, advisory: false }], now).into_inner().unwrap().refused.is_none()
        };
        for n in 0u32..20_000 {
            charge(&n.to_be_bytes(), heavy, 10);
        }
        let light = Gcra::from(Quota::per_minute(10));
        let passed = (0..1000).filter(|_| charge(b"newcomer", light, 1)).count();
        assert!(passed <= 10, "{passed} passed");
        assert!(!charge(&19_999u32.to_be_bytes(), heavy, 1) || !charge(&19_998u32.to_be_bytes(), heavy, 1));
    }

    #[test]
    fn parallel_charges_let_exactly_the_limit_through() {
        let store = MemoryStore::default();
        let now = Micros(1_000_000_000);
        let gcra = Gcra::from(Quota::per_hour(10));
        let passed: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let charge = Charge { limit: 1, subject: b"one account", gcra, cost: 1, advisory: false };
                        (0..125).filter(|_| store.charge(&[charge], now).into_inner().unwrap().refused.is_none()).count()
                    })
                })
                .collect();
            workers.into_iter().map(|w| w.join().unwrap()).sum()
        });
        assert_eq!(passed, 10);
    }
}
