//! The app behind every proxy: one thread, HTTP/1.1 keep-alive, answers prepared before the first request, so that
//! it costs as little as an upstream can and the proxy's core is what a run measures.
//!
//! `GET /cookie` adds one Set-Cookie, `GET /big` sends 64 KiB, `GET /echo` sends back the request head it saw,
//! anything else gets 1 KiB of JSON. Requests must have no body.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use casque_bench::{Peer, drain, head_length, json_body};
use clap::Parser;
use httpdate::fmt_http_date;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

#[derive(Parser)]
struct Options {
    /// Address to listen on.
    listen: SocketAddr,
}

/// The cookie that the cookie policy is measured on. It carries none of the attributes that policy adds.
const COOKIE: &str = "sid=s%3AkQ8y1hM2r0.JYp8n2t8oQ3k7QpM1gZr";
/// Short enough for any policy to leave it as it is.
const COOKIE_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

const LISTENER: Token = Token(usize::MAX);

struct Answers {
    plain: Vec<u8>,
    cookie: Vec<u8>,
    big: Vec<u8>,
    date: String,
}

impl Answers {
    fn new(started: SystemTime) -> Self {
        let small = json_body(1024);
        let date = fmt_http_date(started);
        let expires = fmt_http_date(started + COOKIE_LIFETIME);
        let cookie = format!("Set-Cookie: {COOKIE}; Path=/; Expires={expires}\r\n");
        Self {
            plain: answer(&small, &date, ""),
            cookie: answer(&small, &date, &cookie),
            big: answer(&json_body(64 * 1024), &date, ""),
            date,
        }
    }

    fn write_for(&self, head: &[u8], out: &mut Vec<u8>) {
        let target = head.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        match target {
            b"/cookie" => out.extend_from_slice(&self.cookie),
            b"/big" => out.extend_from_slice(&self.big),
            b"/echo" => out.extend_from_slice(&answer(head, &self.date, "")),
            _ => out.extend_from_slice(&self.plain),
        }
    }
}

/// A response as an Express app sends it: these headers are what the proxies have to read, drop and relay.
fn answer(body: &[u8], date: &str, extra: &str) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: application/json; charset=utf-8\r\n\
         Content-Length: {length}\r\nETag: W/\"400-hKxX3lWQ8m2l9TnyJ3Qm1H9z0oE\"\r\n{extra}\
         Date: {date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=65\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

struct Connection {
    socket: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Connection {
    fn serve(&mut self, answers: &Answers, scratch: &mut [u8], half_closed: bool) -> io::Result<Peer> {
        let input = &mut self.input;
        let peer = drain(&mut self.socket, scratch, half_closed, |data| input.extend_from_slice(data))?;
        let mut used = 0;
        while let Some(length) = head_length(&self.input[used..]) {
            answers.write_for(&self.input[used..used + length], &mut self.output);
            used += length;
        }
        self.input.drain(..used);
        self.flush()?;
        Ok(peer)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.output.len() {
            match self.socket.write(&self.output[sent..]) {
                Ok(written) => sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.drain(..sent);
        Ok(())
    }
}

#[derive(Default)]
struct Connections {
    slots: Vec<Option<Connection>>,
    free: VecDeque<usize>,
}

impl Connections {
    fn accept_all(&mut self, listener: &TcpListener, registry: &Registry) -> io::Result<()> {
        loop {
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            socket.set_nodelay(true)?;
            let slot = self.free.pop_front().unwrap_or_else(|| {
                self.slots.push(None);
                self.slots.len() - 1
            });
            registry.register(&mut socket, Token(slot), Interest::READABLE | Interest::WRITABLE)?;
            self.slots[slot] = Some(Connection { socket, input: Vec::new(), output: Vec::new() });
        }
    }

    fn serve(&mut self, slot: usize, answers: &Answers, scratch: &mut [u8], half_closed: bool) {
        let Some(connection) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        if !matches!(connection.serve(answers, scratch, half_closed), Ok(Peer::Open)) {
            self.slots[slot] = None;
            self.free.push_back(slot);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the dates it sends are to be real ones")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let answers = Answers::new(now());
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(options.listen)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections = Connections::default();
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 64 * 1024];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match event.token() {
                LISTENER => connections.accept_all(&listener, poll.registry())?,
                Token(slot) => connections.serve(slot, &answers, &mut scratch, event.is_read_closed()),
            }
        }
    }
}
