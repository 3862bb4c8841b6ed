//! Where points are counted.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::{Future, ready};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::runtime::millis;
use crate::clock::Clock;

/// Longer keys are kept as their digest.
const LONGEST_KEY: usize = 256;
/// Keys that find no room are counted together in so many.
const SHARED: u64 = 256;
const SHARED_MARK: char = '\0';

/// What is kept of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counter {
    /// Points used.
    pub points: f64,
    /// Milliseconds to the end; `None`: never.
    pub left: Option<u64>,
    /// Whether this call began it.
    pub begun: bool,
}

/// A store's answer to come; the error is told to the limiter's caller.
pub type Count<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

/// A store of counters. Times are in milliseconds; no time is for ever.
pub trait Counters: Send + Sync + 'static {
    /// Adds points in one step; `time` counts only if the key is new.
    fn add(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter>;

    /// Puts a key, whatever it was.
    fn put(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter>;

    /// The key, if it is there.
    fn get(&self, key: &str) -> Count<Option<Counter>>;

    /// Takes a key out; whether it was there.
    fn delete(&self, key: &str) -> Count<bool>;
}

/// Counters in memory, of which there are at most so many.
///
/// A key that has ended makes room for a new one. If none has, the newcomer is counted together with other such keys: no flood
/// of keys makes room by pushing a limited one out, and none grows the memory.
pub struct MemoryCounters {
    clock: Arc<dyn Clock>,
    most: usize,
    kept: Mutex<Kept>,
    hasher: RandomState,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<Arc<str>, Entry>,
    /// By when they end, those that do.
    ends: BTreeSet<(u64, Arc<str>)>,
    /// So many were begun; the order of a listing.
    begun: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    points: f64,
    ends: Option<u64>,
    order: u64,
}

impl Kept {
    fn drop_ended(&mut self, now: u64) {
        while let Some((ends, key)) = self.ends.first().filter(|(ends, _)| *ends <= now).cloned() {
            self.keys.remove(&key);
            self.ends.remove(&(ends, key));
        }
    }

    fn put(&mut self, key: &str, points: f64, ends: Option<u64>) {
        let order = self.remove(key).map_or_else(
            || {
                self.begun += 1;
                self.begun
            },
            |old| old.order,
        );
        let key: Arc<str> = Arc::from(key);
        if let Some(ends) = ends {
            self.ends.insert((ends, key.clone()));
        }
        self.keys.insert(key, Entry { points, ends, order });
    }

    fn remove(&mut self, key: &str) -> Option<Entry> {
        let (key, entry) = self.keys.remove_entry(key)?;
        if let Some(ends) = entry.ends {
            self.ends.remove(&(ends, key));
        }
        Some(entry)
    }
}

impl fmt::Debug for MemoryCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCounters").field("most", &self.most).finish_non_exhaustive()
    }
}

impl MemoryCounters {
    /// At most `most` counters, at least one.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, most: usize) -> Self {
        Self { clock, most: most.max(1), kept: Mutex::default(), hasher: RandomState::new() }
    }

    fn now(&self) -> u64 {
        millis(&*self.clock)
    }

    /// The counters without those that have ended.
    fn kept(&self, now: u64) -> MutexGuard<'_, Kept> {
        // Nothing in here panics between two of its steps.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.drop_ended(now);
        kept
    }

    /// The name that a key is kept under, for a call that may begin it.
    fn name(&self, key: &str, kept: &Kept) -> String {
        let name = short(key);
        if kept.keys.contains_key(&*name) || kept.keys.len() < self.most {
            return name;
        }
        // No key of a limiter begins with a zero byte, unless its caller is after the others in here.
        format!("{SHARED_MARK}{}", self.hasher.hash_one(&name) % SHARED)
    }

    pub(super) fn add_now(&self, key: &str, points: f64, time: Option<u64>) -> Counter {
        let now = self.now();
        let mut kept = self.kept(now);
        let name = self.name(key, &kept);
        if let Some(entry) = kept.keys.get_mut(&*name) {
            entry.points += points;
            return Counter { points: entry.points, left: entry.ends.map(|e| e - now), begun: false };
        }
        kept.put(&name, points, time.map(|t| now.saturating_add(t)));
        Counter { points, left: time, begun: true }
    }

    pub(super) fn put_now(&self, key: &str, points: f64, time: Option<u64>) -> Counter {
        let now = self.now();
        let mut kept = self.kept(now);
        let name = self.name(key, &kept);
        kept.put(&name, points, time.map(|t| now.saturating_add(t)));
        Counter { points, left: time, begun: true }
    }

    pub(super) fn get_now(&self, key: &str) -> Option<Counter> {
        let now = self.now();
        let kept = self.kept(now);
        let entry = kept.keys.get(&*self.name(key, &kept))?;
        Some(Counter { points: entry.points, left: entry.ends.map(|e| e - now), begun: false })
    }

    pub(super) fn delete_now(&self, key: &str) -> bool {
        self.kept(self.now()).remove(&short(key)).is_some()
    }

    /// All keys in the order in which they began, with their points and when they end; not what is counted together, which means
    /// nothing to another process.
    pub(super) fn list(&self) -> Vec<(String, f64, Option<u64>)> {
        let kept = self.kept(self.now());
        let mut all: Vec<(&Arc<str>, &Entry)> = kept.keys.iter().filter(|(key, _)| !key.starts_with(SHARED_MARK)).collect();
        all.sort_by_key(|(_, entry)| entry.order);
        all.into_iter().map(|(key, entry)| (key.to_string(), entry.points, entry.ends)).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept(self.now()).keys.len()
    }
}

fn short(key: &str) -> String {
    if key.len() <= LONGEST_KEY {
        return key.to_owned();
    }
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().fold("sha256:".to_owned(), |name, byte| name + &format!("{byte:02x}"))
}

impl Counters for MemoryCounters {
    fn add(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter> {
        Box::pin(ready(Ok(self.add_now(key, points, time))))
    }

    fn put(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter> {
        Box::pin(ready(Ok(self.put_now(key, points, time))))
    }

    fn get(&self, key: &str) -> Count<Option<Counter>> {
        Box::pin(ready(Ok(self.get_now(key))))
    }

    fn delete(&self, key: &str) -> Count<bool> {
        Box::pin(ready(Ok(self.delete_now(key))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{ManualClock, Micros};

    #[test]
    fn no_flood_grows_it_or_pushes_a_key_out() {
        let clock = ManualClock::at(Micros(1_000_000));
        let counters = MemoryCounters::new(Arc::new(clock.clone()), 100);
        counters.add_now("limited", 50.0, Some(60_000));
        for n in 0..10_000 {
            counters.add_now(&format!("key {n}"), 1.0, Some(60_000));
        }
        assert_eq!(counters.get_now("limited").unwrap().points, 50.0);
        assert!(counters.len() <= 100 + SHARED as usize);
        assert!(counters.get_now("key 9999").unwrap().points >= 1.0, "counted together, not waved through");
        assert_eq!(counters.list().len(), 100);
        clock.advance(Duration::from_secs(60));
        assert_eq!((counters.get_now("limited"), counters.len()), (None, 0));
    }

    #[test]
    fn a_long_key_is_kept_short() {
        let counters = MemoryCounters::new(Arc::new(ManualClock::default()), 100);
        let long = "x".repeat(100_000);
        counters.add_now(&long, 1.0, None);
        assert_eq!(counters.add_now(&long, 1.0, None).points, 2.0);
        assert!(counters.list()[0].0.len() < 100);
        assert!(counters.delete_now(&long));
    }
}
