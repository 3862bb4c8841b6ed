//! Challenges and their outcomes as responses: a page for people, a problem document for programs.
//!
//! 429 with the problem type of an abnormal usage, so that programs which know no challenges slow down. A program that does finds
//! what it needs under `challenge`: `type` (`wait`, `proof-of-work`, `external`, `step-up`), and, as the type has them, `token`,
//! `difficulty`, `wait` and `expires-in` (seconds), `redeem` (where the token goes), `url` (of the operator's page), and `page`,
//! where an app that signs in by script can send its person instead.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY, REFRESH, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use super::REDEEM_PATH;
use super::page::{self, WAIT_CSP, WORK_CSP};
use super::return_to::ReturnTo;
use super::step::{HookUrl, Step};
use super::token::{Challenge, Kind};
use super::verify::{Passed, Rejected};
use crate::Scheme;
use crate::client_ip::ClientIp;
use crate::limit::{Reason, Subject};
use crate::login::secret::Secrets;
use crate::reply::{Format, PAGE_CSP, Reply, json_string};

const DETAIL: &str = "Many passwords are being tried here, so this sign-in needs a check first.";

/// The request that is not let through, and the moment.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// Who asks.
    pub client: ClientIp,
    /// The guarded route, see [`super::route`].
    pub route: Subject,
    /// Where the form is.
    pub return_to: ReturnTo,
    /// The request's `Accept`.
    pub accept: Option<&'a HeaderValue>,
    /// What the log calls the request.
    pub request_id: Option<&'a str>,
    /// Seconds since 1970.
    pub now: u64,
    /// Random and fresh.
    pub random: [u8; 16],
}

/// The answer to a request that has to take a step first.
#[must_use]
pub fn pose<B: From<Bytes>>(secrets: &Secrets, step: &Step, asked: &Asked<'_>) -> Response<B> {
    let format = Format::negotiate(asked.accept.map(HeaderValue::as_bytes));
    let challenge = Challenge::new(step, asked.route, asked.return_to.clone(), asked.now, asked.random);
    let sealed = challenge.map(|challenge| (challenge.seal(secrets, asked.client), challenge));
    match (step, sealed) {
        (Step::External { url }, Some((token, challenge))) => {
            let there = url.with_token(&token);
            away(&there, format, asked.request_id, &external(url, &token, challenge.lifetime))
        }
        (Step::StepUp { url }, _) => {
            away(url.as_str(), format, asked.request_id, &format!("{{\"type\":\"step-up\",\"url\":{}}}", json_string(url.as_str())))
        }
        (_, Some((token, challenge))) => ask(&challenge, &token, asked.now, format, asked.request_id),
        // Waits and work always make a challenge.
        (_, None) => refused(StatusCode::TOO_MANY_REQUESTS, DETAIL, format, asked.request_id),
    }
}

impl Passed {
    /// Back to the form, with the pass.
    #[must_use]
    pub fn response<B: From<Bytes>>(&self, secrets: &Secrets, scheme: Scheme, now: u64) -> Response<B> {
        let mut response = see_other(self.return_to.as_str());
        response.headers_mut().insert(SET_COOKIE, self.pass.set_cookie(secrets, scheme, now));
        response
    }
}

impl Rejected {
    /// A challenge that is not met yet is posed again as it is; an expired one leads back to the form, which will pose another.
    #[must_use]
    pub fn response<B: From<Bytes>>(&self, accept: Option<&HeaderValue>, request_id: Option<&str>, now: u64) -> Response<B> {
        let format = Format::negotiate(accept.map(HeaderValue::as_bytes));
        match self {
            Self::Unknown => {
                let detail =
                    "This check was made for another browser or network address, or for none. Please go back to the form and try again.";
                refused(StatusCode::BAD_REQUEST, detail, format, request_id)
            }
            // Where the operator's page is stands in the configuration; the form leads there.
            Self::Expired { return_to } | Self::Unmet { challenge: Challenge { kind: Kind::External, return_to, .. }, .. } => {
                see_other(return_to.as_str())
            }
            Self::Unmet { challenge, token, .. } => ask(challenge, token, now, format, request_id),
        }
    }
}

