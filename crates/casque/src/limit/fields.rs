//! The rate limit fields, in each of the forms that clients know.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::decision::Decision;
use super::rule::Limit;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const X_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

/// Which form the rate limit fields take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fields {
    /// `RateLimit: "name";r=0;t=3` and `RateLimit-Policy: "name";q=20;w=60`, as in draft-ietf-httpapi-ratelimit-headers 8 and later.
    #[default]
    Draft8,
    /// `RateLimit: limit=20, remaining=0, reset=3` and `RateLimit-Policy: 20;w=60`, as in draft 7.
    Draft7,
    /// `RateLimit-Limit`, `-Remaining`, `-Reset` and `RateLimit-Policy`, as in draft 6.
    Draft6,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`, the last in seconds since 1970, as before there was a draft.
    X,
}

impl Fields {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 4] =
        [("draft", Self::Draft8), ("draft-7", Self::Draft7), ("draft-6", Self::Draft6), ("x", Self::X)];
}

/// When the rate limit fields are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldsWhen {
    /// On refusals only: a count of what is left tells an attacker how fast to go.
    #[default]
    Refused,
    /// On every response that a limit counted, for APIs whose clients pace themselves.
    Always,
    /// Not at all: what is left of an account's budget tells one who guesses that another does, too.
    Never,
}

impl FieldsWhen {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 3] = [("refused", Self::Refused), ("always", Self::Always), ("never", Self::Never)];
}

/// What the fields tell of one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The limit's name.
    pub name: String,
    /// So many requests ...
    pub quota: u64,
    /// ... in so many seconds.
    pub window: u64,
    /// Which partition of the quota it is about, if that is told: in the policy, and only in the form of draft 8.
    pub partition: Option<Vec<u8>>,
    /// How many more.
    pub remaining: u64,
    /// Seconds until there are more.
    pub reset: u64,
}

impl Told {
    /// What a decision of a limit comes to, where `reset` seconds are to be told.
    pub(super) fn of(limit: &Limit, decision: &Decision, reset: u64) -> Self {
        let (quota, window) = whole_seconds(limit.quota().requests(), limit.quota().window());
        // A burst may leave more than the quota; a client that paces itself by the quota is not to count on it.
        let remaining = u64::from(decision.remaining).min(quota);
        Self { name: limit.name().to_owned(), quota, window, partition: None, remaining, reset }
    }
}

/// The fields in a form. Only draft 8 can tell of several limits; of the others the one with the least left is told, and the
/// policies of draft 6 and 7 are listed. `wall` is the time since 1970.
#[must_use]
pub fn fields(form: Fields, told: &[Told], wall: Duration) -> Vec<(HeaderName, String)> {
    let Some(least) = told.iter().min_by_key(|t| (t.remaining, std::cmp::Reverse(t.reset))) else { return Vec::new() };
    let list = |each: &dyn Fn(&Told) -> String| told.iter().map(each).collect::<Vec<_>>().join(", ");
    let policies = || list(&|t| format!("{};w={}", t.quota, t.window));
    match form {
        Fields::Draft8 => vec![
            (RATELIMIT_POLICY, list(&|t| format!("{};q={};w={}{}", sf_string(&t.name), t.quota, t.window, partition(t)))),
            (RATELIMIT, list(&|t| format!("{};r={};t={}", sf_string(&t.name), t.remaining, t.reset))),
        ],
        Fields::Draft7 => vec![
            (RATELIMIT_POLICY, policies()),
            (RATELIMIT, format!("limit={}, remaining={}, reset={}", least.quota, least.remaining, least.reset)),
        ],
        Fields::Draft6 => vec![
            (RATELIMIT_POLICY, policies()),
            (HeaderName::from_static("ratelimit-limit"), least.quota.to_string()),
            (REMAINING, least.remaining.to_string()),
            (HeaderName::from_static("ratelimit-reset"), least.reset.to_string()),
        ],
        Fields::X => {
            let reset = wall.saturating_add(Duration::from_secs(least.reset));
            let reset = reset.as_secs() + u64::from(reset.subsec_nanos() > 0);
            vec![
                (HeaderName::from_static("x-ratelimit-limit"), least.quota.to_string()),
                (X_REMAINING, least.remaining.to_string()),
                (HeaderName::from_static("x-ratelimit-reset"), reset.to_string()),
            ]
        }
    }
}

/// Puts the fields on a response. What the app says of limits of its own is never loosened: in draft 8 both lists are one; of
/// the forms that tell of one limit, the app's stays if it leaves no more than ours.
pub(super) fn put(headers: &mut HeaderMap, form: Fields, told: &[Told], wall: Duration) {
    let least = told.iter().map(|t| t.remaining).min();
    if form != Fields::Draft8 && theirs(headers, form).is_some_and(|theirs| least.is_none_or(|ours| theirs <= ours)) {
        return;
    }
    for (name, value) in fields(form, told, wall) {
        let Ok(value) = HeaderValue::try_from(value) else { continue };
        if form == Fields::Draft8 {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
}

/// What the app says is left, in this form.
fn theirs(headers: &HeaderMap, form: Fields) -> Option<u64> {
    let text = |name: &HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    match form {
        Fields::Draft8 => None,
        Fields::Draft7 => text(&RATELIMIT)?.split(',').find_map(|p| p.trim().strip_prefix("remaining=")?.trim().parse().ok()),
        Fields::Draft6 => text(&REMAINING)?.trim().parse().ok(),
        Fields::X => text(&X_REMAINING)?.trim().parse().ok(),
    }
}

/// The quota over a window of whole seconds, which is all that the fields can say.
fn whole_seconds(requests: u32, window: Duration) -> (u64, u64) {
    let micros = window.as_micros();
    let seconds = micros.div_ceil(1_000_000).max(1);
    let requests = u128::from(requests) * seconds * 1_000_000 / micros.max(1);
    (u64::try_from(requests).unwrap_or(u64::MAX), u64::try_from(seconds).unwrap_or(u64::MAX))
}

/// The partition key as a structured-field byte sequence (RFC 9651 4.1.8).
fn partition(told: &Told) -> String {
    told.partition.as_ref().map_or_else(String::new, |key| format!(";pk=:{}:", STANDARD.encode(key)))
}

/// A structured-field string (RFC 9651 4.1.6); what it cannot hold becomes `_`.
fn sf_string(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    out.push('"');
    for c in s.chars() {
        match c {
            '"' | '\\' => {
                let _ = write!(out, "\\{c}");
            }
            ' '..='~' => out.push(c),
            _ => out.push('_'),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, quota: u64, window: u64, remaining: u64, reset: u64) -> Told {
        Told { name: name.to_owned(), quota, window, partition: None, remaining, reset }
    }

    fn lines(form: Fields, told: &[Told]) -> Vec<String> {
        fields(form, told, Duration::from_millis(1_700_000_000_500)).into_iter().map(|(n, v)| format!("{n}: {v}")).collect()
    }

    #[test]
    fn fields_in_every_form() {
        let one = [told("5-in-1min", 5, 60, 4, 60)];
        assert_eq!(lines(Fields::Draft8, &one), ["ratelimit-policy: \"5-in-1min\";q=5;w=60", "ratelimit: \"5-in-1min\";r=4;t=60"]);
        assert_eq!(lines(Fields::Draft7, &one), ["ratelimit-policy: 5;w=60", "ratelimit: limit=5, remaining=4, reset=60"]);
        assert_eq!(lines(Fields::Draft6, &one)[1..], ["ratelimit-limit: 5", "ratelimit-remaining: 4", "ratelimit-reset: 60"]);
        assert_eq!(lines(Fields::X, &one), ["x-ratelimit-limit: 5", "x-ratelimit-remaining: 4", "x-ratelimit-reset: 1700000061"]);
        assert_eq!(lines(Fields::X, &[]), [""; 0]);
    }

    #[test]
    fn several_limits_are_one_list_or_the_one_with_the_least_left() {
        let two = [told("burst", 100, 1, 40, 1), told("daily", 1000, 86_400, 3, 7000)];
        assert_eq!(lines(Fields::Draft8, &two)[1], "ratelimit: \"burst\";r=40;t=1, \"daily\";r=3;t=7000");
        assert_eq!(
            lines(Fields::Draft7, &two),
            ["ratelimit-policy: 100;w=1, 1000;w=86400", "ratelimit: limit=1000, remaining=3, reset=7000"]
        );
    }

    #[test]
    fn what_the_app_says_is_never_loosened() {
        let ours = [told("ours", 10, 60, 5, 6)];
        let mut headers = HeaderMap::new();
        headers.insert(RATELIMIT, HeaderValue::from_static("\"theirs\";r=1;t=9"));
        put(&mut headers, Fields::Draft8, &ours, Duration::ZERO);
        assert_eq!(headers.get_all(RATELIMIT).iter().count(), 2);
        for (theirs, left) in [("2", "2"), ("9", "5"), ("nonsense", "5")] {
            let mut headers = HeaderMap::new();
            headers.insert(X_REMAINING, HeaderValue::from_static(theirs));
            put(&mut headers, Fields::X, &ours, Duration::ZERO);
            assert_eq!(headers[X_REMAINING], left);
        }
        let mut headers = HeaderMap::new();
        headers.insert(RATELIMIT, HeaderValue::from_static("limit=9, remaining=2, reset=7"));
        put(&mut headers, Fields::Draft7, &ours, Duration::ZERO);
        assert_eq!(headers[RATELIMIT], "limit=9, remaining=2, reset=7");
    }

    #[test]
    fn short_windows_are_told_in_whole_seconds() {
        assert_eq!(whole_seconds(10, Duration::from_millis(100)), (100, 1));
        assert_eq!(whole_seconds(3, Duration::from_millis(1500)), (4, 2));
    }

    #[test]
    fn a_name_cannot_break_out_of_its_field() {
        assert_eq!(sf_string("a\"b\\c\r\nd\u{e9}"), "\"a\\\"b\\\\c__d_\"");
    }
}
