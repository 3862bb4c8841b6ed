//! Who would have been refused by what, counted in bounded memory.

use std::collections::HashMap;
use std::time::Duration;

use casque::client_ip::ClientIp;
use casque::limit::replay::Replayed;
use casque::limit::{Limit, Quota};

use crate::names::client_name;
use crate::policy::Policy;

/// So many clients of each limit are told apart.
const CLIENTS: usize = 100_000;

/// What a policy's limits said.
#[derive(Debug)]
pub struct Tally {
    /// Requests that no limit refused.
    pub passed: u64,
    /// Requests that one did.
    pub refused: u64,
    /// Requests that ended before any limit is asked.
    pub before: u64,
    /// Each limit, in the order of the policy.
    pub limits: Vec<LimitTally>,
    /// Clients that were refused by any limit.
    pub clients: Clients,
}

/// What one limit said.
#[derive(Debug)]
pub struct LimitTally {
    id: u64,
    /// Its name.
    pub name: String,
    /// Its quota.
    pub quota: Quota,
    /// Whether it refuses, or only watches.
    pub enforced: bool,
    /// Why it could not be asked, if it could not.
    pub left_out: Option<&'static str>,
    /// Requests that it was asked about.
    pub counted: u64,
    /// Of which it refused, or would have.
    pub refused: u64,
    /// Whom.
    pub clients: Clients,
}

/// Clients that were refused.
#[derive(Debug, Default)]
pub struct Clients {
    known: HashMap<[u8; 16], Who>,
    /// Refusals of clients beyond those that are told apart.
    pub others: u64,
}

/// A client that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Its address; of IPv6 its /64.
    pub client: String,
    /// How often.
    pub refused: u64,
    /// When first, since 1970.
    pub first: Duration,
    /// When last.
    pub last: Duration,
}

impl Clients {
    pub(super) fn count(&mut self, client: ClientIp, at: Duration) {
        let key = client.key();
        if let Some(who) = self.known.get_mut(&key) {
            who.refused += 1;
            who.last = at;
        } else if self.known.len() < CLIENTS {
            self.known.insert(key, Who { client: client_name(key), refused: 1, first: at, last: at });
        } else {
            self.others += 1;
        }
    }

    /// How many are told apart.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nobody was refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Those that were refused most, the worst first.
    #[must_use]
    pub fn top(&self, n: usize) -> Vec<&Who> {
        let mut all: Vec<&Who> = self.known.values().collect();
        all.sort_by(|a, b| (b.refused, a.first, &a.client).cmp(&(a.refused, b.first, &b.client)));
        all.truncate(n);
        all
    }
}

impl Tally {
    pub(super) fn new(policy: &Policy) -> Self {
        let limits = policy.limits().into_iter().filter(|limit| !limit.is_off()).map(LimitTally::new).collect();
        Self { passed: 0, refused: 0, before: 0, limits, clients: Clients::default() }
    }

    pub(super) fn count(&mut self, replayed: &Replayed<'_>, client: ClientIp, at: Duration) {
        for (limit, decision) in &replayed.asked {
            let Some(tally) = self.limits.iter_mut().find(|t| t.id == limit.id() && t.quota == limit.quota()) else { continue };
            tally.counted += 1;
            if !decision.allowed {
                tally.refused += 1;
                tally.clients.count(client, at);
            }
        }
        if replayed.refused.is_some() {
            self.refused += 1;
            self.clients.count(client, at);
        } else {
            self.passed += 1;
        }
    }
}

impl LimitTally {
    fn new(limit: &Limit) -> Self {
        Self {
            id: limit.id(),
            name: limit.name().to_owned(),
            quota: limit.quota(),
            enforced: limit.is_enforced(),
            left_out: limit.count_by().needs_headers().then_some("it counts by header fields or cookies, which a log does not have"),
            counted: 0,
            refused: 0,
            clients: Clients::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use casque::client_ip::TrustedProxies;
    use http::HeaderMap;

    use super::*;

    #[test]
    fn clients_are_told_apart_up_to_so_many() {
        let mut clients = Clients::default();
        let client = |n: u32| TrustedProxies::default().identify(std::net::Ipv4Addr::from(n).into(), &HeaderMap::new()).ip;
        for n in 0..CLIENTS as u32 + 10 {
            clients.count(client(n), Duration::from_secs(n.into()));
        }
        clients.count(client(7), Duration::from_secs(900_000));
        assert_eq!((clients.len(), clients.others), (CLIENTS, 10));
        let top = clients.top(2);
        let worst = Who { client: "0.0.0.7".to_owned(), refused: 2, first: Duration::from_secs(7), last: Duration::from_secs(900_000) };
        assert_eq!((top[0], top[1].client.as_str()), (&worst, "0.0.0.0"));
    }
}
