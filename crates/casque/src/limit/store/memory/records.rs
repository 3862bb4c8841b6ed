//! A set-associative table of whole states: for the budgets that need more than a word.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sketch::Sketch;
use super::word::{Word, Worth, makes_room};
use crate::clock::Micros;
use crate::limit::budget::{Budget, State};
use crate::limit::decision::Decision;

const WAYS: usize = 4;
const SHARDS: usize = 64;

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    fingerprint: u64,
    /// Until when the key has nothing left.
    full_until: Micros,
    /// How much of its limit it has used, in 1/1024.
    part: u64,
    state: State,
}

impl Entry {
    fn worth(&self, now: Micros) -> Worth {
        if self.state.free_at() <= now {
            Worth::Free
        } else if matches!(self.state, State::Blocked { .. }) {
            Worth::Blocked
        } else if self.full_until > now {
            Worth::Full
        } else {
            Worth::Partly(self.part)
        }
    }

    fn of(fingerprint: u64, state: State, budget: &Budget, now: Micros) -> Self {
        let look = budget.look(state, now);
        let full_until = if look.allowed { Micros(0) } else { look.retry_after.map_or(Micros(u64::MAX), |wait| now.after(wait)) };
        let used = budget.burst().saturating_sub(look.remaining);
        Self { fingerprint, full_until, part: (u64::from(used) << 10) / u64::from(budget.burst().max(1)), state }
    }
}

/// Each shard has its lock, and is allocated when its first key comes.
#[derive(Debug)]
pub(super) struct Records {
    shards: Vec<Mutex<Vec<[Entry; WAYS]>>>,
    buckets_per_shard: usize,
    overflow: Sketch,
}

impl Records {
    pub(super) fn new(buckets: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, buckets_per_shard: (buckets / SHARDS).max(1), overflow: Sketch::default() }
    }

    /// What is allocated, and what may be at most.
    pub(super) fn bytes(&self) -> (usize, usize) {
        let bucket = size_of::<[Entry; WAYS]>();
        let used: usize = (0..SHARDS).map(|i| self.lock(i).capacity() * bucket).sum();
        let fixed = self.overflow.bytes() + SHARDS * size_of::<Mutex<Vec<[Entry; WAYS]>>>();
        (used + fixed, SHARDS * self.buckets_per_shard * bucket + fixed)
    }

    pub(super) const fn bytes_per_bucket() -> usize {
        size_of::<[Entry; WAYS]>()
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, Vec<[Entry; WAYS]>> {
        // Entries are written whole, so a panic elsewhere leaves none half done.
        self.shards[shard % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn knows(&self, fingerprint: u64, now: Micros) -> bool {
        let shard = self.lock(fingerprint as usize);
        shard
            .get(self.index(fingerprint))
            .is_some_and(|bucket| bucket.iter().any(|e| e.fingerprint == fingerprint && e.worth(now) != Worth::Free))
    }

    fn index(&self, fingerprint: u64) -> usize {
        (((fingerprint >> 32) * self.buckets_per_shard as u64) >> 32) as usize
    }

    /// Gives the key's state to `change` and keeps what comes back.
    pub(super) fn update(
        &self,
        fingerprint: u64,
        budget: &Budget,
        now: Micros,
        change: impl Fn(&Budget, State) -> (State, Decision),
    ) -> Decision {
        let mut shard = self.shard(fingerprint);
        let bucket = &mut shard[self.index(fingerprint)];
        if let Some(entry) = bucket.iter_mut().find(|e| e.fingerprint == fingerprint) {
            let (next, decision) = change(budget, entry.state.at(now));
            if next != entry.state {
                *entry = Entry::of(fingerprint, next, budget, now);
            }
            return decision;
        }
        // A key in the overflow is counted by a rate that lets no more through than its budget.
        let shared = self.overflow.get(fingerprint, now);
        let rate = Budget::Rate(budget.stricter_rate());
        if shared != Word(0) {
            let (next, decision) = change(&rate, shared.state(now));
            // An entry stands above the sketch, also one with nothing in it.
            let own = match next {
                State::Fresh => Some(Entry { fingerprint, ..Entry::default() }),
                State::Blocked { .. } => Some(Entry::of(fingerprint, next, budget, now)),
                _ => None,
            };
            if !own.is_some_and(|own| self.place(bucket, own, now)) {
                self.raise(fingerprint, next, &rate);
            }
            return decision;
        }
        let (next, decision) = change(budget, State::Fresh);
        if next.free_at() <= now {
            return decision;
        }
        if self.place(bucket, Entry::of(fingerprint, next, budget, now), now) {
            return decision;
        }
        let (next, decision) = change(&rate, State::Fresh);
        self.raise(fingerprint, next, &rate);
        decision
    }

    /// Puts an entry in the place of one that is worth less, if there is one.
    fn place(&self, bucket: &mut [Entry; WAYS], entry: Entry, now: Micros) -> bool {
        let least = bucket.iter_mut().min_by_key(|e| e.worth(now)).filter(|e| makes_room(e.worth(now), entry.worth(now)));
        let Some(least) = least else { return false };
        if least.worth(now) == Worth::Full {
            self.keep_full(least.fingerprint, least.state);
        }
        *least = entry;
        true
    }

    /// Takes a key of which the limit is not known here for one at its limit until nothing is left of it.
    fn keep_full(&self, fingerprint: u64, state: State) {
        self.overflow.raise(fingerprint, Word::of(state, 0).unwrap_or(Word::rate(state.free_at(), 0)));
    }

    fn raise(&self, fingerprint: u64, state: State, rate: &Budget) {
        let Budget::Rate(gcra) = rate else { return };
        if let Some(word) = Word::of(state, gcra.slack()) {
            self.overflow.raise(fingerprint, word);
        }
    }

    /// Takes over a key's state from a dump. How near to its limit it is will be known at its next charge; until then it
    /// counts as there.
    pub(super) fn put(&self, fingerprint: u64, state: State, now: Micros) {
        let mut shard = self.shard(fingerprint);
        let index = self.index(fingerprint);
        let entry = Entry { fingerprint, full_until: state.free_at(), part: 0, state };
        if !self.place(&mut shard[index], entry, now) {
            self.keep_full(fingerprint, state);
        }
    }

    /// The key's shard, allocated.
    fn shard(&self, fingerprint: u64) -> MutexGuard<'_, Vec<[Entry; WAYS]>> {
        let mut shard = self.lock(fingerprint as usize);
        if shard.is_empty() {
            *shard = vec![[Entry::default(); WAYS]; self.buckets_per_shard];
        }
        shard
    }

    /// All live states.
    pub(super) fn entries(&self, now: Micros) -> Vec<(u64, State)> {
        let mut all = Vec::new();
        for shard in 0..SHARDS {
            let shard = self.lock(shard);
            let live = shard.iter().flatten().filter(|e| e.fingerprint != 0 && e.worth(now) != Worth::Free);
            all.extend(live.map(|e| (e.fingerprint, e.state)));
        }
        all
    }
}
