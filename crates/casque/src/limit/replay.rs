//! Limits over requests of the past: what a policy would have refused.
//!
//! The same limits, the same store and the same arithmetic as in front of an app, with the time that the log has.

use std::time::Duration;

use http::{HeaderMap, Method};

use super::count_by::Asking;
use super::counted::Counted;
use super::decision::Decision;
use super::layer::Limits;
use super::rule::Limit;
use super::store::memory::MemoryStore;
use super::store::{Store, StoreError};
use crate::client_ip::ClientIp;
use crate::clock::{Clock, ManualClock, Micros, as_micros};

/// Asks limits about requests in the order of their time. Takes no more memory than a store does.
#[derive(Debug, Default)]
pub struct Replay {
    store: MemoryStore,
    /// Stands at the time since 1970, so that days and months are those of the log.
    clock: ManualClock,
}

/// A request as a log knows it: without its header fields.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'r> {
    /// Who asked.
    pub client: ClientIp,
    /// How.
    pub method: &'r Method,
    /// For what, without the query.
    pub path: &'r str,
}

/// What limits would have said to a request.
#[derive(Debug)]
pub struct Replayed<'l> {
    /// The limits that were asked, with their answers, up to and with the one that refuses.
    pub asked: Vec<(&'l Limit, Decision)>,
    /// The one that would have refused the request. Never one in shadow mode.
    pub refused: Option<&'l Limit>,
}

impl Replay {
    /// Asks about a request at a time since 1970. Time does not go back: a request that is earlier than the one before is taken
    /// to have come with it. Limits that count by header fields or cookies are not asked ([`super::CountBy::needs_headers`]).
    ///
    /// # Errors
    /// None: the store is in memory.
    pub fn ask<'l>(&mut self, limits: &'l Limits, logged: Logged<'_>, at: Duration) -> Result<Replayed<'l>, StoreError> {
        self.clock.set(Micros(as_micros(at)).max(self.clock.now()));
        let counted = Counted::of(limits, logged.method, logged.path).filter(limits, |limit| !limit.count_by().needs_headers());
        if counted.is_empty() {
            return Ok(Replayed { asked: Vec::new(), refused: None });
        }
        let headers = HeaderMap::new();
        let asking = Asking { client: logged.client, method: logged.method, path: logged.path, headers: &headers };
        let (store, clock) = (&self.store, &self.clock);
        let outcome = counted.charge(limits, asking, clock, |charges| store.charge(charges, clock.now())).into_inner()?;
        let all = limits.as_slice();
        let asked: Vec<_> = counted.iter().filter_map(|i| all.get(i)).zip(outcome.decisions.as_slice().iter().copied()).collect();
        let refused = outcome.refused.and_then(|i| asked.get(i)).map(|(limit, _)| *limit);
        Ok(Replayed { asked, refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_ip::TrustedProxies;
    use crate::limit::{CountBy, Mode, Part, Quota};

    fn refused<'l>(replay: &mut Replay, limits: &'l Limits, path: &str, at_ms: u64) -> Option<&'l str> {
        let client = TrustedProxies::default().identify([192, 0, 2, 1].into(), &HeaderMap::new()).ip;
        let logged = Logged { client, method: &Method::POST, path };
        let at = Duration::from_secs(1_700_000_000) + Duration::from_millis(at_ms);
        replay.ask(limits, logged, at).unwrap().refused.map(Limit::name)
    }

    #[test]
    fn the_past_is_decided_as_the_present_is() {
        let limits = Limits::new([
            Limit::new("watched", Quota::per_hour(1)).mode(Mode::Shadow),
            Limit::new("keys", Quota::per_hour(1)).by(CountBy::new([Part::parse("header:x-api-key").unwrap()])),
            Limit::new("login", Quota::per_minute(2)).paths(["**/login"]).unwrap(),
            Limit::new("daily", Quota::daily(5)),
        ]);
        let mut replay = Replay::default();
        let told: Vec<_> = [(0, "/login"), (10, "/login"), (20, "/login"), (5, "/x"), (30_020, "/login"), (30_030, "/x"), (30_040, "/x")]
            .map(|(at, path)| refused(&mut replay, &limits, path, at))
            .into();
        assert_eq!(told, [None, None, Some("login"), None, None, None, Some("daily")]);
        // 22:13:20 on the first day; the next begins after 6,400 seconds.
        assert_eq!(refused(&mut replay, &limits, "/x", 6_399_999), Some("daily"));
        assert_eq!(refused(&mut replay, &limits, "/x", 6_400_000), None);
        let client = TrustedProxies::default().identify([192, 0, 2, 1].into(), &HeaderMap::new()).ip;
        let logged = Logged { client, method: &Method::GET, path: "/" };
        let asked = replay.ask(&limits, logged, Duration::ZERO).unwrap().asked;
        assert_eq!(asked.iter().map(|(l, d)| (l.name(), d.allowed)).collect::<Vec<_>>(), [("watched", false), ("daily", true)]);
    }
}
