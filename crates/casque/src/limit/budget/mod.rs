//! How a limit counts: one engine of pure functions over plain state, with the time passed in.
//!
//! A [`Budget`] is the rule, a [`State`] what is kept of one key. [`Budget::decide`], [`Budget::refund`] and
//! [`Budget::change`] take a state and a time and give the next state; stores only keep it.

mod gcra;
mod strict;
mod window;

use std::time::Duration;

pub use gcra::Gcra;
pub use strict::{Log, Strict};
pub use window::{Used, Window};

use super::decision::Decision;
use crate::clock::Micros;

/// How much may be spent in how long, in the units that are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// A rate with a burst.
    Rate(Gcra),
    /// Never more than so many in any window.
    Strict(Strict),
    /// So many in a period of the calendar.
    Window(Window),
}

impl From<Gcra> for Budget {
    fn from(gcra: Gcra) -> Self {
        Self::Rate(gcra)
    }
}

/// What is kept of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Nothing: never seen, or all is paid back.
    #[default]
    Fresh,
    /// Under [`Budget::Rate`]: the theoretical arrival time.
    Rate(Micros),
    /// Under [`Budget::Strict`]: when requests passed.
    Strict(Log),
    /// Under [`Budget::Window`]: what was used of the period.
    Window(Used),
    /// Blocked. A key comes out of its block as if it had never been seen.
    Blocked {
        /// The first moment at which it is not.
        until: Micros,
    },
}

impl State {
    /// The state, or [`State::Fresh`] if there is nothing left of it by now.
    #[must_use]
    pub fn at(self, now: Micros) -> Self {
        if self.free_at() <= now { Self::Fresh } else { self }
    }

    /// From when on there is nothing left of it.
    #[must_use]
    pub fn free_at(&self) -> Micros {
        match self {
            Self::Fresh => Micros(0),
            Self::Rate(tat) => *tat,
            Self::Strict(log) => log.free_at(),
            Self::Window(used) => used.ends,
            Self::Blocked { until } => *until,
        }
    }
}

/// What an operator or a guard does to a key without asking whether it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing; to be told how the key stands.
    Look,
    /// Charges so much, up to the limit: a key can be brought to its limit, not past it. For longer, block.
    Penalise(u32),
    /// Takes so much off. Never gives credit.
    Reward(u32),
    /// Refuses everything for so long from now, whatever the key had used. A block that lasts longer already stays.
    Block(Duration),
    /// Ends a block; other state stays.
    Unblock,
    /// Makes it as if so much had just been used, and ends a block.
    Set(u32),
    /// Forgets the key.
    Reset,
}

impl Budget {
    /// Decides on a request of `cost` and gives the key's next state. A refused request changes nothing; a cost of zero looks.
    #[must_use]
    pub fn decide(&self, state: State, now: Micros, cost: u32) -> (State, Decision) {
        if let State::Blocked { until } = state
            && until > now
        {
            // Not charged: hitting a block must not make it longer.
            return (state, Decision::block(until.0 - now.0));
        }
        match (self, state) {
            (Self::Rate(gcra), _) => {
                let (tat, decision) = gcra.decide(tat_of(state), now, cost);
                (State::Rate(tat).at(now), decision)
            }
            (Self::Strict(strict), _) => {
                let (log, decision) = strict.decide(log_of(state), now, cost);
                (State::Strict(log).at(now), decision)
            }
            (Self::Window(window), _) => {
                let (used, decision) = window.decide(used_of(state), now, cost);
                (State::Window(used).at(now), decision)
            }
        }
    }

    /// Takes back a charge of `cost` that was made at `at`. Never gives credit: what time has paid back since then is not paid
    /// back again, so the key is at most as if the charge had never been made.
    #[must_use]
    pub fn refund(&self, state: State, at: Micros, now: Micros, cost: u32) -> State {
        match (self, state) {
            (Self::Rate(gcra), State::Rate(tat)) => State::Rate(gcra.refund(tat, at, now, cost)).at(now),
            (Self::Strict(strict), State::Strict(log)) => State::Strict(strict.refund(log, at, cost)).at(now),
            (Self::Window(window), State::Window(used)) => State::Window(window.refund(used, cost)).at(now),
            // A block stays, and the state of another kind of budget is none of this charge's.
            _ => state.at(now),
        }
    }

    /// Does `change`, and tells whether one more request would pass then and how many.
    #[must_use]
    pub fn change(&self, state: State, now: Micros, change: Change) -> (State, Decision) {
        let state = state.at(now);
        let blocked = matches!(state, State::Blocked { .. });
        let next = match change {
            Change::Look => state,
            Change::Penalise(_) | Change::Reward(_) if blocked => state,
            Change::Penalise(n) => self.penalise(state, now, n),
            Change::Reward(n) => self.reward(state, now, n),
            Change::Block(time) => {
                let until = now.after(time);
                match state {
                    State::Blocked { until: already } => State::Blocked { until: already.max(until) },
                    // No time is no block, nor is it a pardon.
                    _ if until <= now => state,
                    _ => State::Blocked { until },
                }
            }
            Change::Unblock => {
                if blocked {
                    State::Fresh
                } else {
                    state
                }
            }
            Change::Set(n) => self.penalise(State::Fresh, now, n),
            Change::Reset => State::Fresh,
        };
        (next, self.look(next, now))
    }

    /// Whether one more request would pass, and how many in all.
    #[must_use]
    pub fn look(&self, state: State, now: Micros) -> Decision {
        let (_, asked) = self.decide(state, now, 1);
        let (_, seen) = self.decide(state, now, 0);
        Decision { remaining: seen.remaining, reset_after: seen.reset_after, ..asked }
    }

    /// The most that can be spent at once.
    #[must_use]
    pub fn burst(&self) -> u32 {
        match self {
            Self::Rate(gcra) => gcra.burst(),
            Self::Strict(strict) => u32::from(strict.limit()),
            Self::Window(window) => window.limit,
        }
    }

    /// A rate that lets through no more than this budget does in any of its windows: what stores count by where they cannot
    /// keep a state of its own for a key.
    #[must_use]
    pub fn stricter_rate(&self) -> Gcra {
        match self {
            Self::Rate(gcra) => *gcra,
            Self::Strict(strict) => Gcra::never_more_than(u32::from(strict.limit()), strict.window_micros()),
            Self::Window(window) => Gcra::never_more_than(window.limit, window.length_micros),
        }
    }

    fn penalise(&self, state: State, now: Micros, n: u32) -> State {
        match self {
            Self::Rate(gcra) => State::Rate(gcra.penalise(tat_of(state), now, n)),
            Self::Strict(strict) => State::Strict(strict.penalise(log_of(state), now, n)),
            Self::Window(window) => State::Window(window.penalise(used_of(state), n)),
        }
        .at(now)
    }

    fn reward(&self, state: State, now: Micros, n: u32) -> State {
        match self {
            Self::Rate(gcra) => State::Rate(gcra.reward(tat_of(state), now, n)),
            Self::Strict(strict) => State::Strict(strict.reward(log_of(state), now, n)),
            Self::Window(window) => State::Window(window.refund(used_of(state), n)),
        }
        .at(now)
    }
}

fn tat_of(state: State) -> Micros {
    if let State::Rate(tat) = state { tat } else { Micros(0) }
}

fn log_of(state: State) -> Log {
    if let State::Strict(log) = state { log } else { Log::default() }
}

fn used_of(state: State) -> Used {
    if let State::Window(used) = state { used } else { Used::default() }
}

#[cfg(test)]
mod tests;
