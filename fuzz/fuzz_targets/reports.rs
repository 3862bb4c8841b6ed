//! Any report body: what is kept is visible and short, and the store stays within its capacity.
#![no_main]

use casque::headers::reports::{Capacity, Limits, Store, parse};
use libfuzzer_sys::fuzz_target;

const CAPACITY: Capacity = Capacity { recent: 20, recent_bytes: 16 << 10, groups: 10, group_bytes: 8 << 10 };

fuzz_target!(|body: &[u8]| {
    let Ok(batch) = parse(b"application/reports+json", body, &Limits::default()) else { return };
    assert!(batch.reports.len() <= Limits::default().reports);
    let mut store = Store::new(CAPACITY);
    for (i, report) in (0..).zip(batch.reports) {
        let origin = report.origin(&["shop.example"]);
        store.record(report, origin, i, i * 1000);
        assert!(store.bytes() <= CAPACITY.recent_bytes + CAPACITY.group_bytes);
    }
    let json = store.snapshot(100).to_json().to_string();
    assert!(
        !json.chars().any(|c| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'))
    );
});
