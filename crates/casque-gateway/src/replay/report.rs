//! What came of a replay, as data.

use std::time::Duration;

use casque::client_ip::ClientIp;
use serde_json::{Value, json};

use super::tally::{Clients, LimitTally, Tally, Who};
use crate::policy::Policy;

/// The whole of it.
#[derive(Debug)]
pub struct Report {
    /// What was read.
    pub read: Read,
    /// When the first request came and the last, since 1970; `None` if there was none.
    pub time: Option<(Duration, Duration)>,
    /// What the policy's limits said.
    pub policy: Tally,
    /// What the other policy's did.
    pub against: Option<Tally>,
    /// What is different between the two.
    pub compared: Option<Compared>,
    /// What nobody can know from a log, in sentences.
    pub not_known: Vec<String>,
}

/// What was read of a log.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// Lines, empty ones aside.
    pub lines: u64,
    /// Requests that the limits were asked about.
    pub requests: u64,
    /// Lines in no format that is known.
    pub unreadable: u64,
    /// The number of the first of them, and why, with its beginning.
    pub first_unreadable: Option<(u64, String)>,
    /// Lines about what is no HTTP request.
    pub no_request: u64,
    /// Requests of nobody whose address is known.
    pub no_address: u64,
    /// Lines that casque had to drop when it wrote the log.
    pub lost: u64,
    /// Requests so much out of order that they were taken to have come later.
    pub late: u64,
    /// Requests that came from an address under `trusted-proxies`.
    pub from_proxies: u64,
    /// Whether times are known to the second only.
    pub whole_seconds: bool,
}

/// How two policies differ over the same requests.
#[derive(Debug, Default)]
pub struct Compared {
    /// Requests that both refuse.
    pub both: u64,
    /// Requests that only the new one refuses.
    pub newly: u64,
    /// Requests that only the old one refuses.
    pub no_longer: u64,
    /// Whom the new one refuses where the old one does not.
    pub clients: Clients,
}

impl Compared {
    pub(super) fn count(&mut self, refused: bool, was_refused: bool, client: ClientIp, at: Duration) {
        match (refused, was_refused) {
            (true, true) => self.both += 1,
            (true, false) => {
                self.newly += 1;
                self.clients.count(client, at);
            }
            (false, true) => self.no_longer += 1,
            (false, false) => {}
        }
    }
}

/// What has to be said about a replay of this policy.
pub(super) fn not_known(policy: &Policy, read: &Read) -> Vec<String> {
    let mut told = Vec::new();
    let left_out: Vec<&str> =
        policy.limits().into_iter().filter(|l| !l.is_off() && l.count_by().needs_headers()).map(casque::limit::Limit::name).collect();
    if !left_out.is_empty() {
        told.push(format!("{}: left out, for a log has neither header fields nor cookies", left_out.join(", ")));
    }
    if policy.has_hosts() {
        told.push("routes with a `host` are left out: the log does not say which host was asked".to_owned());
    }
    if read.whole_seconds {
        told.push("times are in whole seconds, and of the end of the answer: bursts look sharper than they were".to_owned());
    }
    if read.from_proxies > 0 {
        told.push(format!(
            "{} requests came from an address under trusted-proxies: the log does not say who was behind it, so they count as one client",
            read.from_proxies
        ));
    }
    if read.late > 0 {
        told.push(format!("{} requests stood far from the place of their time and were taken to have come later", read.late));
    }
    if read.lost > 0 {
        told.push(format!("{} lines are missing: the log was read too slowly when it was written", read.lost));
    }
    told.push("what clients did before the log begins, and what they would have done after a refusal".to_owned());
    told
}

fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}

fn who(who: &Who) -> Value {
    json!({ "client": who.client, "refused": who.refused, "first": seconds(who.first), "last": seconds(who.last) })
}

fn clients(clients: &Clients, n: usize) -> Value {
    json!({
        "told-apart": clients.len(),
        "refusals-of-others": clients.others,
        "top": clients.top(n).into_iter().map(who).collect::<Vec<_>>(),
    })
}

fn limit(limit: &LimitTally, n: usize) -> Value {
    json!({
        "name": limit.name,
        "quota": limit.quota.to_string(),
        "mode": if limit.enforced { "enforce" } else { "shadow" },
        "left-out": limit.left_out,
        "requests": limit.counted,
        "refused": limit.refused,
        "clients": clients(&limit.clients, n),
    })
}

fn tally(tally: &Tally, n: usize) -> Value {
    json!({
        "passed": tally.passed,
        "refused": tally.refused,
        "ended-before": tally.before,
        "clients": clients(&tally.clients, n),
        "limits": tally.limits.iter().map(|l| limit(l, n)).collect::<Vec<_>>(),
    })
}

impl Report {
    /// As JSON, with the `n` clients that are refused most. Times are seconds since 1970.
    #[must_use]
    pub fn to_json(&self, n: usize) -> Value {
        let read = &self.read;
        json!({
            "lines": read.lines,
            "requests": read.requests,
            "unreadable": read.unreadable,
            "first-unreadable": read.first_unreadable.as_ref().map(|(line, why)| json!({ "line": line, "why": why })),
            "no-request": read.no_request,
            "no-address": read.no_address,
            "lost": read.lost,
            "late": read.late,
            "from": self.time.map(|(from, _)| seconds(from)),
            "to": self.time.map(|(_, to)| seconds(to)),
            "policy": tally(&self.policy, n),
            "against": self.against.as_ref().map(|t| tally(t, n)),
            "compared": self.compared.as_ref().map(|c| json!({
                "both": c.both,
                "newly-refused": c.newly,
                "no-longer-refused": c.no_longer,
                "clients": clients(&c.clients, n),
            })),
            "not-known": self.not_known,
        })
    }
}
