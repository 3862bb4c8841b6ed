//! Where the limits' state is: in memory, or in Redis while the policy names one. A reload may change it.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use casque::clock::Micros;
use casque::limit::store::memory::About;
use casque::limit::store::redis::RedisOptions;
use casque::limit::{Budget, Change, Charge, Decision, Key, MemoryStore, Pending, Receipt, RedisStore, Store, Subject};

/// The store of all workers.
#[derive(Debug, Default)]
pub(crate) struct LimitStore {
    /// What is counted by where there is no Redis, and while it does not answer.
    memory: Arc<MemoryStore>,
    redis: RwLock<Option<RedisStore>>,
    /// Whether there is one; so that without it a request takes no lock.
    has_redis: AtomicBool,
}

impl LimitStore {
    /// With a table for so many keys.
    pub(crate) fn with_capacity(keys: usize) -> Self {
        Self { memory: Arc::new(MemoryStore::with_capacity(keys)), ..Self::default() }
    }

    /// What this process counts by itself; with Redis, what it has learnt from it.
    pub(crate) fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    /// Forgets what a subject did, here and in Redis, and tells how it stands here then.
    pub(crate) fn pardon(&self, about: About, limit: u64, budget: Budget, subject: Subject, now: Micros) -> Decision {
        let decision = self.memory.pardon(about, limit, budget, subject, now);
        if let (Some(redis), Ok(runtime)) = (self.redis(), tokio::runtime::Handle::try_current()) {
            let change = redis.change(about.key(limit, subject), self.memory.budget_of(about, budget), Change::Reset, now);
            // Whoever asked is told how it stands here; a Redis that is away is told when it is back.
            runtime.spawn(async move { drop(change.await) });
        }
        decision
    }

    /// Uses Redis by these options, or none. One that is used already by the same stays as it is.
    pub(crate) fn choose(&self, options: Option<&RedisOptions>) {
        let mut redis = self.redis.write().unwrap_or_else(PoisonError::into_inner);
        if redis.as_ref().map(RedisStore::options) != options {
            *redis = options.map(|options| RedisStore::beside(options.clone(), self.memory.clone()));
        }
        self.has_redis.store(redis.is_some(), Ordering::Release);
    }

    /// Connects the calling worker, if there is anything to connect to.
    pub(crate) fn connect(&self) -> impl Future<Output = ()> + use<> {
        let redis = self.redis();
        async move {
            if let Some(redis) = redis {
                // The store keeps what goes wrong: see `trouble`.
                let _ = redis.connect().await;
            }
        }
    }

    /// Why Redis is not asked at the moment, if it is not.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.redis().and_then(|redis| redis.health().trouble)
    }

    #[inline]
    fn redis(&self) -> Option<RedisStore> {
        if !self.has_redis.load(Ordering::Acquire) {
            return None;
        }
        self.redis.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store for LimitStore {
    type Future = Pending;

    #[inline]
    fn charge(&self, charges: &[Charge], now: Micros) -> Pending {
        match self.redis() {
            None => Pending::known(self.memory.charge(charges, now).into_inner()),
            Some(redis) => redis.charge(charges, now),
        }
    }

    fn refund(&self, charges: &[Charge], receipt: Receipt, now: Micros) -> Pending {
        match self.redis() {
            None => Pending::known(self.memory.refund(charges, receipt, now).into_inner()),
            Some(redis) => redis.refund(charges, receipt, now),
        }
    }

    fn change(&self, key: Key, budget: Budget, change: Change, now: Micros) -> Pending {
        match self.redis() {
            None => Pending::known(self.memory.change(key, budget, change, now).into_inner()),
            Some(redis) => redis.change(key, budget, change, now),
        }
    }
}

#[cfg(test)]
#[expect(dead_code, reason = "what is done to a server is tested with the store")]
#[path = "../../casque/tests/support/redis_server.rs"]
mod redis_server;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use casque::clock::{Clock, SystemClock};
    use casque::limit::{Limit, Limiter, Quota};

    use super::*;

    #[tokio::test]
    async fn a_pardon_reaches_redis() {
        let Some(server) = redis_server::RedisServer::start(&[]) else { return };
        let options = RedisOptions::new(server.url(), "0123456789abcdef0123456789abcdef").unwrap().timeout(Duration::from_secs(5));
        let (store, other) = (Arc::new(LimitStore::default()), Limiter::new(Arc::new(RedisStore::new(options.clone()))));
        store.choose(Some(&options));
        let (limit, subject) = (Limit::new("few", Quota::per_hour(2)), Subject::of(["somebody"]));
        for allowed in [true, true, false] {
            assert_eq!(Limiter::new(store.clone()).try_acquire(&limit, subject, 1).await.unwrap().decision.allowed, allowed);
        }
        assert_eq!(store.memory().top(1).len(), 1, "what Redis refused is listed here");
        let budget = limit.budget(&SystemClock);
        assert!(store.pardon(About::Requests, limit.id(), budget, subject, SystemClock.now()).allowed);
        for _ in 0..200 {
            if other.change(&limit, subject, Change::Look).await.unwrap().decision.remaining == 2 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Redis still refuses");
    }
}
