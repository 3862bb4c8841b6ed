use casque::config::Document;

use super::*;
use crate::config::Config;
use crate::policy::Overrides;

fn policy(text: &str) -> Policy {
    let text = format!("[upstream]\nurl = \"http://127.0.0.1:3000\"\n{text}");
    let document = Document::parse(&text);
    let config = Config::read(&document);
    let policy = Policy::compile(&config, &Overrides::default(), &document).unwrap();
    assert!(document.problems().iter().all(|p| p.severity != casque::config::Severity::Error), "{:?}", document.problems());
    policy
}

fn replay(policy: &Policy, against: Option<&Policy>, log: &str) -> Report {
    let mut replay = Replay::new(policy, against);
    replay.read(log.as_bytes()).unwrap();
    replay.finish()
}

/// Requests of the last number's address at these milliseconds.
fn log(lines: &[(u64, &str, u8)]) -> String {
    let mut log = String::new();
    for (at, what, client) in lines {
        let time = jiff::Timestamp::from_millisecond(1_700_000_000_000 + *at as i64).unwrap();
        log.push_str(&format!("{time} 192.0.2.{client} {what} 200 5B 0ms\n"));
    }
    log
}

const LOGIN: &str = "[[limit]]\nname = \"login\"\nrate = \"2/1m\"\nmethods = [\"POST\"]\npaths = [\"**/login\"]\n";

#[test]
fn it_is_told_who_would_have_been_refused_by_what() {
    let lines: Vec<(u64, &str, u8)> = (0..10).map(|n| (n * 100, "POST /login", if n % 5 == 0 { 1 } else { 2 })).collect();
    let report = replay(&policy(LOGIN), None, &(log(&lines) + &log(&[(2000, "GET /login", 2), (2001, "POST //Login/", 2)])));
    assert_eq!((report.read.requests, report.policy.refused, report.policy.passed), (12, 7, 5));
    let login = &report.policy.limits[0];
    assert_eq!((login.counted, login.refused, login.clients.len()), (11, 7, 1));
    let worst = login.clients.top(5)[0];
    assert_eq!((worst.client.as_str(), worst.refused, worst.first.as_millis()), ("192.0.2.2", 7, 1_700_000_000_300));
}

#[test]
fn two_policies_are_compared_request_by_request() {
    let (new, old) = (policy(LOGIN), policy(&LOGIN.replace("2/1m", "4/1m")));
    let lines: Vec<(u64, &str, u8)> = (0..6).map(|n| (n * 100, "POST /login", 1)).chain([(700, "POST /login", 9)]).collect();
    let report = replay(&new, Some(&old), &log(&lines));
    let compared = report.compared.unwrap();
    assert_eq!((compared.both, compared.newly, compared.no_longer), (2, 2, 0));
    assert_eq!(compared.clients.top(3)[0].client, "192.0.2.1");
    assert_eq!(replay(&old, Some(&new), &log(&lines)).compared.unwrap().no_longer, 2);
}

#[test]
fn routes_shadows_and_what_cannot_be_known_are_told() {
    let text = "[client-ip]\ntrusted-proxies = [\"192.0.2.9\"]\n\
        [[limit]]\nname = \"watched\"\nrate = \"1/1h\"\nmode = \"shadow\"\n\
        [[limit]]\nname = \"keys\"\nrate = \"1/1h\"\nkey = \"header:x-api-key\"\n\
        [[limit]]\nname = \"none\"\nrate = \"1/1h\"\nmode = \"off\"\n\
        [[route]]\npath = \"/api\"\n[[route.limit]]\nname = \"api\"\nrate = \"1/1h\"\n\
        [[route]]\nhost = \"shop.example\"\n[[route.limit]]\nname = \"shop\"\nrate = \"1/1h\"\n";
    let lines = [(0, "GET /api/x", 1), (1, "GET /api/y", 1), (2, "GET /", 9), (3, "GET /", 9), (4, "POST /_casque/reports", 1)];
    let report = replay(&policy(text), None, &log(&lines));
    let seen: Vec<_> =
        report.policy.limits.iter().map(|l| (l.name.as_str(), l.enforced, l.counted, l.refused, l.left_out.is_some())).collect();
    assert_eq!(
        seen,
        [("watched", false, 2, 1, false), ("keys", true, 0, 0, true), ("shop", true, 0, 0, false), ("api", true, 2, 1, false)]
    );
    assert_eq!((report.policy.refused, report.policy.before), (1, 1));
    let told = report.not_known.join("\n");
    for part in ["keys: left out", "routes with a `host`", "2 requests came from an address under trusted-proxies"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn hostile_lines_are_counted_and_the_first_is_named_without_its_control_bytes() {
    let mut text = log(&[(0, "GET /", 1)]);
    text.push_str("\u{1b}[2J\u{202e}evil \u{7}\n");
    text.push_str(&"x".repeat(3 * LONGEST_LINE));
    text.push_str("\n\n{\"time\":\n192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"\\x16\\x03\" 400 0\n");
    let report = replay(&policy(LOGIN), None, &(text + &log(&[(1, "GET /", 1)])));
    assert_eq!((report.read.lines, report.read.requests, report.read.unreadable, report.read.no_request), (6, 2, 3, 1));
    let (line, why) = report.read.first_unreadable.unwrap();
    assert_eq!(line, 2);
    assert!(why.contains("evil") && !why.chars().any(|c| c.is_control() || c == '\u{202e}'), "{why:?}");
}

#[test]
fn a_line_that_ends_where_the_log_does_is_read_whole() {
    let text = log(&[(0, "GET /", 1)]);
    assert_eq!(replay(&policy(LOGIN), None, text.trim_end()).read.requests, 1);
    let long = format!("{}{}", text.trim_end(), " ".repeat(LONGEST_LINE));
    assert_eq!(replay(&policy(LOGIN), None, &long).read.unreadable, 1);
    assert_eq!(replay(&policy(LOGIN), None, "").time, None);
}

proptest::proptest! {
    // Each begins with stores of a million keys.
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn no_log_panics(bytes: Vec<u8>, times in proptest::collection::vec((0u64..1 << 40, "[a-z/%.;]{0,12}", 0u8..4), 0..60)) {
        let (new, old) = (policy(LOGIN), policy("[[limit]]\nname = \"d\"\nrate = \"3/day\"\nkey = [\"client\", \"path\"]\n"));
        let mut replay = Replay::new(&new, Some(&old));
        replay.read(&bytes[..]).unwrap();
        for (at, path, client) in &times {
            replay.read(log(&[(*at, &format!("POST /{path}"), *client)]).as_bytes()).unwrap();
        }
        let report = replay.finish();
        proptest::prop_assert_eq!(report.read.requests, times.len() as u64);
        let _ = report.to_json(5);
    }
}
