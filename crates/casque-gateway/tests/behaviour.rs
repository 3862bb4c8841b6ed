//! What the gateway does to requests and responses, seen from both of its sides as bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "real processes and sockets are bounded by real time")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use support::{PATIENCE, app, echo, gateway, policy, read_all, read_head, read_until};

const CLOSE: &str = "Connection: close\r\n\r\n";

fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: shop.example\r\n{fields}{CLOSE}")
}

#[test]
fn the_app_is_told_who_asks_and_cannot_be_lied_to() {
    let gateway = gateway("", &echo());
    let seen = gateway.exchange(&get(
        "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX.Forwarded.For: 6.6.6.6\r\nCasque-Anything: 1\r\nX-Request-Id: forged\r\n",
    ));
    assert!(!seen.contains("6.6.6.6") && !seen.contains("forged") && !seen.contains("casque-anything"), "{seen}");
    for wanted in [
        "x-forwarded-for: 127.0.0.1\r\n",
        "x-forwarded-proto: http\r\n",
        "x-forwarded-host: shop.example\r\n",
        "via: 1.1 casque\r\n",
        "host: shop.example\r\n",
        "x-request-id: ",
    ] {
        assert!(seen.contains(wanted), "{wanted:?} in {seen}");
    }
}

#[test]
fn a_trusted_proxy_is_believed_and_what_the_client_wrote_before_it_is_not() {
    let gateway = gateway("[client-ip]\ntrusted-proxies = [\"127.0.0.1\"]\n", &echo());
    let seen = gateway.exchange(&get("X-Forwarded-For: 6.6.6.6, 203.0.113.5\r\nX-Forwarded-Proto: https\r\nX-Request-Id: abc-1\r\n"));
    assert!(seen.contains("x-forwarded-for: 203.0.113.5, 127.0.0.1\r\n"), "{seen}");
    assert!(seen.contains("x-forwarded-proto: https\r\n") && seen.contains("x-request-id: abc-1\r\n"), "{seen}");
    assert!(seen.contains("strict-transport-security: max-age=31536000\r\n"), "https from a trusted proxy brings HSTS: {seen}");
}

#[test]
fn hop_by_hop_fields_end_here() {
    let url = app(|_, mut stream| {
        let head = read_head(&mut stream).unwrap();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nConnection: X-Secret, close\r\nX-Secret: 1\r\nKeep-Alive: timeout=9\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{head}\r\n0\r\n\r\n",
            head.len()
        );
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let gateway = gateway("", &url);
    let seen = gateway.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nTE: gzip\r\nProxy-Connection: x\r\nKeep-Alive: 1\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n");
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    for gone in ["x-hop", "te:", "proxy-connection", "keep-alive", "upgrade", "http2-settings"] {
        assert!(!body.contains(gone), "{gone} reached the app: {body}");
    }
    assert!(!head.contains("x-secret") && !head.contains("keep-alive"), "{head}");
}

#[test]
fn connections_to_the_app_are_kept_and_a_stale_one_is_not_fatal() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    let url = app(move |n, mut stream| {
        counter.fetch_add(1, Ordering::SeqCst);
        while read_head(&mut stream).is_some() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            if n == 0 && counter.load(Ordering::SeqCst) == 1 {
                continue;
            }
            return;
        }
    });
    let gateway = gateway("", &url);
    for _ in 0..5 {
        assert!(gateway.exchange(&get("")).ends_with("ok"));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "five requests, one connection");
}

#[test]
fn an_app_that_closes_idle_connections_is_asked_again() {
    let url = app(|_, mut stream| {
        // One answer per connection, then a close without a word.
        if read_head(&mut stream).is_some() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        }
    });
    let gateway = gateway("", &url);
    for _ in 0..20 {
        assert!(gateway.exchange(&get("")).ends_with("ok"));
    }
}

