//! What goes over the wire, and what is left in Redis.

use std::io::{Read, Write};

use super::*;

/// How often the server was asked this by clients and scripts since it last forgot.
pub(super) fn calls(server: &RedisServer, command: &str) -> u64 {
    let stats = server.ask(&["INFO", "commandstats"]);
    let line = stats.lines().find_map(|l| l.strip_prefix(&format!("cmdstat_{command}:calls=")).map(str::to_owned));
    line.map_or(0, |l| l.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_decision_is_one_call() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = RedisStore::new(options(&server.url()));
    store.connect().await.unwrap();
    let limits =
        [Limit::new("a", Quota::per_hour(1000)), Limit::new("b", Quota::per_hour(16).strict()), Limit::new("c", Quota::daily(500))];
    let limiter = Limiter::new(Arc::new(store.clone()));
    for limit in &limits {
        assert!(one(&store, limit).await.allowed);
    }
    server.ask(&["CONFIG", "RESETSTAT"]);
    for _ in 0..15 {
        let asks: Vec<Ask<'_>> = limits.iter().map(|l| Ask::new(l, alice()).created_by(Subject::ALL)).collect();
        assert!(matches!(limiter.reserve(&asks).await.unwrap(), Reserved::Yes(_)));
    }
    assert_eq!((calls(&server, "evalsha"), calls(&server, "eval")), (15, 0), "three limits, one call");
    assert_eq!(calls(&server, "get"), 15 * 3, "of keys that are there only their own state is read");
}

#[tokio::test]
async fn every_key_ends_and_none_tells_whom_it_counts() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = RedisStore::new(options(&server.url()));
    let limiter = Limiter::new(Arc::new(store.clone()));
    for quota in [Quota::per_hour(4), Quota::per_hour(4).strict(), Quota::monthly(4)] {
        let limit = Limit::new(format!("limit {quota}"), quota);
        for change in [Change::Penalise(2), Change::Set(1), Change::Block(Duration::from_secs(60))] {
            let ask = Ask::new(&limit, Subject::of([format!("alice {change:?}")])).created_by(alice());
            assert!(matches!(limiter.reserve(&[ask]).await.unwrap(), Reserved::Yes(_)));
            limiter.change(&limit, Subject::of([format!("bob {change:?}")]), change).await.unwrap();
        }
    }
    let answer = server.ask(&["KEYS", "*"]);
    let keys: Vec<&str> = answer.lines().filter(|l| l.starts_with("cq1:")).collect();
    assert_eq!(keys.len(), 3 * 10, "{answer}");
    for key in keys {
        let left: i64 = server.ask(&["PTTL", key])[1..].lines().next().unwrap().parse().unwrap();
        assert!(left > 0, "{key} never ends");
        assert!(key.bytes().all(|b| b.is_ascii_hexdigit() || b"cq:{}".contains(&b)), "{key}");
    }
    let limit = Limit::new("reset", Quota::per_hour(4));
    assert!(one(&store, &limit).await.allowed);
    let before = server.ask(&["DBSIZE"]);
    limiter.change(&limit, alice(), Change::Reset).await.unwrap();
    assert_ne!(before, server.ask(&["DBSIZE"]), "what is as if it had never been seen is not kept");
}

#[tokio::test]
async fn a_thousand_at_once_are_as_many_as_the_limit() {
    let Some(server) = RedisServer::start(&[]) else { return };
    for quota in [Quota::per_hour(10).strict(), Quota::per_hour(10), Quota::daily(10)] {
        let limit = Arc::new(Limit::new("attempts", quota));
        // Two processes.
        let secret = format!("{:032x}", rand::random::<u128>());
        let stores = [(); 2].map(|()| RedisStore::new(RedisOptions::new(server.url(), &secret).unwrap().timeout(Duration::from_secs(5))));
        let attempts: Vec<_> = (0..1000)
            .map(|n| {
                let (store, limit) = (stores[n % 2].clone(), limit.clone());
                tokio::spawn(async move {
                    let reserved = Limiter::new(Arc::new(store)).reserve(&[Ask::new(&limit, alice())]).await.unwrap();
                    matches!(reserved, Reserved::Yes(_))
                })
            })
            .collect();
        let mut passed = 0;
        for attempt in attempts {
            passed += usize::from(attempt.await.unwrap());
        }
        assert_eq!(passed, 10, "{quota}");
        assert_eq!(stores.iter().map(|s| s.health().failed).sum::<u64>(), 0);
    }
}

