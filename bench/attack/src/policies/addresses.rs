//! Defences that count by the client's address alone.

use std::collections::HashMap;

use crate::scenario::{Answer, HOUR, Policy, Time, Try};

/// `limit_req zone=... rate=10r/m burst=5 nodelay`: every request counts, whatever it leads to.
#[derive(Debug, Default)]
pub struct Nginx {
    /// Thousandths of a request that are yet to leak, and when they were counted.
    excess: HashMap<u32, (u64, Time)>,
}

impl Policy for Nginx {
    fn attempt(&mut self, attempt: &Try) -> Answer {
        let (excess, last) = self.excess.entry(attempt.from).or_insert((0, attempt.at));
        // Ten a minute: a request leaks in six seconds.
        let left = excess.saturating_sub((attempt.at - *last) / 6);
        let wanted = if *excess == 0 && *last == attempt.at { 0 } else { left + 1000 };
        if wanted > 5000 {
            return Answer::Refused;
        }
        (*excess, *last) = (wanted, attempt.at);
        Answer::Checked
    }
}

/// A bucket of failures that leaks; when it runs over, the address is banned for a time.
#[derive(Debug)]
pub struct Banned {
    /// Failures in the bucket, in thousandths, and when they were counted.
    level: HashMap<u32, (u64, Time)>,
    /// From when until when.
    bans: HashMap<u32, (Time, Time)>,
    most: u64,
    leaks: Leak,
    ban: Time,
}

#[derive(Debug)]
enum Leak {
    /// All at once, so long after the first.
    AllAfter(Time),
    /// One in so long.
    OneIn(Time),
}

/// From a log line to the ban.
const DELAY: Time = 1000;

impl Banned {
    fn new(most: u64, leaks: Leak, ban: Time) -> Self {
        Self { level: HashMap::new(), bans: HashMap::new(), most, leaks, ban }
    }

    /// `maxretry = 5`, `findtime = 10m`, `bantime = 10m`.
    #[must_use]
    pub fn fail2ban() -> Self {
        Self::new(5, Leak::AllAfter(HOUR / 6), HOUR / 6)
    }

    /// The scenario http-generic-bf: a capacity of five that leaks one in ten seconds, and the default ban of four hours.
    #[must_use]
    pub fn crowdsec() -> Self {
        Self::new(6, Leak::OneIn(10_000), 4 * HOUR)
    }

    fn failure(&mut self, from: u32, now: Time) {
        let (level, since) = self.level.entry(from).or_insert((0, now));
        match self.leaks {
            Leak::AllAfter(window) if now - *since >= window => (*level, *since) = (0, now),
            Leak::AllAfter(_) => {}
            Leak::OneIn(time) => (*level, *since) = (level.saturating_sub((now - *since) * 1000 / time), now),
        }
        *level += 1000;
        if *level > (self.most - 1) * 1000 {
            *level = 0;
            self.bans.insert(from, (now + DELAY, now + DELAY + self.ban));
        }
    }
}

impl Policy for Banned {
    fn attempt(&mut self, attempt: &Try) -> Answer {
        match self.bans.get(&attempt.from) {
            Some((from, until)) if (*from..*until).contains(&attempt.at) => return Answer::Refused,
            // Between the line in the log and the ban.
            Some((from, _)) if attempt.at < *from => {}
            _ if !attempt.right => self.failure(attempt.from, attempt.at),
            _ => {}
        }
        Answer::Checked
    }
}
