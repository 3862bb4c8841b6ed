//! Any recording, and any response as curl prints it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = casque_scan::har::captures(bytes);
    let _ = casque_scan::raw::capture(bytes);
});
