//! An access log against a policy: who would have been refused.
//!
//! Lines come in as bytes ([`Line::parse`]), are put in the order of their time (`order.rs`), asked of the policy's own limits with
//! the log's own time ([`casque::limit::replay`]), and counted (`tally.rs`).
//!
//! **Attacks and answers.** A log is written by strangers: paths, methods and names in it are theirs. *A line without an end*: a
//! line has at most [`LONGEST_LINE`] bytes. *Millions of clients*: so many are told apart, the others counted together. *Lines far
//! out of order*: so many are put in order; a later one is taken to have come with those before it, and that is said. *A name that
//! looks like the end of its field*: the time and the request are found by their quotes, which servers escape. *Control bytes*:
//! nothing of a line is printed but the first that cannot be read, cleaned and cut.

mod line;
mod order;
mod report;
mod tally;

use std::io::{self, BufRead, Read};
use std::time::Duration;

use casque::client_ip::ClientIp;
use casque::limit::replay::{Logged, Replay as Limiter};

pub use self::line::{Line, Request};
use self::order::Order;
pub use self::report::{Compared, Read as Reading, Report};
pub use self::tally::{Clients, LimitTally, Tally, Who};
use crate::names;
use crate::policy::Policy;

/// Of a longer line nothing is read.
pub const LONGEST_LINE: usize = 64 * 1024;
/// Characters of a line that cannot be read which are shown.
const SHOWN: usize = 80;

/// A log being replayed against one policy, or two that are compared.
#[derive(Debug)]
pub struct Replay<'p> {
    policy: Run<'p>,
    against: Option<Run<'p>>,
    order: Order,
    read: Reading,
    compared: Compared,
    from: Option<Duration>,
    to: Duration,
}

/// A policy, what its limits remember, and what they said.
#[derive(Debug)]
struct Run<'p> {
    policy: &'p Policy,
    limiter: Limiter,
    tally: Tally,
}

impl<'p> Run<'p> {
    fn new(policy: &'p Policy) -> Self {
        Self { policy, limiter: Limiter::default(), tally: Tally::new(policy) }
    }

    /// Whether the policy would have refused a request.
    fn ask(&mut self, request: &Request, client: ClientIp) -> bool {
        let Some(limits) = self.policy.limits_without_host(&request.path).filter(|_| !request.ended_before) else {
            self.tally.before += 1;
            return false;
        };
        let logged = Logged { client, method: &request.method, path: &request.path };
        // The store is in memory and has no trouble.
        let Ok(replayed) = self.limiter.ask(limits, logged, request.at) else { return false };
        self.tally.count(&replayed, client, request.at);
        replayed.refused.is_some()
    }
}

impl<'p> Replay<'p> {
    /// Against this policy, compared with the other if there is one.
    #[must_use]
    pub fn new(policy: &'p Policy, against: Option<&'p Policy>) -> Self {
        Self {
            policy: Run::new(policy),
            against: against.map(Run::new),
            order: Order::default(),
            read: Reading::default(),
            compared: Compared::default(),
            from: None,
            to: Duration::ZERO,
        }
    }

    /// Reads a log to its end; several are read one after the other.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&mut self, mut log: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let taken = (&mut log).take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut line)?;
            if taken == 0 {
                return Ok(());
            }
            if line.last() != Some(&b'\n') && line.len() > LONGEST_LINE {
                skip_line(&mut log)?;
                self.unreadable("longer than 64 KiB", &line);
            } else {
                self.line(&line);
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        match Line::parse(line) {
            Line::Request(request) => {
                self.read.lines += 1;
                self.read.whole_seconds |= request.whole_seconds;
                self.order.push(request);
                while let Some(request) = self.order.next_if_full() {
                    self.ask(&request);
                }
            }
            Line::Empty => {}
            Line::NoRequest => {
                self.read.lines += 1;
                self.read.no_request += 1;
            }
            Line::NoAddress => {
                self.read.lines += 1;
                self.read.no_address += 1;
            }
            Line::Lost(lines) => {
                self.read.lines += 1;
                self.read.lost = self.read.lost.saturating_add(lines);
            }
            Line::Unreadable(why) => self.unreadable(why, line),
        }
    }

    fn unreadable(&mut self, why: &str, line: &[u8]) {
        self.read.lines += 1;
        self.read.unreadable += 1;
        let number = self.read.lines;
        self.read.first_unreadable.get_or_insert_with(|| {
            let head = String::from_utf8_lossy(line.get(..4 * SHOWN).unwrap_or(line)).chars().take(SHOWN).collect::<String>();
            (number, format!("{why}: {}", clean(&head)))
        });
    }

    fn ask(&mut self, request: &Request) {
        let client = names::of(request.client);
        self.read.requests += 1;
        self.read.from_proxies += u64::from(self.policy.policy.trusts(request.client));
        self.from.get_or_insert(request.at);
        self.to = self.to.max(request.at);
        let refused = self.policy.ask(request, client);
        if let Some(against) = &mut self.against {
            let was_refused = against.ask(request, client);
            self.compared.count(refused, was_refused, client, request.at);
        }
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> Report {
        while let Some(request) = self.order.next() {
            self.ask(&request);
        }
        self.read.late = self.order.late();
        let not_known = report::not_known(self.policy.policy, &self.read);
        let compared = self.against.is_some().then_some(self.compared);
        Report {
            read: self.read,
            time: self.from.map(|from| (from, self.to)),
            policy: self.policy.tally,
            against: self.against.map(|run| run.tally),
            compared,
            not_known,
        }
    }
}

fn skip_line(log: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = log.fill_buf()?;
        let (taken, done) = match buffer.iter().position(|b| *b == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        log.consume(taken);
        if done {
            return Ok(());
        }
    }
}

/// What a terminal may act on, and what turns text round, becomes a question mark.
fn clean(text: &str) -> String {
    let harmful =
        |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    text.chars().map(|c| if harmful(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
