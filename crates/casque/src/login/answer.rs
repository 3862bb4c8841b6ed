//! What a client gets from the guard instead of the app's answer, and what the app's answer gets on its way.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use super::account;
use super::challenge::{self, Asked, Escalation, REDEEM_PATH};
use super::guard::{Stop, Trust};
use super::outcome::Outcome;
use super::policy::Exceeded;
use super::replay::Replay;
use super::visit::{Seen, Visit};
use crate::limit::{Decision, Reason, Refusal, Refused, ShadowRefused, retry_after_seconds};
use crate::reply::{Format, PAGE_CSP, Reply};

/// In a response's extensions: what the guard made of its request. For logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// The guard's name.
    pub guard: String,
    /// What the browser was to the account; none if a guard that only watches would have stopped it.
    pub trust: Option<Trust>,
    /// What the app's answer meant.
    pub outcome: Outcome,
}

type Answered<B> = Response<Replay<B>>;

/// An attempt that is not let through.
pub(super) fn stopped<B: From<Bytes>>(visit: &Visit, stop: &Stop) -> Answered<B> {
    let (login, _) = visit.login();
    match stop {
        Stop::Exceeded { budget, retry_after } => exceeded(visit, budget, *retry_after),
        Stop::Challenge { budget, debt, .. } => {
            let id = visit.request_id.map(|id| id.to_string());
            let asked = Asked {
                client: visit.client,
                route: challenge::route(login.name()),
                return_to: visit.return_to.clone(),
                accept: visit.accept.as_ref(),
                request_id: id.as_deref(),
                now: visit.now,
                random: rand::random(),
            };
            let step = login.escalation.as_ref().map_or_else(|| Escalation::default().step(*debt), |e| e.step(*debt));
            noted(visit, budget, challenge::pose(visit.policy.secrets(), &step, &asked))
        }
        Stop::Busy => {
            let detail = "Too many log-ins are being checked at this moment. Please try again.";
            noted(visit, "busy", refused(visit, Reason::ReducedCapacity, detail, Some(Duration::from_secs(1))))
        }
        Stop::TooManyAccounts => too_many_accounts(visit),
    }
}

fn exceeded<B: From<Bytes>>(visit: &Visit, budget: &str, retry_after: Option<Duration>) -> Answered<B> {
    let (login, _) = visit.login();
    let response = match login.exceeded {
        Exceeded::TooManyRequests => {
            refused(visit, Reason::QuotaExceeded, "There were too many failed log-ins. Please wait before the next try.", retry_after)
        }
        Exceeded::Unauthorized => {
            let mut response = plain(visit, StatusCode::UNAUTHORIZED, "The name or the password is wrong.");
            // RFC 9110 15.5.2 wants the field with every 401; this challenge makes no browser ask for a password.
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Form"));
            response
        }
    };
    noted(visit, budget, response)
}

/// What the log says of it: which guard, and which of its budgets. A client is not told: what is left of an account's budget tells
/// that somebody else is guessing.
fn noted<B>(visit: &Visit, budget: &str, mut response: Answered<B>) -> Answered<B> {
    let limit = format!("login:{}:{budget}", visit.login().0.name());
    let retry_after = response.headers().get(http::header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0);
    response.extensions_mut().insert(Refusal { limit, retry_after });
    response
}

/// The store has trouble, and its policy is to let nobody through.
pub(super) fn cannot_tell<B: From<Bytes>>(visit: &Visit) -> Answered<B> {
    refused(visit, Reason::ReducedCapacity, "Log-ins cannot be checked right now.", Some(Duration::from_secs(5)))
}

/// More credentials in one request than are taken.
pub(super) fn too_many_accounts<B: From<Bytes>>(visit: &Visit) -> Answered<B> {
    noted(visit, "accounts", plain(visit, StatusCode::BAD_REQUEST, "A log-in names one account; this one names several."))
}

/// A request in which apps could find another account than the guard does.
pub(super) fn unreadable<B: From<Bytes>>(visit: &Visit, refusal: account::Refusal) -> Answered<B> {
    plain(visit, refusal.status(), refusal.detail())
}

/// A body that broke off. Whoever sent it is most likely gone.
pub(super) fn cut_short<B: From<Bytes>>(visit: &Visit) -> Answered<B> {
    plain(visit, StatusCode::BAD_REQUEST, "The request ended too early.")
}

/// Something else than a solution at the place for solutions.
pub(super) fn no_redemption<B: From<Bytes>>(visit: &Visit) -> Answered<B> {
    plain(visit, StatusCode::BAD_REQUEST, "There is no answer to a check in this request.")
}

/// A method that the place for solutions does not have.
pub(super) fn wrong_method<B: From<Bytes>>(visit: &Visit) -> Answered<B> {
    let mut response = plain(visit, StatusCode::METHOD_NOT_ALLOWED, "Answers to checks come by GET or POST.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    response
}

/// A mistake in how the app is put together.
pub(super) fn without_client<B: From<Bytes>>() -> Answered<B> {
    let detail = "The client's address is unknown to the login guard: serve the app with casque::serve or add a ClientIpLayer.";
    reply(&Reply { status: 500, detail, ..Reply::default() }, Format::Problem)
}

fn refused<B: From<Bytes>>(visit: &Visit, reason: Reason, detail: &str, retry_after: Option<Duration>) -> Answered<B> {
    let decision = Decision { retry_after, ..Decision::default() };
    let wait = retry_after_seconds(&decision, rand::random());
    let id = visit.request_id.map(|id| id.to_string());
    Refused { reason, detail, limits: &[], retry_after: wait, request_id: id.as_deref() }.response(visit.accept.as_ref())
}

fn plain<B: From<Bytes>>(visit: &Visit, status: StatusCode, detail: &str) -> Answered<B> {
    let id = visit.request_id.map(|id| id.to_string());
    let format = Format::negotiate(visit.accept.as_ref().map(HeaderValue::as_bytes));
    reply(&Reply { status: status.as_u16(), detail, request_id: id.as_deref(), ..Reply::default() }, format)
}

fn reply<B: From<Bytes>>(reply: &Reply<'_>, format: Format) -> Answered<B> {
    let mut response = Response::new(Replay::from(Bytes::from(reply.body(format))));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    if format == Format::Html {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_CSP));
    }
    response
}

/// What the app's answer gets: device cookies after a success, and a note for the log.
pub(super) fn complete<B>(visit: &Visit, seen: &Seen, response: &mut Response<B>, outcome: Outcome, went: Result<Trust, Option<Stop>>) {
    let (login, rules) = visit.login();
    let guard = login.name();
    if outcome != Outcome::Neutral {
        rules.tally.count(outcome == Outcome::Success, seen.named);
    }
    if outcome == Outcome::Success {
        for line in visit.grant(seen) {
            response.headers_mut().append(SET_COOKIE, line);
        }
    }
    if let Err(Some(stop)) = went {
        let budget = match stop {
            Stop::Exceeded { budget, .. } | Stop::Challenge { budget, .. } => budget,
            Stop::Busy => "busy",
            Stop::TooManyAccounts => "accounts",
        };
        response.extensions_mut().insert(ShadowRefused { limits: vec![format!("login:{guard}:{budget}")] });
    }
    response.extensions_mut().insert(Guarded { guard: guard.to_owned(), trust: went.ok(), outcome });
}

/// Where challenges are answered; not the app's.
pub(super) fn is_redemption(path: &str) -> bool {
    path == REDEEM_PATH
}
