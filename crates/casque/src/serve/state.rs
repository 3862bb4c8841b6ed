//! What a connection's reader, its requests and their bodies share.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use super::framing::Refusal;

/// One client connection, as its requests see it: in every request's extensions as `Arc<Connection>`.
#[derive(Debug)]
pub struct Connection {
    peer: IpAddr,
    opened: Instant,
    /// Requests that were passed on and not yet answered to the end.
    in_flight: AtomicU32,
    /// When the last answer ended, in microseconds after `opened`.
    answered: AtomicU64,
    /// Requests that were ever passed on, and those that were ever given to the service: the numbers they are told apart by.
    passed: AtomicU32,
    called: AtomicU32,
    /// The number of the request that asks to switch protocols, and what became of it.
    switch_at: AtomicU32,
    switch: AtomicU8,
    /// Place in [`Refusal::ALL`] of what broke the connection, plus one.
    fault: AtomicU8,
    /// Whether the last head came with the beginning of its body.
    body_came_along: AtomicBool,
    informational: Mutex<Vec<u8>>,
    has_informational: AtomicBool,
    /// Wakes the reader when one of the above changes while no byte arrives.
    reader: Mutex<Option<Waker>>,
    /// The [`News`] it waits for, as bits.
    reader_waits: AtomicU8,
}

/// What a reader may wait for besides bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// An informational response to send.
    Informational = 1,
    /// The answer to a request to switch protocols.
    Switch = 2,
    /// The end of the last answer.
    Answered = 4,
}

/// The answer to a request to switch protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    Unanswered,
    Tunnel,
    Http,
}

impl Connection {
    pub(super) fn new(peer: IpAddr) -> Arc<Self> {
        Arc::new(Self {
            peer,
            opened: Instant::now(),
            in_flight: AtomicU32::new(0),
            answered: AtomicU64::new(0),
            passed: AtomicU32::new(0),
            called: AtomicU32::new(0),
            switch_at: AtomicU32::new(0),
            switch: AtomicU8::new(0),
            fault: AtomicU8::new(0),
            body_came_along: AtomicBool::new(false),
            informational: Mutex::default(),
            has_informational: AtomicBool::new(false),
            reader: Mutex::default(),
            reader_waits: AtomicU8::new(0),
        })
    }

    /// The address of the socket's other end.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    /// What went wrong while the body of the current request was read, if that was the client's doing.
    #[must_use]
    pub fn fault(&self) -> Option<Refusal> {
        let at = usize::from(self.fault.load(Ordering::Acquire));
        at.checked_sub(1).and_then(|i| Refusal::ALL.get(i)).copied()
    }

    pub(super) fn set_fault(&self, refusal: Refusal) {
        let at = Refusal::ALL.iter().position(|r| *r == refusal).unwrap_or(0);
        self.fault.store(u8::try_from(at + 1).unwrap_or(1), Ordering::Release);
    }

    /// Sends an informational response (1xx, but not 101) ahead of the final one.
    ///
    /// HTTP/1.0 clients must not be sent any (RFC 9110 15.2); that is the caller's to know.
    pub fn send_informational(&self, status: StatusCode, headers: &HeaderMap) {
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return;
        }
        let mut bytes = self.informational.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(b"HTTP/1.1 ");
        bytes.extend_from_slice(status.as_str().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
        bytes.extend_from_slice(b"\r\n");
        for (name, value) in headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        drop(bytes);
        self.has_informational.store(true, Ordering::Release);
        self.wake_reader(News::Informational);
    }

    pub(super) fn take_informational(&self) -> Option<Vec<u8>> {
        if !self.has_informational.load(Ordering::Acquire) {
            return None;
        }
        let mut bytes = self.informational.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_informational.store(false, Ordering::Release);
        Some(std::mem::take(&mut *bytes))
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(super) fn passed_on(&self, requests: u32) {
        self.in_flight.fetch_add(requests, Ordering::AcqRel);
        self.passed.fetch_add(requests, Ordering::AcqRel);
    }

    /// The next request is given to the service: its number.
    pub(super) fn called(&self) -> u32 {
        self.called.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The last request that was passed on asks to switch protocols.
    pub(super) fn expect_switch(&self) {
        self.switch.store(Switch::Unanswered as u8, Ordering::Release);
        self.switch_at.store(self.passed.load(Ordering::Acquire), Ordering::Release);
    }

    /// Whether the client has sent the beginning of the current request's body together with its head, and so waits for no
    /// 100 (Continue).
    #[must_use]
    pub fn body_came_along(&self) -> bool {
        self.body_came_along.load(Ordering::Acquire)
    }

    pub(super) fn set_body_came_along(&self, came: bool) {
        self.body_came_along.store(came, Ordering::Release);
    }

    /// Since when there has been nothing to answer.
    pub(super) fn idle_since(&self) -> Instant {
        self.opened + Duration::from_micros(self.answered.load(Ordering::Acquire))
    }

    pub(super) fn answered(&self) {
        let now = u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.answered.store(now, Ordering::Release);
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.wake_reader(News::Answered);
    }

    /// A request was answered. Says nothing to the reader unless it is the one that asked to switch: an earlier answer on the
    /// same connection must not settle a later question.
    pub(super) fn answer_switch(&self, request: u32, switch: Switch) {
        if self.switch_at.load(Ordering::Acquire) != request {
            return;
        }
        self.switch.store(switch as u8, Ordering::Release);
        self.wake_reader(News::Switch);
    }

    /// Takes the answer to a switch, if there is one.
    pub(super) fn take_switch(&self) -> Switch {
        match self.switch.swap(Switch::Unanswered as u8, Ordering::AcqRel) {
            1 => Switch::Tunnel,
            2 => Switch::Http,
            _ => Switch::Unanswered,
        }
    }

    /// Keeps the waker of a reader that waits for something other than bytes.
    pub(super) fn park_reader(&self, news: News, waker: &Waker) {
        let mut slot = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if !slot.as_ref().is_some_and(|w| w.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
        drop(slot);
        self.reader_waits.store(news as u8, Ordering::Release);
    }

    fn wake_reader(&self, news: News) {
        if self.reader_waits.load(Ordering::Acquire) & news as u8 != 0 {
            self.reader_waits.store(0, Ordering::Release);
            if let Some(waker) = &*self.reader.lock().unwrap_or_else(PoisonError::into_inner) {
                waker.wake_by_ref();
            }
        }
    }
}

/// A request that was passed on; dropping it says that its answer is complete or given up.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) conn: Arc<Connection>,
    /// Which of the connection's requests it is, from one.
    pub(super) number: u32,
}

impl InFlight {
    pub(super) fn new(conn: Arc<Connection>) -> Self {
        let number = conn.called();
        Self { conn, number }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.conn.answered();
    }
}
