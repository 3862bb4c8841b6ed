//! Redis killed, hung, slow, restarted, never there.

use std::time::Instant;

use super::*;
use crate::limit::StoreError;

/// A store that is connected. Its timeout is longer than people's, for the machine may be busy with other tests.
async fn in_use(server: &RedisServer) -> RedisStore {
    let store = RedisStore::new(RedisOptions::new(server.url(), SECRET).unwrap().timeout(Duration::from_millis(250)));
    store.connect().await.unwrap();
    store
}

/// Waits until the store asks Redis again.
async fn recovered(store: &RedisStore, limit: &Limit) {
    for _ in 0..400 {
        left(store, limit).await;
        if store.health().trouble.is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not back: {:?}", store.health());
}

/// Makes the store notice that Redis is gone; how long the slowest decision took.
async fn notices(store: &RedisStore) -> Duration {
    let unrelated = Limit::new("unrelated", Quota::per_hour(1_000_000));
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        #[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
        let start = Instant::now();
        one(store, &unrelated).await;
        slowest = slowest.max(start.elapsed());
        if store.health().trouble.is_some() {
            return slowest;
        }
    }
    panic!("not noticed: {:?}", store.health());
}

#[tokio::test]
async fn a_killed_server_changes_no_count_not_even_if_it_comes_back_empty() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let (here, there) = (in_use(&server).await, in_use(&server).await);
    for quota in [Quota::per_hour(10), Quota::per_hour(10).strict(), Quota::daily(10)] {
        let limit = Limit::new(format!("limit {quota}"), quota);
        assert_eq!((passed(&there, &limit, 3).await, passed(&here, &limit, 2).await), (3, 2));
        server.kill();
        notices(&here).await;
        assert_eq!(left(&here, &limit).await, 5, "{quota}: this process knows what the others have used");
        assert_eq!(passed(&here, &limit, 4).await, 4);
        server.start_again();
        recovered(&here, &limit).await;
        assert_eq!(left(&here, &limit).await, 1, "{quota}: an empty Redis is told where this process stands");
        assert_eq!(left_in_redis(&server, &limit).await, 1, "{quota}");
        recovered(&there, &limit).await;
        assert_eq!((passed(&here, &limit, 5).await, passed(&there, &limit, 5).await), (1, 0));
    }
    assert!(here.health().merged >= 3, "{:?}", here.health());
}

#[tokio::test]
async fn what_was_charged_meanwhile_is_charged() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let limit = Limit::new("shared", Quota::per_hour(10));
    let (here, there) = (in_use(&server).await, in_use(&server).await);
    assert_eq!(passed(&here, &limit, 2).await, 2);
    assert_eq!(left(&there, &limit).await, 8);
    server.signal("STOP");
    notices(&here).await;
    notices(&there).await;
    assert_eq!((passed(&here, &limit, 3).await, passed(&there, &limit, 3).await), (3, 3), "each by what it knows");
    server.signal("CONT");
    recovered(&here, &limit).await;
    recovered(&there, &limit).await;
    assert_eq!((left(&here, &limit).await, left(&there, &limit).await), (2, 2), "both together");
}

#[tokio::test]
async fn a_server_that_hangs_holds_nobody_up() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let limit = Limit::new("a", Quota::per_hour(10));
    let store = RedisStore::new(RedisOptions::new(server.url(), SECRET).unwrap());
    store.connect().await.unwrap();
    assert_eq!(passed(&store, &limit, 2).await, 2);
    server.signal("STOP");
    let slowest = notices(&store).await;
    assert!(slowest < Duration::from_millis(400), "{slowest:?}");
    #[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
    let start = Instant::now();
    assert_eq!(passed(&store, &limit, 1000).await, 8);
    assert!(start.elapsed() < Duration::from_millis(400), "a thousand decisions without one wait: {:?}", start.elapsed());
    assert_eq!(store.health().trouble.as_deref(), Some("Redis did not answer in time"));
    server.signal("CONT");
    recovered(&store, &limit).await;
    assert_eq!(left(&store, &limit).await, 0);
}

#[tokio::test]
async fn a_slow_server_is_left_alone_until_it_is_quick() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let (store, limit) = (in_use(&server).await, Limit::new("a", Quota::per_hour(10)));
    assert_eq!(passed(&store, &limit, 2).await, 2);
    server.tell("CLIENT PAUSE 2500");
    notices(&store).await;
    assert_eq!(passed(&store, &limit, 4).await, 4);
    recovered(&store, &limit).await;
    assert_eq!((left(&store, &limit).await, passed(&store, &limit, 20).await), (4, 4));
}

#[tokio::test]
async fn making_it_blink_wins_nothing() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let (store, limit) = (in_use(&server).await, Limit::new("attempts", Quota::per_hour(16).strict()));
    let mut all = passed(&store, &limit, 4).await;
    for round in 0..3 {
        server.kill();
        all += passed(&store, &limit, 3).await;
        notices(&store).await;
        server.start_again();
        if round % 2 == 0 {
            recovered(&store, &limit).await;
        }
        all += passed(&store, &limit, 2).await;
    }
    recovered(&store, &limit).await;
    all += passed(&store, &limit, 20).await;
    assert_eq!(all, 16);
}

