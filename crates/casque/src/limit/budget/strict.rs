//! Never more than so many in any window, exactly: the moments of what passed are kept.

use super::Decision;
use crate::clock::{Micros, as_micros};
use std::time::Duration;

/// The most requests that a log can hold.
pub(super) const MOST: usize = 16;

/// At most `limit` in any window, wherever it begins. For budgets up to [`Strict::MOST`], such as log-in attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strict {
    limit: u8,
    window: u64,
    /// Microseconds in a tick of the log: one, up to windows of 35 minutes; 41 for a day.
    tick: u32,
}

/// When requests passed, the oldest first, packed into 32 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Log {
    /// The oldest.
    base: u64,
    /// The window that they are kept for; the log carries it, so that a changed policy reads an old log as it was meant.
    window: u64,
    tick: u32,
    len: u8,
    /// Ticks after the base.
    ticks: [u32; MOST],
}

impl Strict {
    /// The most that a log holds.
    pub const MOST: u32 = MOST as u32;
    /// The longest window of a log: a year.
    pub const LONGEST: Duration = Duration::from_secs(366 * 86_400);

    /// At most `limit` (1 to [`Strict::MOST`], others are brought into that) in any `window` of up to [`Strict::LONGEST`].
    #[must_use]
    pub fn new(limit: u32, window: Duration) -> Self {
        let window = as_micros(window.min(Self::LONGEST)).max(1);
        Self { limit: u8::try_from(limit.clamp(1, Self::MOST)).unwrap_or(1), window, tick: tick_of(window) }
    }

    /// The limit.
    #[must_use]
    pub fn limit(&self) -> u8 {
        self.limit
    }

    /// The window in microseconds.
    #[must_use]
    pub fn window_micros(&self) -> u64 {
        self.window
    }

    /// Decides on a request of `cost` and gives the key's new log.
    #[must_use]
    pub fn decide(&self, log: Log, now: Micros, cost: u32) -> (Log, Decision) {
        let log = log.since(self.window, now);
        let (used, limit) = (u32::from(log.len), u32::from(self.limit));
        let left = limit.saturating_sub(used);
        let reset = log.free_at().0.saturating_sub(now.0);
        if cost > limit {
            return (log, Decision::refuse(left, None, reset));
        }
        if cost > left {
            // So many of the oldest have to go first.
            let last_to_go = usize::try_from((used + cost - limit).saturating_sub(1)).unwrap_or(0);
            let wait = (log.time(last_to_go) + self.window).saturating_sub(now.0);
            return (log, Decision::refuse(left, Some(wait), reset));
        }
        let log = self.add(log, now, cost);
        (log, Decision::pass(left - cost, log.free_at().0.saturating_sub(now.0)))
    }

    /// Takes back what passed at `at`: the newest that is not later, so that what came after stays counted for its whole time.
    #[must_use]
    pub fn refund(&self, log: Log, at: Micros, cost: u32) -> Log {
        let mut log = log;
        for _ in 0..cost.min(Self::MOST) {
            // Moments are rounded up to ticks; on one grid, so only one lies within a tick of another.
            let own = (0..usize::from(log.len)).rev().find(|i| log.time(*i) < at.0.saturating_add(u64::from(log.tick.max(1))));
            let Some(own) = own else { break };
            log.remove(own);
        }
        log
    }

    /// Adds up to `n`, as far as there is room.
    pub(super) fn penalise(&self, log: Log, now: Micros, n: u32) -> Log {
        let log = log.since(self.window, now);
        let room = u32::from(self.limit).saturating_sub(u32::from(log.len));
        self.add(log, now, n.min(room))
    }

    /// Takes off the oldest, which were the next to go.
    pub(super) fn reward(&self, log: Log, now: Micros, n: u32) -> Log {
        let mut log = log.since(self.window, now);
        for _ in 0..n.min(u32::from(log.len)) {
            log.remove(0);
        }
        log
    }

