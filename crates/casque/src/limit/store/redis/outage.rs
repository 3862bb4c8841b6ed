//! What was charged while Redis could not be asked, to be brought to it when it is back.
//!
//! Of bounded size: in a full bucket the key that has used the least part of its limit makes room, so that no flood of new
//! keys makes a key that is at its limit be forgotten.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limit::budget::{Budget, Change};
use crate::limit::subject::Key;

const BUCKETS: usize = 1024;
const WAYS: usize = 8;

/// One key's part of an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Debt {
    pub(super) key: Key,
    pub(super) budget: Budget,
    /// What somebody did to the key by hand, that ends what it had before.
    pub(super) first: Option<Ends>,
    /// Taken off.
    pub(super) rewarded: u32,
    /// Charged.
    pub(super) charged: u32,
}

/// A change that ends what a key had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// All of it.
    All,
    /// Its block.
    Block,
}

impl Debt {
    fn new(key: Key, budget: Budget) -> Self {
        Self { key, budget, first: None, rewarded: 0, charged: 0 }
    }

    /// How much of its limit was used, in 1/1024; what was done by hand is never forgotten.
    fn weight(&self) -> u64 {
        if self.first.is_some() { u64::MAX } else { (u64::from(self.charged) << 10) / u64::from(self.budget.burst().max(1)) }
    }

    fn note(&mut self, change: Change) {
        match change {
            // A block is seen in the fallback's own state.
            Change::Look | Change::Block(_) => {}
            Change::Penalise(n) => self.charged = self.charged.saturating_add(n),
            Change::Reward(n) => {
                let taken = n.min(self.charged);
                self.charged -= taken;
                self.rewarded = self.rewarded.saturating_add(n - taken);
            }
            Change::Unblock => self.first = self.first.or(Some(Ends::Block)),
            Change::Set(n) => *self = Self { first: Some(Ends::All), charged: n, ..Self::new(self.key, self.budget) },
            Change::Reset => *self = Self { first: Some(Ends::All), ..Self::new(self.key, self.budget) },
        }
    }

    /// What `earlier` and then this come to.
    fn after(self, earlier: Self) -> Self {
        if self.first == Some(Ends::All) {
            return self;
        }
        Self {
            first: earlier.first.or(self.first),
            rewarded: earlier.rewarded.saturating_add(self.rewarded),
            charged: earlier.charged.saturating_add(self.charged),
            ..self
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outage {
    hasher: RandomState,
    debts: Mutex<Debts>,
}

#[derive(Debug, Default)]
struct Debts {
    /// Empty, or [`BUCKETS`] of them.
    buckets: Vec<[Option<Debt>; WAYS]>,
    len: usize,
}

impl Outage {
    fn lock(&self) -> MutexGuard<'_, Debts> {
        // Entries are written whole.
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what was done to a key. A key that has nothing noted of it yet is begun.
    pub(super) fn note(&self, key: Key, budget: Budget, change: Change) {
        self.put(key, |known| {
            let mut debt = known.unwrap_or_else(|| Debt::new(key, budget));
            debt.budget = budget;
            debt.note(change);
            debt
        });
    }

    /// Puts back what could not be brought; it was before whatever has been noted since.
    pub(super) fn put_back(&self, debts: Vec<Debt>) {
        for debt in debts {
            self.put(debt.key, |since| since.map_or(debt, |since| since.after(debt)));
        }
    }

    fn put(&self, key: Key, next: impl FnOnce(Option<Debt>) -> Debt) {
        let bucket = self.hasher.hash_one(key) as usize % BUCKETS;
        let mut debts = self.lock();
        if debts.buckets.is_empty() {
            debts.buckets = vec![[None; WAYS]; BUCKETS];
        }
        let slots = &mut debts.buckets[bucket];
        if let Some(known) = slots.iter_mut().flatten().find(|debt| debt.key == key) {
            *known = next(Some(*known));
            return;
        }
        let new = next(None);
        // An empty place is less than any key.
        let Some(least) = slots.iter_mut().min_by_key(|slot| slot.map(|debt| debt.weight())) else { return };
        let was_empty = least.is_none();
        if least.is_none_or(|debt| debt.weight() <= new.weight()) {
            *least = Some(new);
            debts.len += usize::from(was_empty);
        }
    }

    /// Takes up to `most` keys out.
    pub(super) fn take(&self, most: usize) -> Vec<Debt> {
        let mut debts = self.lock();
        if debts.len == 0 {
            return Vec::new();
        }
        let taken: Vec<Debt> =
            debts.buckets.iter_mut().flatten().filter(|slot| slot.is_some()).take(most).filter_map(Option::take).collect();
        debts.len -= taken.len();
        taken
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Gcra, Subject};

    fn key(name: &str) -> Key {
        Key { limit: 1, subject: Subject::of([name]) }
    }

    fn budget() -> Budget {
        Budget::Rate(Gcra::new(1_000_000, 10))
    }

    #[test]
    fn changes_add_up() {
        let outage = Outage::default();
        let note = |change| outage.note(key("a"), budget(), change);
        for change in [Change::Penalise(3), Change::Penalise(2), Change::Reward(1), Change::Look] {
            note(change);
        }
        let sum = Debt { charged: 4, ..Debt::new(key("a"), budget()) };
        assert_eq!(outage.take(10), [sum]);
        note(Change::Reward(2));
        note(Change::Penalise(1));
        note(Change::Unblock);
        assert_eq!(outage.take(10), [Debt { first: Some(Ends::Block), rewarded: 2, charged: 1, ..sum }]);
        note(Change::Set(7));
        note(Change::Penalise(1));
        let set = Debt { first: Some(Ends::All), charged: 8, ..sum };
        assert_eq!(outage.take(10), [set]);
        assert_eq!(outage.len(), 0);
        note(Change::Penalise(1));
        outage.put_back(vec![set]);
        assert_eq!(outage.take(10), [Debt { charged: 9, ..set }]);
        note(Change::Reset);
        outage.put_back(vec![set]);
        assert_eq!(outage.take(10), [Debt { charged: 0, ..set }], "what was done by hand since ends what was before");
    }

    #[test]
    fn no_flood_makes_a_full_key_be_forgotten() {
        let outage = Outage::default();
        outage.note(key("limited"), budget(), Change::Penalise(10));
        outage.note(key("unblocked"), budget(), Change::Unblock);
        for n in 0..100_000 {
            outage.note(key(&n.to_string()), budget(), Change::Penalise(1));
        }
        let debts = outage.take(usize::MAX);
        assert!(debts.len() <= BUCKETS * WAYS);
        for kept in ["limited", "unblocked"] {
            assert!(debts.iter().any(|debt| debt.key == key(kept)), "{kept}");
        }
    }
}