/// A challenge that is met here: a page or a problem document.
fn ask<B: From<Bytes>>(challenge: &Challenge, token: &str, now: u64, format: Format, request_id: Option<&str>) -> Response<B> {
    let wait_left = challenge.wait_left(now);
    match format {
        Format::Html => {
            let body = page::draw(challenge, token, wait_left, request_id);
            let csp = if challenge.kind == Kind::Work { WORK_CSP } else { WAIT_CSP };
            let mut response = answer(StatusCode::TOO_MANY_REQUESTS, body, format, csp);
            if challenge.kind == Kind::Wait {
                put(&mut response, REFRESH, &page::refresh(token, wait_left));
            }
            response
        }
        Format::Problem => problem(&described(challenge, token, wait_left, now), request_id),
        Format::Text => refused(StatusCode::TOO_MANY_REQUESTS, DETAIL, format, request_id),
    }
}

/// A person is sent there, a program is told.
fn away<B: From<Bytes>>(there: &str, format: Format, request_id: Option<&str>, described: &str) -> Response<B> {
    match format {
        Format::Html => see_other(there),
        Format::Problem => problem(described, request_id),
        Format::Text => refused(StatusCode::TOO_MANY_REQUESTS, DETAIL, format, request_id),
    }
}

fn described(challenge: &Challenge, token: &str, wait_left: u64, now: u64) -> String {
    let (kind, difficulty) = match challenge.kind {
        Kind::Work => ("proof-of-work", format!(",\"algorithm\":\"sha-256\",\"difficulty\":{}", challenge.bits)),
        _ => ("wait", String::new()),
    };
    let (token, page) = (json_string(token), json_string(&format!("{REDEEM_PATH}?token={token}")));
    format!(
        "{{\"type\":\"{kind}\",\"token\":{token}{difficulty},\"wait\":{wait_left},\"expires-in\":{},\"redeem\":\"{REDEEM_PATH}\",\"page\":{page}}}",
        challenge.expires_at().saturating_sub(now)
    )
}

fn external(url: &HookUrl, token: &str, lifetime: u16) -> String {
    let (there, token) = (json_string(&url.with_token(token)), json_string(token));
    format!("{{\"type\":\"external\",\"token\":{token},\"url\":{there},\"expires-in\":{lifetime},\"redeem\":\"{REDEEM_PATH}\"}}")
}

fn problem<B: From<Bytes>>(challenge: &str, request_id: Option<&str>) -> Response<B> {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut json = format!(
        "{{\"type\":{},\"title\":\"Too Many Requests\",\"status\":{},\"detail\":{},\"challenge\":{challenge}",
        json_string(Reason::AbnormalUsage.uri()),
        status.as_u16(),
        json_string(DETAIL)
    );
    if let Some(id) = request_id {
        let _ = write!(json, ",\"request-id\":{}", json_string(id));
    }
    json.push_str("}\n");
    answer(status, json, Format::Problem, PAGE_CSP)
}

fn refused<B: From<Bytes>>(status: StatusCode, detail: &str, format: Format, request_id: Option<&str>) -> Response<B> {
    let reply = Reply { status: status.as_u16(), detail, request_id, ..Reply::default() };
    answer(status, reply.body(format), format, PAGE_CSP)
}

/// What all answers have in common: they are about one client and one moment, and tell no other site where they were.
fn answer<B: From<Bytes>>(status: StatusCode, body: String, format: Format, csp: &'static str) -> Response<B> {
    let mut response = Response::new(Bytes::from(body).into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if format == Format::Html {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(csp));
    }
    response
}

fn see_other<B: From<Bytes>>(there: &str) -> Response<B> {
    let mut response = Response::new(Bytes::new().into());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    put(&mut response, LOCATION, there);
    response
}

/// A field whose value is a place of ours and a token: visible ASCII.
fn put<B>(response: &mut Response<B>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
