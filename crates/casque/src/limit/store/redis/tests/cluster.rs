//! A cluster of three nodes that each test starts.

use super::*;

struct Cluster {
    nodes: Vec<RedisServer>,
}

impl Cluster {
    fn start() -> Option<Self> {
        let nodes: Option<Vec<RedisServer>> = (0..3)
            .map(|_| {
                RedisServer::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no"])
            })
            .collect();
        let cluster = Self { nodes: nodes? };
        for (n, node) in cluster.nodes.iter().enumerate() {
            let (first, last) = (16384 * n / 3, 16384 * (n + 1) / 3 - 1);
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]);
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
            cluster.nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string()]);
        }
        for _ in 0..1000 {
            let ready = |node: &RedisServer| {
                let slots = node.ask(&["CLUSTER", "SLOTS"]);
                node.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok") && slots.starts_with("*3")
            };
            if cluster.nodes.iter().all(ready) {
                return Some(cluster);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the nodes did not become a cluster");
    }

    fn options(&self) -> RedisOptions {
        let secret = format!("{:032x}", rand::random::<u128>());
        RedisOptions::cluster([self.nodes[0].url()], secret).unwrap().timeout(Duration::from_secs(2))
    }

    fn evaluated(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| calls::calls(node, "evalsha")).collect()
    }
}

#[test]
fn keeps_the_contract() {
    let Some(cluster) = Cluster::start() else { return };
    contract::check(|| RedisStore::new(cluster.options()));
    contract::check_with_time(|| {
        RedisStore::build(cluster.options(), Arc::new(MemoryStore::with_capacity(1024)), Arc::new(SystemClock), Time::Caller)
    });
    assert!(cluster.evaluated().iter().all(|calls| *calls > 100), "each node has its part: {:?}", cluster.evaluated());
}

#[tokio::test]
async fn limits_that_count_by_one_subject_are_one_call() {
    let Some(cluster) = Cluster::start() else { return };
    let store = RedisStore::new(cluster.options());
    store.connect().await.unwrap();
    let limits = [Limit::new("a", Quota::per_hour(9)), Limit::new("b", Quota::per_hour(9).strict()), Limit::new("c", Quota::daily(9))];
    let limiter = Limiter::new(Arc::new(store.clone()));
    let asks: Vec<Ask<'_>> = limits.iter().map(|l| Ask::new(l, alice())).collect();
    assert!(matches!(limiter.reserve(&asks).await.unwrap(), Reserved::Yes(_)));
    let before: u64 = cluster.evaluated().iter().sum();
    assert!(matches!(limiter.reserve(&asks).await.unwrap(), Reserved::Yes(_)));
    assert_eq!(cluster.evaluated().iter().sum::<u64>() - before, 1);
}

/// Limits over several slots, asked for by many at once: whatever is refused in one is charged in none.
#[tokio::test]
async fn all_or_none_over_several_nodes() {
    let Some(cluster) = Cluster::start() else { return };
    let options = cluster.options().timeout(Duration::from_secs(5));
    let stores = [(); 2].map(|()| RedisStore::new(options.clone()));
    let wide = Arc::new(Limit::new("wide", Quota::daily(1000)));
    let narrow = Arc::new(Limit::new("narrow", Quota::per_hour(10).strict()));
    let subject = |n: usize| Subject::of([n.to_le_bytes()]);
    let attempts: Vec<_> = (0..400)
        .map(|n| {
            let (store, wide, narrow) = (stores[n % 2].clone(), wide.clone(), narrow.clone());
            tokio::spawn(async move {
                let asks = [Ask::new(&wide, subject(1)), Ask::new(&wide, subject(2)), Ask::new(&narrow, subject(3))];
                matches!(Limiter::new(Arc::new(store)).reserve(&asks).await.unwrap(), Reserved::Yes(_))
            })
        })
        .collect();
    let mut passed = 0;
    for attempt in attempts {
        passed += u32::from(attempt.await.unwrap());
    }
    assert_eq!(passed, 10);
    let limiter = Limiter::new(Arc::new(stores[0].clone()));
    for n in [1, 2] {
        assert_eq!(limiter.change(&wide, subject(n), Change::Look).await.unwrap().decision.remaining, 990, "{n}");
    }
    assert_eq!(stores.iter().map(|s| s.health().failed).sum::<u64>(), 0);
}

#[tokio::test]
async fn what_was_charged_without_the_cluster_is_charged_to_it() {
    let Some(cluster) = Cluster::start() else { return };
    let options = cluster.options().timeout(Duration::from_millis(250));
    let (store, limit) = (RedisStore::new(options.clone()), Limit::new("a", Quota::per_hour(10)));
    store.connect().await.unwrap();
    let limiter = Limiter::new(Arc::new(store.clone()));
    let subjects: Vec<Subject> = (0..20u8).map(|n| Subject::of([[n]])).collect();
    cluster.nodes.iter().for_each(|node| node.signal("STOP"));
    for _ in 0..3 {
        for subject in &subjects {
            assert!(limiter.try_acquire(&limit, *subject, 1).await.unwrap().decision.allowed);
        }
    }
    assert!(store.health().trouble.is_some());
    cluster.nodes.iter().for_each(|node| node.signal("CONT"));
    for _ in 0..500 {
        limiter.change(&limit, alice(), Change::Look).await.unwrap();
        if store.health().trouble.is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(store.health().trouble, None);
    let other = RedisStore::new(options.timeout(Duration::from_secs(5)));
    other.connect().await.unwrap();
    let limiter = Limiter::new(Arc::new(other));
    for subject in &subjects {
        assert_eq!(limiter.change(&limit, *subject, Change::Look).await.unwrap().decision.remaining, 7);
    }
}
