//! Servers that are broken, slow, endless or hostile: the update ends, and the database is as it was.
#![expect(clippy::disallowed_methods, reason = "how long a casque took is asked of the clock on the wall")]

use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::export::{Export, export, sum, zip};
use super::server::{Asked, Server, send};
use super::{Folder, code, stderr};

/// A database that must outlive what a server does, and what was said.
fn survives(answer: impl Fn(&Asked, &mut dyn Write) + Send + Sync + 'static, more: &[&str]) -> String {
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
pub(super) fn archives_only(asked: &Asked, to: &mut dyn Write) -> bool {
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
fn only_a_trusted_server_is_asked_and_it_cannot_lead_away_from_encryption() {
    let all = export();
    let (server, pem) = Server::start_tls(move |asked, to| all.answer(asked, to));
    let folder = Folder::new();
    let url = format!("https://localhost:{}/osv", server.port);
    let update = |trust: &str| {
        let mut command = folder.command(&["db", "update", "--db", "a.db", "--url", &url]);
        command.env("SSL_CERT_FILE", folder.0.join(trust)).output().unwrap()
    };
    fs::write(folder.0.join("ca.pem"), pem).unwrap();
    let output = update("missing.pem");
    assert!(code(&output) == 2 && stderr(&output).contains("the certificate of `localhost` is not valid"), "{}", stderr(&output));
    assert!(server.asked().is_empty(), "nothing may be asked of a server that is not who it should be");
    let output = update("ca.pem");
    assert_eq!(code(&output), 0, "{}", stderr(&output));

    let open = export().serve();
    let to_open = open.url();
    let (server, pem) = Server::start_tls(move |asked, to| {
        send(to, "302 Found", &format!("Location: {to_open}{}\r\n", asked.path.trim_start_matches("/osv")), b"");
    });
    fs::write(folder.0.join("other.pem"), pem).unwrap();
    let url = format!("https://localhost:{}/osv", server.port);
    let mut command = folder.command(&["db", "update", "--db", "b.db", "--url", &url]);
    let output = command.env("SSL_CERT_FILE", folder.0.join("other.pem")).output().unwrap();
    assert!(code(&output) == 2 && stderr(&output).contains("redirects from https to http://127.0.0.1"), "{}", stderr(&output));
    assert!(open.asked().is_empty());
}
