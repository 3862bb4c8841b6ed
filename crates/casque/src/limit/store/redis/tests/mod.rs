//! Against a real server that each test starts. Without one the tests say so and pass.

mod calls;
mod cluster;
#[cfg(feature = "compat")]
mod counters;
mod outages;
#[path = "../../../../../tests/support/redis_server.rs"]
mod redis_server;
mod same_as_memory;
#[cfg(feature = "redis-tls")]
mod tls;
mod ways;

use std::sync::Arc;
use std::time::Duration;

use redis_server::RedisServer;

use super::*;
use crate::limit::store::contract;
use crate::limit::{Ask, Decision, Limit, Limiter, Quota, Reserved, Subject};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Options of a store with keys of its own.
fn options(url: &str) -> RedisOptions {
    RedisOptions::new(url, format!("{:032x}", rand::random::<u128>())).unwrap().timeout(Duration::from_secs(2))
}

/// A store that goes by the caller's time.
fn told_the_time(url: &str) -> RedisStore {
    RedisStore::build(options(url), Arc::new(MemoryStore::with_capacity(1024)), Arc::new(SystemClock), Time::Caller)
}

fn alice() -> Subject {
    Subject::of(["alice"])
}

/// What a limiter of this store says to one more.
async fn one(store: &RedisStore, limit: &Limit) -> Decision {
    Limiter::new(Arc::new(store.clone())).try_acquire(limit, alice(), 1).await.unwrap().decision
}

/// How many of so many attempts pass.
async fn passed(store: &RedisStore, limit: &Limit, attempts: usize) -> usize {
    let mut passed = 0;
    for _ in 0..attempts {
        passed += usize::from(one(store, limit).await.allowed);
    }
    passed
}

/// How many are left in Redis itself, as another process sees it.
async fn left_in_redis(server: &RedisServer, limit: &Limit) -> u32 {
    let other = RedisStore::new(RedisOptions::new(server.url(), SECRET).unwrap().timeout(Duration::from_secs(5)));
    let left = left(&other, limit).await;
    assert_eq!(other.health().failed, 0);
    left
}

async fn left(store: &RedisStore, limit: &Limit) -> u32 {
    Limiter::new(Arc::new(store.clone())).change(limit, alice(), Change::Look).await.unwrap().decision.remaining
}

#[test]
fn keeps_the_contract() {
    let Some(server) = RedisServer::start(&[]) else { return };
    contract::check(|| RedisStore::new(options(&server.url())));
    contract::check_with_time(|| told_the_time(&server.url()));
}

#[test]
fn keeps_the_contract_without_redis() {
    let nobody = format!("redis://127.0.0.1:{}", redis_server::free_port());
    contract::check_with_time(|| told_the_time(&nobody));
}
