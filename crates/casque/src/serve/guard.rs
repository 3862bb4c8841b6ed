//! The guard on the wire: the bytes of one connection, checked and timed, on their way to the HTTP library.
//!
//! The library above sees whole request heads and well-formed bodies, or nothing. What is refused reaches it as a request that
//! no client can send ([`REFUSED_METHOD`]), so that the refusal is answered in its turn, through the same service, log and
//! headers as everything else.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::caps::Permit;
use super::framing::{Accepted, Framing, HeadLimits, REFUSED_METHOD, Refusal, Stop};
use super::pace::Pace;
use super::settings::Settings;
use super::state::{Connection, News, Switch};

/// How often a connection looks whether anything has changed that no byte tells of: its answer has ended, connections have run
/// short. Looking costs one wake-up; being told by every answer would cost one per request.
const CHECK: Duration = Duration::from_secs(15);
/// After an answer before the end of its request: how long what still comes is read and thrown away. Closing at once would reset
/// the connection, and a client that is still sending would see that instead of the answer.
const LINGER: Duration = Duration::from_secs(2);
/// What is kept of the bytes that follow a request to switch protocols until it is answered.
const MAX_HELD_WHILE_SWITCHING: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Guard<S> {
    io: S,
    settings: Arc<Settings>,
    conn: Arc<Connection>,
    permit: Permit,
    framing: Framing,
    /// Bytes that were read and not passed on. The first `good` of them may be; the rest is a partial head or waits for a switch.
    held: Vec<u8>,
    good: usize,
    searched: usize,
    read: Reading,
    pace: Pace,
    read_timer: Timer,
    write_timer: Timer,
    write_blocked: bool,
    /// An informational response on its way out.
    informational: Vec<u8>,
    /// Whether the library has nothing half written, so that something may be put between.
    flushed: bool,
    linger: Linger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Nothing is wrong.
    On,
    /// The client has sent all it will, or all that is read of it; the library is told when its last request is answered.
    Ended,
    /// The library was told that there is nothing more.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Linger {
    No,
    Wanted,
    Draining,
    Done,
}

/// What the reader is waiting for, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Nothing that the client owes.
    Nothing,
    Request,
    Head,
    Body,
    Answer,
}

/// A timer that is armed rarely: moving its deadline later costs nothing until it fires.
#[derive(Debug)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whom the sleep will wake, if it was polled since it was last set.
    waker: Option<Waker>,
    wait: Wait,
    since: Instant,
}

impl Timer {
    fn new() -> Self {
        Self { sleep: None, waker: None, wait: Wait::Nothing, since: Instant::now() }
    }

    /// Starts or goes on waiting.
    fn waits_for(&mut self, wait: Wait) {
        if self.wait != wait {
            self.wait = wait;
            self.since = Instant::now();
        }
    }

    /// Ready when it is time to look again; armed anew by the next call.
    fn poll_check(&mut self, cx: &mut Context<'_>, interval: Duration) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(interval)));
        if self.waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) && !sleep.is_elapsed() {
            // It knows whom to wake already, and this is asked for every request.
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        ready!(sleep.as_mut().poll(cx));
        self.waker = None;
        sleep.as_mut().reset(Instant::now() + interval);
        Poll::Ready(())
    }

    fn stop(&mut self) {
        self.wait = Wait::Nothing;
    }

