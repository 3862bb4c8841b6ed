//! Any policy file: every problem has a place inside the file, and what is compiled is compiled without a panic.
#![no_main]

use casque::config::Document;
use casque_gateway::policy::{Overrides, Policy};
use casque_gateway::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let document = Document::parse(text);
    let config = Config::read(&document);
    let _ = Policy::compile(&config, &Overrides::default(), &document);
    for problem in document.problems() {
        assert!(problem.span.start <= problem.span.end && problem.span.end <= text.len());
    }
});
