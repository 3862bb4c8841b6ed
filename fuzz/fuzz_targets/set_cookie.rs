//! Any `Set-Cookie` line: hardening twice is hardening once, and nothing leaves with a control byte.
#![no_main]

use std::time::Duration;

use casque::Scheme;
use casque::cookie::{CookiePolicy, Hardened, harden};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let policy = CookiePolicy::default();
    let now = Duration::from_secs(1_767_323_045);
    if let (Hardened::Rewritten(once), _) = harden(line, &policy, Scheme::Https, now) {
        assert!(once.iter().all(|b| *b == b'\t' || (*b >= b' ' && *b != 0x7f)));
        assert_eq!(harden(&once, &policy, Scheme::Https, now).0, Hardened::Same);
    }
});
