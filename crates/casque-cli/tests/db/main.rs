//! `casque db update` and `casque db diff` against an export on this machine: whole, changed, cut off, slow, endless and false.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod export;
mod hostile;
mod server;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use export::{Export, changing, crc32, export};
use hostile::archives_only;
use server::{Asked, Server, send};

/// A folder of one's own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let path = std::env::temp_dir().join(format!("casque-db-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casque"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null()).env("NO_COLOR", "1").env("XDG_CACHE_HOME", self.0.join("cache"));
        for variable in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "CASQUE_DB_URL"] {
            command.env_remove(variable);
        }
        command
    }

    fn casque(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Updates `a.db` from a server.
    fn update(&self, server: &Server, more: &[&str]) -> Output {
        let url = server.url();
        self.casque(&[&["db", "update", "--db", "a.db", "--url", &url], more].concat())
    }

    fn updated(&self, server: &Server) -> String {
        let output = self.update(server, &[]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stderr(&output)
    }

    /// What is in the folder.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn diff(&self, old: &str, new: &str) -> Value {
        let output = self.casque(&["db", "diff", old, new, "--format", "json"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn the_first_update_downloads_all() {
    let (folder, server) = (Folder::new(), export().serve());
    let output = folder.update(&server, &[]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("records   6 (0 of malware, 0 withdrawn)"), "{}", stdout(&output));
    assert_eq!(server.paths(), ["/osv/crates.io/all.zip", "/osv/npm/all.zip"]);
    assert_eq!(folder.files(), ["a.db"]);
    // Nothing moves on what is no terminal.
    assert_eq!(stderr(&output), "npm         all records were downloaded\ncrates.io   all records were downloaded\n");
}

#[test]
fn later_ones_fetch_what_has_changed_alone() {
    let folder = Folder::new();
    let (server, now) = changing(export());
    folder.updated(&server);
    server.asked();
    // The list has not been had yet; it shows that nothing is missing.
    let said = folder.updated(&server);
    assert_eq!(said.matches("nothing has changed").count(), 2, "{said}");
    assert_eq!(server.paths(), ["/osv/crates.io/modified_id.csv", "/osv/npm/modified_id.csv"]);
    folder.updated(&server);
    assert!(server.asked().iter().all(|asked| asked.field("if-none-match").is_some()));

    fs::copy(folder.0.join("a.db"), folder.0.join("old.db")).unwrap();
    *now.lock().unwrap() = export()
        .with("npm", "MAL-1", 9, "evil")
        .change("npm", "GHSA-2", 8, |record| record["summary"] = "Something else".into())
        .change("npm", "GHSA-3", 8, |record| record["withdrawn"] = "2026-01-08T00:00:00Z".into())
        .without("npm", "GHSA-4");
    let said = folder.updated(&server);
    assert!(said.contains("npm         3 records are new or changed, 1 are gone"), "{said}");
    assert!(said.contains("crates.io   nothing has changed"), "{said}");
    assert_eq!(
        server.paths(),
        [
            "/osv/crates.io/modified_id.csv",
            "/osv/npm/GHSA-2.json",
            "/osv/npm/GHSA-3.json",
            "/osv/npm/MAL-1.json",
            "/osv/npm/modified_id.csv"
        ]
    );
    let diff = folder.diff("old.db", "a.db");
    let ids = |kind: &str| diff[kind].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!([ids("added"), ids("changed"), ids("withdrawn"), ids("removed")].concat(), ["MAL-1", "GHSA-2", "GHSA-3", "GHSA-4"]);
    assert_eq!(
        diff["counts"],
        json!({
            "npm": {"added": 1, "changed": 1, "withdrawn": 1, "removed": 1},
            "crates.io": {"added": 0, "changed": 0, "withdrawn": 0, "removed": 0},
        })
    );
    assert_eq!(diff["added"][0]["packages"], json!([{"ecosystem": "npm", "name": "evil"}]));

    let output = folder.casque(&["db", "diff", "old.db", "a.db"]);
    let said = stdout(&output);
    assert!(said.contains("added             1           0"), "{said}");
    assert!(said.contains("removed\n  GHSA-4  npm package-4: About package-4"), "{said}");
    let output = folder.casque(&["db", "diff", "a.db", "a.db"]);
    assert_eq!((code(&output), stdout(&output)), (0, "both say the same\n".to_owned()));
}

/// The same records whichever way they come.
#[test]
fn a_database_in_steps_is_as_one_at_once() {
    let (steps, once) = (Folder::new(), Folder::new());
    let (server, now) = changing(export());
    steps.updated(&server);
    let last = export().with("crates.io", "RUSTSEC-2026-0002", 20, "older").change("npm", "GHSA-1", 21, |record| {
        record["affected"][0]["package"]["name"] = "renamed".into();
    });
    *now.lock().unwrap() = last;
    steps.updated(&server);
    once.updated(&server);
    fs::copy(once.0.join("a.db"), steps.0.join("b.db")).unwrap();
    let diff = steps.diff("a.db", "b.db");
    for kind in ["added", "changed", "withdrawn", "removed"] {
        assert_eq!(diff[kind], json!([]), "{kind}");
    }
}

#[test]
fn many_changes_are_had_with_the_archive() {
    let folder = Folder::new();
    let (server, now) = changing(export());
    folder.updated(&server);
    *now.lock().unwrap() = (0..900).fold(export(), |all, n| all.with("npm", &format!("MAL-{n}"), 9, &format!("evil-{n}")));
    server.asked();
    let said = folder.updated(&server);
    assert!(said.contains("npm         all records were downloaded") && said.contains("crates.io   nothing has changed"), "{said}");
    assert_eq!(server.paths(), ["/osv/crates.io/modified_id.csv", "/osv/npm/all.zip", "/osv/npm/modified_id.csv"]);
    let output = folder.casque(&["db", "info", "--db", "a.db"]);
    assert!(stdout(&output).contains("records   906 (900 of malware"), "{}", stdout(&output));
}

#[test]
fn a_mirror_without_lists_is_asked_for_its_archive() {
    let folder = Folder::new();
    let served = export();
    let server = Server::start(move |asked, to| match asked.path.ends_with(".csv") {
        true => send(to, "404 Not Found", "", b"none"),
        false => served.answer(asked, to),
    });
    folder.updated(&server);
    server.asked();
    let said = folder.updated(&server);
    assert_eq!(said.matches("nothing has changed").count(), 2, "{said}");
    let archives: Vec<Asked> = server.asked().into_iter().filter(|asked| asked.path.ends_with(".zip")).collect();
    assert!(archives.len() == 2 && archives.iter().all(|asked| asked.field("if-none-match").is_some()));
}

#[test]
fn a_record_that_cannot_be_used_is_not_fetched_again() {
    let folder = Folder::new();
    let (server, now) = changing(export());
    folder.updated(&server);
    *now.lock().unwrap() = export().with("npm", "GHSA-6", 9, "").change("npm", "GHSA-6", 9, |record| record["affected"] = json!(7));
    folder.updated(&server);
    server.asked();
    let next = now.lock().unwrap().clone().with("npm", "GHSA-7", 10, "seven");
    *now.lock().unwrap() = next;
    folder.updated(&server);
    assert_eq!(server.paths(), ["/osv/crates.io/modified_id.csv", "/osv/npm/GHSA-7.json", "/osv/npm/modified_id.csv"]);
}

/// Sends half of npm's archive and goes away, as often as it is told to.
fn cutting(times: usize) -> (Server, Arc<AtomicUsize>) {
    let left = Arc::new(AtomicUsize::new(times));
    let (all, cuts) = (export(), left.clone());
    let server = Server::start(move |asked, to| {
        let cut = asked.path == "/osv/npm/all.zip" && cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        if !cut {
            return all.answer(asked, to);
        }
        let body = all.archive("npm");
        let _ = write!(to, "HTTP/1.1 200 OK\r\nETag: \"{:08x}\"\r\nContent-Length: {}\r\n\r\n", crc32(&body), body.len());
        let _ = to.write_all(&body[..body.len() / 2]);
    });
    (server, left)
}

#[test]
fn a_download_that_broke_off_is_gone_on_with() {
    let (folder, (server, _)) = (Folder::new(), cutting(1));
    folder.updated(&server);
    let npm: Vec<Asked> = server.asked().into_iter().filter(|asked| asked.path == "/osv/npm/all.zip").collect();
    let half = export().archive("npm").len() / 2;
    assert_eq!(npm.iter().map(|asked| asked.field("range").map(str::to_owned)).collect::<Vec<_>>(), [None, Some(format!("bytes={half}-"))]);
    assert_eq!(folder.files(), ["a.db"]);
}

#[test]
fn what_an_update_had_is_there_for_the_next_one() {
    let (folder, (server, left)) = (Folder::new(), cutting(1000));
    let output = folder.update(&server, &["--timeout", "2s"]);
    assert_eq!(code(&output), 2);
    assert_eq!(folder.files(), [".a.db.update"], "{}", stderr(&output));
    left.store(0, Ordering::SeqCst);
    server.asked();
    folder.updated(&server);
    assert!(server.asked()[0].field("range").is_some());
    assert_eq!(folder.files(), ["a.db"]);
}

#[test]
fn an_archive_that_changed_meanwhile_is_begun_anew() {
    let (folder, (server, left)) = (Folder::new(), cutting(1000));
    folder.update(&server, &["--timeout", "1s"]);
    left.store(0, Ordering::SeqCst);
    // Another server at another address has nothing to go on with either.
    let other = export().with("npm", "GHSA-9", 9, "nine").serve();
    folder.updated(&other);
    assert!(other.asked().iter().all(|asked| asked.field("range").is_none()));
    fs::remove_file(folder.0.join("a.db")).unwrap();

    let tag = folder.0.join(".a.db.update");
    fs::create_dir(&tag).unwrap();
    fs::write(tag.join("npm.zip"), "PK of another day").unwrap();
    fs::write(tag.join("npm.zip.tag"), format!("{}/npm/all.zip\n\"old\"", server.url())).unwrap();
    server.asked();
    folder.updated(&server);
    let first = &server.asked()[0];
    assert_eq!((first.field("range"), first.field("if-range")), (Some("bytes=17-"), Some("\"old\"")));
}

#[test]
fn a_whole_archive_is_not_downloaded_twice() {
    let folder = Folder::new();
    let (server, now) = changing(Export::default().with("npm", "GHSA-1", 1, "one"));
    let output = folder.update(&server, &[]);
    assert_eq!(code(&output), 2);
    // npm's is here; the other ecosystem's was of no use.
    assert!(stderr(&output).contains("the archive of crates.io that was downloaded cannot be used"), "{}", stderr(&output));
    let next = now.lock().unwrap().clone().with("crates.io", "RUSTSEC-1", 1, "old");
    *now.lock().unwrap() = next;
    server.asked();
    folder.updated(&server);
    let npm: Vec<Asked> = server.asked().into_iter().filter(|asked| asked.path == "/osv/npm/all.zip").collect();
    assert!(npm.len() == 1 && npm[0].field("range").is_some(), "{npm:?}");
}

#[test]
fn an_address_that_cannot_be_used_is_told() {
    let folder = Folder::new();
    for (url, why) in [
        ("http://mirror.example/osv", "--insecure-http"),
        ("https://kim:geheim@mirror.example/osv", "are not sent"),
        ("mirror", "is no address of an export"),
    ] {
        let output = folder.casque(&["db", "update", "--db", "a.db", "--url", url]);
        let said = stderr(&output);
        assert!(code(&output) == 2 && said.contains(why) && !said.contains("geheim"), "{said}");
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = folder.casque(&["db", "update", "--db", "a.db", "--timeout", "20s", "--url", &format!("http://127.0.0.1:{free}/")]);
    assert!(code(&output) == 2 && stderr(&output).contains("the connection was refused"), "{}", stderr(&output));
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn a_proxy_is_asked_for_what_is_encrypted() {
    let folder = Folder::new();
    let proxy = Server::start(|_, to| send(to, "407 Proxy Authentication Required", "", b""));
    let address = format!("http://kim:geheim@127.0.0.1:{}", proxy.port);
    let mut command = folder.command(&["db", "update", "--db", "a.db", "--url", "https://mirror.example/osv"]);
    let output = command.env("HTTPS_PROXY", &address).output().unwrap();
    let said = stderr(&output);
    assert!(code(&output) == 2 && said.contains("it wants a user and a password") && !said.contains("geheim"), "{said}");
    let asked = proxy.asked();
    assert_eq!(asked[0].path, "mirror.example:443");
    assert_eq!(asked[0].field("proxy-authorization"), Some("Basic a2ltOmdlaGVpbQ=="));
    // What is on this machine is asked directly.
    let server = export().serve();
    let mut command = folder.command(&["db", "update", "--db", "a.db", "--url", &server.url()]);
    let output = command.env("HTTPS_PROXY", &address).output().unwrap();
    assert_eq!((code(&output), proxy.asked().len()), (0, 0), "{}", stderr(&output));
}

#[test]
fn two_updates_do_not_work_at_once() {
    let folder = Folder::new();
    let all = export();
    let server = Server::start(move |asked, to| {
        std::thread::sleep(Duration::from_secs(1));
        all.answer(asked, to);
    });
    let url = server.url();
    let mut first =
        folder.command(&["db", "update", "--db", "a.db", "--url", &url]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while server.asked.lock().unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = folder.update(&server, &[]);
    assert!(code(&output) == 2 && stderr(&output).contains("another update of `a.db` is at work"), "{}", stderr(&output));
    assert!(first.wait().unwrap().success());
    assert_eq!(folder.files(), ["a.db"]);
}

#[test]
fn a_killed_update_leaves_the_old_database_and_no_lock() {
    let folder = Folder::new();
    folder.updated(&export().serve());
    let before = fs::read(folder.0.join("a.db")).unwrap();
    let server = Server::start(|asked, to| {
        if archives_only(asked, to) {
            let _ = to.write_all(b"HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 100000\r\n\r\nPK");
            std::thread::sleep(Duration::from_secs(20));
        }
    });
    let mut killed = folder
        .command(&["db", "update", "--db", "a.db", "--url", &server.url()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !server.asked.lock().unwrap().iter().any(|asked| asked.path.ends_with(".zip")) {
        std::thread::sleep(Duration::from_millis(10));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(fs::read(folder.0.join("a.db")).unwrap(), before);
    folder.updated(&export().serve());
}

#[test]
fn a_database_of_one_ecosystem_says_so_and_keeps_its_age() {
    let folder = Folder::new();
    let server = export().serve();
    let output = folder.update(&server, &["--ecosystem", "npm"]);
    assert!(code(&output) == 0 && stdout(&output).contains("crates.io 0 packages"), "{}", stdout(&output));
    fs::write(
        folder.0.join("Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"old\"]\n\n[[package]]\nname = \"old\"\nversion = \"0.3.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
    )
    .unwrap();
    let output = folder.casque(&["audit", "--db", "a.db"]);
    assert!(stdout(&output).contains("the database has no advisories about crates.io"), "{}{}", stdout(&output), stderr(&output));
    // --update sees that, and fetches the other one.
    let mut command = folder.command(&["audit", "--db", "a.db", "--update"]);
    let output = command.env("CASQUE_DB_URL", server.url()).output().unwrap();
    assert!(code(&output) == 1 && stdout(&output).contains("RUSTSEC-2026-0001"), "{}{}", stdout(&output), stderr(&output));
    server.asked();
    let mut command = folder.command(&["audit", "--db", "a.db", "--update"]);
    let output = command.env("CASQUE_DB_URL", server.url()).output().unwrap();
    assert_eq!((code(&output), server.asked().len()), (1, 0), "{}", stderr(&output));
}

#[test]
fn an_audit_that_cannot_update_goes_on_with_what_there_is() {
    let folder = Folder::new();
    fs::write(folder.0.join("package-lock.json"), r#"{"name": "x", "lockfileVersion": 3, "packages": {"": {}}}"#).unwrap();
    let audit = |url: &str| folder.command(&["audit", "--update"]).env("CASQUE_DB_URL", url).output().unwrap();
    let closed = Server::start(|_, to| send(to, "403 Forbidden", "", b""));
    let output = audit(&closed.url());
    assert!(code(&output) == 4 && stderr(&output).contains("answered with 403"), "{}", stderr(&output));
    let server = export().serve();
    assert_eq!(code(&audit(&server.url())), 0);
    fs::create_dir(folder.0.join("osv")).unwrap();
    fs::write(folder.0.join("osv/1.json"), export().of("npm")[0].2).unwrap();
    assert_eq!(code(&folder.casque(&["db", "build", "osv"])), 0);
    let output = audit(&closed.url());
    let said = stderr(&output);
    assert!(code(&output) == 4 && said.contains("could not be updated") && said.contains("days old"), "{said}");
    let output = folder.casque(&["audit", "--update", "--db", "osv"]);
    assert!(code(&output) == 4 && stderr(&output).contains("--update needs a database that is a file"), "{}", stderr(&output));
}

#[test]
fn a_database_that_cannot_be_used_is_made_anew() {
    let (folder, server) = (Folder::new(), export().serve());
    fs::write(folder.0.join("a.db"), "something else").unwrap();
    let said = folder.updated(&server);
    assert!(said.contains("this is no advisory database") && said.contains("it is made anew"), "{said}");
    assert_eq!(server.paths(), ["/osv/crates.io/all.zip", "/osv/npm/all.zip"]);
}
