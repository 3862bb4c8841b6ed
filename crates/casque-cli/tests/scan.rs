//! `casque scan` as people meet it, against servers on loopback: kind ones, and ones that want to hold, fill or rob it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "real processes and sockets are bounded by real time")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;

const PLAIN: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 5\r\n";

/// A folder of one's own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let path = std::env::temp_dir().join(format!("casque-scan-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.file(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casque"));
    command.arg("scan").args(args).stdin(Stdio::null()).env("NO_COLOR", "1").env_remove("SSL_CERT_FILE");
    command
}

fn scan(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn scan_with_stdin(args: &[&str], input: &[u8]) -> Output {
    let mut child = command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
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

/// The one site of a JSON report.
fn site(output: &Output) -> Value {
    let mut value: Value = serde_json::from_str(&stdout(output)).unwrap_or_else(|e| panic!("{e}: {}{}", stdout(output), stderr(output)));
    value["reports"][0].take()
}

fn ids(site: &Value) -> Vec<&str> {
    site["findings"].as_array().unwrap().iter().filter(|f| f["pass"] == false).map(|f| f["id"].as_str().unwrap()).collect()
}

/// A server on loopback that answers every request by a function of its head, and remembers what it was asked.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static) -> Self {
        Self::over(answer, |stream, serve| serve(&mut { stream }))
    }

    /// The same over TLS, with a certificate of its own making; also gives the certificate.
    fn start_tls(answer: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let server = Self::over(answer, move |stream, serve| {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            serve(&mut stream);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        });
        (server, made.cert.pem())
    }

    fn over(
        answer: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static,
        wrap: impl Fn(TcpStream, &dyn Fn(&mut dyn ReadWrite)) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer, wrap) = (asked.clone(), Arc::new(answer), Arc::new(wrap));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer, wrap) = (log.clone(), answer.clone(), wrap.clone());
                std::thread::spawn(move || {
                    let serve = |stream: &mut dyn ReadWrite| {
                        let mut head = Vec::new();
                        let mut byte = [0];
                        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                            head.push(byte[0]);
                        }
                        let head = String::from_utf8_lossy(&head).into_owned();
                        if !head.is_empty() {
                            log.lock().unwrap().push(head.clone());
                            answer(&head, &mut &mut *stream);
                        }
                    };
                    wrap(stream.unwrap(), &serve);
                });
            }
        });
        Self { port, asked }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

fn send(to: &mut dyn Write, text: &str) {
    let _ = to.write_all(text.as_bytes());
}

/// A site with every mistake there is a finding for on plain HTTP.
fn careless() -> Server {
    Server::start(|head, to| {
        let origin = head.lines().find_map(|l| l.strip_prefix("origin: ")).unwrap_or_default();
        let cors = if origin.is_empty() {
            String::new()
        } else {
            format!("Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Credentials: true\r\n")
        };
        send(
            to,
            &format!(
                "{PLAIN}{cors}Server: nginx/1.2\r\nX-Powered-By: Express\r\nSet-Cookie: sid=geheim; Path=/\r\nCache-Control: public\r\nReferrer-Policy: unsafe-url\r\nX-Frame-Options: ALLOWALL\r\nPermissions-Policy: camera 'none'\r\nCross-Origin-Opener-Policy: yes\r\nContent-Security-Policy: script-src 'unsafe-inline'\r\n\r\n<p>hi"
            ),
        );
    })
}

fn bare() -> Server {
    Server::start(|_, to| send(to, &format!("{PLAIN}\r\n<p>hi")))
}