#[tokio::test]
async fn a_key_that_is_refused_costs_no_call_for_a_second() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let here = RedisStore::new(options(&server.url()));
    let other = RedisStore::new(here.options().clone());
    let limit = Limit::new("hot", Quota::per_hour(3));
    assert_eq!(passed(&here, &limit, 4).await, 3);
    server.ask(&["CONFIG", "RESETSTAT"]);
    let asked = one(&here, &limit).await;
    assert_eq!((passed(&here, &limit, 500).await, calls(&server, "evalsha"), here.health().cached), (0, 0, 501));
    assert!(asked.retry_after.is_some_and(|wait| wait > Duration::from_secs(1100)), "{asked:?}");
    // Unblocked elsewhere: here a second later. Here: at once.
    Limiter::new(Arc::new(other)).change(&limit, alice(), Change::Reset).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1050)).await;
    assert_eq!(passed(&here, &limit, 4).await, 3);
    Limiter::new(Arc::new(here.clone())).change(&limit, alice(), Change::Reset).await.unwrap();
    assert!(one(&here, &limit).await.allowed);
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_scripts_is_given_them() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = RedisStore::new(options(&server.url()));
    let limit = Limit::new("a", Quota::per_hour(10));
    assert!(one(&store, &limit).await.allowed);
    server.ask(&["SCRIPT", "FLUSH"]);
    server.ask(&["CONFIG", "RESETSTAT"]);
    assert_eq!(one(&store, &limit).await.remaining, 8);
    assert_eq!((calls(&server, "eval"), one(&store, &limit).await.remaining, calls(&server, "eval")), (1, 7, 1));
    server.ask(&["FLUSHALL"]);
    assert_eq!(one(&store, &limit).await.remaining, 9, "whoever empties Redis empties the counts");
    assert_eq!(store.health().failed, 0);
}

#[tokio::test]
async fn a_user_may_have_no_more_rights_than_the_docs_say() {
    let Some(server) = RedisServer::start(&["--requirepass", "admin's"]) else { return };
    let wrong = RedisStore::new(options(&server.url()));
    let told = wrong.connect().await.unwrap_err().to_string();
    assert!(told.to_lowercase().contains("auth"), "{told}");
    let acl = ["ACL", "SETUSER", "casque", "on", ">hunter2", "~cq1:*", "+evalsha", "+eval", "+get", "+set", "+del", "+time"];
    let client = redis::Client::open(format!("redis://:admin's@127.0.0.1:{}", server.port)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(acl[0]);
    command.arg(&acl[1..]).exec_async(&mut connection).await.unwrap();
    let store = RedisStore::new(options(&format!("redis://casque:hunter2@127.0.0.1:{}", server.port)));
    store.connect().await.unwrap();
    let limit = Limit::new("a", Quota::per_hour(2).strict());
    assert_eq!(passed(&store, &limit, 5).await, 2);
    assert_eq!((store.health().failed, store.health().instead), (0, 0));
    assert!(!format!("{store:?}").contains("hunter2"));
}

/// A server that answers everything with the same.
fn liar(answer: &'static [u8]) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(64) {
            let Ok(mut stream) = stream else { continue };
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut bytes) {
                    // One answer for each command of what was read; a piece of one is none of its own.
                    for _ in 0..bytes[..n].split(|b| *b == b'*').count().saturating_sub(1).max(1) {
                        let _ = stream.write_all(answer);
                    }
                }
            });
        }
    });
    format!("redis://127.0.0.1:{port}")
}

#[tokio::test]
async fn an_answer_that_is_none_is_no_answer() {
    let rate = Quota::per_hour(2);
    let [to_rate, to_list] = [
        [
            &b"+OK\r\n"[..],
            b"$-1\r\n",
            b":1\r\n",
            b"*0\r\n",
            b"*2\r\n:-5\r\n:0\r\n",
            b"*2\r\n:5\r\n:-1\r\n",
            b"*2\r\n:5\r\n:9223372036854775807\r\n",
            b"*2\r\n:5\r\n+0\r\n",
            b"*3\r\n:5\r\n:0\r\n:0\r\n",
        ],
        [
            b"*3\r\n:1\r\n:-1\r\n:0\r\n",
            b"*2\r\n:5\r\n:0\r\n",
            b"*7\r\n:-5\r\n:-1\r\n:0\r\n:1\r\n:9\r\n:0\r\n:0\r\n",
            b"*7\r\n:5\r\n:-1\r\n:0\r\n:7\r\n:9\r\n:0\r\n:0\r\n",
            b"*7\r\n:5\r\n:0\r\n:0\r\n:1\r\n:9\r\n:0\r\n:0\r\n",
            b"*7\r\n:5\r\n:7\r\n:0\r\n:0\r\n:9\r\n:0\r\n:0\r\n",
            b"*7\r\n:5\r\n:-1\r\n:0\r\n+1\r\n:9\r\n:0\r\n:0\r\n",
            b"-ERR \x1b[31mmischief\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
        ],
    ];
    let all = to_rate.map(|answer| (rate, answer)).into_iter().chain(to_list.map(|answer| (rate.strict(), answer)));
    for (quota, answer) in all {
        let store = RedisStore::new(options(&liar(answer)).timeout(Duration::from_millis(200)).on_error(OnError::Deny));
        let limit = Limit::new("a", quota);
        let asked = Limiter::new(Arc::new(store.clone())).try_acquire(&limit, alice(), 1).await;
        let told = asked.expect_err(&String::from_utf8_lossy(answer)).to_string();
        assert!(!told.contains('\x1b'), "{told:?}");
    }
}
