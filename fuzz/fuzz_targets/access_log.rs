//! Any access log against a policy: every line is counted once, and nothing of it reaches a terminal as a control byte.
#![no_main]

use casque::config::Document;
use casque_gateway::policy::{Overrides, Policy};
use casque_gateway::replay::{Line, Replay};
use casque_gateway::Config;
use libfuzzer_sys::fuzz_target;

const POLICY: &str = "[upstream]\nurl = \"http://127.0.0.1:1\"\n\
    [[limit]]\nname = \"a\"\nrate = \"2/1m\"\n[[limit]]\nname = \"b\"\nrate = \"3/day\"\nkey = [\"network\", \"path\"]\n";

fuzz_target!(|log: &[u8]| {
    for line in log.split(|b| *b == b'\n') {
        if let Line::Request(request) = Line::parse(line) {
            assert!(request.path.starts_with('/') || request.path == "*");
            assert!(!request.path.contains('?'));
        }
    }
    let document = Document::parse(POLICY);
    let policy = Policy::compile(&Config::read(&document), &Overrides::default(), &document).unwrap();
    let mut replay = Replay::new(&policy, None);
    replay.read(log).unwrap();
    let report = replay.finish();
    let read = &report.read;
    assert!(read.requests + read.unreadable + read.no_request + read.no_address <= read.lines);
    assert_eq!(report.policy.passed + report.policy.refused + report.policy.before, read.requests);
    if let Some((_, why)) = &read.first_unreadable {
        assert!(!why.chars().any(char::is_control));
    }
});
