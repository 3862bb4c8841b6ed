//! The state as bytes, to outlive the process.
//!
//! A dump holds the index's key and fingerprints, no addresses and no names; but with the key anybody can find out whether an
//! address is in it, so keep it where only the process may read it. Times are kept as what is left of them: a restored state
//! has aged by the wall clock's time between the two.

use std::fmt;
use std::time::Duration;

use super::MemoryStore;
use super::sip::SipKey;
use super::word::Word;
use crate::clock::{Micros, as_micros};
use crate::limit::budget::{Log, State, Used};

/// The first bytes of a dump; the digit is the form's version.
const MAGIC: &[u8; 16] = b"casque limits 1\n";

/// How a dump was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Keys that are in the store now.
    pub restored: usize,
    /// Keys of which time has left nothing.
    pub expired: usize,
}

/// Why bytes are not a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpError {
    what: &'static str,
    at: usize,
}

impl fmt::Display for DumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a dump of limits: {} at byte {}; start without it, all keys are then new", self.what, self.at)
    }
}

impl std::error::Error for DumpError {}

impl MemoryStore {
    /// All state as bytes, but the sketch's and the list of offenders. `wall` is the time since 1970.
    #[must_use]
    pub fn dump(&self, now: Micros, wall: Duration) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let mut put = |n: u64| out.extend_from_slice(&n.to_le_bytes());
        for n in [self.sip.0, self.sip.1, as_micros(wall)] {
            put(n);
        }
        let left = |until: Micros| until.0.saturating_sub(now.0);
        for (fingerprint, word) in self.rates.entries(now) {
            // The word's tag and what is left of its time.
            put(fingerprint);
            put(Word(left(word.time()) << 12 | word.0 & 0xfff).0);
        }
        put(0);
        for (fingerprint, state) in self.records.entries(now) {
            put(fingerprint);
            match state {
                State::Strict(log) => {
                    let ages = log.ages(now);
                    put(ages.len() as u64);
                    put(log.window_micros());
                    ages.into_iter().for_each(&mut put);
                }
                State::Window(used) => [WINDOW, used.index, u64::from(used.used), left(used.ends)].into_iter().for_each(&mut put),
                State::Blocked { until } => [BLOCKED, left(until)].into_iter().for_each(&mut put),
                // Never in that table.
                State::Fresh | State::Rate(_) => put(0),
            }
        }
        put(0);
        out
    }

    /// A store for so many keys with the state of a dump. If the wall clock was set back meanwhile, no time has passed.
    ///
    /// # Errors
    /// The bytes are not a whole dump of this version.
    pub fn restore(keys: usize, dump: &[u8], now: Micros, wall: Duration) -> Result<(Self, Restored), DumpError> {
        let mut bytes = Bytes { all: dump, at: 0 };
        if dump.get(..MAGIC.len()) != Some(MAGIC) {
            return Err(bytes.error("it does not begin as one"));
        }
        bytes.at = MAGIC.len();
        let store = Self::keyed(keys, SipKey(bytes.next()?, bytes.next()?));
        let age = as_micros(wall).saturating_sub(bytes.next()?);
        let mut restored = Restored::default();
        let mut count = |live: bool| *(if live { &mut restored.restored } else { &mut restored.expired }) += 1;
        loop {
            let fingerprint = bytes.next()?;
            if fingerprint == 0 {
                break;
            }
            let written = bytes.next()?;
            let left = (written >> 12).saturating_sub(age);
            count(left > 0);
            let word = Word((now.0.saturating_add(left)).min(u64::MAX >> 12) << 12 | written & 0xfff);
            store.rates.change(fingerprint, now, &|_| (word, ()));
        }
        loop {
            let fingerprint = bytes.next()?;
            if fingerprint == 0 {
                break;
            }
            let until = |left: u64| Micros(now.0.saturating_add(left.saturating_sub(age)));
            let state = match bytes.next()? {
                0 => State::Fresh,
                WINDOW => {
                    let (index, used) = (bytes.next()?, bytes.next()?);
                    State::Window(Used { index, used: u32::try_from(used).unwrap_or(u32::MAX), ends: until(bytes.next()?) })
                }
                BLOCKED => State::Blocked { until: until(bytes.next()?) },
                n if n <= Log::MOST => {
                    let window = bytes.next()?;
                    let mut ages = Vec::new();
                    for _ in 0..n {
                        ages.push(bytes.next()?.saturating_add(age));
                    }
                    State::Strict(Log::of_ages(&ages, window, now))
                }
                _ => return Err(bytes.error("a kind of state that this version does not know")),
            };
            count(state.free_at() > now);
            store.records.put(fingerprint, state, now);
        }
        Ok((store, restored))
    }
}

const WINDOW: u64 = 1 << 32;
const BLOCKED: u64 = 2 << 32;

struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

impl Bytes<'_> {
    fn next(&mut self) -> Result<u64, DumpError> {
        let word = self.all.get(self.at..).and_then(|rest| rest.first_chunk::<8>()).ok_or_else(|| self.error("it ends too early"))?;
        self.at += 8;
        Ok(u64::from_le_bytes(*word))
    }

    fn error(&self, what: &'static str) -> DumpError {
        DumpError { what, at: self.at }
    }
}