#[tokio::test]
async fn what_is_done_by_hand_meanwhile_is_done() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let here = in_use(&server).await;
    let limit = |name: &str| Limit::new(name, Quota::per_hour(10));
    let change =
        async |name: &str, change| Limiter::new(Arc::new(here.clone())).change(&limit(name), alice(), change).await.unwrap().decision;
    for name in ["unblocked", "reset", "set", "rewarded", "blocked"] {
        assert_eq!(passed(&here, &limit(name), 5).await, 5);
    }
    change("unblocked", Change::Block(Duration::from_secs(900))).await;
    server.signal("STOP");
    notices(&here).await;
    change("unblocked", Change::Unblock).await;
    change("reset", Change::Reset).await;
    change("set", Change::Set(2)).await;
    change("rewarded", Change::Reward(2)).await;
    change("blocked", Change::Block(Duration::from_secs(900))).await;
    assert_eq!(passed(&here, &limit("reset"), 1).await, 1);
    server.signal("CONT");
    recovered(&here, &limit("other")).await;
    let mut now = Vec::new();
    for name in ["unblocked", "reset", "set", "rewarded", "blocked"] {
        now.push(left_in_redis(&server, &limit(name)).await);
    }
    assert_eq!(now, [10, 9, 8, 7, 0]);
}

#[tokio::test]
async fn reservations_outlive_an_outage_on_the_strict_side() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let (store, limit) = (in_use(&server).await, Limit::new("attempts", Quota::per_hour(10).strict()));
    let limiter = Limiter::new(Arc::new(store.clone()));
    let reserve = async || match limiter.reserve(&[Ask::new(&limit, alice())]).await.unwrap() {
        Reserved::Yes(reservation) => reservation,
        Reserved::No(answer) => panic!("{answer:?}"),
    };
    let (before, kept) = (reserve().await, reserve().await);
    server.signal("STOP");
    notices(&store).await;
    let during = [reserve().await, reserve().await, reserve().await];
    assert_eq!(left(&store, &limit).await, 5);
    let [one, two, three] = during;
    one.settle(crate::limit::Settle::Refund).await.unwrap();
    before.settle(crate::limit::Settle::Refund).await.unwrap();
    two.settle(crate::limit::Settle::Keep).await.unwrap();
    assert_eq!(left(&store, &limit).await, 7);
    server.signal("CONT");
    recovered(&store, &limit).await;
    assert_eq!(left(&store, &limit).await, 6, "what Redis had charged before stays; of the three two are left");
    three.settle(crate::limit::Settle::Refund).await.unwrap();
    kept.settle(crate::limit::Settle::Refund).await.unwrap();
    assert_eq!(left(&store, &limit).await, 7);
}

#[tokio::test]
async fn a_store_that_never_was_there_is_found_when_it_comes() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    server.kill();
    let limit = Limit::new("a", Quota::per_hour(5));
    let store = RedisStore::new(RedisOptions::new(server.url(), SECRET).unwrap());
    let told = store.connect().await.unwrap_err().to_string();
    assert!(told.contains("no connection to Redis"), "{told}");
    assert_eq!(store.health().trouble.map(|t| format!("limit store: {t}")), Some(told));
    assert_eq!(passed(&store, &limit, 3).await, 3);
    server.start_again();
    recovered(&store, &limit).await;
    assert_eq!((left_in_redis(&server, &limit).await, store.health().merged), (2, 1));
}

#[tokio::test]
async fn allow_lets_all_pass_and_deny_none() {
    let nobody = format!("redis://127.0.0.1:{}", redis_server::free_port());
    let limit = Limit::new("a", Quota::per_hour(1));
    let with = |on_error| RedisStore::new(RedisOptions::new(&nobody, SECRET).unwrap().on_error(on_error));
    let allow = with(OnError::Allow);
    assert_eq!(passed(&allow, &limit, 30).await, 30);
    let deny = Limiter::new(Arc::new(with(OnError::Deny)));
    for _ in 0..30 {
        let denied: StoreError = deny.try_acquire(&limit, alice(), 1).await.unwrap_err();
        assert!(denied.to_string().contains("Redis"), "{denied}");
    }
    for limiter in [Limiter::new(Arc::new(allow)), deny] {
        limiter.change(&limit, alice(), Change::Unblock).await.expect_err("whoever unblocks must know that it did not happen");
    }
}

/// Through the layer: trouble is a 503 with a time to come back, and never a 429.
#[tokio::test]
async fn deny_is_a_503() {
    use http::{Request, Response};
    use tower::{Layer, ServiceExt};

    use crate::client_ip::TrustedProxies;

    let nobody = format!("redis://127.0.0.1:{}", redis_server::free_port());
    let store = RedisStore::new(RedisOptions::new(nobody, SECRET).unwrap().on_error(OnError::Deny));
    let app = tower::service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(bytes::Bytes::from("app"))));
    let layer = crate::limit::LimitLayer::new(Quota::per_hour(1)).store(Arc::new(store));
    for _ in 0..10 {
        let mut request = Request::new(());
        let caller = TrustedProxies::default().identify("192.0.2.1".parse().unwrap(), request.headers());
        request.extensions_mut().insert(caller.ip);
        let response = layer.layer(app).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 503);
        assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 5);
        assert!(String::from_utf8_lossy(response.body()).contains("temporary-reduced-capacity"));
    }
}
