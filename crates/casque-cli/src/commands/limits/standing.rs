//! What the gateway told, as lines for people.

use std::time::Duration;

use casque_scan::render::one_line;
use serde_json::Value;

use crate::printer::{BAD, BOLD, DIM};

/// Who was refused most.
pub(super) fn top(answer: &Value) -> Vec<String> {
    let rows = list(&answer["refused-most"]);
    if rows.is_empty() {
        return vec!["nobody was refused".to_owned()];
    }
    let mut lines = vec![format!("{DIM}{:>8}  {:<16} {:<24} {:<12} now{DIM:#}", "refused", "limit", "who", "last")];
    lines.extend(rows.iter().map(|row| {
        let ago = row["last-seconds-ago"].as_u64().map_or_else(String::new, |s| format!("{} ago", words(Duration::from_secs(s))));
        let now = if row["limit"].is_null() { "not in the policy any more".to_owned() } else { standing(row) };
        let limit = row["limit"].as_str().unwrap_or("-");
        let refused = row["refused"].as_u64().unwrap_or(0);
        format!("{refused:>8}  {:<16} {:<24} {ago:<12} {now}{}", text(limit), field(row, "who"), about(row))
    }));
    lines
}

/// How somebody stands.
pub(super) fn explain(answer: &Value) -> Vec<String> {
    let mut lines = vec![format!("{BOLD}{}{BOLD:#}", field(answer, "who"))];
    for row in list(&answer["limits"]) {
        lines.push(format!("  {:<16} {:<26} {}{}", field(row, "limit"), field(row, "quota"), standing(row), about(row)));
    }
    for row in list(&answer["not-known"]) {
        lines.push(format!("  {:<16} {DIM}not known: {}{DIM:#}", field(row, "limit"), field(row, "why")));
    }
    if lines.len() == 1 {
        lines.push("  there are no limits".to_owned());
    }
    lines
}

/// What was forgotten.
pub(super) fn unblocked(answer: &Value) -> Vec<String> {
    let rows = list(&answer["unblocked"]);
    if rows.is_empty() {
        return vec!["there was nothing to unblock".to_owned()];
    }
    let mut lines = Vec::new();
    for row in rows {
        let was = if row["was-refused"] == true { "was refused" } else { "had used some" };
        lines.push(format!("{} {DIM}under{DIM:#} {}: {was}, now {}{}", field(row, "who"), field(row, "limit"), standing(row), about(row)));
    }
    lines
}

/// `3 of 20 left, all again in 51 s`
fn standing(row: &Value) -> String {
    let seconds = |key: &str| row[key].as_f64().and_then(|s| Duration::try_from_secs_f64(s).ok());
    let left = match (&row["remaining"], &row["of"]) {
        (remaining, Value::Null) => format!("{remaining} left"),
        (remaining, of) => format!("{remaining} of {of} left"),
    };
    let refused = if row["mode"] == "shadow" { "would be refused" } else { "refused" };
    match (row["allowed"] == true, seconds("retry-after")) {
        (true, _) => match seconds("reset-after").filter(|reset| !reset.is_zero()) {
            Some(reset) => format!("{left}, all again in {}", words(reset)),
            None => left,
        },
        (false, Some(wait)) if row["blocked"] == true => format!("{BAD}blocked{BAD:#} for {}", words(wait)),
        (false, Some(wait)) => format!("{BAD}{refused}{BAD:#} for {}", words(wait)),
        (false, None) => format!("{BAD}{refused}{BAD:#}"),
    }
}

fn about(row: &Value) -> String {
    let what = match row["about"].as_str() {
        Some("requests-under-made-up-keys") => "under keys that it made up",
        Some("requests-without-it") => "without the header or cookie",
        Some("keys-begun") => "new keys this hour",
        _ if row["mode"] == "shadow" => "shadow: only watches",
        _ => return String::new(),
    };
    format!("  {DIM}({what}){DIM:#}")
}

/// A duration to the unit that matters, rounded up.
pub(super) fn words(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        7200..172_800 => format!("{} h", seconds.div_ceil(3600)),
        _ => format!("{} d", seconds.div_ceil(86_400)),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn field(row: &Value, key: &str) -> String {
    text(row[key].as_str().unwrap_or(""))
}

/// Nothing that a terminal acts on, whoever answered.
fn text(text: &str) -> String {
    one_line(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(lines: &[String]) -> Vec<String> {
        lines.iter().map(|l| anstream::adapter::strip_str(l).to_string().trim_end().to_owned()).collect()
    }

    #[test]
    fn standings_are_told_in_words() {
        let row = |allowed, blocked, remaining: u32, retry, reset: f64| {
            json!({ "limit": "login", "quota": "20 per minute", "mode": "enforce", "about": "requests", "who": "192.0.2.1",
                "allowed": allowed, "blocked": blocked, "remaining": remaining, "of": 20, "retry-after": retry, "reset-after": reset,
                "refused": 7, "last-seconds-ago": 300, "was-refused": true })
        };
        let told = |row: Value| anstream::adapter::strip_str(&standing(&row)).to_string();
        assert_eq!(told(row(true, false, 20, json!(0.0), 0.0)), "20 of 20 left");
        assert_eq!(told(row(true, false, 3, json!(0.0), 50.2)), "3 of 20 left, all again in 51 s");
        assert_eq!(told(row(false, false, 0, json!(2.5), 60.0)), "refused for 3 s");
        assert_eq!(told(row(false, true, 0, json!(90_000.0), 90_000.0)), "blocked for 25 h");
        let full = row(false, false, 0, json!(2.5), 60.0);
        assert_eq!(
            plain(&top(&json!({ "refused-most": [full] })))[1],
            "       7  login            192.0.2.1                5 min ago    refused for 3 s"
        );
        assert_eq!(
            plain(&unblocked(&json!({ "unblocked": [row(true, false, 20, json!(0.0), 0.0)] })))[0],
            "192.0.2.1 under login: was refused, now 20 of 20 left"
        );
        assert_eq!(plain(&unblocked(&json!({}))), ["there was nothing to unblock"]);
        assert_eq!(plain(&top(&json!({ "refused-most": [] }))), ["nobody was refused"]);
    }

    #[test]
    fn whoever_answers_no_control_byte_reaches_the_terminal() {
        let evil = "\u{1b}[2J\u{7}";
        let answer = json!({ "who": evil, "limits": [{ "limit": evil, "quota": evil, "who": evil }], "not-known": [{ "limit": evil, "why": evil }],
            "refused-most": [{ "limit": evil, "who": evil }], "unblocked": [{ "limit": evil, "who": evil }] });
        for lines in [explain(&answer), top(&answer), unblocked(&answer)] {
            assert!(!plain(&lines).concat().contains('\u{7}'));
            assert!(!lines.concat().contains("[2J\u{7}") && !lines.concat().contains("\u{1b}[2J"));
        }
        assert!(explain(&Value::Null).len() == 2);
    }
}
