//! rate-limiter-flexible's documented recipe for log-ins: look at both counters, check, and count what failed.
//!
//! In a simulation without concurrency it is at its best; what happens when the tries come at once, the races show.

use std::collections::HashMap;

use crate::scenario::{Answer, HOUR, Policy, Time, Try};

const DAY: Time = 24 * HOUR;

/// 100 failures a day of an address, then a day's block; ten in a row of an address at a name, then an hour's.
#[derive(Debug, Default)]
pub struct Recipe {
    by_address: HashMap<u32, (u32, Time)>,
    by_both: HashMap<(u32, u32), (u32, Time)>,
}

/// A counter of a fixed window from its first hit, which a block prolongs. Whether it is used up.
fn used_up<K: std::hash::Hash + Eq>(counters: &HashMap<K, (u32, Time)>, key: &K, most: u32, now: Time) -> bool {
    counters.get(key).is_some_and(|(count, ends)| now < *ends && *count > most)
}

fn consume<K: std::hash::Hash + Eq>(counters: &mut HashMap<K, (u32, Time)>, key: K, most: u32, window: Time, block: Time, now: Time) {
    let counter = counters.entry(key).or_insert((0, now + window));
    if now >= counter.1 {
        *counter = (0, now + window);
    }
    counter.0 += 1;
    if counter.0 == most + 1 {
        counter.1 = now + block;
    }
}

impl Policy for Recipe {
    fn attempt(&mut self, attempt: &Try) -> Answer {
        let (both, now) = ((attempt.from, attempt.account), attempt.at);
        if used_up(&self.by_address, &attempt.from, 100, now) || used_up(&self.by_both, &both, 10, now) {
            return Answer::Refused;
        }
        if attempt.right {
            self.by_both.remove(&both);
        } else {
            consume(&mut self.by_address, attempt.from, 100, DAY, DAY, now);
            if attempt.exists {
                consume(&mut self.by_both, both, 10, 90 * DAY, HOUR, now);
            }
        }
        Answer::Checked
    }
}
