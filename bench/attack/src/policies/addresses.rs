//! Defences that count by the client's address alone.

use std::collections::HashMap;

use crate::scenario::{Answer, HOUR, Policy, Time, Try};

/// `limit_req zone=... rate=10r/m burst=5 nodelay`: every request counts, whatever it leads to.
#[derive(Debug, Default)]
pub struct Nginx {
    /// Thousandths of a request that are yet to leak, and when they were counted.
    excess: HashMap<u32, (u64, Time)>,
}

/// Ten a minute in thousandths a second, which the module keeps as a whole number.
const NGINX_RATE: u64 = 10 * 1000 / 60;
const NGINX_BURST: u64 = 5 * 1000;

impl Policy for Nginx {
    fn attempt(&mut self, attempt: &Try) -> Answer {
        // The request is added before what leaked is taken off, so that one after a long pause leaves nothing behind.
        let excess = self
            .excess
            .get(&attempt.from)
            .map_or(0, |(excess, last)| (excess + 1000).saturating_sub(NGINX_RATE * (attempt.at - last) / 1000));
        if excess > NGINX_BURST {
            return Answer::Refused;
        }
        self.excess.insert(attempt.from, (excess, attempt.at));
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

/// From a log line to the ban. It is short for both: crowdsec's bouncers ask for decisions every ten seconds.
const DELAY: Time = 1000;

impl Banned {
    fn new(most: u64, leaks: Leak, ban: Time) -> Self {
        Self { level: HashMap::new(), bans: HashMap::new(), most, leaks, ban }
    }

    /// `maxretry = 5`, `findtime = 10m` from the first failure, `bantime = 10m`.
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
