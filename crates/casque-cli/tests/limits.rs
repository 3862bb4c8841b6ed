//! `casque limits` as people meet it: a running gateway asked over its socket, and logs replayed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "real processes and sockets are bounded by real time")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of one's own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let path = std::env::temp_dir().join(format!("casque-limits-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        fs::write(self.0.join(name), text).unwrap();
        self
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casque"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null()).env("NO_COLOR", "1");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What is printed, of a command that ends well.
    fn told(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.told(&[args, &["--format", "json"]].concat())).unwrap()
    }

    fn error(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running gateway; ended when dropped.
struct Running(Child);

impl Running {
    /// Starts it with its log in `access.log`, and waits until it guards, giving the address.
    fn start(folder: &Folder) -> (Self, String) {
        let log = fs::File::create(folder.0.join("access.log")).unwrap();
        let mut child = folder.command(&["guard", "--listen", "127.0.0.1:0"]).stdout(log).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended: {said}")).unwrap();
            if let Some((_, address)) = line.split_once("site  http://") {
                break address.to_owned();
            }
            said.push_str(&line);
        };
        std::thread::spawn(move || lines.for_each(drop));
        (Self(child), address)
    }

    /// As a service manager does.
    fn stop(mut self) {
        assert!(Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap().success());
        let start = Instant::now();
        while self.0.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn status(address: &str, head: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

const POLICY: &str = "[upstream]\nurl = \"http://127.0.0.1:1\"\n[admin]\nsocket = \"admin.sock\"\n\
    [[limit]]\nname = \"login\"\nrate = \"2/1h\"\nmethods = [\"POST\"]\npaths = [\"**/login\"]\n\
    [[limit]]\nname = \"keys\"\nrate = \"3/1h\"\nkey = \"header:x-api-key\"\npaths = [\"/api/*\"]\n";

#[test]
fn a_refused_client_is_found_explained_and_unblocked() {
    let folder = Folder::new();
    folder.write("casque.toml", POLICY);
    let (casque, address) = Running::start(&folder);
    assert_eq!(fs::metadata(folder.0.join("admin.sock")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(folder.told(&["limits", "top"]), "nobody was refused\n");
    let log_in = || status(&address, "POST /login HTTP/1.1");
    assert_eq!([log_in(), log_in(), log_in(), log_in()], [502, 502, 429, 429]);

    let top = folder.told(&["limits", "top"]);
    assert!(top.contains("       2  login            127.0.0.1 "), "{top}");
    let row = &folder.json(&["limits", "top", "--n", "5"])["refused-most"][0];
    assert_eq!((&row["who"], &row["limit"], &row["allowed"]), (&"127.0.0.1".into(), &"login".into(), &false.into()));

    let explained = folder.told(&["limits", "explain", "127.0.0.1"]);
    let line = |name: &str| explained.lines().find(|l| l.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{explained}"));
    assert!(line("login").contains("2 per hour") && line("login").contains("refused for 30 min"), "{explained}");
    assert!(line("keys").contains("3 of 3 left  (without the header or cookie)"), "{explained}");

    let done = folder.told(&["limits", "unblock", "127.0.0.1"]);
    assert_eq!(done, "127.0.0.1 under login: was refused, now 2 of 2 left\n");
    assert_eq!(folder.told(&["limits", "unblock", "127.0.0.1"]), "there was nothing to unblock\n");
    assert_eq!([log_in(), log_in(), log_in()], [502, 502, 429]);

    assert_eq!(folder.told(&["limits", "unblock", "--limit", "login"]), "127.0.0.1 under login: was refused, now 2 of 2 left\n");
    assert!(folder.error(&["limits", "unblock", "--limit", "lgoin"]).contains("no limit is called `lgoin`; there are login, keys"));
    for _ in 0..4 {
        status(&address, "GET /api/x HTTP/1.1\r\nX-Api-Key: k1");
    }
    let told = folder.told(&["limits", "explain", "k1"]);
    assert!(told.contains("keys             3 per hour                 refused for 20 min"), "{told}");
    assert!(told.contains("not known: it counts by address"), "{told}");
    assert!(folder.told(&["limits", "unblock", "k1"]).contains("under keys: was refused, now 3 of 3 left"));

    casque.stop();
    assert!(!folder.0.join("admin.sock").exists(), "the socket's file goes with the gateway");
    assert!(folder.error(&["limits", "top"]).contains("there is no socket `admin.sock`: is the gateway running"));
}

#[test]
fn what_changes_something_is_on_the_socket_only() {
    let folder = Folder::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    folder.write("casque.toml", POLICY.replace("[admin]\n", &format!("[admin]\nlisten = \"127.0.0.1:{port}\"\n")));
    let (_casque, address) = Running::start(&folder);
    for target in [&address, &format!("127.0.0.1:{port}")] {
        for head in ["GET /limits/top HTTP/1.1", "POST /limits/unblock HTTP/1.1"] {
            assert!(matches!(status(target, head), 404 | 405 | 502), "{target} {head}");
        }
    }
    assert!(folder.error(&["limits", "top", "--config", "none.toml"]).contains("cannot read `none.toml`"));
    folder.write("bare.toml", "");
    assert!(folder.error(&["limits", "top", "--config", "bare.toml"]).contains("where is the gateway's socket? Name it with --socket"));
    folder.write("casque.toml", POLICY);
    let second = folder.error(&["guard", "--listen", "127.0.0.1:0"]);
    assert!(second.contains("[admin] socket `admin.sock`: another casque answers there"), "{second}");
    assert!(folder.error(&["limits", "unblock"]).contains("<IP|NAME>"));
}

/// One client that guesses, one that does not, and what is no request.
fn access_log() -> String {
    let mut log = String::new();
    for n in 0..6 {
        log.push_str(&format!("203.0.113.7 - - [14/Nov/2023:22:13:2{n} +0000] \"POST /login?try={n} HTTP/1.1\" 401 5 \"-\" \"curl\"\n"));
    }
    log.push_str("198.51.100.1 - - [14/Nov/2023:22:13:22 +0000] \"POST /login HTTP/1.1\" 302 5\n");
    log.push_str("\u{1b}[31mnonsense\n");
    log.push_str("198.51.100.2 - - [14/Nov/2023:22:13:22 +0000] \"\\x16\\x03\" 400 5\n");
    log
}

#[test]
fn a_replay_tells_who_would_have_been_refused() {
    let folder = Folder::new();
    folder.write("new.toml", POLICY).write("old.toml", POLICY.replace("2/1h", "5/1h")).write("access.log", access_log());
    let output = folder.run(&["limits", "replay", "access.log", "--policy", "new.toml", "--against", "old.toml"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "7 requests from 2023-11-14 22:13:20 to 2023-11-14 22:13:25 UTC
1 line about what is no HTTP request

new.toml: 4 of 7 requests refused (57.14 %), of 1 client
  login            2 per hour                   7 counted, 4 refused, of 1 client
           4  203.0.113.7              first 2023-11-14 22:13:22, last 2023-11-14 22:13:25
  keys             3 per hour                   left out: it counts by header fields or cookies, which a log does not have

old.toml: 1 of 7 requests refused (14.29 %), of 1 client

1 refused by both
3 newly refused, of 1 client
           3  203.0.113.7              first 2023-11-14 22:13:22, last 2023-11-14 22:13:24
0 no longer refused

not known from a log:
  keys: left out, for a log has neither header fields nor cookies
  times are in whole seconds, and of the end of the answer: bursts look sharper than they were
  what clients did before the log begins, and what they would have done after a refusal
"
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("1 line left out; line 8 is neither casque's log nor the common or combined format: \u{fffd}[31mnonsense"),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'));
    let report = folder.json(&["limits", "replay", "access.log", "--policy", "new.toml"]);
    assert_eq!((&report["policy"]["refused"], &report["unreadable"], &report["compared"]), (&4.into(), &1.into(), &Value::Null));
    assert_eq!(report["policy"]["limits"][0]["clients"]["top"][0]["client"], "203.0.113.7");
}

#[test]
fn logs_may_be_zipped_several_and_piped() {
    let folder = Folder::new();
    let zipped = |text: &str| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text.as_bytes()).unwrap();
        gz.finish().unwrap()
    };
    let log = access_log();
    let (first, second) = log.split_at(log.match_indices('\n').nth(2).unwrap().0 + 1);
    // Two gzip files that were joined, as logrotate's users do.
    folder
        .write("new.toml", POLICY)
        .write("joined.gz", [zipped(first), zipped(second)].concat())
        .write("1.gz", zipped(first))
        .write("0", second);
    let refused = |args: &[&str]| folder.json(&[&["limits", "replay", "--policy", "new.toml"], args].concat())["policy"]["refused"].clone();
    assert_eq!(refused(&["joined.gz"]), 4);
    assert_eq!(refused(&["1.gz", "0"]), 4);
    let mut child = folder
        .command(&["limits", "replay", "-", "--policy", "new.toml", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(log.as_bytes()).unwrap();
    let report: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(report["policy"]["refused"], 4);

    let cut = zipped(&log);
    folder.write("cut.gz", &cut[..cut.len() / 2]);
    assert!(folder.error(&["limits", "replay", "cut.gz", "--policy", "new.toml"]).contains("cannot read `cut.gz`"));
    assert!(folder.error(&["limits", "replay", "none.log"]).contains("cannot read `none.log`"));
    folder.write("bad.toml", "[[limit]]\nname = \"x\"\n");
    assert!(folder.error(&["limits", "replay", "0", "--policy", "bad.toml"]).contains("1 error in bad.toml; nothing was replayed"));
    let standard = folder.told(&["limits", "replay", "0"]);
    assert!(standard.contains("the standard limits: 0 of 4 requests refused"), "{standard}");
}

/// The gateway's own log, with its own refusals in it, comes out as it went in.
#[test]
fn what_the_gateway_logged_is_replayed_as_it_was_decided() {
    for access in ["text", "json"] {
        let folder = Folder::new();
        folder.write("casque.toml", format!("{POLICY}[log]\naccess = \"{access}\"\n"));
        let (casque, address) = Running::start(&folder);
        let seen: Vec<u16> = (0..5).map(|_| status(&address, "POST /login HTTP/1.1")).collect();
        assert_eq!(seen, [502, 502, 429, 429, 429]);
        casque.stop();
        let report = folder.json(&["limits", "replay", "access.log"]);
        assert_eq!(
            (&report["requests"], &report["policy"]["refused"], &report["unreadable"]),
            (&5.into(), &3.into(), &0.into()),
            "{access}"
        );
    }
}

#[test]
fn a_limit_that_only_watches_is_seen_in_the_log() {
    let folder = Folder::new();
    let watched = "[[limit]]\nname = \"watched\"\nrate = \"1/1h\"\nmode = \"shadow\"\n";
    let before = watched.replace("watched", "watch");
    let (upstream, limits) = POLICY.split_at(POLICY.find("[[limit]]").unwrap());
    folder.write("casque.toml", format!("{upstream}{before}{limits}{watched}"));
    let (casque, address) = Running::start(&folder);
    let seen: Vec<u16> = (0..3).map(|_| status(&address, "POST /login HTTP/1.1")).collect();
    assert_eq!(seen, [502, 502, 429]);
    let explained = folder.told(&["limits", "explain", "127.0.0.1"]);
    assert!(explained.contains("would be refused for 60 min  (shadow: only watches)"), "{explained}");
    casque.stop();
    let log = fs::read_to_string(folder.0.join("access.log")).unwrap();
    let would: Vec<Option<&str>> =
        log.lines().map(|l| l.split_once("would-limit=").map(|(_, rest)| rest.split(' ').next().unwrap())).collect();
    assert_eq!(would, [None, Some("watch,watched"), Some("watch")], "{log}");
    assert!(log.lines().nth(2).unwrap().contains("limited=login"), "{log}");
}

#[test]
fn limits_of_one_name_and_two_rates_are_warned_of() {
    let folder = Folder::new();
    folder.write("casque.toml", format!("{POLICY}[[route]]\npath = \"/x\"\n[[route.limit]]\nname = \"login\"\nrate = \"9/1h\"\n"));
    let said = String::from_utf8(folder.run(&["check"]).stderr).unwrap();
    assert!(said.contains("a limit of this route is called `login`, as one with another rate is"), "{said}");
    folder.write("casque.toml", format!("{POLICY}[[route]]\npath = \"/x\"\n[[route.limit]]\nname = \"login\"\nrate = \"2/1h\"\n"));
    assert!(!String::from_utf8(folder.run(&["check"]).stderr).unwrap().contains("another rate"));
}
