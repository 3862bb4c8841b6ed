//! Where the limits' state is: in memory, or in Redis while the policy names one. A reload may change it.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use casque::clock::Micros;
use casque::limit::store::redis::RedisOptions;
use casque::limit::{Budget, Change, Charge, Key, MemoryStore, Pending, Receipt, RedisStore, Store};

/// The store of all workers.
#[derive(Debug, Default)]
pub(crate) struct LimitStore {
    /// What is counted by where there is no Redis, and while it does not answer.
    memory: Arc<MemoryStore>,
    remote: Arc<Remote>,
}

#[derive(Debug, Default)]
struct Remote {
    redis: RwLock<Option<RedisStore>>,
    /// Whether there is one; so that without it a request takes no lock.
    has_redis: AtomicBool,
}

impl LimitStore {
    /// A store with a memory of its own, where there is no Redis; the same Redis, where there is one.
    pub(crate) fn apart(&self, memory: MemoryStore) -> Self {
        Self { memory: Arc::new(memory), remote: self.remote.clone() }
    }

    /// What this process counts.
    pub(crate) fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    /// Uses Redis by these options, or none. One that is used already by the same stays as it is.
    pub(crate) fn choose(&self, options: Option<&RedisOptions>) {
        let mut redis = self.remote.redis.write().unwrap_or_else(PoisonError::into_inner);
        if redis.as_ref().map(RedisStore::options) != options {
            *redis = options.map(|options| RedisStore::beside(options.clone(), self.memory.clone()));
        }
        self.remote.has_redis.store(redis.is_some(), Ordering::Release);
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
        if !self.remote.has_redis.load(Ordering::Acquire) {
            return None;
        }
        self.remote.redis.read().unwrap_or_else(PoisonError::into_inner).clone()
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
