//! Defences that count by the account.

use std::collections::HashMap;

use crate::scenario::{Answer, HOUR, Policy, Time, Try};

/// So many failures in so long, then the account is locked for a time.
#[derive(Debug)]
pub struct Locked {
    failures: HashMap<u32, Vec<Time>>,
    until: HashMap<u32, Time>,
    most: usize,
    window: Time,
    lock: Time,
    /// Whether tries during a lock prolong it.
    extends: bool,
    /// Whether a right password wipes out the failures before it.
    forgives: bool,
}

impl Locked {
    fn new(most: usize, window: Time, lock: Time) -> Self {
        Self { failures: HashMap::new(), until: HashMap::new(), most, window, lock, extends: false, forgives: true }
    }

    /// Five in fifteen minutes, then fifteen minutes.
    #[must_use]
    pub fn lockout() -> Self {
        Self::new(5, HOUR / 4, HOUR / 4)
    }

    /// `max_retries: 3`, `find_time: 2m`, `ban_time: 5m`.
    #[must_use]
    pub fn authelia() -> Self {
        Self::new(3, HOUR / 30, HOUR / 12)
    }

    /// django-axes by name with a cool-off of an hour: three failures, and every further try begins the hour anew. A right
    /// password wipes out none (`AXES_RESET_ON_SUCCESS` is off unless it is set).
    #[must_use]
    pub fn axes() -> Self {
        Self { extends: true, forgives: false, ..Self::new(3, HOUR, HOUR) }
    }
}

impl Policy for Locked {
    fn attempt(&mut self, attempt: &Try) -> Answer {
        if let Some(until) = self.until.get_mut(&attempt.account)
            && attempt.at < *until
        {
            if self.extends {
                *until = attempt.at + self.lock;
            }
            return Answer::Refused;
        }
        let failures = self.failures.entry(attempt.account).or_default();
        if attempt.right {
            if self.forgives {
                failures.clear();
            }
            return Answer::Checked;
        }
        failures.retain(|at| attempt.at - at < self.window);
        failures.push(attempt.at);
        if failures.len() == self.most {
            failures.clear();
            self.until.insert(attempt.account, attempt.at + self.lock);
        }
        Answer::Checked
    }
}

/// OWASP's protocol with ten failures an hour, for each known browser and for all unknown ones together. A right password gives a
/// known browser a new cookie, and so a new count; the count of unknown ones it leaves alone.
#[derive(Debug)]
pub struct DeviceCookies {
    known: Locked,
    unknown: Locked,
}

impl Default for DeviceCookies {
    fn default() -> Self {
        // More than ten.
        Self { known: Locked::new(11, HOUR, HOUR), unknown: Locked { forgives: false, ..Locked::new(11, HOUR, HOUR) } }
    }
}

impl Policy for DeviceCookies {
    fn attempt(&mut self, attempt: &Try) -> Answer {
        if attempt.known && self.known.attempt(attempt) == Answer::Checked {
            return Answer::Checked;
        }
        self.unknown.attempt(attempt)
    }
}
