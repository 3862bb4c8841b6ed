//! Any body of a log-in under any type: names are few and in normal form, and a part of a body never tells less than a refusal.
#![no_main]

use casque::login::account::{AccountFields, Found, Head, Refusal, find};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 5] =
    ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b", "text/plain", "application/xml"];

fuzz_target!(|input: (u8, &str, &[u8])| {
    let (choice, query, body) = input;
    let mut headers = HeaderMap::new();
    if let Some(kind) = TYPES.get(usize::from(choice % 8)) {
        headers.insert("content-type", HeaderValue::from_static(kind));
    }
    let named = || AccountFields::none().form("email").and_then(|fields| fields.form("user[email]"));
    let fields = if choice & 8 == 0 { named().unwrap().most(2) } else { AccountFields::default() };
    let head = Head { headers: &headers, query: Some(query) };
    if let Found::Names(names) = find(&fields, head, body, true) {
        assert!((1..=5).contains(&names.len()));
        for name in &names {
            assert!(!name.as_str().is_empty() && !name.as_str().contains(|c: char| c.is_control() || c.is_whitespace()));
        }
    }
    let part = find(&fields, Head { headers: &headers, query: None }, body, false);
    assert_eq!(part, Found::Refuse(Refusal::TooLong));
});
