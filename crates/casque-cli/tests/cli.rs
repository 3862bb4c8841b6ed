//! The command as people meet it: what was typed above, what is printed below.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "real processes and sockets are bounded by real time")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of one's own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let path = std::env::temp_dir().join(format!("casque-cli-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        fs::write(self.0.join(name), text).unwrap();
        self
    }

    fn run(&self, args: &[&str]) -> Output {
        command(&self.0, args).output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casque"));
    command.args(args).current_dir(folder).stdin(Stdio::null()).env("NO_COLOR", "1");
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A running casque; ended when dropped.
struct Running(Child);

impl Running {
    /// Starts it and waits until it has said that it guards, giving the address.
    fn start(folder: &Folder, args: &[&str]) -> (Self, String) {
        let mut child = command(&folder.0, args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended: {said}")).unwrap();
            if let Some((_, address)) = line.split_once("site  http://") {
                break address.to_owned();
            }
            said.push_str(&line);
            said.push('\n');
        };
        // What else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        (Self(child), address)
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn wait(&mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
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

fn get(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn check_draws_every_mistake_under_its_place() {
    let folder = Folder::new();
    folder.write("casque.toml", "[server]\nheader-timout = \"10s\"\nlisten = \"everywhere\"\n\n[headers]\npreset = \"balancd\"\n\n[[limit]]\nname = \"login\"\nrate = \"20\"\n");
    let output = folder.run(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        r#"error: unknown key `header-timout` in [server]
 --> casque.toml:2:1
  |
2 | header-timout = "10s"
  | ^^^^^^^^^^^^^ did you mean `header-timeout`?
error: `listen` cannot be "everywhere"
 --> casque.toml:3:10
  |
3 | listen = "everywhere"
  |          ^^^^^^^^^^^^ expected an address and a port, such as "127.0.0.1:8080" or "0.0.0.0:8080"
error: `preset` cannot be "balancd"
 --> casque.toml:6:10
  |
6 | preset = "balancd"
  |          ^^^^^^^^^ did you mean "balanced"?
error: `rate` cannot be "20"
  --> casque.toml:10:8
   |
10 | rate = "20"
   |        ^^^^ write so many per time: "100/1s", "20/1m" or "1000/1h"; by the calendar: "1000/day"
casque.toml: 4 errors"#
    );
}

#[test]
fn check_warns_of_what_works_and_protects_less() {
    let folder = Folder::new();
    folder.write("casque.toml", "limit = []\n[upstream]\nurl = \"http://127.0.0.1:3000\"\n[client-ip]\ntrusted-proxies = [\"0.0.0.0/0\"]\n[server]\nheader-timeout = \"0s\"\n");
    let output = folder.run(&["check"]);
    assert_eq!(output.status.code(), Some(0));
    let said = stderr(&output);
    for wanted in
        ["there are no limits", "`0.0.0.0/0` trusts every client", "`header-timeout` is off", "casque.toml is valid, with 3 warnings"]
    {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
}

#[test]
fn check_finds_the_loop_and_the_broken_file() {
    let folder = Folder::new();
    folder.write("loop.toml", "[server]\nlisten = \"127.0.0.1:3000\"\n[upstream]\nurl = \"http://127.0.0.1:3000\"\n");
    let output = folder.run(&["check", "loop.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is the address that casque listens on"), "{}", stderr(&output));

    folder.write("broken.toml", "[server\nlisten = \"127.0.0.1:1\"\n");
    let output = folder.run(&["check", "broken.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("broken.toml:1:"), "{}", stderr(&output));

    fs::write(folder.0.join("latin1.toml"), b"# caf\xe9\n").unwrap();
    assert!(stderr(&folder.run(&["check", "latin1.toml"])).contains("is not UTF-8 text: byte 6 is not"));

    let output = folder.run(&["check", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: cannot read `nowhere.toml`"));
}

#[test]
fn init_writes_a_file_that_check_accepts_and_never_over_another() {
    let folder = Folder::new();
    folder
        .write("package.json", "{\"dependencies\":{\"express\":\"^5.3.0\",\"helmet\":\"^8\"},\"main\":\"server.js\"}")
        .write("package-lock.json", "{}");
    let output = folder.run(&["init"]);
    assert_eq!(output.status.code(), Some(0));
    let said = stderr(&output);
    for wanted in
        ["found Express ^5.3.0 in `package.json`", "found helmet ^8", "found `package-lock.json` (npm)", "casque guard -- node server.js"]
    {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    assert_eq!(folder.run(&["check"]).status.code(), Some(0));

    folder.write("casque.toml", "# mine\n");
    let output = folder.run(&["init"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is there already and was left as it is"));
    assert_eq!(fs::read_to_string(folder.0.join("casque.toml")).unwrap(), "# mine\n");
}

#[test]
fn what_cannot_be_started_says_why_and_what_to_do() {
    let folder = Folder::new();
    let error = |args: &[&str]| {
        let output = folder.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        stderr(&output)
    };
    assert!(error(&["guard"]).contains("which app? Use `casque guard -- COMMAND`"));
    assert!(error(&["guard", "--upstream", "127.0.0.1:3000"]).contains("expected \"http://host:port\" or \"unix:/path/to/socket\""));
    assert!(error(&["guard", "--upstrem", "http://a:1"]).contains("--upstream"));
    assert!(error(&["guard", "--upstream", "http://a:1", "--listen", "here"]).contains("expected an address and a port"));
    assert!(error(&["guard", "--upstream", "http://a:1", "--config", "none.toml"]).contains("cannot read `none.toml`"));
    assert!(error(&["guard", "--upstream", "http://a:1", "--", "true"]).contains("cannot be used with"));
    assert!(error(&["guard", "--listen", "127.0.0.1:0", "--", "no-such-program"]).contains("there is no command `no-such-program`"));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = error(&["guard", "--upstream", "http://127.0.0.1:1", "--listen", &address]);
    assert!(said.contains("another program does already; choose another address with --listen"), "{said}");

    folder.write("casque.toml", "[server]\nnonsense = 1\n");
    assert!(error(&["guard", "--upstream", "http://127.0.0.1:1"]).contains("1 error in casque.toml; nothing was started"));
}

#[test]
fn an_app_that_ends_ends_casque_with_its_own_code() {
    let folder = Folder::new();
    let output = folder.run(&["guard", "--listen", "127.0.0.1:0", "--", "sh", "-c", "exit 3"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("the app ended with code 3 before it accepted connections"));
    let output = folder.run(&["guard", "--listen", "127.0.0.1:0", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!(output.status.code(), Some(137));
}

#[test]
fn a_reload_takes_a_good_file_and_survives_a_bad_or_missing_one() {
    let folder = Folder::new();
    folder.write("casque.toml", "[upstream]\nurl = \"http://127.0.0.1:1\"\n");
    let (mut casque, address) = Running::start(&folder, &["guard", "--listen", "127.0.0.1:0"]);
    assert!(get(&address).contains("x-frame-options: SAMEORIGIN"));
    let becomes = |wanted: &str| {
        let start = Instant::now();
        while !get(&address).contains(wanted) {
            assert!(start.elapsed() < PATIENCE, "never saw {wanted}");
        }
    };
    folder.write("casque.toml", "[upstream]\nurl = \"http://127.0.0.1:1\"\n[headers]\npreset = \"strict\"\n");
    casque.signal("HUP");
    becomes("x-frame-options: DENY");
    folder.write("casque.toml", "[headers]\npreset = \"nonsense\"\n");
    casque.signal("HUP");
    becomes("x-frame-options: DENY");
    fs::remove_file(folder.0.join("casque.toml")).unwrap();
    casque.signal("HUP");
    becomes("x-frame-options: DENY");
    folder.write("casque.toml", "[upstream]\nurl = \"http://127.0.0.1:1\"\n[headers]\npreset = \"helmet\"\n");
    casque.signal("HUP");
    becomes("x-frame-options: SAMEORIGIN");
    casque.signal("TERM");
    assert_eq!(casque.wait(), 0);
}

#[test]
fn a_reload_finds_a_file_that_was_written_after_the_start() {
    let folder = Folder::new();
    let (mut casque, address) = Running::start(&folder, &["guard", "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1"]);
    assert!(get(&address).contains("x-frame-options: SAMEORIGIN"));
    casque.signal("HUP");
    folder.write("casque.toml", "[headers]\npreset = \"strict\"\n");
    casque.signal("HUP");
    let start = Instant::now();
    while !get(&address).contains("x-frame-options: DENY") {
        assert!(start.elapsed() < PATIENCE, "the new file was not read");
    }
    casque.signal("TERM");
    assert_eq!(casque.wait(), 0);
}

/// Ten thousand connections that do nothing, and the next client is served at once.
#[test]
fn ten_thousand_idle_connections() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    let wanted = allowed.saturating_sub(200).min(10_000);
    if wanted < 10_000 {
        let _ =
            writeln!(std::io::stdout(), "left out: {} of 10,000 idle connections, for {allowed} open files are allowed", 10_000 - wanted);
    }
    let folder = Folder::new();
    folder.write("casque.toml", "[server]\nmax-connections-per-client = 20000\n[upstream]\nurl = \"http://127.0.0.1:1\"\n");
    let (_casque, address) = Running::start(&folder, &["guard", "--listen", "127.0.0.1:0"]);
    let idle: Vec<TcpStream> = (0..wanted).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let start = Instant::now();
    assert!(get(&address).starts_with("HTTP/1.1 502 "));
    assert!(start.elapsed() < PATIENCE);
    drop(idle);
}

#[test]
fn the_demo_shows_what_changes() {
    let folder = Folder::new();
    let output = folder.run(&["demo", "--once"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout).unwrap();
    let row = |name: &str| {
        table
            .lines()
            .find(|l| l.trim_start().starts_with(name))
            .unwrap_or_else(|| panic!("no {name} in {table}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(row("x-powered-by"), "x-powered-by Express -");
    assert_eq!(row("x-frame-options"), "x-frame-options - SAMEORIGIN");
    assert_eq!(row("session"), "session no flags HttpOnly, SameSite=Lax");
    let guarded = |name| row(name).rsplit(' ').next().unwrap().replace(',', "").parse::<usize>().unwrap();
    assert!(row("tried by the app").starts_with("tried by the app 1,000 "));
    // Five at one account, and one more for every twelve minutes; fewer where those that come at once find no slot, or use up the
    // address's budget with knocking.
    let tried = guarded("tried by the app");
    assert!((1..=6).contains(&tried), "{tried} passwords were tried");
    assert_eq!(guarded("refused"), 1000 - tried);
    assert!(!table.contains('\u{1b}'), "no colours for a file");
}
