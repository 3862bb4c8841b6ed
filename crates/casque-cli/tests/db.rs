//! `casque db update` and `casque db diff` against an export on this machine: whole, changed, cut off, slow, endless and false.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

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

/// A request's path and the fields that matter, in small letters.
#[derive(Debug, Clone)]
struct Asked {
    path: String,
    fields: BTreeMap<String, String>,
}

impl Asked {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

type Answer = dyn Fn(&Asked, &mut TcpStream) + Send + Sync;

/// A server on this machine, which closes after each answer.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn start(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer): (_, Arc<Answer>) = (asked.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer, mut stream) = (log.clone(), answer.clone(), stream.unwrap());
                std::thread::spawn(move || {
                    if let Some(one) = read_request(&mut stream) {
                        log.lock().unwrap().push(one.clone());
                        answer(&one, &mut stream);
                    }
                });
            }
        });
        Self { port, asked }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/osv", self.port)
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.asked().into_iter().map(|asked| asked.path).collect();
        paths.sort();
        paths
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1)?.to_owned();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Some(Asked { path, fields })
}

fn send(to: &mut TcpStream, status: &str, fields: &str, body: &[u8]) {
    let _ = write!(to, "HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = to.write_all(body);
}

/// A zip file of stored records, as small as one can be.
fn zip(files: &[(String, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for field in [crc32(content.as_bytes()), content.len() as u32, content.len() as u32, name.len() as u32] {
            common.extend(field.to_le_bytes());
        }
        let at = out.len() as u32;
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content.as_bytes()].concat());
        directory.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat());
    }
    let (count, at) = (files.len() as u16, out.len() as u32);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend([(directory.len() as u32).to_le_bytes(), at.to_le_bytes()].concat());
    out.extend([0, 0]);
    out
}

/// A reflected CRC of 32 bits.
fn crc(polynomial: u32, bytes: &[u8]) -> u32 {
    let bit = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ polynomial } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| bit(sum)))
}

fn crc32(bytes: &[u8]) -> u32 {
    crc(0xedb8_8320, bytes)
}

/// The field that Google's storage sends.
fn sum(bytes: &[u8]) -> String {
    use base64::Engine;
    let sum = crc(0x82f6_3b78, bytes).to_be_bytes();
    format!("x-goog-hash: crc32c={}\r\n", base64::prelude::BASE64_STANDARD.encode(sum))
}

/// An export: records by ecosystem and id, each with the day of 2026 on which it changed.
#[derive(Debug, Clone, Default)]
struct Export(BTreeMap<(&'static str, String), (u32, String)>);

impl Export {
    fn with(mut self, ecosystem: &'static str, id: &str, day: u32, package: &str) -> Self {
        let record = json!({
            "id": id, "modified": format!("2026-01-{day:02}T00:00:00.25Z"), "summary": format!("About {package}"),
            "affected": [{
                "package": {"ecosystem": ecosystem, "name": package},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}],
            }],
        });
        self.0.insert((ecosystem, id.to_owned()), (day, record.to_string()));
        self
    }

    fn without(mut self, ecosystem: &'static str, id: &str) -> Self {
        self.0.remove(&(ecosystem, id.to_owned()));
        self
    }

    fn change(mut self, ecosystem: &'static str, id: &str, day: u32, change: impl Fn(&mut Value)) -> Self {
        let (at, text) = self.0.get_mut(&(ecosystem, id.to_owned())).unwrap();
        let mut record: Value = serde_json::from_str(text).unwrap();
        record["modified"] = format!("2026-01-{day:02}T00:00:00.25Z").into();
        change(&mut record);
        (*at, *text) = (day, record.to_string());
        self
    }

    fn of(&self, ecosystem: &str) -> Vec<(&String, u32, &String)> {
        let of = self.0.iter().filter(|((of, _), _)| *of == ecosystem);
        let mut all: Vec<_> = of.map(|((_, id), (day, text))| (id, *day, text)).collect();
        all.sort_by_key(|(_, day, _)| std::cmp::Reverse(*day));
        all
    }

    fn archive(&self, ecosystem: &str) -> Vec<u8> {
        let files: Vec<_> = self.of(ecosystem).into_iter().map(|(id, _, text)| (format!("{id}.json"), text.clone())).collect();
        zip(&files)
    }

    /// The bytes of a file, if there is such a file.
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let (ecosystem, name) = path.strip_prefix("/osv/")?.split_once('/')?;
        match name {
            "all.zip" => Some(self.archive(ecosystem)),
            "modified_id.csv" => {
                let lines = self.of(ecosystem).into_iter().map(|(id, day, _)| format!("2026-01-{day:02}T00:00:00.25Z,{id}\n"));
                Some(lines.collect::<String>().into_bytes())
            }
            _ => {
                let id = name.strip_suffix(".json")?;
                self.of(ecosystem).into_iter().find(|(of, ..)| *of == id).map(|(.., text)| text.clone().into_bytes())
            }
        }
    }

    /// Answers as Google's storage does.
    fn answer(&self, asked: &Asked, to: &mut TcpStream) {
        let Some(body) = self.file(&asked.path) else { return send(to, "404 Not Found", "", b"") };
        let tag = format!("\"{:08x}\"", crc32(&body));
        let fields = format!("ETag: {tag}\r\n{}", sum(&body));
        if asked.field("if-none-match") == Some(&tag) {
            return send(to, "304 Not Modified", &fields, b"");
        }
        let from = asked.field("range").filter(|_| asked.field("if-range") == Some(&tag));
        let from = from.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        match from {
            Some(from) if from >= body.len() => {
                send(to, "416 Range Not Satisfiable", &format!("Content-Range: bytes */{}\r\n", body.len()), b"");
            }
            Some(from) => {
                let range = format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
                send(to, "206 Partial Content", &format!("{fields}{range}"), &body[from..]);
            }
            None => send(to, "200 OK", &fields, &body),
        }
    }

    fn serve(self) -> Server {
        Server::start(move |asked, to| self.answer(asked, to))
    }
}