#[test]
fn a_careless_site_is_graded_with_reasons_and_fixes_in_no_time() {
    let server = careless();
    let start = Instant::now();
    let output = scan(&[&server.url()]);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let text = stdout(&output);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(text.starts_with(&format!("\n    F     {}\n", server.url())), "{text}");
    for part in [
        "high  Any site may read this one with the visitor's cookies (-50)",
        "seen: Set-Cookie: sid=…; Path=/",
        "casque.toml [cookies]",
        "not judged  https, the certificate, redirects and HSTS: 127.0.0.1 is reached from here only",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("geheim") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn few_requests_are_made_one_after_another() {
    let server = Server::start(|head, to| {
        let body = if head.starts_with("GET / ") { "<script src=/app.js></script>" } else { "x" };
        let length = body.len();
        send(to, &format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"));
    });
    assert_eq!(code(&scan(&[&server.url()])), 0);
    let asked = server.asked();
    assert_eq!(asked.len(), 9, "{asked:#?}");
    for start in ["GET / ", "GET /robots.txt ", "GET /.well-known/security.txt ", "GET /casque-scan-", "GET /app.js ", "OPTIONS / "] {
        assert!(asked.iter().any(|a| a.starts_with(start)), "{start}");
    }
    assert!(asked.iter().all(|a| a.contains("accept-encoding: identity\r\n") && a.contains("user-agent: casque/")));
}

#[test]
fn exit_codes_follow_the_bar() {
    let server = bare();
    assert_eq!(code(&scan(&[&server.url(), "--min-grade", "F"])), 0);
    let below = scan(&[&server.url(), "--min-grade", "b+"]);
    assert_eq!(code(&below), 1);
    assert!(stdout(&below).contains("below B+, the lowest grade that was asked for"));
    for wrong in [
        &["--min-grade", "Z", "localhost:1"][..],
        &["ftp://shop.example"],
        &[],
        &["localhost:1", "--format", "pdf"],
        &["--har", "/nonexistent"],
    ] {
        assert_eq!(code(&scan(wrong)), 2, "{wrong:?}");
    }
}

#[test]
fn every_format_is_what_it_says() {
    let server = careless();
    let of = |format: &str| {
        let output = scan(&[&server.url(), "--format", format, "--min-grade", "A"]);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        stdout(&output)
    };
    let json: Value = serde_json::from_str(&of("json")).unwrap();
    assert_eq!((&json["schema"], &json["reports"][0]["below"]), (&Value::from(1), &Value::from(true)));
    let sarif: Value = serde_json::from_str(&of("sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["runs"][0]["results"].as_array().unwrap().len() > 5);
    let junit = of("junit");
    assert!(junit.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>") && junit.ends_with("</testsuites>\n"));
    assert_eq!(junit.matches("<failure ").count(), junit.matches("</failure>").count());
    assert!(of("markdown").starts_with("## F for ` http://127.0.0.1:"));
    let html = of("html");
    assert!(html.starts_with("<!doctype html>") && html.contains("default-src 'none'") && !html.contains("<script"));
}

#[test]
fn each_fix_for_casque_is_a_policy_that_checks() {
    let twice = Server::start(|_, to| {
        let once = "Strict-Transport-Security: max-age=x\r\nX-Frame-Options: ALLOWALL\r\nX-Content-Type-Options: yes\r\nCross-Origin-Opener-Policy: y\r\nCross-Origin-Embedder-Policy: y\r\nCross-Origin-Resource-Policy: y\r\nOrigin-Agent-Cluster: yes\r\n";
        let body = "<script>start()</script>";
        send(to, &format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{once}{once}Connection: close\r\n\r\n{body}"));
    });
    let folder = Folder::new();
    let sites = [careless(), twice].map(|server| site(&scan(&[&server.url(), "--format", "json"])));
    let fixes: Vec<&str> = sites
        .iter()
        .flat_map(|site| site["findings"].as_array().unwrap())
        .filter_map(|f| f["fix"]["casque"].as_str())
        .filter(|f| !f.is_empty())
        .collect();
    assert!(fixes.len() >= 12 && fixes.iter().any(|f| f.contains("casque-csp-nonce")), "{fixes:?}");
    for fix in fixes {
        let path = folder.write("casque.toml", &format!("{fix}\n[upstream]\nurl = \"http://127.0.0.1:3000\"\n"));
        let output = Command::new(env!("CARGO_BIN_EXE_casque")).args(["check", &path]).output().unwrap();
        assert_eq!(code(&output), 0, "{fix}\n{}", stderr(&output));
    }
}

#[test]
fn a_certificate_that_nobody_signed_is_an_error_unless_accepted_or_trusted() {
    let (server, pem) = Server::start_tls(|_, to| send(to, &format!("{PLAIN}Set-Cookie: sid=1; HttpOnly\r\n\r\n<p>hi")));
    let url = format!("https://localhost:{}/", server.port);
    let refused = scan(&[&url]);
    assert_eq!(code(&refused), 2);
    let said = stderr(&refused);
    assert!(said.contains("the certificate of `localhost` is not valid: ") && said.contains("--accept-invalid-certs"), "{said}");
    assert!(server.asked().is_empty(), "nothing may be sent to a server that is not who it should be");

    let accepted = scan(&[&url, "--accept-invalid-certs", "--format", "json"]);
    assert_eq!(code(&accepted), 0, "{}", stderr(&accepted));
    assert!(site(&accepted)["not_judged"].to_string().contains("was accepted because that was asked for"));

    let folder = Folder::new();
    let trusted = command(&[&url, "--format", "json"]).env("SSL_CERT_FILE", folder.write("ca.pem", &pem)).output().unwrap();
    assert_eq!(code(&trusted), 0, "{}", stderr(&trusted));
    assert!(!site(&trusted)["not_judged"].to_string().contains("accepted"));
}

#[test]
fn what_was_given_goes_to_its_origin_over_https_alone() {
    let other = bare();
    let (plain, elsewhere) = (bare(), other.url());
    let location = format!("http://localhost:{}/", plain.port);
    let (server, _) = Server::start_tls(move |head, to| {
        let location = if head.starts_with("GET /to-http ") { &location } else { &elsewhere };
        send(to, &format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    });
    for path in ["to-http", "to-other"] {
        let url = format!("https://localhost:{}/{path}", server.port);
        let output = scan(&[&url, "--accept-invalid-certs", "--cookie", "sid=geheim", "-H", "Authorization: Bearer geheim"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
    assert!(server.asked()[0].contains("cookie: sid=geheim\r\n") && server.asked()[0].contains("authorization: Bearer geheim\r\n"));
    for bystander in [&plain, &other] {
        assert!(!bystander.asked().is_empty() && !bystander.asked().concat().contains("geheim"), "{:#?}", bystander.asked());
    }
}

#[test]
fn what_was_given_stays_here_on_plain_http_unless_asked() {
    let server = bare();
    let kept = scan(&[&server.url(), "--cookie", "sid=geheim", "--format", "json"]);
    assert!(site(&kept)["not_judged"].to_string().contains("--send-credentials-over-http"));
    assert!(!server.asked().concat().contains("geheim"));
    assert_eq!(code(&scan(&[&server.url(), "--cookie", "sid=geheim", "--send-credentials-over-http"])), 0);
    assert!(server.asked().concat().contains("cookie: sid=geheim\r\n"));
    let other = Server::start({
        let to_url = server.url();
        move |_, to| send(to, &format!("HTTP/1.1 302 Found\r\nLocation: {to_url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    });
    assert_eq!(code(&scan(&[&other.url(), "--cookie", "x=streng", "--send-credentials-over-http"])), 0);
    assert!(other.asked().concat().contains("x=streng") && !server.asked().concat().contains("streng"));
    for framing in ["Transfer-Encoding: chunked", "Content-Length: 5", "no colon", "Bad Name: x", "X: a\nb"] {
        assert_eq!(code(&scan(&[&server.url(), "-H", framing])), 2, "{framing}");
    }
}

#[test]
fn redirects_without_end_are_left() {
    let server =
        Server::start(|_, to| send(to, "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    let output = scan(&[&server.url()]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("redirects without end: 10 redirects were followed"), "{}", stderr(&output));
    assert_eq!(server.asked().len(), 11);
}

#[test]
fn a_server_cannot_hold_the_scan() {
    let silent = Server::start(|_, _| std::thread::sleep(Duration::from_secs(60)));
    let start = Instant::now();
    let output = scan(&[&silent.url(), "--timeout", "1s"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("no answer within 1 s") && stderr(&output).contains("--timeout 60s"), "{}", stderr(&output));

    // A page that never ends is judged by what has come, and probes that hang become a note.
    let dripping = Server::start(|head, to| {
        if !head.starts_with("GET / ") {
            std::thread::sleep(Duration::from_secs(60));
        }
        send(to, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>");
        while to.write_all(b"x").and_then(|()| to.flush()).is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let output = scan(&[&dripping.url(), "--timeout", "2s", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(site(&output)["not_judged"].to_string().contains("the time was up"));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn a_server_cannot_fill_the_memory() {
    let heads = Server::start(|_, to| {
        send(to, "HTTP/1.1 200 OK\r\n");
        let line = format!("X-Filler: {}\r\n", "x".repeat(8000));
        while to.write_all(line.as_bytes()).is_ok() {}
    });
    let output = scan(&[&heads.url()]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("the head is larger than 256 KiB"), "{}", stderr(&output));
    let many = Server::start(|_, to| {
        send(to, &format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(5000)));
    });
    assert_eq!(code(&scan(&[&many.url()])), 2);
    let bodies = Server::start(|_, to| {
        send(to, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n");
        while to.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let output = scan(&[&bodies.url()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("No Content-Security-Policy"));
}

#[test]
fn a_server_cannot_write_to_the_terminal() {
    let server = Server::start(|_, to| {
        let _ = to.write_all(PLAIN.as_bytes());
        let _ = to.write_all(
            b"X-Powered-By: \xc2\x9b31mred\xe2\x80\xaeback\x9b\xff\r\nSet-Cookie: sid\xc2\x9b=1\r\nServer: 1`](x)<b>|\"\r\n\r\n<p>hi",
        );
    });
    for format in ["text", "json", "sarif", "junit", "markdown", "html"] {
        let output = scan(&[&server.url(), "--format", format]);
        let text = stdout(&output);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(harmful), "{format}: {text:?}");
        assert!(text.contains("31mred"), "{format}: {text}");
    }
    for garbage in [&b"\x1b]0;owned\x07\r\n\r\n"[..], b"HTTP/1.1 200 \x1b[31m\r\nx\x1b: 1\r\n\r\n", b"\x00\x01\x02", b""] {
        let server = Server::start(move |_, to| drop(to.write_all(garbage)));
        let output = scan(&[&server.url()]);
        assert_eq!(code(&output), 2, "{garbage:?}");
        assert!(stderr(&output).starts_with("error: ") && !stderr(&output).contains('\u{1b}'), "{}", stderr(&output));
    }
}

#[test]
fn what_cannot_be_reached_is_told_in_words() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let no_tls = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = no_tls.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = no_tls.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).and_then(|_| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    let output = scan(&[&format!("localhost:{free}"), "http://nosuch.invalid/", &format!("https://127.0.0.1:{port}/")]);
    assert_eq!(code(&output), 2);
    let said = stderr(&output);
    assert!(said.contains("the connection was refused"), "{said}");
    assert!(said.contains("cannot resolve `nosuch.invalid`"), "{said}");
    assert!(said.contains("hint: if the site speaks plain http there, write its address with http://"), "{said}");
}

#[test]
fn tls_where_plain_http_was_asked_is_guessed() {
    let (server, _) = Server::start_tls(|_, to| send(to, PLAIN));
    let output = scan(&[&format!("http://localhost:{}/", server.port)]);
    assert_eq!(code(&output), 2);
    let said = stderr(&output);
    assert!(said.contains("no usable answer from http://localhost:") && said.contains("write its address with https://"), "{said}");
}

#[test]
fn an_app_that_fails_is_not_graded() {
    for (status, said) in
        [(500, "the app answered 500, so nothing was graded"), (404, "the page answers with status 404, so nothing was graded")]
    {
        let server =
            Server::start(move |_, to| send(to, &PLAIN.replace("200 OK", &format!("{status} No")).replace("5\r\n", "5\r\n\r\n<p>hi")));
        for profile in ["strict", "mdn"] {
            let output = scan(&[&server.url(), "--profile", profile]);
            assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{status} {profile}");
            assert!(stderr(&output).contains(&format!("{}: {said}", server.url())), "{}", stderr(&output));
        }
    }
}

#[test]
fn a_user_and_password_in_an_address_are_neither_sent_nor_shown() {
    let server = bare();
    let output = scan(&[&format!("http://kim:geheim@127.0.0.1:{}/", server.port)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("the user and password in its address are not sent"), "{}", stderr(&output));
    assert!(!server.asked().concat().contains("authorization"));
    let wrong = scan(&["http://kim:geheim@127.0.0.1:99999/", "ftp://kim:geheim@shop.example/"]);
    assert_eq!(code(&wrong), 2);
    let all = [stdout(&output), stderr(&output), stdout(&wrong), stderr(&wrong)].concat();
    assert!(!all.contains("geheim") && !all.contains("kim"), "{all}");
}

#[test]
fn a_page_for_a_known_visitor_that_anybody_may_keep_is_told_without_the_secret() {
    let server = Server::start(|_, to| send(to, &format!("{PLAIN}Cache-Control: public, max-age=60\r\n\r\n<p>hi")));
    let asked = |more: &[&str]| {
        let output = scan(&[&[server.url().as_str(), "--format", "json"], more].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert!(!stdout(&output).contains("geheim"));
        ids(&site(&output)).contains(&"caching-shares-private-page")
    };
    assert!(asked(&["--cookie", "sid=geheim", "--send-credentials-over-http"]));
    assert!(asked(&["-H", "Authorization: Bearer geheim", "--send-credentials-over-http"]));
    assert!(!asked(&["--cookie", "sid=geheim"]), "it was not sent");
    assert!(!asked(&["-H", "X-A: geheim", "--send-credentials-over-http"]));
}

#[test]
fn one_site_that_fails_does_not_hide_the_others() {
    let server = bare();
    let output = scan(&[&server.url(), "localhost:1", "--format", "json"]);
    assert_eq!(code(&output), 2);
    assert_eq!(site(&output)["target"], server.url());
}

#[test]
fn only_what_is_new_counts_against_an_earlier_report() {
    let folder = Folder::new();
    let before = folder.file("before.json");
    let first = bare();
    let written = scan(&[&first.url(), "--format", "json", "--output", &before]);
    assert_eq!((code(&written), stdout(&written).as_str()), (0, ""));
    assert!(stderr(&written).contains(&format!("wrote {before}")));

    let again = bare();
    assert_eq!(code(&scan(&[&again.url(), "--baseline", &before])), 0);

    let worse = Server::start(|_, to| {
        send(to, &format!("{PLAIN}X-Content-Type-Options: nosniff\r\nSet-Cookie: sid=1; SameSite=Lax\r\n\r\n<p>hi"));
    });
    let output = scan(&[&worse.url(), "--baseline", &before]);
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert!(text.contains("high  new: Scripts can read the session cookie sid"), "{text}");
    assert!(text.contains("fixed  No X-Content-Type-Options"), "{text}");
    assert!(text.contains("medium  No Content-Security-Policy"), "{text}");

    for wrong in ["", "{}", "[1]", "{\"schema\": 7, \"reports\": []}"] {
        let output = scan(&[&first.url(), "--baseline", &folder.write("wrong.json", wrong)]);
        assert_eq!(code(&output), 2, "{wrong}");
        assert!(stderr(&output).contains("wrong.json"), "{}", stderr(&output));
    }
}

#[test]
fn a_report_is_written_whole_or_not_at_all() {
    let server = bare();
    let folder = Folder::new();
    let path = folder.write("report.md", "old");
    assert_eq!(code(&scan(&[&server.url(), "--format", "markdown", "-o", &path])), 0);
    assert!(fs::read_to_string(&path).unwrap().starts_with("## "));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing is left beside it");
    let output = scan(&[&server.url(), "--output", &folder.file("no/such/folder.txt")]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("cannot write"));
}

#[test]
fn recordings_and_responses_are_graded_without_asking_anybody() {
    let folder = Folder::new();
    let entry = r#"{"request":{"method":"GET","url":"https://shop.example/","headers":[]},"response":{"status":200,"headers":[{"name":"Content-Type","value":"text/html"},{"name":"Set-Cookie","value":"sid=1"}],"content":{"text":"<p>hi"}}}"#;
    let har = format!(r#"{{"log":{{"version":"1.2","entries":[{entry},{}]}}}}"#, entry.replace("shop.", "blog."));
    let output = scan(&["--har", &folder.write("a.har", &har), "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(site(&output)["target"], "https://shop.example/");
    assert!(ids(&site(&output)).contains(&"cookies-session-without-secure-flag"));
    assert!(stdout(&output).contains("https://blog.example/"));
    assert_eq!(code(&scan_with_stdin(&["-"], har.as_bytes())), 0);

    let raw = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Powered-By: PHP/8.1\r\n\r\n<p>hi";
    let text = stdout(&scan_with_stdin(&["-"], raw));
    assert!(text.contains("the response") && !text.contains("seen at"), "{text}");
    let output = scan_with_stdin(&["-", "--format", "json"], raw);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(ids(&site(&output)).contains(&"information-software"));

    let output = scan(&["--har", &folder.write("bad.har", "{\"log\":\n{\"entries\":7}}")]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("bad.har`: not a HAR file: line 2, column"), "{}", stderr(&output));
    let output = scan_with_stdin(&["-"], b"<html>");
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("stdin: line 1: expected the head of a response"), "{}", stderr(&output));
}

#[test]
fn the_observatory_s_profile_and_a_preload_list() {
    let server = bare();
    let folder = Folder::new();
    let output = scan(&[&server.url(), "--profile", "mdn", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(site(&output)["profile"], "mdn");
    assert!(ids(&site(&output)).contains(&"csp-not-implemented"));
    let list = folder.write("list.json", r#"{"entries":[{"name":"shop.example","mode":"force-https","include_subdomains":true}]}"#);
    let entry = r#"{"log":{"entries":[{"request":{"method":"GET","url":"https://www.shop.example/"},"response":{"status":200,"headers":[{"name":"Content-Type","value":"text/html"}]}}]}}"#;
    let output = scan(&["--har", &folder.write("a.har", entry), "--preload-list", &list, "--format", "json"]);
    assert!(stdout(&output).contains("hsts-preloaded"), "{}", stdout(&output));
    assert_eq!(code(&scan(&[&server.url(), "--preload-list", &folder.write("bad.json", "{")])), 2);
}
