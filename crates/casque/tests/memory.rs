//! The limiter under ten million keys: it takes no more memory than it was given, and nobody who is at a limit is forgotten.
//!
//! In a process of its own, for it is the process that is measured. Takes half a minute unoptimised, so it is run by name:
//! `cargo test -p casque --test memory -- --ignored`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use casque::clock::Micros;
use casque::limit::{Change, Charge, Key, MemoryStore, Quota, Store as _, Subject};

const KEYS: u64 = 10_000_000;
const ALLOWED: u64 = 64 << 20;
const START: Micros = Micros(3_600_000_000);

/// Of this process, in bytes: `VmRSS`, what it takes now, or `VmHWM`, the most that it took.
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn charge(limit: u64, n: u64, quota: Quota) -> Charge {
    let key = Key { limit, subject: Subject::from_bytes(u128::from(n).to_le_bytes()) };
    Charge { key, budget: quota.fixed_budget().unwrap(), cost: 1, advisory: false, creator: None }
}

fn passes(store: &MemoryStore, charge: Charge, now: Micros) -> bool {
    store.charge(&[charge], now).into_inner().unwrap().refused.is_none()
}

#[test]
#[ignore = "ten million keys; scripts/test runs it"]
fn ten_million_keys_take_what_was_allowed_and_free_nobody() {
    let before = memory("VmRSS");
    let store = MemoryStore::with_bytes(ALLOWED as usize);
    let limits = [Quota::per_hour(10), Quota::per_hour(5).strict(), Quota::per_hour(1), Quota::per_minute(1).burst(200)];
    let at_limit: Vec<Charge> = (0..).zip(limits).flat_map(|(limit, quota)| (0..50).map(move |n| charge(limit, n, quota))).collect();
    for key in &at_limit {
        while passes(&store, *key, START) {}
    }
    let blocked: Vec<Charge> = (0..50).map(|n| charge(9, n, Quota::per_second(100))).collect();
    for key in &blocked {
        store.change(key.key, key.budget, Change::Block(Duration::from_secs(600)), START).into_inner().unwrap();
    }
    let mut now = START;
    for n in 0..KEYS {
        now = Micros(START.0 + n);
        let flood = match n % 8 {
            0 => charge(20, n, Quota::per_hour(10).strict()),
            // A thousand clients who make up keys.
            1 => Charge { creator: Some(Subject::from_bytes((u128::from(n) % 1000).to_le_bytes())), ..charge(21, n, Quota::per_hour(10)) },
            _ => charge(22, n, Quota::per_minute(100)),
        };
        passes(&store, flood, now);
    }
    let taken = memory("VmHWM").saturating_sub(before);
    assert!(taken <= ALLOWED / 10 * 11, "{} MiB were taken of {} MiB", taken >> 20, ALLOWED >> 20);
    // It would prove nothing if the keys had not been kept.
    assert!(taken > ALLOWED / 2, "{} MiB were taken", taken >> 20);
    let forgotten = at_limit.iter().chain(&blocked).filter(|key| passes(&store, **key, now)).count();
    assert_eq!(forgotten, 0, "of {} at their limits or blocked", at_limit.len() + blocked.len());
}
