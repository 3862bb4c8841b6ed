//! A set-associative table of words: the state of rates.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sketch::Sketch;
use super::word::{Word, Worth, makes_room};
use crate::clock::Micros;

/// Entries in a bucket. A bucket is eight words, one cache line.
pub(super) const WAYS: usize = 4;
const LOCKS: usize = 64;

/// Words 0..4 are fingerprints (zero: never used), words 4..8 what belongs to them.
type Bucket = [AtomicU64; 2 * WAYS];

/// Known keys are changed by one compare-and-swap. A new key takes its bucket's lock, so that no key is ever in twice.
#[derive(Debug)]
pub(super) struct Table {
    cells: Box<[AtomicU64]>,
    /// The first cell at the start of a cache line.
    aligned: usize,
    buckets: usize,
    locks: Vec<Mutex<()>>,
    overflow: Sketch,
}

impl Table {
    pub(super) fn new(buckets: usize) -> Self {
        let buckets = buckets.clamp(1, 1 << 32);
        // A vector of zeroes is memory that the system hands out untouched; making its words atomic in place keeps it so.
        let cells: Box<[AtomicU64]> = vec![0u64; (buckets + 1) * 2 * WAYS].into_iter().map(AtomicU64::new).collect();
        let aligned = cells.as_ptr().align_offset(64).min(2 * WAYS);
        Self { cells, aligned, buckets, locks: (0..LOCKS).map(|_| Mutex::new(())).collect(), overflow: Sketch::default() }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.cells) + self.locks.capacity() * size_of::<Mutex<()>>() + self.overflow.bytes()
    }

    #[inline]
    fn index(&self, fingerprint: u64) -> usize {
        // The upper half of the fingerprint, scaled to the number of buckets.
        (((fingerprint >> 32) * self.buckets as u64) >> 32) as usize
    }

    #[inline]
    fn bucket(&self, index: usize) -> &Bucket {
        let (buckets, _) = self.cells[self.aligned..].as_chunks();
        &buckets[index]
    }

    fn lock(&self, index: usize) -> MutexGuard<'_, ()> {
        // It guards no data of its own, so a poisoned lock is as good as any.
        self.locks[index % LOCKS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the key has a live entry of its own.
    pub(super) fn knows(&self, fingerprint: u64, now: Micros) -> bool {
        let bucket = self.bucket(self.index(fingerprint));
        find(bucket, fingerprint).is_some_and(|way| word(bucket, way).time() > now)
    }

    /// Gives the key's word to `charge` (zero when nothing is known of it) and keeps what comes back. `charge` may be called
    /// more than once; only the last result counts. In a race for the entry a charge may be made twice, but is never lost; what
    /// takes something off goes through [`Table::change`].
    #[inline]
    pub(super) fn charge<R>(&self, fingerprint: u64, now: Micros, charge: impl Fn(Word) -> (Word, R)) -> R {
        let bucket = self.bucket(self.index(fingerprint));
        if let Some(way) = find(bucket, fingerprint)
            && let Some(result) = change_known(bucket, way, fingerprint, &charge)
        {
            return result;
        }
        self.change(fingerprint, now, &charge)
    }

    /// The same, exactly once.
    #[cold]
    pub(super) fn change<R>(&self, fingerprint: u64, now: Micros, change: &dyn Fn(Word) -> (Word, R)) -> R {
        let index = self.index(fingerprint);
        let _guard = self.lock(index);
        let bucket = self.bucket(index);
        // Nobody takes an entry away while the lock is held.
        if let Some(way) = find(bucket, fingerprint)
            && let Some(result) = change_known(bucket, way, fingerprint, change)
        {
            return result;
        }
        let shared = self.overflow.get(fingerprint, now);
        let (next, result) = change(shared);
        if next.time() <= now && shared == Word(0) {
            // A key without debt and a key never seen are the same thing.
            return result;
        }
        // An entry stands above the sketch, also one with nothing in it.
        if !self.put(bucket, fingerprint, next, now) {
            self.overflow.raise(fingerprint, next);
        }
        result
    }

    /// Remembers until then that a key is there. Whatever is counted makes room for itself before this, and this is counted nowhere.
    pub(super) fn mark(&self, fingerprint: u64, until: Micros, now: Micros) {
        let index = self.index(fingerprint);
        let _guard = self.lock(index);
        let bucket = self.bucket(index);
        if find(bucket, fingerprint).and_then(|way| change_known(bucket, way, fingerprint, &|_| (Word::mark(until), ()))).is_none() {
            self.put(bucket, fingerprint, Word::mark(until), now);
        }
    }

    /// Gives the key an entry, if there is one that is worth less. The caller holds the bucket's lock.
    fn put(&self, bucket: &Bucket, fingerprint: u64, next: Word, now: Micros) -> bool {
        loop {
            let words: [Word; WAYS] = std::array::from_fn(|way| word(bucket, way));
            let (least, old) = words.into_iter().enumerate().min_by_key(|(_, word)| word.worth(now)).unwrap_or_default();
            if !makes_room(old.worth(now), next.worth(now)) {
                return false;
            }
            // The name goes first: whoever charges the old key from here on notices that its entry is gone. Who has charged it
            // since it was looked at has changed the word, and then it keeps its place.
            let name = bucket[least].swap(0, Ordering::SeqCst);
            if old.worth(now) == Worth::Full {
                self.overflow.raise(name, old);
            }
            if bucket[WAYS + least].compare_exchange(old.0, next.0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                bucket[least].store(fingerprint, Ordering::SeqCst);
                return true;
            }
            bucket[least].store(name, Ordering::SeqCst);
        }
    }

    /// All live entries: fingerprint and word.
    pub(super) fn entries(&self, now: Micros) -> impl Iterator<Item = (u64, Word)> {
        (0..self.buckets).flat_map(move |index| {
            let bucket = self.bucket(index);
            (0..WAYS).filter_map(move |way| {
                let fingerprint = bucket[way].load(Ordering::SeqCst);
                let word = word(bucket, way);
                // What changes hands in between is left out of the listing.
                let same = bucket[way].load(Ordering::SeqCst) == fingerprint;
                (same && fingerprint != 0 && word.time() > now).then_some((fingerprint, word))
            })
        })
    }
}

#[inline]
fn find(bucket: &Bucket, fingerprint: u64) -> Option<usize> {
    (0..WAYS).find(|way| bucket[*way].load(Ordering::Acquire) == fingerprint)
}

#[inline]
fn word(bucket: &Bucket, way: usize) -> Word {
    Word(bucket[WAYS + way].load(Ordering::Acquire))
}

/// Changes a word in place; `None` if the entry went to another key meanwhile.
#[inline]
fn change_known<R>(bucket: &Bucket, way: usize, fingerprint: u64, change: &(impl Fn(Word) -> (Word, R) + ?Sized)) -> Option<R> {
    let same = || bucket[way].load(Ordering::SeqCst) == fingerprint;
    let mut current = word(bucket, way);
    loop {
        if !same() {
            return None;
        }
        let (next, result) = change(current);
        if next == current {
            return Some(result);
        }
        match bucket[WAYS + way].compare_exchange_weak(current.0, next.0, Ordering::SeqCst, Ordering::Acquire) {
            // If the entry changed hands at that very moment the charge may have gone with it: charge again, which errs on
            // the strict side. Not under the bucket's lock: there entries stay where they are.
            Ok(_) => return same().then_some(result),
            Err(other) => current = Word(other),
        }
    }
}