    /// Ready when `limit` has passed since the waiting began. Looks again at least every `check`.
    fn poll_expired(&mut self, cx: &mut Context<'_>, limit: Duration, check: Duration) -> Poll<()> {
        loop {
            let deadline = self.since + limit;
            let next = deadline.min(self.since + check);
            let sleep = match &mut self.sleep {
                Some(sleep) => {
                    if sleep.deadline() > deadline {
                        sleep.as_mut().reset(next);
                        self.waker = None;
                    }
                    sleep
                }
                None => self.sleep.insert(Box::pin(tokio::time::sleep_until(next))),
            };
            if self.waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) && !sleep.is_elapsed() {
                return Poll::Pending;
            }
            self.waker = Some(cx.waker().clone());
            ready!(sleep.as_mut().poll(cx));
            self.waker = None;
            let now = Instant::now();
            if now >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline.min(now + check));
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    pub(super) fn new(io: S, settings: Arc<Settings>, conn: Arc<Connection>, permit: Permit) -> Self {
        let limits = HeadLimits { bytes: settings.max_head_bytes, headers: settings.max_headers, target: settings.max_target_bytes };
        Self {
            io,
            settings,
            conn,
            permit,
            framing: Framing::new(limits),
            held: Vec::new(),
            good: 0,
            searched: 0,
            read: Reading::On,
            pace: Pace::new(),
            read_timer: Timer::new(),
            write_timer: Timer::new(),
            write_blocked: false,
            informational: Vec::new(),
            flushed: true,
            linger: Linger::No,
        }
    }