fn export() -> Export {
    let all = Export::default().with("crates.io", "RUSTSEC-2026-0001", 1, "old");
    (1..=5).fold(all, |all, n| all.with("npm", &format!("GHSA-{n}"), n, &format!("package-{n}")))
}

/// An export that changes when it is told to.
fn changing(first: Export) -> (Server, Arc<Mutex<Export>>) {
    let now = Arc::new(Mutex::new(first));
    let served = now.clone();
    (Server::start(move |asked, to| served.lock().unwrap().clone().answer(asked, to)), now)
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

/// A database that must outlive what a server does, and what was said.
fn survives(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static, more: &[&str]) -> String {
    let folder = Folder::new();
    folder.updated(&export().serve());
    let before = fs::read(folder.0.join("a.db")).unwrap();
    let server = Server::start(answer);
    let started = Instant::now();
    let output = folder.update(&server, more);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert_eq!(fs::read(folder.0.join("a.db")).unwrap(), before);
    stderr(&output)
}

/// Answers the lists with nothing, so that archives are asked for.
fn archives_only(asked: &Asked, to: &mut TcpStream) -> bool {
    let archive = asked.path.ends_with(".zip");
    if !archive {
        send(to, "404 Not Found", "", b"");
    }
    archive
}

#[test]
fn a_wrong_sum_is_noticed() {
    let said = survives(
        |asked, to| {
            if archives_only(asked, to) {
                send(to, "200 OK", &sum(b"something else"), &export().with("npm", "GHSA-66", 9, "x").archive("npm"));
            }
        },
        &[],
    );
    assert!(said.contains("was damaged on the way") && said.contains("/osv/npm/all.zip"), "{said}");
}

#[test]
fn a_damaged_or_short_archive_is_not_used() {
    for damage in [0, 1, 2] {
        let said = survives(
            move |asked, to| {
                if archives_only(asked, to) {
                    let mut archive = export().archive("npm");
                    match damage {
                        0 => archive[60] ^= 1,
                        1 => archive.truncate(archive.len() - 30),
                        _ => archive = zip(&[("a.json".to_owned(), "{}".to_owned())]),
                    }
                    send(to, "200 OK", "", &archive);
                }
            },
            &[],
        );
        let why = ["1 of its files are damaged", "it has no directory at its end", "it has no record of this ecosystem"][damage];
        assert!(said.contains("the archive of npm that was downloaded cannot be used") && said.contains(why), "{said}");
    }
}

#[test]
fn half_of_all_records_do_not_vanish() {
    let said = survives(
        |asked, to| {
            if archives_only(asked, to) {
                Export::default().with("npm", "GHSA-1", 9, "one").with("npm", "GHSA-2", 9, "two").answer(asked, to);
            }
        },
        &["--ecosystem", "npm"],
    );
    assert!(said.contains("the export of npm has 2 records where there were 5"), "{said}");
}

#[test]
fn a_server_cannot_hold_the_update() {
    let started = Instant::now();
    let said = survives(|_, _| std::thread::sleep(Duration::from_secs(30)), &["--timeout", "1s"]);
    assert!(said.contains("the time of 1 s for all of it is up; --timeout gives more"), "{said}");
    let said = survives(
        |asked, to| {
            if archives_only(asked, to) {
                let _ = to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
                while to.write_all(b"x").is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        },
        &["--timeout", "1s"],
    );
    assert!(said.contains("is up; --timeout"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_server_cannot_fill_the_disk_or_the_memory() {
    let said = survives(
        |asked, to| {
            if archives_only(asked, to) {
                let _ = to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
            }
        },
        &[],
    );
    assert!(said.contains("is larger than 2048 MiB and was not downloaded"), "{said}");
    let said = survives(
        |_, to| {
            let _ = to.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            let line = b"2026-01-01T00:00:00Z,GHSA-1\n".repeat(1 << 15);
            while to.write_all(&line).is_ok() {}
        },
        &[],
    );
    assert!(said.contains("modified_id.csv is larger than 131072 KiB"), "{said}");
}

#[test]
fn redirects_end_and_do_not_lead_away_from_encryption() {
    let said = survives(|asked, to| send(to, "302 Found", &format!("Location: {}\r\n", asked.path), b""), &[]);
    assert!(said.contains("redirects without end: 5 redirects were followed"), "{said}");
    let said = survives(|_, to| send(to, "301 Moved", "Location: http://mirror.example/osv/npm/all.zip\r\n", b""), &[]);
    assert!(said.contains("http://mirror.example would be asked over plain http"), "{said}");
    let folder = Folder::new();
    let elsewhere = export().serve();
    let url = elsewhere.url();
    let server = Server::start(move |asked, to| {
        let rest = asked.path.strip_prefix("/osv").unwrap();
        send(to, "307 Temporary Redirect", &format!("Location: {url}{rest}\r\n"), b"");
    });
    folder.updated(&server);
    folder.updated(&server);
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let (folder, tries, all) = (Folder::new(), AtomicUsize::new(0), export());
    let server = Server::start(move |asked, to| {
        if tries.fetch_add(1, Ordering::SeqCst) == 0 {
            return send(to, "503 Service Unavailable", "", b"");
        }
        all.answer(asked, to);
    });
    folder.updated(&server);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_server_cannot_write_to_the_terminal() {
    let said = survives(
        |asked, to| {
            if archives_only(asked, to) {
                let bad = ("GHSA-\u{1b}[2J.json".to_owned(), "{\"id\": \"\u{1b}[2J\"}".to_owned());
                let good = ("GHSA-1.json".to_owned(), export().of("npm")[0].2.clone());
                send(to, "200 OK", "", &zip(&[bad, good]));
            }
        },
        &[],
    );
    assert!(said.contains("1 records of npm cannot be read") && !said.contains('\u{1b}'), "{said}");
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
    assert!(code(&output) == 2 && stderr(&output).contains("answered with 403"), "{}", stderr(&output));
    let server = export().serve();
    assert_eq!(code(&audit(&server.url())), 0);
    fs::create_dir(folder.0.join("osv")).unwrap();
    fs::write(folder.0.join("osv/1.json"), export().of("npm")[0].2).unwrap();
    assert_eq!(code(&folder.casque(&["db", "build", "osv"])), 0);
    let output = audit(&closed.url());
    let said = stderr(&output);
    assert!(code(&output) == 0 && said.contains("could not be updated") && said.contains("days old"), "{said}");
    let output = folder.casque(&["audit", "--update", "--db", "osv"]);
    assert!(code(&output) == 2 && stderr(&output).contains("--update needs a database that is a file"), "{}", stderr(&output));
}

#[test]
fn a_database_that_cannot_be_used_is_made_anew() {
    let (folder, server) = (Folder::new(), export().serve());
    fs::write(folder.0.join("a.db"), "something else").unwrap();
    let said = folder.updated(&server);
    assert!(said.contains("this is no advisory database") && said.contains("it is made anew"), "{said}");
    assert_eq!(server.paths(), ["/osv/crates.io/all.zip", "/osv/npm/all.zip"]);
}
