//! What a refused client is told: 429 with `Retry-After`, the `RateLimit` fields and a short body.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::decision::Decision;
use super::quota::Quota;
use crate::reply::{Format, PAGE_CSP, Reply};

/// The problem type of the RateLimit header fields draft for an exceeded quota.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

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
}

/// When the rate limit fields are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldsWhen {
    /// On refusals only: a count of what is left tells an attacker how fast to go.
    #[default]
    Refused,
    /// On every response that a limit counted, for APIs whose clients pace themselves.
    Always,
}

/// A limit's refusal, as it travels in the response's extensions for logs and metrics to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The limit's name.
    pub limit: String,
    /// Whole seconds the client was told to wait.
    pub retry_after: u64,
}

/// Seconds to tell a client: rounded up, at least one, plus up to a tenth of it at `random`, so that the refused do not all
/// come back in the same second. A request that can never pass is told an hour.
pub(super) fn retry_after_seconds(decision: &Decision, random: u64) -> u64 {
    let wait = decision.retry_after.unwrap_or(Duration::from_secs(3600));
    let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
    let jitter = (u128::from(micros / 10) * u128::from(random)) >> 64;
    micros.saturating_add(u64::try_from(jitter).unwrap_or(0)).div_ceil(1_000_000).max(1)
}

/// Adds the rate limit fields for one limit. `reset` is in whole seconds.
pub(super) fn add_fields(headers: &mut HeaderMap, form: Fields, name: &str, quota: Quota, remaining: u32, reset: u64) {
    for (field, value) in fields(form, name, quota, remaining, reset) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(field, value);
        }
    }
}

fn fields(form: Fields, name: &str, quota: Quota, remaining: u32, reset: u64) -> Vec<(HeaderName, String)> {
    let (q, w) = whole_seconds(quota);
    match form {
        Fields::Draft8 => {
            let name = sf_string(name);
            vec![(RATELIMIT_POLICY, format!("{name};q={q};w={w}")), (RATELIMIT, format!("{name};r={remaining};t={reset}"))]
        }
        Fields::Draft7 => {
            vec![(RATELIMIT_POLICY, format!("{q};w={w}")), (RATELIMIT, format!("limit={q}, remaining={remaining}, reset={reset}"))]
        }
        Fields::Draft6 => vec![
            (RATELIMIT_POLICY, format!("{q};w={w}")),
            (HeaderName::from_static("ratelimit-limit"), q.to_string()),
            (HeaderName::from_static("ratelimit-remaining"), remaining.to_string()),
            (HeaderName::from_static("ratelimit-reset"), reset.to_string()),
        ],
    }
}

/// The quota over a window of whole seconds, which is all that the fields can say.
fn whole_seconds(quota: Quota) -> (u64, u64) {
    let micros = quota.window().as_micros();
    let seconds = micros.div_ceil(1_000_000).max(1);
    let requests = u128::from(quota.requests()) * seconds * 1_000_000 / micros.max(1);
    (u64::try_from(requests).unwrap_or(u64::MAX), u64::try_from(seconds).unwrap_or(u64::MAX))
}

/// A structured-field string (RFC 8941 3.3.3); what it cannot hold becomes `_`.
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

/// Fills in a 429: status-independent headers into `headers`, the body as the result.
pub(super) fn refuse(headers: &mut HeaderMap, format: Format, name: &str, retry_after: u64, request_id: Option<&str>) -> String {
    headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    if format == Format::Html {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_CSP));
    }
    let reply = Reply {
        status: 429,
        detail: "Too many requests came from your network in a short time.",
        kind: Some(QUOTA_EXCEEDED),
        violated_policies: &[name],
        retry_after: Some(retry_after),
        request_id,
    };
    reply.body(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_every_form() {
        let quota = Quota::per_minute(5);
        let line = |form| fields(form, "5-in-1min", quota, 4, 60).into_iter().map(|(n, v)| format!("{n}: {v}")).collect::<Vec<_>>();
        assert_eq!(line(Fields::Draft8), ["ratelimit-policy: \"5-in-1min\";q=5;w=60", "ratelimit: \"5-in-1min\";r=4;t=60"]);
        assert_eq!(line(Fields::Draft7), ["ratelimit-policy: 5;w=60", "ratelimit: limit=5, remaining=4, reset=60"]);
        assert_eq!(line(Fields::Draft6)[1..], ["ratelimit-limit: 5", "ratelimit-remaining: 4", "ratelimit-reset: 60"]);
    }

    #[test]
    fn short_windows_are_told_in_whole_seconds() {
        assert_eq!(whole_seconds(Quota::new(10, Duration::from_millis(100))), (100, 1));
        assert_eq!(whole_seconds(Quota::new(3, Duration::from_millis(1500))), (4, 2));
    }

    #[test]
    fn waits_are_rounded_up_and_spread_by_a_tenth() {
        let wait =
            |ms, random| retry_after_seconds(&Decision { retry_after: Some(Duration::from_millis(ms)), ..Decision::default() }, random);
        assert_eq!(wait(0, 0), 1);
        assert_eq!(wait(1, 0), 1);
        assert_eq!(wait(3_000, 0), 3);
        assert_eq!(wait(60_000, 0), 60);
        assert_eq!(wait(60_000, u64::MAX), 66);
        assert_eq!(retry_after_seconds(&Decision::default(), 0), 3600);
    }

    #[test]
    fn a_name_cannot_break_out_of_its_field() {
        assert_eq!(sf_string("a\"b\\c\r\nd\u{e9}"), "\"a\\\"b\\\\c__d_\"");
    }
}
