//! What an operator asks the store: how a key stands, and to forget what it did.

use super::MemoryStore;
use crate::clock::Micros;
use crate::limit::budget::{Budget, Change};
use crate::limit::decision::Decision;
use crate::limit::store::creators::{BEGUN, CREATION, SHARED};
use crate::limit::subject::{Key, Subject};

/// What is counted under a limit's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// What the limit counts.
    Requests,
    /// What a client does under keys that it made up beyond its budget of them: they share one.
    MadeUp,
    /// How many keys a client has begun.
    KeysBegun,
}

impl About {
    const ALL: [Self; 3] = [Self::Requests, Self::MadeUp, Self::KeysBegun];

    /// Of a key in the store, if it belongs to the limit of this [`crate::limit::Limit::id`].
    #[must_use]
    pub fn of(key: &Key, limit: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|about| about.id(limit) == key.limit)
    }

    /// The key of what a subject does, of the limit of this id.
    #[must_use]
    pub fn key(self, limit: u64, subject: Subject) -> Key {
        Key { limit: self.id(limit), subject }
    }

    fn id(self, limit: u64) -> u64 {
        match self {
            Self::Requests => limit,
            Self::MadeUp => limit ^ SHARED,
            Self::KeysBegun => limit ^ CREATION,
        }
    }
}

impl MemoryStore {
    /// How a subject stands with the limit of this id: whether one more would pass, and how many.
    #[must_use]
    pub fn standing(&self, about: About, limit: u64, budget: Budget, subject: Subject, now: Micros) -> Decision {
        self.change_now(Key { limit: about.id(limit), subject }, self.budget_of(about, budget), Change::Look, now)
    }

    /// Forgets what a subject did, as if it had never been seen, and tells how it stands then.
    pub fn pardon(&self, about: About, limit: u64, budget: Budget, subject: Subject, now: Micros) -> Decision {
        self.change_now(Key { limit: about.id(limit), subject }, self.budget_of(about, budget), Change::Reset, now)
    }

    /// What is counted by, under a limit with this budget.
    #[must_use]
    pub fn budget_of(&self, about: About, budget: Budget) -> Budget {
        if about == About::KeysBegun { Budget::Rate(self.creations) } else { budget }
    }
}

const _: () = assert!(SHARED != CREATION && CREATION != BEGUN && BEGUN != SHARED);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::store::Charge;
    use crate::limit::{Quota, Store as _};

    #[test]
    fn whoever_makes_up_keys_is_found_and_may_be_pardoned() {
        let (store, now) = (MemoryStore::default().creations(Quota::per_hour(3)), Micros(1_000_000_000));
        let (maker, budget) = (Subject::of(["maker"]), Quota::per_hour(1).fixed_budget().unwrap());
        let made_up = |n: u32| {
            let key = Key { limit: 7, subject: Subject::of([n.to_le_bytes()]) };
            let charge = Charge { key, budget, cost: 1, advisory: false, creator: Some(maker) };
            store.charge(&[charge], now).into_inner().unwrap().refused.is_none()
        };
        assert_eq!((0..20).filter(|n| made_up(*n)).count(), 4);
        let about: Vec<_> = store.top(2).iter().map(|o| (About::of(&o.key, 7), o.key.subject == maker)).collect();
        assert!(about.contains(&(Some(About::MadeUp), true)) && about.contains(&(Some(About::KeysBegun), true)), "{about:?}");
        assert_eq!(About::of(&Key { limit: 8, subject: maker }, 7), None);
        for about in [About::MadeUp, About::KeysBegun] {
            assert!(!store.standing(about, 7, budget, maker, now).allowed);
            assert!(store.pardon(about, 7, budget, maker, now).allowed);
        }
        assert!(store.top(2).is_empty());
        assert_eq!((100..120).filter(|n| made_up(*n)).count(), 4);
        assert!(!store.standing(About::Requests, 7, budget, Subject::of([0u32.to_le_bytes()]), now).allowed);
    }
}
