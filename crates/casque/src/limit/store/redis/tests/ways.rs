//! The other ways to a server: by a sentinel, over a socket of the file system, with a database and another protocol.

use super::*;

#[tokio::test]
async fn a_sentinel_knows_the_server() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let Some(sentinel) = RedisServer::sentinel("mymaster", server.port) else { return };
    let limit = Limit::new("a", Quota::per_hour(5));
    let watched = RedisOptions::sentinel([sentinel.url()], "mymaster", SECRET).unwrap().timeout(Duration::from_secs(5));
    let store = RedisStore::new(watched);
    store.connect().await.unwrap();
    assert_eq!(passed(&store, &limit, 2).await, 2);
    assert_eq!(left_in_redis(&server, &limit).await, 3);
    let unknown = RedisStore::new(RedisOptions::sentinel([sentinel.url()], "another", SECRET).unwrap());
    unknown.connect().await.unwrap_err();
}

#[tokio::test]
async fn a_replica_is_no_server_to_charge() {
    let Some(master) = RedisServer::start(&[]) else { return };
    let Some(replica) = RedisServer::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]) else { return };
    let told = RedisStore::new(options(&replica.url())).connect().await.unwrap_err().to_string();
    assert!(told.to_lowercase().contains("read"), "{told}");
}

#[tokio::test]
async fn sockets_databases_and_protocols_are_in_the_address() {
    let path = std::env::temp_dir().join(format!("casque-{}.sock", rand::random::<u64>()));
    let path = path.to_str().unwrap();
    let Some(server) = RedisServer::start(&["--unixsocket", path]) else { return };
    let limit = Limit::new("a", Quota::per_hour(5).strict());
    for (n, address) in
        [format!("unix://{path}"), format!("{}/1", server.url()), format!("{}/2?protocol=resp3", server.url())].iter().enumerate()
    {
        let store = RedisStore::new(RedisOptions::new(address, SECRET).unwrap().timeout(Duration::from_secs(5)));
        store.connect().await.unwrap();
        assert_eq!(passed(&store, &limit, 7).await, 5, "{address}: a database is a store of its own");
        assert!(server.ask(&["INFO", "keyspace"]).contains(&format!("db{n}:keys=1")));
    }
}