    fn add(&self, log: Log, now: Micros, n: u32) -> Log {
        if n == 0 {
            return log;
        }
        let mut log = log.rebased(self.tick, now);
        log.window = self.window;
        let after = now.0.saturating_sub(log.base).div_ceil(u64::from(self.tick));
        for _ in 0..n {
            if let Some(slot) = log.ticks.get_mut(usize::from(log.len)) {
                *slot = u32::try_from(after).unwrap_or(u32::MAX);
                log.len += 1;
            }
        }
        log
    }
}

/// A whole window must fit into half of 32 bits, for moments are kept relative to the oldest.
fn tick_of(window: u64) -> u32 {
    u32::try_from(window.div_ceil(1 << 31)).unwrap_or(u32::MAX).max(1)
}

impl Log {
    /// The most requests that one holds.
    pub(in crate::limit) const MOST: u64 = MOST as u64;

    /// The window that it was kept for, in microseconds.
    pub(in crate::limit) fn window_micros(&self) -> u64 {
        self.window
    }

    /// How long ago its requests were, in microseconds, the oldest first.
    pub(in crate::limit) fn ages(&self, now: Micros) -> Vec<u64> {
        (0..usize::from(self.len)).map(|i| now.0.saturating_sub(self.time(i))).collect()
    }

    /// A log of requests so long ago.
    pub(in crate::limit) fn of_ages(ages: &[u64], window: u64, now: Micros) -> Self {
        let mut times: Vec<u64> = ages.iter().map(|age| now.0.saturating_sub(*age)).filter(|t| t.saturating_add(window) > now.0).collect();
        times.sort_unstable();
        times.truncate(MOST);
        Self::of(&times, tick_of(window), window)
    }

    /// Micros of an entry.
    fn time(&self, index: usize) -> u64 {
        self.base + u64::from(self.ticks.get(index).copied().unwrap_or(0)) * u64::from(self.tick)
    }

    /// How many requests are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// When the last one leaves the window.
    pub(super) fn free_at(&self) -> Micros {
        match usize::from(self.len) {
            0 => Micros(0),
            n => Micros(self.time(n - 1).saturating_add(self.window)),
        }
    }

    /// The log without what has left the window. Moments to come, which only a clock that was set back makes, become now, or
    /// the key would stay locked for the whole step.
    fn since(mut self, window: u64, now: Micros) -> Self {
        self.window = window;
        let gone = (0..usize::from(self.len)).take_while(|i| self.time(*i).saturating_add(window) <= now.0).count();
        for _ in 0..gone {
            self.remove(0);
        }
        let tick = u64::from(self.tick.max(1));
        let latest = now.0.saturating_add(tick);
        if usize::from(self.len) > 0 && self.time(usize::from(self.len) - 1) > latest {
            let times: [u64; MOST] = std::array::from_fn(|i| self.time(i).min(now.0));
            self = Self::of(&times[..usize::from(self.len)], self.tick, window);
        }
        self
    }

    /// The same moments counted from the oldest in ticks of `tick`; from `now` if there is none.
    fn rebased(self, tick: u32, now: Micros) -> Self {
        let times: [u64; MOST] = std::array::from_fn(|i| self.time(i));
        match usize::from(self.len) {
            0 => Self { base: now.0, tick, ..Self::default() },
            n => Self::of(&times[..n], tick, self.window),
        }
    }

    fn of(times: &[u64], tick: u32, window: u64) -> Self {
        let base = times.first().copied().unwrap_or(0);
        let mut log = Self { base, window, tick, len: 0, ticks: [0; MOST] };
        for (slot, time) in log.ticks.iter_mut().zip(times) {
            *slot = u32::try_from((time - base).div_ceil(u64::from(tick.max(1)))).unwrap_or(u32::MAX);
            log.len += 1;
        }
        log
    }

    fn remove(&mut self, index: usize) {
        let len = usize::from(self.len);
        if index < len {
            self.ticks.copy_within(index + 1..len, index);
            self.len -= 1;
            self.ticks[len - 1] = 0;
        }
    }
}
