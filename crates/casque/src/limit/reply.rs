//! What a refused client is told: 429 or 503 with `Retry-After` and a short body.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::decision::Decision;
use crate::reply::{Format, PAGE_CSP, Reply};

/// Why a request is refused: the problem types of the RateLimit header fields draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A quota is used up: 429.
    QuotaExceeded,
    /// It looks like an attack: 429.
    AbnormalUsage,
    /// Limits cannot be checked, or the service protects itself: 503. Never the client's fault, so never a 429.
    ReducedCapacity,
}

impl Reason {
    /// The status code.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::QuotaExceeded | Self::AbnormalUsage => StatusCode::TOO_MANY_REQUESTS,
            Self::ReducedCapacity => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The problem type's URI (RFC 9457 `type`).
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::QuotaExceeded => "https://iana.org/assignments/http-problem-types#quota-exceeded",
            Self::AbnormalUsage => "https://iana.org/assignments/http-problem-types#abnormal-usage-detected",
            Self::ReducedCapacity => "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
        }
    }
}

/// A limit's refusal, as it travels in the response's extensions for logs and metrics to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The limit's name.
    pub limit: String,
    /// Whole seconds the client was told to wait.
    pub retry_after: u64,
}

/// A refusal, not yet drawn.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// Why.
    pub reason: Reason,
    /// One sentence for the person in front of it. Fixed text; nothing of the request.
    pub detail: &'a str,
    /// The limits that were exceeded or could not be checked.
    pub limits: &'a [&'a str],
    /// Whole seconds to wait, at least one; see [`retry_after_seconds`].
    pub retry_after: u64,
    /// What the log calls the request.
    pub request_id: Option<&'a str>,
}

impl Refused<'_> {
    /// The response: a page, a problem document or a line of text, as `accept` asks for. Never to be stored (RFC 6585 4): it
    /// is about one client and one moment.
    #[must_use]
    pub fn response<B: From<Bytes>>(&self, accept: Option<&HeaderValue>) -> Response<B> {
        let format = Format::negotiate(accept.map(HeaderValue::as_bytes));
        let reply = Reply {
            status: self.reason.status().as_u16(),
            detail: self.detail,
            kind: Some(self.reason.uri()),
            violated_policies: self.limits,
            retry_after: Some(self.retry_after.max(1)),
            request_id: self.request_id,
        };
        let mut response = Response::new(Bytes::from(reply.body(format)).into());
        *response.status_mut() = self.reason.status();
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after.max(1)));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        if format == Format::Html {
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_CSP));
        }
        response
    }
}

/// Seconds to tell a client: rounded up, at least one, plus up to a tenth of it at `random`, so that the refused do not all
/// come back in the same second. A request that can never pass is told an hour.
#[must_use]
pub fn retry_after_seconds(decision: &Decision, random: u64) -> u64 {
    let wait = decision.retry_after.unwrap_or(Duration::from_secs(3600));
    let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
    let jitter = (u128::from(micros / 10) * u128::from(random)) >> 64;
    micros.saturating_add(u64::try_from(jitter).unwrap_or(0)).div_ceil(1_000_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_refusal_is_drawn_as_it_is_asked_for_and_never_stored() {
        let refused =
            Refused { reason: Reason::ReducedCapacity, detail: "Later.", limits: &["api"], retry_after: 0, request_id: Some("00ff") };
        for (accept, kind, part) in [
            (None, "application/problem+json", "\"violated-policies\":[\"api\"]"),
            (Some("text/html,*/*;q=0.8"), "text/html; charset=utf-8", "<h1>Service Unavailable</h1>"),
            (Some("text/plain"), "text/plain; charset=utf-8", "503"),
        ] {
            let accept = accept.map(HeaderValue::from_static);
            let response: Response<Bytes> = refused.response(accept.as_ref());
            let (headers, body) = (response.headers(), String::from_utf8_lossy(response.body()));
            assert_eq!(
                (response.status().as_u16(), &headers[CONTENT_TYPE], &headers[CACHE_CONTROL]),
                (503, &kind.parse().unwrap(), &"no-store".parse().unwrap())
            );
            assert_eq!(headers[RETRY_AFTER], "1");
            assert_eq!(headers.contains_key(CONTENT_SECURITY_POLICY), kind.starts_with("text/html"));
            assert!(body.contains(part), "{body}");
        }
    }
}
