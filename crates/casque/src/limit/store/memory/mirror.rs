//! A key as another store has it, so that this one can go on where that one stopped.

use super::MemoryStore;
use crate::clock::Micros;
use crate::limit::budget::{Budget, Change, State};
use crate::limit::decision::Decision;
use crate::limit::subject::Key;

impl MemoryStore {
    /// Takes over how a key stands elsewhere: no more is left of it than there, and if `both_ways` no less either.
    pub(in crate::limit::store) fn mirror(&self, key: &Key, budget: &Budget, theirs: &Decision, both_ways: bool, now: Micros) {
        if theirs.reset_after.is_zero() && !both_ways {
            return;
        }
        if !theirs.allowed && !both_ways {
            self.offenders.note(self.fingerprint(key), *key, now);
        }
        self.apply(key, budget, now, |budget, state| mirrored(budget, state, theirs, both_ways, now));
    }

    /// How a key stands.
    pub(in crate::limit::store) fn look(&self, key: &Key, budget: &Budget, now: Micros) -> Decision {
        self.apply(key, budget, now, |budget, state| budget.change(state, now, Change::Look))
    }
}

fn mirrored(budget: &Budget, state: State, theirs: &Decision, both_ways: bool, now: Micros) -> (State, Decision) {
    if let (true, Some(left)) = (theirs.blocked, theirs.retry_after) {
        return budget.change(state, now, Change::Block(left));
    }
    if both_ways && theirs.reset_after.is_zero() {
        return budget.change(state, now, Change::Reset);
    }
    let (state, ours) = budget.change(state, now, if both_ways { Change::Unblock } else { Change::Look });
    if ours.blocked {
        return (state, ours);
    }
    if let Budget::Rate(_) = budget {
        // A rate's state is the time to its full quota, to the microsecond.
        let next = if both_ways || ours.reset_after < theirs.reset_after { State::Rate(now.after(theirs.reset_after)) } else { state };
        return (next, budget.look(next, now));
    }
    match ours.remaining.checked_sub(theirs.remaining) {
        Some(more) => budget.change(state, now, Change::Penalise(more)),
        None if both_ways => budget.change(state, now, Change::Reward(theirs.remaining - ours.remaining)),
        None => (state, ours),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;
    use crate::limit::{Quota, Subject};

    #[test]
    fn what_is_left_there_is_left_here() {
        let now = Micros(1_000_000_000);
        let key = Key { limit: 1, subject: Subject::of(["a"]) };
        for quota in [Quota::per_hour(4), Quota::per_hour(4).strict(), Quota::monthly(4)] {
            let budget = quota.budget(&ManualClock::at(now));
            let (store, other) = (MemoryStore::with_capacity(1024), MemoryStore::with_capacity(1024));
            let left = |other: &MemoryStore, both_ways| {
                store.mirror(&key, &budget, &other.look(&key, &budget, now), both_ways, now);
                store.look(&key, &budget, now).remaining
            };
            let change = |change| other.apply(&key, &budget, now, |b, s| b.change(s, now, change));
            change(Change::Penalise(3));
            assert_eq!(left(&other, false), 1, "{quota}");
            change(Change::Reward(2));
            assert_eq!(left(&other, false), 1, "{quota}: only ever less");
            assert_eq!(left(&other, true), 3, "{quota}");
            change(Change::Block(Duration::from_secs(60)));
            assert_eq!(left(&other, false), 0, "{quota}");
            assert!(store.look(&key, &budget, now).blocked, "{quota}");
            change(Change::Unblock);
            assert_eq!(left(&other, true), 4, "{quota}");
        }
    }
}
