//! How many at a time: slots that are held while work is done.
//!
//! A password hash takes 100 ms and 64 MiB, so whoever can have a thousand computed at once needs no rate. The number of keys
//! that are remembered is at most the number of slots, so no flood of keys grows it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::subject::Subject;

/// Slots for all and for each key. Clones share them.
#[derive(Debug, Clone)]
pub struct Inflight {
    most: usize,
    per_key: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by_key: HashMap<Subject, usize>,
}

/// Why there is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All slots are held.
    All,
    /// All that this key may hold.
    Key,
}

/// A slot, held until this is dropped.
#[derive(Debug)]
#[must_use = "the slot is free again when this is dropped"]
pub struct Slot {
    held: Arc<Mutex<Held>>,
    key: Subject,
}

impl Inflight {
    /// `most` slots in all, and as many for each key.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, per_key: most, held: Arc::default() }
    }

    /// At most so many for each key.
    #[must_use]
    pub fn per_key(mut self, most: usize) -> Self {
        self.per_key = most;
        self
    }

    /// Takes a slot for a key.
    ///
    /// # Errors
    /// There is none.
    pub fn enter(&self, key: Subject) -> Result<Slot, Full> {
        let mut held = lock(&self.held);
        if held.all >= self.most {
            return Err(Full::All);
        }
        let own = held.by_key.get(&key).copied().unwrap_or(0);
        if own >= self.per_key {
            return Err(Full::Key);
        }
        held.all += 1;
        held.by_key.insert(key, own + 1);
        Ok(Slot { held: self.held.clone(), key })
    }

    /// How many slots are held.
    #[must_use]
    pub fn held(&self) -> usize {
        lock(&self.held).all
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.all = held.all.saturating_sub(1);
        if let Some(own) = held.by_key.get_mut(&self.key) {
            *own -= 1;
            if *own == 0 {
                held.by_key.remove(&self.key);
            }
        }
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    // Nothing in here panics between two counts.
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_back_and_no_key_takes_all() {
        let inflight = Inflight::new(3).per_key(2);
        let (alice, bob) = (Subject::of(["alice"]), Subject::of(["bob"]));
        let first = inflight.enter(alice).unwrap();
        let _second = inflight.enter(alice).unwrap();
        assert_eq!(inflight.enter(alice).unwrap_err(), Full::Key);
        let _third = inflight.enter(bob).unwrap();
        assert_eq!(inflight.enter(bob).unwrap_err(), Full::All);
        drop(first);
        assert!(inflight.enter(alice).is_ok());
        assert_eq!(inflight.held(), 2);
    }

    #[test]
    fn keys_are_forgotten_with_their_slots() {
        let inflight = Inflight::new(10);
        for n in 0..1000u32 {
            let _slot = inflight.enter(Subject::of([n.to_le_bytes()])).unwrap();
            assert_eq!(lock(&inflight.held).by_key.len(), 1);
        }
        assert!(lock(&inflight.held).by_key.is_empty());
    }

    #[test]
    fn a_panic_gives_the_slot_back() {
        let inflight = Inflight::new(1);
        let theirs = inflight.clone();
        let panicked = std::thread::spawn(move || {
            let _slot = theirs.enter(Subject::ALL).unwrap();
            panic!("the handler");
        });
        assert!(panicked.join().is_err());
        assert!(inflight.enter(Subject::ALL).is_ok());
    }
}
