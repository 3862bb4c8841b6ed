//! Counters of rate-limiter-flexible's classes; what they answer is in the conformance suite.

use super::*;
use crate::limit::compat::rlf::{Counters, RedisCounters};

fn counters(server: &RedisServer, on_error: OnError) -> RedisCounters {
    let options = RedisOptions::new(server.url(), SECRET).unwrap().timeout(Duration::from_secs(2));
    RedisCounters::new(&RedisStore::new(options.on_error(on_error)))
}

#[tokio::test]
async fn processes_count_together_and_each_counts_on_alone() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let (here, there, strict) = (counters(&server, OnError::Local), counters(&server, OnError::Local), counters(&server, OnError::Deny));
    assert_eq!(here.add("a", 3.0, Some(60_000)).await.unwrap().points, 3.0);
    let added = there.add("a", 2.0, Some(1)).await.unwrap();
    assert_eq!((added.points, added.begun), (5.0, false));
    assert!(added.left.is_some_and(|left| left > 59_000), "{added:?}");
    assert!(!server.ask(&["KEYS", "*"]).contains("\na\r"), "its name is nobody's business");
    server.kill();
    assert_eq!(there.add("a", 1.0, Some(60_000)).await.unwrap().points, 6.0);
    assert_eq!(there.get("a").await.unwrap().unwrap().points, 6.0);
    assert!(there.delete("a").await.unwrap());
    assert!(strict.add("a", 1.0, None).await.unwrap_err().contains("no connection to Redis"));
}

#[tokio::test]
async fn parts_of_points_are_refused_and_huge_times_are_not() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let counters = counters(&server, OnError::Deny);
    for points in [1.1, f64::NAN, f64::INFINITY, 1e300] {
        assert!(counters.add("a", points, None).await.unwrap_err().contains("whole points"), "{points}");
    }
    assert_eq!(counters.put("a", -5.0, Some(u64::MAX)).await.unwrap().points, -5.0);
    assert_eq!(counters.get("nobody").await.unwrap(), None);
}