#[test]
fn an_app_that_is_not_there_is_a_page_not_a_hang() {
    let gateway = gateway("", "http://127.0.0.1:1");
    let page = gateway.exchange(&get("Accept: text/html\r\n"));
    assert!(page.starts_with("HTTP/1.1 502 ") && page.contains("<h1>Bad Gateway</h1>"), "{page}");
    assert!(page.contains("x-frame-options: SAMEORIGIN"), "pages of ours carry the headers too: {page}");
    assert!(page.contains("cache-control: no-store"));
    let problem = gateway.exchange(&get("Accept: application/json\r\n"));
    assert!(problem.contains("content-type: application/problem+json") && problem.contains("\"status\":502"), "{problem}");
}

#[test]
fn an_app_that_does_not_answer_is_given_up() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        std::thread::sleep(PATIENCE);
    });
    let gateway = gateway("[upstream]\nresponse-timeout = \"300ms\"\n", &url);
    let start = Instant::now();
    assert!(gateway.exchange(&get("")).starts_with("HTTP/1.1 504 "));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn garbage_from_the_app_is_a_502() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        let _ = stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n");
    });
    assert!(gateway("", &url).exchange(&get("")).starts_with("HTTP/1.1 502 "));
}

#[test]
fn an_answer_that_breaks_off_looks_broken_to_the_client() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    });
    let answer = gateway("", &url).exchange(&get(""));
    assert!(answer.contains("hello") && !answer.contains("\r\n0\r\n"), "{answer:?}");
}

#[test]
fn limits_refuse_with_all_that_a_client_needs_to_know() {
    let gateway = gateway("[[limit]]\nname = \"login\"\nrate = \"2/1m\"\nmethods = [\"POST\"]\npaths = [\"/login\"]\n", &echo());
    let post = |path: &str| format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{CLOSE}");
    assert!(gateway.exchange(&post("/login")).starts_with("HTTP/1.1 200"));
    assert!(gateway.exchange(&post("/%6Cogin/")).starts_with("HTTP/1.1 200"));
    let refused = gateway.exchange(&post("//LOGIN"));
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    for wanted in [
        "retry-after: ",
        "ratelimit: \"login\";r=0;t=",
        "ratelimit-policy: \"login\";q=2;w=60",
        "cache-control: no-store",
        "application/problem+json",
        "\"violated-policies\":[\"login\"]",
        "x-content-type-options: nosniff",
    ] {
        assert!(refused.contains(wanted), "{wanted} in {refused}");
    }
    for spelling in ["/login%2f", "/login%00", "/login;x=1"] {
        assert!(gateway.exchange(&post(spelling)).starts_with("HTTP/1.1 429 "), "{spelling}");
    }
    assert!(gateway.exchange(&post("/login").replace("POST", "post")).starts_with("HTTP/1.1 429 "));
    assert!(gateway.exchange(&get("")).starts_with("HTTP/1.1 200"), "other requests are not touched");
}

#[test]
fn cookies_leave_hardened_and_in_order() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: XSRF-TOKEN=t\r\nSet-Cookie: b=2; Domain=example.com; HttpOnly\r\nContent-Length: 0\r\n\r\n");
    });
    let answer = gateway("[client-ip]\nscheme = \"https\"\n", &url).exchange(&get(""));
    let lines: Vec<&str> = answer.lines().filter_map(|l| l.strip_prefix("set-cookie: ")).collect();
    assert_eq!(
        lines,
        ["a=1; Path=/; SameSite=Lax; Secure; HttpOnly", "XSRF-TOKEN=t; SameSite=Lax; Secure", "b=2; HttpOnly; SameSite=Lax; Secure"]
    );
}

#[test]
fn bodies_that_are_too_large_are_refused_before_and_while_they_come() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let gateway = gateway("[server]\nmax-body-size = \"10B\"\n".trim_start_matches("[server]\n"), &url);
    assert!(gateway.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world").starts_with("HTTP/1.1 413 "));
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n6\r\nworld!\r\n0\r\n\r\n";
    assert!(gateway.exchange(chunked).starts_with("HTTP/1.1 413 "));
}

