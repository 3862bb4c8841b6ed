//! The store inside the process: tables of fixed size that no flood of keys can grow or make forgetful.

mod dump;
#[cfg(feature = "redis")]
mod mirror;
mod offenders;
mod operate;
mod records;
mod sip;
mod sketch;
mod table;
#[cfg(test)]
mod tests;
mod word;

use std::fmt;
use std::future::{Ready, ready};

pub use dump::{DumpError, Restored};
pub use offenders::Offender;
pub use operate::About;

use self::offenders::Offenders;
use self::records::Records;
use self::sip::SipKey;
use self::table::{Table, WAYS};
use self::word::Word;
use super::creators::{CREATIONS, begun_key, counted_under, creations_key, shared_key};
use super::{Charge, Outcome, Receipt, Store, StoreError};
use crate::clock::Micros;
use crate::limit::budget::{Budget, Change, Gcra, State};
use crate::limit::decision::Decision;
use crate::limit::quota::Quota;
use crate::limit::subject::Key;

/// So many keys of rates there is room for, for one of the other budgets, which take six times the memory.
const RATES_PER_RECORD: usize = 16;

/// State in memory of fixed size.
///
/// - 16 bytes a key of a rate, allocated once (untouched pages cost no memory), no timers, no sweep: an entry whose time has
///   passed *is* free, because a key without debt and a key never seen are the same thing. Strict and calendar quotas take 128
///   bytes, in a table of a sixteenth of the keys that is there only if they are used.
/// - In a full bucket the key that has used the least part of its limit makes room. A key that is at its limit, or blocked, is
///   never forgotten: not for keys that cost one request each, and not for others at their limits.
/// - Where there is no room, the newcomer is counted in a sketch that takes keys for more than they are, never for less.
///   Overflow therefore means stricter, never forgetful; and what is only in the sketch is lowered only if there is room meanwhile.
/// - The index is SipHash under a key drawn at start, so nobody outside can aim at one bucket.
/// - A creator of keys ([`Charge::creator`]) may begin 100 an hour of each limit ([`MemoryStore::creations`]). That a key was begun
///   takes an entry too, for an hour; it is the first to make room, and a key without it is begun again.
///
/// A known key is charged without a lock.
pub struct MemoryStore {
    rates: Table,
    records: Records,
    offenders: Offenders,
    creations: Gcra,
    sip: SipKey,
}

impl Default for MemoryStore {
    /// Room for a million keys: 16 MiB when all are used.
    fn default() -> Self {
        Self::with_capacity(1 << 20)
    }
}

