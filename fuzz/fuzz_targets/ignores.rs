//! Ignore files of other tools; the first byte says whose. What is read can be written as TOML that is read again, and every message
//! is fit for a terminal. The same bytes are a dependency path and a range too.
#![no_main]

use casque_audit::policy::import::{Tool, import};
use casque_audit::policy::{DependencyPath, Versions, check_id, to_toml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [selector, bytes @ ..] = bytes else { return };
    let (_, tool) = Tool::NAMES[usize::from(*selector) % Tool::NAMES.len()];
    match import(tool, "file", bytes, jiff::civil::date(2026, 11, 23)) {
        Ok(imported) => {
            let written = to_toml(&imported.ignores);
            assert!(casque::config::Document::parse(&written).problems().is_empty());
            assert!(!written.chars().any(|c| c.is_control() && c != '\n'));
            for ignore in &imported.ignores {
                assert!(check_id(&ignore.id).is_ok() && !ignore.reason.is_empty() && !ignore.allow_malware);
            }
            for note in &imported.notes {
                assert!(note.place.offset as usize <= bytes.len() && !note.message.chars().any(char::is_control));
            }
        }
        Err(e) => assert!(!e.to_string().chars().any(char::is_control)),
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(path) = DependencyPath::parse(text) {
            assert_eq!(DependencyPath::parse(&path.to_string()), Ok(path));
        }
        let _ = Versions::parse(text);
    }
});
