//! Limits in Redis: shared by gateways, and no reason not to start.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "what is done to a server is tested with the store")]
#[path = "../../casque/tests/support/redis_server.rs"]
mod redis_server;
#[expect(dead_code, reason = "these tests only ask")]
mod support;

use std::time::Duration;

use casque_gateway::Notice;
use redis_server::RedisServer;
use support::{Running, gateway};

const LIMIT: &str = "[[limit]]\nname = \"few\"\nrate = \"4/1h\"\nstrict = true\n";

fn in_redis(server: &RedisServer, more: &str) -> String {
    format!("{LIMIT}[store]\nurl = \"{}\"\nsecret = \"0123456789abcdef0123456789abcdef\"\ntimeout = \"1s\"\n{more}", server.url())
}

/// The statuses of so many requests.
fn ask(gateway: &Running, times: usize) -> Vec<u16> {
    let once = |_| {
        let answer = gateway.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        answer[9..12].parse().unwrap()
    };
    (0..times).map(once).collect()
}

/// The next notice, when it comes.
fn notice(gateway: &Running) -> Notice {
    for _ in 0..500 {
        if let Some(notice) = gateway.handle.notice() {
            return notice;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing was noticed");
}

#[test]
fn two_gateways_are_one_limit() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let policy = in_redis(&server, "");
    let (one, two) = (gateway(&policy, &support::echo()), gateway(&policy, &support::echo()));
    assert_eq!((ask(&one, 2), ask(&two, 3), ask(&one, 1)), (vec![200, 200], vec![200, 200, 429], vec![429]));
    assert_eq!((one.handle.notice(), two.handle.notice()), (None, None));
}

#[test]
fn it_starts_without_redis_and_says_so_and_finds_it_when_it_comes() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    server.kill();
    let gateway = gateway(&in_redis(&server, ""), &support::echo());
    let told = notice(&gateway);
    assert!(matches!(told, Notice::StoreIsDown(_)), "{told:?}");
    assert!(told.to_string().contains("no connection to Redis") && gateway.handle.notice().is_none(), "{told}");
    assert_eq!(ask(&gateway, 3), [200, 200, 200]);
    server.start_again();
    std::thread::sleep(Duration::from_millis(600));
    // What begins the next probe.
    assert_eq!(ask(&gateway, 1), [200]);
    assert_eq!(notice(&gateway), Notice::StoreIsBack);
    assert_eq!(ask(&gateway, 1), [429], "what was charged without it is charged");
}

#[test]
fn deny_is_a_503_and_a_reload_may_change_the_store() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let app = support::echo();
    let gateway = gateway(&in_redis(&server, "on-error = \"deny\"\n"), &app);
    assert_eq!(ask(&gateway, 1), [200]);
    server.kill();
    assert_eq!(ask(&gateway, 3), [503; 3]);
    let page = gateway.exchange("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    assert!(page.contains("\r\nretry-after: ") && page.contains("x-content-type-options: nosniff"), "{page}");
    gateway.handle.reload(support::policy(LIMIT, &app));
    assert_eq!(ask(&gateway, 5), [200, 200, 200, 200, 429], "in memory nothing is counted yet");
    server.start_again();
    gateway.handle.reload(support::policy(&in_redis(&server, ""), &app));
    assert_eq!(ask(&gateway, 1), [200], "that Redis has come back empty, and was not asked meanwhile");
}
