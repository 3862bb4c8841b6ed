//! Any path and pattern: no panic, and a normal form that starts with a slash.
#![no_main]

use casque::path::{Pattern, Readings, normalize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (path, pattern) = input;
    let normal = normalize(path);
    assert!(normal.starts_with('/'));
    let readings = Readings::of(path);
    if let Ok(pattern) = Pattern::parse(pattern) {
        let _ = pattern.matches_any(&readings);
    }
    let _ = readings.any_below(&normal);
});
