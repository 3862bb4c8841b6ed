//! Any range and any version; versions read back as they are shown.
#![no_main]

use casque_audit::version::{Grammar, Range, RangeOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (range, version) = input;
    for include_prerelease in [false, true] {
        for loose in [false, true] {
            if let Ok(range) = Range::parse(range, RangeOptions { loose, include_prerelease }) {
                let _ = range.contains_text(version);
            }
        }
    }
    for grammar in [Grammar::Npm, Grammar::NpmLoose, Grammar::Cargo, Grammar::Lenient] {
        if let Ok(version) = grammar.version(version) {
            // A rounded number may take the text beyond the longest version.
            if let Ok(again) = Grammar::Lenient.version(&version.to_string()) {
                assert_eq!(again, version);
            }
        }
    }
});