#[test]
fn a_websocket_becomes_a_tunnel_both_ways() {
    let url = app(|_, mut stream| {
        let head = read_head(&mut stream).unwrap();
        assert!(head.contains("upgrade: websocket\r\n") && head.contains("connection: upgrade\r\n"), "{head}");
        stream
            .write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nfirst",
            )
            .unwrap();
        let mut buf = [0; 64];
        loop {
            let n = stream.read(&mut buf).unwrap_or(0);
            if n == 0 {
                return;
            }
            stream.write_all(&buf[..n]).unwrap();
        }
    });
    let gateway = gateway("", &url);
    let mut stream = gateway.connect();
    // The client does not wait for the 101 with its first frame; what it sends is no request and must not be read as one.
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\nGET / HTTP/1.1\n\x00",
        )
        .unwrap();
    let head = read_until(&mut stream, "GET / HTTP/1.1\n\0");
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: websocket") && head.contains("first"), "{head}");
    assert!(!head.contains("x-frame-options"), "nothing is added to a 101: {head}");
    stream.write_all(b"more").unwrap();
    read_until(&mut stream, "more");
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut stream), "");
}

/// An app that answers plain requests and turns upgrades into an echo.
fn echo_with_sockets() -> String {
    app(|_, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            if !head.contains("upgrade: websocket") {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain").unwrap();
                continue;
            }
            stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").unwrap();
            let mut buf = [0; 64];
            while let Ok(n @ 1..) = stream.read(&mut buf) {
                stream.write_all(&buf[..n]).unwrap();
            }
            return;
        }
    })
}

#[test]
fn a_websocket_on_a_connection_that_has_been_used_before() {
    let gateway = gateway("", &echo_with_sockets());
    let upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    // One after the other, and all at once.
    let mut kept = gateway.connect();
    kept.write_all(plain.as_bytes()).unwrap();
    read_until(&mut kept, "plain");
    kept.write_all(upgrade.as_bytes()).unwrap();
    read_until(&mut kept, "101 Switching Protocols\r\n");
    kept.write_all(b"\x01\x05hello\r\n").unwrap();
    read_until(&mut kept, "\x01\x05hello\r\n");
    let mut pipelined = gateway.connect();
    pipelined.write_all(format!("{plain}{plain}{upgrade}\x01\x05hello\r\n").as_bytes()).unwrap();
    let seen = read_until(&mut pipelined, "\x01\x05hello\r\n");
    assert_eq!((seen.matches("plain").count(), seen.matches("101 ").count()), (2, 1), "{seen}");
    assert!(!seen.contains("CASQUE"), "{seen}");
}

#[test]
fn a_switch_that_the_app_refuses_goes_on_as_http() {
    let gateway = gateway("", &echo());
    let upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let answer = gateway.exchange(&format!("{upgrade}{}", get("X-Second: 1\r\n")));
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert!(answer.contains("x-second: 1"), "{answer}");
}

#[test]
fn early_hints_reach_the_client_before_the_answer() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n").unwrap();
        // The client answers the hints with a byte of its own, which proves that they did not wait for the response.
        std::thread::sleep(Duration::from_millis(300));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    });
    let gateway = gateway("", &url);
    let mut stream = gateway.connect();
    stream.write_all(get("").as_bytes()).unwrap();
    let hints = read_until(&mut stream, "\r\n\r\n");
    assert!(hints.starts_with("HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n"), "{hints}");
    assert!(!hints.contains("200 OK"), "the hints came with the answer");
    assert!(read_all(&mut stream).ends_with("ok"));
}

