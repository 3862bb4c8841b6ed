//! Any `Accept` field.
#![no_main]

use casque::reply::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Format::negotiate(Some(bytes));
});