    /// Passes on what is held and good.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let n = self.good.min(buf.remaining());
        buf.put_slice(&self.held[..n]);
        if n == self.held.len() {
            // Idle connections own no buffer.
            self.held = Vec::new();
        } else {
            self.held.drain(..n);
        }
        self.good -= n;
    }

    /// Has the framing judge what is held beyond the good part.
    fn judge_held(&mut self) -> io::Result<()> {
        let accepted = self.framing.accept(&self.held[self.good..], self.searched);
        self.good += accepted.bytes;
        self.tell(&accepted);
        self.stop_at(&accepted.stop)
    }

    /// Lets the requests know what was accepted.
    fn tell(&self, accepted: &Accepted) {
        if accepted.heads > 0 {
            self.conn.passed_on(accepted.heads);
            self.conn.set_body_came_along(accepted.after_head > 0);
            if self.framing.is_switching() {
                self.conn.expect_switch();
            }
        }
    }

    fn stop_at(&mut self, stop: &Stop) -> io::Result<()> {
        self.searched = 0;
        match stop {
            Stop::PartialHead { searched } => self.searched = *searched,
            Stop::End | Stop::Switching => {}
            Stop::RefusedHead(refusal) => self.refuse(*refusal),
            Stop::BrokenBody(refusal) => return Err(self.break_off(*refusal)),
        }
        Ok(())
    }

    /// Puts the stand-in for a refused request where the request would have been.
    fn refuse(&mut self, refusal: Refusal) {
        let place = Refusal::ALL.iter().position(|r| *r == refusal).unwrap_or(0);
        self.held.truncate(self.good);
        let stand_in = format!("{REFUSED_METHOD} /{place} HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n");
        self.held.extend_from_slice(stand_in.as_bytes());
        self.good = self.held.len();
        self.conn.passed_on(1);
        self.read = Reading::Ended;
        self.linger = Linger::Wanted;
        self.read_timer.stop();
    }

    /// Ends a body that cannot be read to its end. The library makes a body error of it; the cause stands in the connection.
    fn break_off(&mut self, refusal: Refusal) -> io::Error {
        self.conn.set_fault(refusal);
        self.read = Reading::Closed;
        self.linger = Linger::Wanted;
        let kind = if refusal.status == 408 { io::ErrorKind::TimedOut } else { io::ErrorKind::InvalidData };
        io::Error::new(kind, refusal.reason)
    }

    /// The socket has nothing: what are we waiting for, and for how long already?
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.framing.in_tunnel() {
            return Poll::Pending;
        }
        if self.framing.is_switching() {
            self.conn.park_reader(News::Switch, cx.waker());
            return Poll::Pending;
        }
        if !self.framing.at_head() {
            return self.poll_body_patience(cx);
        }
        if self.conn.in_flight() > 0 {
            // The app's turn, not the client's. Parked, because an informational response has to be sent while we wait.
            self.read_timer.stop();
            self.conn.park_reader(News::Informational, cx.waker());
            ready!(self.read_timer.poll_check(cx, CHECK.min(nonzero(self.settings.idle_timeout))));
            return Poll::Ready(Ok(()));
        }
        if self.held.len() > self.good {
            self.read_timer.waits_for(Wait::Head);
            let limit = nonzero(self.settings.header_timeout);
            ready!(self.read_timer.poll_expired(cx, limit, limit));
            self.refuse(Refusal::SLOW_HEAD);
        } else {
            if self.read_timer.wait != Wait::Request {
                self.read_timer.wait = Wait::Request;
                self.read_timer.since = self.conn.idle_since();
            }
            let patience = nonzero(self.settings.idle_timeout);
            let limit = if self.permit.under_pressure() { patience / 10 } else { patience };
            ready!(self.read_timer.poll_expired(cx, limit, CHECK));
            self.read = Reading::Closed;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_body_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.read_timer.waits_for(Wait::Body);
        let idle = nonzero(self.settings.body_idle_timeout);
        let limit = if self.settings.min_body_rate == 0 { idle } else { idle.min(self.pace.patience()) };
        ready!(self.read_timer.poll_expired(cx, limit, limit));
        Poll::Ready(Err(self.break_off(Refusal::SLOW_BODY)))
    }

    /// Bytes came: settles what the waiting for them cost.
    fn arrived(&mut self, bytes: usize) -> io::Result<()> {
        match self.read_timer.wait {
            Wait::Body => {
                let waited = self.read_timer.since.elapsed();
                self.read_timer.stop();
                let rate = self.settings.min_body_rate;
                if !self.pace.arrived(bytes as u64, waited, rate) {
                    return Err(self.break_off(Refusal::SLOW_BODY));
                }
            }
            // A head is timed from its first byte to its last, however many pieces it comes in.
            Wait::Head => {}
            _ => self.read_timer.stop(),
        }
        Ok(())
    }

    /// The client has closed its sending side.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let answers_due = self.conn.in_flight() > 0 && self.framing.at_head();
        if answers_due && !self.framing.is_switching() {
            self.read = Reading::Ended;
            self.read_timer.waits_for(Wait::Answer);
            self.conn.park_reader(News::Answered, cx.waker());
            // Between parking and now the last answer may have been given.
            if self.conn.in_flight() > 0 {
                let limit = nonzero(self.settings.half_close_timeout);
                ready!(self.read_timer.poll_expired(cx, limit, limit));
            }
        }
        self.read = Reading::Closed;
        Poll::Ready(Ok(()))
    }

    /// Sends an informational response, if one is due and nothing is half written.
    fn poll_informational(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.informational.is_empty() {
            if !self.flushed {
                return Poll::Ready(Ok(()));
            }
            match self.conn.take_informational() {
                Some(bytes) => self.informational = bytes,
                None => return Poll::Ready(Ok(())),
            }
        }
        while !self.informational.is_empty() {
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, &self.informational))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.informational.drain(..n);
        }
        Poll::Ready(Ok(()))
    }

    /// A write could not be done: ready with an error when the client has taken nothing for too long.
    fn poll_write_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.framing.in_tunnel() {
            return Poll::Pending;
        }
        if !self.write_blocked {
            self.write_blocked = true;
            self.write_timer.wait = Wait::Nothing;
        }
        self.write_timer.waits_for(Wait::Answer);
        let limit = nonzero(self.settings.write_timeout);
        ready!(self.write_timer.poll_expired(cx, limit, limit));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client reads too slowly"))
    }

    fn wrote(&mut self) {
        self.write_blocked = false;
        self.flushed = false;
        if self.read == Reading::Ended {
            // A half-closed client that takes bytes is alive.
            self.read_timer.since = Instant::now();
        }
    }
}