#[test]
fn a_client_that_expects_to_be_asked_is_asked_only_when_the_app_asks() {
    let url = app(|n, mut stream| {
        let head = read_head(&mut stream).unwrap();
        assert!(head.contains("expect: 100-continue"), "{head}");
        if n == 0 {
            stream.write_all(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n").unwrap();
            return;
        }
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        let mut body = [0; 5];
        stream.read_exact(&mut body).unwrap();
        stream.write_all(&[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &body[..]].concat()).unwrap();
    });
    let gateway = gateway("", &url);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
    let mut refused = gateway.connect();
    refused.write_all(head.as_bytes()).unwrap();
    assert!(read_until(&mut refused, "\r\n\r\n").starts_with("HTTP/1.1 417 "));
    let mut asked = gateway.connect();
    asked.write_all(head.as_bytes()).unwrap();
    assert_eq!(read_until(&mut asked, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    asked.write_all(b"hello").unwrap();
    assert!(read_all(&mut asked).ends_with("hello"));
}

#[test]
fn a_client_that_leaves_is_noticed_by_the_app() {
    let (tell, told) = channel();
    let url = app(move |_, mut stream| {
        let _ = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        // Goes on sending, as an event stream does, until the connection breaks.
        while stream.write_all(b"5\r\nevent\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = tell.send(());
    });
    let gateway = gateway("", &url);
    let mut stream = gateway.connect();
    stream.write_all(get("").as_bytes()).unwrap();
    read_until(&mut stream, "event");
    drop(stream);
    told.recv_timeout(PATIENCE).expect("the app went on for ever");
}

#[test]
fn a_reload_swaps_the_policy_under_open_connections() {
    let url = echo();
    let gateway = gateway("", &url);
    let mut stream = gateway.connect();
    let ask = |stream: &mut TcpStream| {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        read_until(stream, "via: 1.1 casque")
    };
    assert!(ask(&mut stream).contains("x-frame-options: SAMEORIGIN"));
    gateway.handle.reload(policy("[headers]\npreset = \"strict\"\n", &url));
    assert!(ask(&mut stream).contains("x-frame-options: DENY"));
}

#[test]
fn a_stop_lets_requests_in_flight_finish() {
    let (started, running) = channel();
    let url = app(move |_, mut stream| {
        let _ = read_head(&mut stream);
        started.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(400));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
    });
    let gateway = gateway("", &url);
    let address = gateway.address;
    let mut stream = gateway.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    running.recv_timeout(PATIENCE).unwrap();
    let ending = std::thread::spawn(move || gateway.finish());
    assert!(read_all(&mut stream).ends_with("late"));
    ending.join().unwrap();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn a_stop_does_not_wait_for_idle_or_stuck_connections_for_ever() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        std::thread::sleep(PATIENCE);
    });
    let gateway = gateway("drain-timeout = \"300ms\"\n", &url);
    let _idle = gateway.connect();
    let mut stuck = gateway.connect();
    stuck.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    gateway.finish();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn connections_beyond_the_cap_are_told_so() {
    let gateway = gateway("max-connections-per-client = 2\n", &echo());
    let mut held: Vec<TcpStream> = (0..2).map(|_| gateway.connect()).collect();
    for stream in &mut held {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        read_until(stream, "via: 1.1 casque");
    }
    assert!(read_all(&mut gateway.connect()).starts_with("HTTP/1.1 429 "));
    drop(held);
    let start = Instant::now();
    while !gateway.exchange(&get("")).starts_with("HTTP/1.1 200") {
        assert!(start.elapsed() < PATIENCE, "the places were not given back");
    }
}

#[test]
fn an_app_on_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("casque-test-{}.sock", std::process::id()));
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buf = [0; 4096];
        let _ = stream.read(&mut buf);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix").unwrap();
    });
    let answer = gateway("", &format!("unix:{}", path.display())).exchange(&get(""));
    let _ = std::fs::remove_file(&path);
    assert!(answer.ends_with("unix"), "{answer}");
}

