//! A gateway in this process, an app made of bytes, and a client that sees bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use casque::config::Document;
use casque_gateway::config::Upstream;
use casque_gateway::policy::Overrides;
use casque_gateway::{Config, Gateway, Handle, Policy};

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A running gateway; stopped and joined when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

/// A policy from text, which must be free of errors.
pub(crate) fn policy(text: &str, upstream: &str) -> Policy {
    let document = Document::parse(text);
    let config = Config::read(&document);
    let over = Overrides {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        upstream: Some(Upstream::parse(upstream).unwrap()),
        ..Overrides::default()
    };
    let policy = Policy::compile(&config, &over, &document).unwrap();
    let errors: Vec<_> = document.problems().into_iter().filter(|p| p.severity == casque::config::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    policy
}

/// A gateway with this policy in front of this app. One worker, so that the pool of connections is one.
pub(crate) fn gateway(text: &str, upstream: &str) -> Running {
    let text = format!("[server]\nthreads = 1\n{text}");
    run(policy(&text, upstream))
}

/// A gateway with this policy.
pub(crate) fn run(policy: Policy) -> Running {
    let gateway = Gateway::bind(policy).unwrap();
    gateway.listen().unwrap();
    let (address, handle) = (gateway.address(), gateway.handle());
    let thread = std::thread::spawn(move || gateway.run(std::io::sink()));
    Running { address, handle, thread: Some(thread) }
}

impl Running {
    /// Stops it and waits until it has ended.
    pub(crate) fn finish(mut self) {
        self.handle.stop();
        self.thread.take().unwrap().join().unwrap().unwrap();
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends bytes and gives all that comes back until the other side hangs up.
    pub(crate) fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        read_all(&mut stream)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
    }
}

/// Everything until the end, or what there was when the connection broke.
pub(crate) fn read_all(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buf = [0; 65536];
    loop {
        match stream.read(&mut buf) {
            Ok(0) => break,
            Ok(n) => all.extend_from_slice(&buf[..n]),
            Err(e) => {
                all.extend_from_slice(format!("<{}>", e.kind()).as_bytes());
                break;
            }
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until what was read contains `end`.
pub(crate) fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = String::new();
    let mut buf = [0; 4096];
    while !all.contains(end) {
        let n = stream.read(&mut buf).unwrap_or(0);
        assert!(n > 0, "it ended before {end:?}: {all:?}");
        all.push_str(&String::from_utf8_lossy(&buf[..n]));
    }
    all
}

/// An app: `serve` gets every connection, with its number, in a thread of its own.
pub(crate) fn app(serve: impl Fn(usize, TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let serve = serve.clone();
            std::thread::spawn(move || serve(n, stream));
        }
    });
    url
}

/// An app that answers every request with the request's head as its body, on kept connections.
pub(crate) fn echo() -> String {
    app(|_, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{head}", head.len());
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    })
}

/// One request head, byte by byte, so that nothing after it is taken.
pub(crate) fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
