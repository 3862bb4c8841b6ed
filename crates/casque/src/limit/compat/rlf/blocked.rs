//! Keys that are refused without asking the store.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::runtime::millis;
use crate::clock::Clock;

/// From so many on, those that have ended are dropped with each new one.
const MANY: usize = 999;
/// So many at most; a key beyond them is asked for in the store.
const MOST: usize = 1 << 18;

/// Blocks that are known to the process. Ended ones are found by their end, so a new block never looks at all.
pub struct BlockedKeys {
    clock: Arc<dyn Clock>,
    blocks: Mutex<Blocks>,
}

#[derive(Default)]
struct Blocks {
    ends: HashMap<Arc<str>, u64>,
    by_end: BTreeSet<(u64, Arc<str>)>,
}

impl Blocks {
    fn remove(&mut self, key: &str) {
        if let Some((key, end)) = self.ends.remove_entry(key) {
            self.by_end.remove(&(end, key));
        }
    }

    fn collect(&mut self, now: u64) {
        while let Some((end, key)) = self.by_end.first().filter(|(end, _)| *end <= now).cloned() {
            self.ends.remove(&key);
            self.by_end.remove(&(end, key));
        }
    }
}

impl fmt::Debug for BlockedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockedKeys").field("size", &self.len()).finish_non_exhaustive()
    }
}

impl BlockedKeys {
    /// None yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, blocks: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks a key for so many milliseconds, instead of what it was blocked for.
    pub fn add_ms(&self, key: &str, ms: f64) {
        let now = millis(&*self.clock);
        let mut blocks = self.lock();
        if blocks.ends.len() > MANY {
            blocks.collect(now);
        }
        blocks.remove(key);
        if blocks.ends.len() < MOST {
            // `as` brings a negative number to 0 and a huge one to the most.
            let end = now.saturating_add(ms as u64);
            let key: Arc<str> = Arc::from(key);
            blocks.by_end.insert((end, key.clone()));
            blocks.ends.insert(key, end);
        }
    }

    /// Milliseconds for which a key is still blocked; 0: it is not.
    #[must_use]
    pub fn ms_before_expire(&self, key: &str) -> u64 {
        let end = self.lock().ends.get(key).copied().unwrap_or(0);
        end.saturating_sub(millis(&*self.clock))
    }

    /// Ends a key's block.
    pub fn delete(&self, key: &str) {
        self.lock().remove(key);
    }

    /// Ends all.
    pub fn clear(&self) {
        *self.lock() = Blocks::default();
    }

    /// Drops those that have ended.
    pub fn collect_expired(&self) {
        self.lock().collect(millis(&*self.clock));
    }

    /// How many are kept, ended ones that were not dropped yet among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().ends.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_block_ends_by_itself_or_when_it_is_taken_out() {
        let clock = ManualClock::default();
        let blocked = BlockedKeys::new(Arc::new(clock.clone()));
        for (key, ms) in [("a", 100.0), ("b", 200.0), ("never", -5.0), ("no number", f64::NAN)] {
            blocked.add_ms(key, ms);
        }
        blocked.add_ms("a", 50.0);
        assert_eq!(["a", "b", "never", "no number", "c"].map(|k| blocked.ms_before_expire(k)), [50, 200, 0, 0, 0]);
        clock.advance(Duration::from_millis(50));
        blocked.collect_expired();
        assert_eq!((blocked.ms_before_expire("a"), blocked.len()), (0, 1));
        blocked.delete("b");
        assert!(blocked.is_empty());
        blocked.add_ms("c", f64::INFINITY);
        assert!(blocked.ms_before_expire("c") > 1 << 60);
        blocked.clear();
        assert!(blocked.is_empty());
    }

    #[test]
    fn there_are_at_most_so_many_and_each_costs_the_same() {
        let clock = ManualClock::default();
        let blocked = BlockedKeys::new(Arc::new(clock.clone()));
        for n in 0..MOST + 1000 {
            blocked.add_ms(&n.to_string(), 60_000.0);
        }
        assert_eq!(blocked.len(), MOST);
        clock.advance(Duration::from_secs(60));
        blocked.add_ms("new", 1.0);
        assert_eq!(blocked.len(), 1, "those that have ended make room");
    }
}