#[test]
fn requests_in_circles_end() {
    let vias: String = (0..16).map(|_| "Via: 1.1 casque\r\n").collect();
    assert!(gateway("", &echo()).exchange(&get(&vias)).starts_with("HTTP/1.1 508 "));
}

#[test]
fn old_clients_and_absolute_targets_are_understood() {
    let gateway = gateway("", &echo());
    let old = gateway.exchange("GET /old HTTP/1.0\r\n\r\n");
    assert!(old.contains("GET /old HTTP/1.1\r\n") && old.contains("host: 127.0.0.1:") && old.contains("via: 1.0 casque"), "{old}");
    let absolute = gateway.exchange(&format!("GET http://real.example/x?y HTTP/1.1\r\nHost: other.example\r\n{CLOSE}"));
    assert!(absolute.contains("GET /x?y HTTP/1.1\r\n") && absolute.contains("host: real.example\r\n"), "{absolute}");
    assert!(!absolute.contains("other.example"), "{absolute}");
}

#[test]
fn an_answer_before_the_end_of_an_upload_reaches_the_client() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge");
    });
    let gateway = gateway("", &url);
    for _ in 0..20 {
        let mut stream = gateway.connect();
        stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n").unwrap();
        let mut writing = stream.try_clone().unwrap();
        let upload = std::thread::spawn(move || writing.write_all(&vec![b'x'; 5_000_000]));
        let answer = read_until(&mut stream, "large");
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        drop(stream);
        let _ = upload.join();
    }
}

#[test]
fn a_switch_to_another_protocol_than_was_asked_for_is_refused() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
    });
    let answer = gateway("", &url).exchange("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
}

#[test]
fn open_tunnels_do_not_hold_up_a_stop() {
    let url = app(|_, mut stream| {
        let _ = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").unwrap();
        let _ = read_all(&mut stream);
    });
    let gateway = gateway("", &url);
    let mut stream = gateway.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").unwrap();
    read_until(&mut stream, "\r\n\r\n");
    let start = Instant::now();
    gateway.finish();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_proxy_that_nobody_named_is_noticed() {
    let quiet = gateway("", &echo());
    quiet.exchange(&get(""));
    assert_eq!(quiet.handle.notice(), None);
    quiet.exchange(&get("X-Forwarded-For: 203.0.113.5\r\n"));
    assert!(quiet.handle.notice().unwrap().to_string().starts_with("requests with X-Forwarded-For come from 127.0.0.1"));
    let named = gateway("[client-ip]\ntrusted-proxies = [\"127.0.0.1\"]\n", &echo());
    named.exchange(&get("X-Forwarded-For: 203.0.113.5\r\n"));
    assert_eq!(named.handle.notice(), None);
}

#[test]
fn idle_connections_to_the_app_are_closed_though_nobody_asks() {
    let (tell, told) = channel();
    let url = app(move |_, mut stream| {
        while read_head(&mut stream).is_some() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        }
        let _ = tell.send(());
    });
    let gateway = gateway("[upstream]\nidle-timeout = \"500ms\"\n", &url);
    gateway.exchange(&get(""));
    told.recv_timeout(PATIENCE).expect("the idle connection stayed open");
}

#[test]
fn what_belongs_to_no_app_is_nobodys() {
    let document = casque::config::Document::parse("[[route]]\nhost = \"admin.internal\"\nupstream = \"http://127.0.0.1:1\"\n");
    let config = casque_gateway::Config::read(&document);
    let over = casque_gateway::policy::Overrides { listen: Some("127.0.0.1:0".parse().unwrap()), ..Default::default() };
    let gateway = support::run(casque_gateway::Policy::compile(&config, &over, &document).unwrap());
    assert!(gateway.exchange(&get("")).starts_with("HTTP/1.1 404 "));
    let admin = get("").replace("shop.example", "admin.internal:8080");
    assert!(gateway.exchange(&admin).starts_with("HTTP/1.1 502 "));
}
