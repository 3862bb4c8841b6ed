//! A7: a flood of names and addresses that nobody has seen before, against the guard and its table in memory.
//!
//! What a table forgets that is full is what an attacker wants forgotten: an account whose tries are used up has them again. So
//! one account and one source are brought to their limits, then come the strangers, and then both are tried once more.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use casque::client_ip::{ClientIp, TrustedProxies};
use casque::clock::{ManualClock, Micros};
use casque::limit::{MemoryStore, Subject};
use casque::login::{Account, Attempt, Guard, Outcome, Verdict};
use http::HeaderMap;

use crate::policies::guard::now;

/// What came of a flood.
#[derive(Debug, Clone, Copy)]
pub struct Flooded {
    /// Strangers whose password the app would have looked at.
    pub reached: u64,
    /// Passwords of the account at its limit that were looked at after the flood.
    pub account_forgotten: u64,
    /// Passwords that the source at its limit had looked at after the flood, at accounts of nobody.
    pub source_forgotten: u64,
    /// Bytes of the table after it, and the most that it may ever have.
    pub bytes: (usize, usize),
    /// By how many KiB the process grew; `None` where that cannot be read.
    pub grew: Option<u64>,
}

const START: u64 = 1000 * 3_600_000_000;
const VICTIM: u64 = u64::MAX;
const TIRED_SOURCE: u32 = 0x0a00_0001;
/// Tries after the flood.
const AFTERWARDS: u64 = 5;

fn attempt(from: u32, account: u64) -> Attempt {
    let client: ClientIp = TrustedProxies::default().identify(IpAddr::V4(Ipv4Addr::from(from)), &HeaderMap::new()).ip;
    Attempt { client, accounts: vec![Account { account: Subject::of([account.to_le_bytes()]), device: None }], pass: None }
}

/// Whether it was looked at, and found wrong.
fn fails(guard: &Guard, from: u32, account: u64) -> u64 {
    let verdict = now(guard.reserve(&attempt(from, account))).expect("the store in memory has no trouble");
    let Verdict::Go(reservation) = verdict else { return 0 };
    now(reservation.settle(Outcome::Failure)).expect("as above");
    1
}

/// So many strangers, a million a second, each from another network at another account, on a table of so many entries.
#[must_use]
pub fn flood(strangers: u32, entries: usize) -> Flooded {
    let clock = ManualClock::at(Micros(START));
    let store = Arc::new(MemoryStore::with_capacity(entries));
    // Without challenges: an attacker who passes all of them.
    let guard = Guard::builder("flood").challenges(false).store_and_clock(store.clone(), Arc::new(clock.clone()));
    for n in 0..40 {
        fails(&guard, 0x0b00_0000 + n * 0x1_0000, VICTIM);
        fails(&guard, TIRED_SOURCE, u64::from(n) << 40);
    }
    let before = resident();
    let mut reached = 0;
    for n in 0..strangers {
        // So fast that what is free again afterwards was forgotten, and did not come back with time.
        clock.set(Micros(START + u64::from(n)));
        // Networks come again after sixteen million.
        reached += fails(&guard, (n << 8) ^ 0x8000_0007, u64::from(n));
    }
    let grew = resident().zip(before).map(|(after, before)| after.saturating_sub(before));
    let after = |from: fn(u32) -> u32, account: fn(u64) -> u64| {
        (0..AFTERWARDS).map(|n| fails(&guard, from(u32::try_from(n).unwrap_or(0)), account(n))).sum()
    };
    Flooded {
        reached,
        account_forgotten: after(|n| 0x0c00_0000 + n * 0x1_0000, |_| VICTIM),
        source_forgotten: after(|_| TIRED_SOURCE, |n| (n + 1) << 50),
        bytes: (store.bytes(), store.most_bytes()),
        grew,
    }
}

/// KiB of this process that are in memory.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok())
}
