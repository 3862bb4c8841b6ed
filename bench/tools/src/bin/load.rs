//! HTTP/1.1 load from one thread.
//!
//! Closed loop (the default): every connection sends its next request when it has its response. Open loop (`--rate`):
//! requests start at fixed times and latency counts from the time a request was *due*, so a server that stalls is
//! charged for the requests that had to wait behind the stall. `--idle` sends one request on each connection, says so
//! on stdout and holds the connections open. Prints one JSON object.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use casque_bench::{Peer, drain, head_length};
use clap::{Parser, ValueEnum};
use mio::net::TcpStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};
use serde_json::json;

#[derive(Parser)]
struct Options {
    /// Address of the server.
    server: SocketAddr,
    #[arg(long, default_value = "/api/items")]
    path: String,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How long to run; with --requests the most it may take, with --idle how long to hold the connections.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Requests a second (open loop). Without it: as fast as the server answers (closed loop).
    #[arg(long)]
    rate: Option<f64>,
    /// Stop after this many requests.
    #[arg(long)]
    requests: Option<u64>,
    /// Request headers: those a browser sends (about 720 bytes), or Host alone.
    #[arg(long, default_value = "browser")]
    headers: Headers,
    /// One more request header, "Name: value".
    #[arg(long)]
    header: Vec<String>,
    /// One request on each connection, then hold them open.
    #[arg(long)]
    idle: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Headers {
    Browser,
    Min,
}

const BROWSER_HEADERS: &str = "\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r
Accept: application/json, text/plain, */*\r
Accept-Language: en-GB,en;q=0.9,de;q=0.8\r
Accept-Encoding: gzip, deflate, br, zstd\r
Referer: https://app.test/dashboard?tab=items\r
Cookie: theme=dark; sid=s%3AkQ8y1hM2r0.JYp8n2t8oQ3k7QpM1gZr; _ga=GA1.2.1234567890.1700000000; lang=en\r
Sec-Fetch-Site: same-origin\r
Sec-Fetch-Mode: cors\r
Sec-Fetch-Dest: empty\r
sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r
sec-ch-ua-mobile: ?0\r
sec-ch-ua-platform: \"Linux\"\r
";

/// Connections opened at once in --idle mode: enough to be quick, few enough not to be a burst the server drops.
const IDLE_OPENING_AT_ONCE: usize = 64;
const TIMER: Token = Token(usize::MAX);
/// How often the clock is looked at when nothing happens.
const TICK: Duration = Duration::from_millis(50);

fn request_bytes(options: &Options) -> Vec<u8> {
    let mut request = format!("GET {} HTTP/1.1\r\nHost: app.test\r\n", options.path);
    if matches!(options.headers, Headers::Browser) {
        request.push_str(BROWSER_HEADERS);
    }
    for header in &options.header {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.into_bytes()
}

#[derive(Clone, Copy, Default)]
struct Answer {
    is_success: bool,
    body_length: usize,
}

/// Status and framing of a response head; None when it is not one this tool can follow (it wants a Content-Length).
fn parse_head(head: &[u8]) -> Option<Answer> {
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let status = lines.next()?.strip_prefix(b"HTTP/1.1 ")?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(b"content-length:".len())?;
        name.eq_ignore_ascii_case(b"content-length:").then_some(value)
    })?;
    let body_length = std::str::from_utf8(length.trim_ascii()).ok()?.parse().ok()?;
    Some(Answer { is_success: status.first() == Some(&b'2'), body_length })
}

struct Connection {
    socket: TcpStream,
    /// When the request under way was due, in nanoseconds since the start of the run.
    waiting_since: Option<u64>,
    head: Vec<u8>,
    answer: Option<Answer>,
    received: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Progress {
    Waiting,
    Complete { is_success: bool },
    Broken,
}

impl Connection {
    fn open(server: SocketAddr, registry: &Registry, slot: usize) -> io::Result<Self> {
        let socket = std::net::TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        registry.register(&mut socket, Token(slot), Interest::READABLE)?;
        Ok(Self { socket, waiting_since: None, head: Vec::new(), answer: None, received: 0 })
    }

    /// A request is far smaller than a socket's buffer, so a write that does not take all of it is an error.
    fn send(&mut self, request: &[u8], due: u64) -> bool {
        self.waiting_since = Some(due);
        matches!(self.socket.write(request), Ok(written) if written == request.len())
    }

    fn receive(&mut self, scratch: &mut [u8], half_closed: bool) -> (Progress, Peer) {
        let Self { socket, head, answer, received, .. } = self;
        let mut progress = Progress::Waiting;
        let outcome = drain(socket, scratch, half_closed, |data| {
            if progress == Progress::Waiting {
                progress = take(data, head, answer, received);
            }
        });
        (progress, outcome.unwrap_or(Peer::Closed))
    }
}

/// Takes the next bytes of a response. Heads nearly always come in one piece and are then read where they lie.
fn take(data: &[u8], head: &mut Vec<u8>, answer: &mut Option<Answer>, received: &mut usize) -> Progress {
    let framing = match *answer {
        Some(framing) => {
            *received += data.len();
            framing
        }
        None => {
            let joined;
            let start = if head.is_empty() {
                data
            } else {
                head.extend_from_slice(data);
                joined = std::mem::take(head);
                &joined
            };
            let Some(length) = head_length(start) else {
                *head = start.to_vec();
                return Progress::Waiting;
            };
            let Some(framing) = parse_head(&start[..length]) else {
                return Progress::Broken;
            };
            *received = start.len() - length;
            *answer.insert(framing)
        }
    };
    if *received < framing.body_length {
        return Progress::Waiting;
    }
    *answer = None;
    Progress::Complete { is_success: framing.is_success }
}

#[derive(Default)]
struct Tally {
    latencies_us: Vec<u32>,
    issued: u64,
    in_flight: usize,
    not_2xx: u64,
    errors: u64,
    /// Requests that were sent more than a millisecond after they were due.
    late: u64,
    closed: u64,
}

struct Run<'a> {
    options: &'a Options,
    request: Vec<u8>,
    poll: Poll,
    timer: OwnedFd,
    began: Instant,
    connections: Vec<Option<Connection>>,
    free: VecDeque<usize>,
    tally: Tally,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options) -> io::Result<Self> {
        let poll = Poll::new()?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        let connections = (0..options.connections)
            .map(|slot| Connection::open(options.server, poll.registry(), slot).map(Some))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            options,
            request: request_bytes(options),
            poll,
            timer,
            began: now(),
            connections,
            free: (0..options.connections).collect(),
            tally: Tally::default(),
        })
    }

    fn elapsed_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn request_limit(&self) -> u64 {
        match (self.options.idle, self.options.requests) {
            (true, _) => self.options.connections as u64,
            (false, limit) => limit.unwrap_or(u64::MAX),
        }
    }

    fn is_complete(&self) -> bool {
        let all_answered = self.tally.issued >= self.request_limit() && self.tally.in_flight == 0;
        all_answered || self.connections.iter().all(Option::is_none)
    }

    /// When the next request is due: in a closed loop, at once.
    fn next_due(&self) -> u64 {
        self.options.rate.map_or(0, |rate| (self.tally.issued as f64 * 1e9 / rate) as u64)
    }

    fn issue_due(&mut self) {
        let most_in_flight = if self.options.idle { IDLE_OPENING_AT_ONCE } else { usize::MAX };
        while self.tally.issued < self.request_limit() && self.tally.in_flight < most_in_flight {
            let (due, now) = (self.next_due(), self.elapsed_ns());
            if due > now {
                break;
            }
            let Some(slot) = self.free.pop_front() else {
                break;
            };
            let Some(connection) = &mut self.connections[slot] else {
                continue;
            };
            self.tally.issued += 1;
            self.tally.in_flight += 1;
            let start = if self.options.rate.is_some() { due } else { now };
            self.tally.late += u64::from(now - start > 1_000_000);
            if !connection.send(&self.request, start) {
                return self.fail(slot);
            }
        }
    }

    /// mio waits in whole milliseconds, which is several requests at the rates of interest; a timer is exact.
    fn arm_timer(&self) -> io::Result<()> {
        let wait = if self.options.rate.is_some() && !self.free.is_empty() {
            self.next_due().saturating_sub(self.elapsed_ns()).max(1)
        } else {
            return Ok(());
        };
        let value = Timespec { tv_sec: (wait / 1_000_000_000) as i64, tv_nsec: (wait % 1_000_000_000) as i64 };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, scratch: &mut [u8]) -> io::Result<()> {
        match self.poll.poll(events, Some(TICK)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &*events {
            if event.token() != TIMER {
                self.on_readable(event.token().0, scratch, event.is_read_closed());
            }
        }
        Ok(())
    }

    fn on_readable(&mut self, slot: usize, scratch: &mut [u8], half_closed: bool) {
        let Some(connection) = &mut self.connections[slot] else {
            return;
        };
        let (progress, peer) = connection.receive(scratch, half_closed);
        match progress {
            Progress::Complete { is_success } => self.complete(slot, is_success),
            Progress::Broken => return self.fail(slot),
            Progress::Waiting => {}
        }
        if peer == Peer::Closed {
            self.on_closed(slot);
        }
    }

    fn complete(&mut self, slot: usize, is_success: bool) {
        let now = self.elapsed_ns();
        let Some(due) = self.connections[slot].as_mut().and_then(|connection| connection.waiting_since.take()) else {
            // A response nobody asked for: the connection cannot be trusted any more.
            return self.fail(slot);
        };
        let micros = now.saturating_sub(due) / 1000;
        self.tally.latencies_us.push(u32::try_from(micros).unwrap_or(u32::MAX));
        self.tally.not_2xx += u64::from(!is_success);
        self.tally.in_flight -= 1;
        if !self.options.idle {
            self.free.push_back(slot);
        }
    }

    fn on_closed(&mut self, slot: usize) {
        let is_busy = self.connections[slot].as_ref().is_some_and(|connection| connection.waiting_since.is_some());
        if is_busy {
            return self.fail(slot);
        }
        self.tally.closed += 1;
        self.reopen(slot);
    }

    /// Gives up the request under way on this connection, if any, and the connection with it.
    fn fail(&mut self, slot: usize) {
        self.tally.errors += 1;
        let was_in_flight = self.connections[slot].as_mut().is_some_and(|connection| connection.waiting_since.take().is_some());
        self.reopen(slot);
        if was_in_flight {
            self.tally.in_flight -= 1;
            if !self.options.idle {
                self.free.push_back(slot);
            }
        }
    }

    /// A connection that cannot be opened again stays out.
    fn reopen(&mut self, slot: usize) {
        self.connections[slot] = None;
        if !self.options.idle {
            self.connections[slot] = Connection::open(self.options.server, self.poll.registry(), slot).ok();
        }
    }

    fn summary(&mut self, seconds: f64) -> serde_json::Value {
        self.tally.latencies_us.sort_unstable();
        let latencies = &self.tally.latencies_us;
        let done = latencies.len();
        json!({
            "done": done,
            "secs": seconds,
            "rps": done as f64 / seconds,
            "p50": percentile(latencies, 0.5),
            "p99": percentile(latencies, 0.99),
            "p999": percentile(latencies, 0.999),
            "max": latencies.last(),
            "non2xx": self.tally.not_2xx,
            "errs": self.tally.errors,
            "late": self.tally.late,
            "closed": self.tally.closed,
        })
    }
}

fn percentile(sorted: &[u32], quantile: f64) -> Option<u32> {
    let rank = (sorted.len() as f64 * quantile).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[expect(clippy::disallowed_methods, reason = "this tool measures real time")]
fn now() -> Instant {
    Instant::now()
}

fn say(line: &serde_json::Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut run = Run::new(&options)?;
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 256 * 1024];
    let limit = Duration::from_secs_f64(options.seconds);

    while !run.is_complete() && run.began.elapsed() < limit {
        run.issue_due();
        run.arm_timer()?;
        run.wait(&mut events, &mut scratch)?;
    }
    let seconds = run.began.elapsed().as_secs_f64();
    if options.idle {
        say(&json!({ "idle": run.tally.latencies_us.len() }))?;
        let held_since = now();
        while held_since.elapsed() < limit {
            run.wait(&mut events, &mut scratch)?;
        }
    }
    say(&run.summary(seconds))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nDate: now\r\ncontent-length: 4\r\n\r\nbody";

    fn take_all(pieces: &[&[u8]]) -> Vec<Progress> {
        let (mut head, mut answer, mut received) = (Vec::new(), None, 0);
        pieces.iter().map(|piece| take(piece, &mut head, &mut answer, &mut received)).collect()
    }

    #[test]
    fn a_response_may_be_cut_anywhere() {
        for cut in 1..RESPONSE.len() {
            let (first, second) = RESPONSE.split_at(cut);
            let complete = Progress::Complete { is_success: true };
            assert!(take_all(&[first, second]) == [Progress::Waiting, complete]);
        }
    }

    #[test]
    fn what_cannot_be_followed_is_broken() {
        assert!(take_all(&[b"HTTP/1.1 200 OK\r\n\r\n"]) == [Progress::Broken]);
        assert!(take_all(&[b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]) == [Progress::Broken]);
        assert!(take_all(&[b"nonsense\r\n\r\n"]) == [Progress::Broken]);
    }

    #[test]
    fn other_statuses_are_no_success() {
        let refused = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";
        assert!(take_all(&[refused]) == [Progress::Complete { is_success: false }]);
    }

    #[test]
    fn percentiles_are_of_the_sorted_values() {
        let sorted: Vec<u32> = (1..=1000).collect();
        assert_eq!(percentile(&sorted, 0.5), Some(500));
        assert_eq!(percentile(&sorted, 0.99), Some(990));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