impl MemoryStore {
    /// A table for so many keys, 16 bytes each; at least 1,024.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Self {
        Self::keyed(keys, SipKey::random())
    }

    /// Tables that take at most `bytes`, whatever comes; at least 512 KiB, of which half are the sketches.
    #[must_use]
    pub fn with_bytes(bytes: usize) -> Self {
        let fixed = Self::keyed(0, SipKey(0, 0)).most_bytes() - Self::bytes_for(1024);
        Self::with_capacity(bytes.saturating_sub(fixed) * 1024 / Self::bytes_for(1024))
    }

    /// What the entries for so many keys take at most.
    const fn bytes_for(keys: usize) -> usize {
        keys * 16 + keys / RATES_PER_RECORD / WAYS * Records::bytes_per_bucket()
    }

    fn keyed(keys: usize, sip: SipKey) -> Self {
        let keys = keys.max(1024);
        Self {
            rates: Table::new(keys.div_ceil(WAYS)),
            records: Records::new(keys / RATES_PER_RECORD / WAYS),
            offenders: Offenders::default(),
            creations: Gcra::from(Quota::per_hour(CREATIONS)),
            sip,
        }
    }

    /// How many keys of each limit one creator may begin, where charges name one. Default: 100 an hour.
    #[must_use]
    pub fn creations(mut self, quota: Quota) -> Self {
        self.creations = Gcra::from(quota);
        self
    }

    /// The bytes that are allocated. They do not grow with keys, but that the table for strict and calendar quotas is
    /// allocated when these are first used.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.rates.bytes() + self.records.bytes().0 + self.offenders.bytes()
    }

    /// The bytes that may be allocated at most.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        size_of::<Self>() + self.rates.bytes() + self.records.bytes().1 + self.offenders.bytes()
    }

    /// The `n` keys that were refused most, the worst first. 256 are kept.
    #[must_use]
    pub fn top(&self, n: usize) -> Vec<Offender> {
        self.offenders.top(n)
    }

    #[inline]
    fn fingerprint(&self, key: &Key) -> u64 {
        let subject = u128::from_le_bytes(*key.subject.as_bytes());
        // Zero marks an entry that was never used.
        self.sip.hash([key.limit, subject as u64, (subject >> 64) as u64]).max(1)
    }

    /// The key that a charge is counted under, and whether that is its creator's.
    fn counted(&self, charge: &Charge, now: Micros) -> (Key, bool) {
        let Some(creator) = charge.creator else { return (charge.key, false) };
        let own = self.fingerprint(&charge.key);
        let known = if is_rate(&charge.budget) { self.rates.knows(own, now) } else { self.records.knows(own, now) };
        if known || charge.cost == 0 {
            return (charge.key, false);
        }
        // Nothing may be left of what it used, and yet it is no new one.
        let begun = self.fingerprint(&begun_key(&charge.key));
        if self.rates.knows(begun, now) {
            return (charge.key, false);
        }
        if self.decide(&creations_key(&charge.key, creator), &Budget::Rate(self.creations), now, 1).allowed {
            // Not renewed by its use: whoever keeps many keys alive pays for each of them again.
            let until = Micros(now.0.saturating_add(self.creations.slack() + self.creations.interval()));
            self.rates.mark(begun, until, now);
            return (charge.key, false);
        }
        (shared_key(&charge.key, creator), true)
    }

    #[inline]
    fn decide(&self, key: &Key, budget: &Budget, now: Micros, cost: u32) -> Decision {
        let fingerprint = self.fingerprint(key);
        let decision = match budget {
            Budget::Rate(gcra) => self.rates.charge(fingerprint, now, |word| {
                if word.is_block() && word.time() > now {
                    return (word, Decision::block(word.time().0 - now.0));
                }
                let tat = if word.is_block() { Micros(0) } else { word.time() };
                let (next, decision) = gcra.decide(tat, now, cost);
                // A refusal changes nothing, not even the form that is kept, but for a TAT that was too far ahead.
                let changed = (decision.allowed && cost > 0) || next < tat;
                (if changed { Word::rate(next, gcra.slack()) } else { word }, decision)
            }),
            Budget::Strict(_) | Budget::Window(_) => {
                self.records.update(fingerprint, budget, now, |budget, state| budget.decide(state, now, cost))
            }
        };
        if !decision.allowed {
            self.offenders.note(fingerprint, *key, now);
        }
        decision
    }

    /// Changes a state, whatever kind it is.
    fn apply(&self, key: &Key, budget: &Budget, now: Micros, change: impl Fn(&Budget, State) -> (State, Decision)) -> Decision {
        let fingerprint = self.fingerprint(key);
        match budget {
            Budget::Rate(gcra) => self.rates.change(fingerprint, now, &|word| {
                let (next, decision) = change(budget, word.state(now));
                (Word::of(next, gcra.slack()).unwrap_or(word), decision)
            }),
            Budget::Strict(_) | Budget::Window(_) => self.records.update(fingerprint, budget, now, change),
        }
    }

    fn change_now(&self, key: Key, budget: Budget, change: Change, now: Micros) -> Decision {
        self.apply(&key, &budget, now, |budget, state| budget.change(state, now, change));
        if matches!(change, Change::Unblock | Change::Reset) {
            self.offenders.forget(self.fingerprint(&key), key);
        }
        // What stands may be more than was asked for: the sketch cannot be lowered.
        self.apply(&key, &budget, now, |budget, state| (state, budget.look(state, now)))
    }

    fn refund_one(&self, key: &Key, charge: &Charge, at: Micros, now: Micros) -> Decision {
        self.apply(key, &charge.budget, now, |budget, state| {
            let next = budget.refund(state, at, now, charge.cost);
            (next, budget.look(next, now))
        })
    }
}

fn is_rate(budget: &Budget) -> bool {
    matches!(budget, Budget::Rate(_))
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the index's key nor a million entries.
        f.debug_struct("MemoryStore").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    type Future = Ready<Result<Outcome, StoreError>>;

    #[inline]
    fn charge(&self, charges: &[Charge], now: Micros) -> Self::Future {
        let mut outcome = Outcome { receipt: Receipt { at: now, ..Receipt::default() }, ..Outcome::default() };
        for (i, charge) in charges.iter().enumerate() {
            let (key, shared) = self.counted(charge, now);
            outcome.receipt.shared |= u8::from(shared) << (i % 8);
            let decision = self.decide(&key, &charge.budget, now, charge.cost);
            outcome.decisions.push(decision);
            if !decision.allowed && !charge.advisory {
                outcome.refused = Some(i);
                // Charged one after the other and taken back: for a moment others may be refused too early, never let
                // through too often.
                for (j, earlier) in charges[..i].iter().enumerate() {
                    if outcome.decisions.as_slice()[j].allowed {
                        self.refund_one(&counted_under(earlier, outcome.receipt, j), earlier, now, now);
                    }
                }
                break;
            }
        }
        ready(Ok(outcome))
    }

    fn refund(&self, charges: &[Charge], receipt: Receipt, now: Micros) -> Self::Future {
        let mut outcome = Outcome { receipt, ..Outcome::default() };
        for (i, charge) in charges.iter().enumerate() {
            outcome.decisions.push(self.refund_one(&counted_under(charge, receipt, i), charge, receipt.at, now));
        }
        ready(Ok(outcome))
    }

    fn change(&self, key: Key, budget: Budget, change: Change, now: Micros) -> Self::Future {
        let mut outcome = Outcome { receipt: Receipt { at: now, ..Receipt::default() }, ..Outcome::default() };
        outcome.decisions.push(self.change_now(key, budget, change, now));
        ready(Ok(outcome))
    }
}
