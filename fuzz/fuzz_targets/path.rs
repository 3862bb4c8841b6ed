//! Any path and pattern: no panic, and a normal form that starts with a slash.
#![no_main]

use casque::path::{Pattern, normalize, normalize_unresolved};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (path, pattern) = input;
    let normal = normalize(path);
    assert!(normal.starts_with('/'));
    if let Ok(pattern) = Pattern::parse(pattern) {
        let _ = pattern.matches(&normal);
        if let Some(unresolved) = normalize_unresolved(path) {
            let _ = pattern.matches_on_the_way(&unresolved);
        }
    }
});
