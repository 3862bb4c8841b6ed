//! What a guard that sees log-ins and learns nothing from them should tell.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Log-ins after which a guard that has learned nothing says so.
const ENOUGH: u64 = 100;

/// A guard that does not fit its app, by what the first hundred log-ins showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worry {
    /// The guard's name.
    pub guard: String,
    /// What it has not seen.
    pub never: Never,
}

/// What a guard has not seen in a hundred log-ins that the app answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Never {
    /// A right password: everybody's attempts are used up by logging in.
    Succeeded,
    /// A wrong one: then nobody is ever stopped.
    Failed,
    /// An account's name: then only addresses are counted.
    Named,
}

impl fmt::Display for Worry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guard = &self.guard;
        match self.never {
            Never::Succeeded => write!(
                f,
                "the login guard `{guard}` has seen {ENOUGH} log-ins and took every one for a wrong password: if people do get in, their attempts run out; tell it what getting in looks like under [[login]], such as success = {{ status = \"200\", set-cookie = \"sid\" }}"
            ),
            Never::Failed => write!(
                f,
                "the login guard `{guard}` has seen {ENOUGH} log-ins and took every one for a right password: if some were wrong, nobody who guesses is stopped; tell it what a wrong password looks like under [[login]], such as failure = {{ location = \"/\" }}"
            ),
            Never::Named => write!(
                f,
                "the login guard `{guard}` has seen {ENOUGH} log-ins and no account name in any: a guesser with many addresses is not stopped; tell it where the name is under [[login]], such as account = {{ form = \"member\", json = \"/member\" }}"
            ),
        }
    }
}

/// How many log-ins a guard has seen, and what they showed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    seen: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
    named: AtomicU64,
}

impl Tally {
    pub(super) fn count(&self, success: bool, named: bool) {
        // One that is counted twice as enough is told once all the same.
        (if success { &self.succeeded } else { &self.failed }).fetch_add(1, Relaxed);
        if named {
            self.named.fetch_add(1, Relaxed);
        }
        self.seen.fetch_add(1, Relaxed);
    }

    pub(super) fn never(&self) -> impl Iterator<Item = Never> {
        let enough = self.seen.load(Relaxed) >= ENOUGH;
        let all = [(&self.succeeded, Never::Succeeded), (&self.failed, Never::Failed), (&self.named, Never::Named)];
        all.into_iter().filter(move |(count, _)| enough && count.load(Relaxed) == 0).map(|(_, never)| never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(log_ins: u64, success: impl Fn(u64) -> bool, named: impl Fn(u64) -> bool) -> Vec<Never> {
        let tally = Tally::default();
        (0..log_ins).for_each(|n| tally.count(success(n), named(n)));
        tally.never().collect()
    }

    #[test]
    fn a_hundred_that_showed_nothing_are_enough() {
        assert_eq!(never(99, |_| false, |_| false), []);
        assert_eq!(never(100, |_| false, |_| false), [Never::Succeeded, Never::Named]);
        assert_eq!(never(100, |_| true, |_| true), [Never::Failed]);
        assert_eq!(never(500, |n| n != 7, |n| n == 499), []);
    }

    #[test]
    fn each_says_which_guard_and_what_to_write() {
        for (never, remedy) in [(Never::Succeeded, "success = {"), (Never::Failed, "failure = {"), (Never::Named, "account = {")] {
            let told = Worry { guard: "admin".to_owned(), never }.to_string();
            assert!(told.contains("`admin`") && told.contains(remedy) && told.contains("[[login]]"), "{told}");
        }
    }
}
