//! A Redis of a test's own: started on a free port of the loopback, ended with the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running server; killed when dropped.
pub(crate) struct RedisServer {
    child: Option<Child>,
    pub(crate) port: u16,
    /// A file of settings, for those who need one, and arguments.
    settings: Option<String>,
    arguments: Vec<String>,
    /// Where a node of a cluster writes what it knows of the others.
    folder: std::path::PathBuf,
}

/// The program: what `CASQUE_REDIS_SERVER` names, or `redis-server`. `None`, and the reason on standard output, if it is not there.
pub(crate) fn program() -> Option<String> {
    let name = std::env::var_os("CASQUE_REDIS_SERVER").map_or_else(|| "redis-server".to_owned(), |n| n.to_string_lossy().into_owned());
    let there = Command::new(&name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    if !there {
        let _ = writeln!(std::io::stdout(), "left out: `{name}` is not there; install redis-server or name one in CASQUE_REDIS_SERVER");
    }
    there.then_some(name)
}

/// A port that is free now, and low enough that a cluster's second port, 10,000 higher, is one too.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = if port > 55_000 { port - 20_000 } else { port };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

impl RedisServer {
    /// A server that keeps nothing on the disk; `None` if there is no program to start.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        Self::start_with(None, arguments)
    }

    /// A sentinel that watches a master on this port.
    pub(crate) fn sentinel(name: &str, port: u16) -> Option<Self> {
        Self::sentinel_with(name, port, &[])
    }

    /// The same with arguments of its own.
    pub(crate) fn sentinel_with(name: &str, port: u16, arguments: &[String]) -> Option<Self> {
        let mut all = vec!["--sentinel"];
        all.extend(arguments.iter().map(String::as_str));
        Self::start_with(Some(format!("sentinel monitor {name} 127.0.0.1 {port} 1\n")), &all)
    }

    fn start_with(settings: Option<String>, arguments: &[&str]) -> Option<Self> {
        program()?;
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("casque-redis-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut server = Self { child: None, port, settings, arguments: arguments.iter().map(|a| (*a).to_owned()).collect(), folder };
        server.start_again();
        Some(server)
    }

    /// Starts it, or starts it anew, on the same port and with nothing in it.
    pub(crate) fn start_again(&mut self) {
        self.kill();
        let port = self.port.to_string();
        let mut command = Command::new(program().unwrap());
        if let Some(settings) = &self.settings {
            let file = self.folder.join("settings");
            std::fs::write(&file, settings).unwrap();
            command.arg(file);
        }
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        command.arg("--dir").arg(&self.folder).args(&self.arguments);
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        for _ in 0..500 {
            // `+PONG`, or `-NOAUTH`.
            if self.first_of_answer("PING").is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server on port {port} did not answer");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends its process a signal by name, such as `STOP` and `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// The answer to one command as it is on the wire.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        self.try_ask(command).unwrap()
    }

    /// Sends one command and waits for the first byte of its answer only.
    pub(crate) fn tell(&self, command: &str) {
        self.first_of_answer(command).unwrap();
    }

    fn first_of_answer(&self, command: &str) -> Option<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        Some(byte[0])
    }

    fn try_ask(&self, command: &[&str]) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut text = format!("*{}\r\n", command.len());
        for word in command {
            text += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(text.as_bytes()).ok()?;
        // So that the end of the answer is the end of the stream.
        stream.write_all(b"*1\r\n$4\r\nQUIT\r\n").ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
