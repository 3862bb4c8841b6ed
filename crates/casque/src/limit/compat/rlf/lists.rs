//! Keys that are let through or refused without being counted.

use std::fmt;
use std::sync::Arc;

use super::answer::{Answer, Limiter, Op, RateLimiter, Rejected, Reply, Res};
use super::promise::begun;
use super::runtime::Runtime;

/// JavaScript's largest safe integer, which stands for "as many as you like" and "never".
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

type Matches = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Who is on which list. On both, white wins.
#[derive(Default)]
pub struct Lists {
    /// `whiteList`: let through. Compared as they stand: no networks, no patterns.
    pub white: Vec<String>,
    /// `blackList`: refused.
    pub black: Vec<String>,
    /// `isWhiteListed`.
    pub is_white: Option<Matches>,
    /// `isBlackListed`.
    pub is_black: Option<Matches>,
    /// `runActionAnyway`: do what was asked, too; its answer is passed over.
    pub run_action_anyway: bool,
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lists").field("white", &self.white).field("black", &self.black).finish_non_exhaustive()
    }
}

/// `RLWrapperBlackAndWhite`: lists around a limiter.
pub struct BlackAndWhite {
    runtime: Arc<dyn Runtime>,
    limiter: Limiter,
    lists: Lists,
}

impl fmt::Debug for BlackAndWhite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlackAndWhite").field("limiter", &self.limiter).field("lists", &self.lists).finish_non_exhaustive()
    }
}

impl BlackAndWhite {
    /// Around this one.
    #[must_use]
    pub fn new(runtime: Arc<dyn Runtime>, limiter: Limiter, lists: Lists) -> Arc<Self> {
        Arc::new(Self { runtime, limiter, lists })
    }

    /// What a listed key is answered, and whether that is a refusal of what it wants to consume.
    fn listed(&self, key: &str) -> Option<(Res, bool)> {
        let on = |list: &[String], matches: &Option<Matches>| list.iter().any(|k| k == key) || matches.as_ref().is_some_and(|m| m(key));
        let res =
            |remaining_points, ms_before_next| Res { remaining_points, ms_before_next, consumed_points: 0.0, is_first_in_duration: false };
        if on(&self.lists.white, &self.lists.is_white) {
            Some((res(MAX_SAFE, 0.0), false))
        } else if on(&self.lists.black, &self.lists.is_black) {
            Some((res(0.0, MAX_SAFE), true))
        } else {
            None
        }
    }
}

impl RateLimiter for BlackAndWhite {
    fn run(self: Arc<Self>, key: String, op: Op) -> Answer {
        Box::pin(async move {
            let anyway = self.lists.run_action_anyway;
            let (res, refused) = match self.listed(&key) {
                Some(listed) if op != Op::Delete && !(op == Op::Get && anyway) => listed,
                _ => return self.limiter.run(&key, op).await,
            };
            if anyway {
                // Nobody waits for it, and its trouble is passed over, too: a listed key does not depend on the store.
                let mut action = self.limiter.run(&key, op);
                if begun(&mut action).await.is_pending() {
                    self.runtime.spawn(Box::pin(async move { drop(action.await) }));
                }
            }
            match op {
                Op::Consume { .. } if refused => Err(Rejected::Limit(res)),
                Op::Get => Ok(Reply::Found(Some(res))),
                _ => Ok(Reply::Res(res)),
            }
        })
    }

    fn points(&self) -> f64 {
        self.limiter.points()
    }

    fn key_prefix(&self) -> String {
        self.limiter.key_prefix()
    }

    fn insurance(&self) -> Option<Limiter> {
        self.limiter.0.insurance()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::options::Options;
    use super::super::store::RateLimiterStore;
    use super::super::testing::{Paused, Remote, memory, options, refused, wait};
    use super::*;

    fn lists(run_action_anyway: bool) -> Lists {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Lists {
            white: own(&["friend", "both"]),
            black: own(&["foe", "both"]),
            is_black: Some(Box::new(|key| key.starts_with("bot"))),
            run_action_anyway,
            ..Lists::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lists_are_looked_at_first_and_white_wins() {
        let runtime = Paused::begin();
        let inner = memory(&runtime, options(1.0, 1.0));
        let limiter = Limiter::from(BlackAndWhite::new(runtime, inner.clone(), lists(false)));
        for key in ["friend", "both"] {
            assert_eq!(limiter.consume(key, 99.0).await.unwrap().remaining_points, MAX_SAFE, "{key}");
        }
        for key in ["foe", "bot7"] {
            assert_eq!(refused(limiter.consume(key, 1.0).await), Some(MAX_SAFE), "{key}");
        }
        assert_eq!(refused(limiter.consume("other", 2.0).await), Some(1000.0));
        assert_eq!(inner.get("friend").await.unwrap(), None);
        inner.consume("friend", 1.0).await.unwrap();
        assert!(limiter.delete("friend").await.unwrap(), "what is forgotten is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_anyway_decides_nothing() {
        let runtime = Paused::begin();
        let remote = Remote::new(&runtime, 20);
        let inner = RateLimiterStore::new(runtime.clone(), remote.clone(), Options { ..options(1.0, 1.0) }).unwrap();
        let limiter = Limiter::from(BlackAndWhite::new(runtime, inner.into(), lists(true)));
        assert_eq!(refused(limiter.consume("friend", 5.0).await), None);
        wait(30).await;
        assert_eq!(limiter.get("friend").await.unwrap().unwrap().consumed_points, 5.0);
        remote.broken.store(true, Ordering::Relaxed);
        assert_eq!(refused(limiter.consume("friend", 5.0).await), None, "a store's trouble is none of a friend's");
    }
}