/// A zero duration means "no limit"; a year is none that anybody will meet.
fn nonzero(limit: Duration) -> Duration {
    if limit.is_zero() { Duration::from_secs(365 * 24 * 3600) } else { limit }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Poll::Ready(Err(error)) = this.poll_informational(cx) {
            return Poll::Ready(Err(error));
        }
        if this.framing.is_switching() {
            match this.conn.take_switch() {
                Switch::Unanswered => {}
                answer => {
                    this.framing.switched(answer == Switch::Tunnel);
                    this.judge_held()?;
                }
            }
        }
        loop {
            if this.good > 0 {
                this.give(buf);
                return Poll::Ready(Ok(()));
            }
            match this.read {
                Reading::On => {}
                Reading::Ended => return this.poll_ended(cx),
                Reading::Closed => return Poll::Ready(Ok(())),
            }
            if this.framing.is_switching() && this.held.len() >= MAX_HELD_WHILE_SWITCHING {
                this.conn.park_reader(News::Switch, cx.waker());
                return Poll::Pending;
            }
            let before = buf.filled().len();
            match Pin::new(&mut this.io).poll_read(cx, buf) {
                Poll::Ready(result) => result?,
                Poll::Pending => {
                    ready!(this.poll_patience(cx))?;
                    continue;
                }
            }
            let n = buf.filled().len() - before;
            if n == 0 {
                return this.poll_ended(cx);
            }
            this.arrived(n)?;
            if this.held.is_empty() {
                // The usual case: the bytes are good where they are, and nothing is copied.
                let fresh_body = this.framing.at_head();
                let accepted = this.framing.accept(&buf.filled()[before..], 0);
                if fresh_body {
                    this.pace = Pace::new();
                }
                this.tell(&accepted);
                if accepted.bytes < n {
                    this.held.extend_from_slice(&buf.filled()[before + accepted.bytes..]);
                    buf.set_filled(before + accepted.bytes);
                }
                let stopped = this.stop_at(&accepted.stop);
                if accepted.bytes > 0 {
                    this.read_timer.stop();
                    // An error is kept for the next call: what came before it is good.
                    return Poll::Ready(Ok(()));
                }
                stopped?;
            } else {
                this.held.extend_from_slice(&buf.filled()[before..]);
                buf.set_filled(before);
                this.judge_held()?;
                if this.good > 0 {
                    this.read_timer.stop();
                    this.pace = Pace::new();
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = match this.poll_informational(cx) {
            Poll::Ready(Ok(())) => Pin::new(&mut this.io).poll_write(cx, bytes),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        };
        match written {
            Poll::Ready(Ok(n)) => {
                this.wrote();
                Poll::Ready(Ok(n))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => this.poll_write_patience(cx).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.io).poll_flush(cx))?;
        // The library flushes when it has written all it had.
        this.flushed = true;
        this.poll_informational(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger == Linger::No && !this.framing.in_tunnel() && (!this.framing.at_head() || !this.held.is_empty()) {
            // The client is still sending, to an app that has answered already.
            this.linger = Linger::Wanted;
        }
        loop {
            match this.linger {
                Linger::No | Linger::Done => return Pin::new(&mut this.io).poll_shutdown(cx),
                Linger::Wanted => {
                    ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
                    this.linger = Linger::Draining;
                    this.read_timer.wait = Wait::Nothing;
                    this.read_timer.waits_for(Wait::Answer);
                }
                Linger::Draining => {
                    if this.read_timer.poll_expired(cx, LINGER, LINGER).is_pending() {
                        let mut scratch = [0; 16 * 1024];
                        let mut scratch = ReadBuf::new(&mut scratch);
                        // The runtime's budget bounds how much of this is done in one turn.
                        match ready!(Pin::new(&mut this.io).poll_read(cx, &mut scratch)) {
                            Ok(()) if !scratch.filled().is_empty() => continue,
                            _ => {}
                        }
                    }
                    this.linger = Linger::Done;
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}
