//! casque's login guard: not a model of it, but the code that runs in the gateway, on its store in memory.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use casque::client_ip::{ClientIp, TrustedProxies};
use casque::clock::{ManualClock, Micros};
use casque::limit::{MemoryStore, Subject};
use casque::login::{Account, Attempt, Guard, Outcome, Reservation, Stop, Verdict};
use http::HeaderMap;

use crate::scenario::{Answer, Policy, Try};

/// Far from the clock's origin, as a process that has run for a while.
const START: u64 = 1000 * 3_600_000_000;

/// The guard with its default budgets.
#[derive(Debug)]
pub struct LoginGuard {
    guard: Guard,
    clock: ManualClock,
    /// The pass that each address used last; whoever solves challenges gets a new one when it is used up.
    passes: HashMap<u32, Subject>,
    handed_out: u64,
}

impl Default for LoginGuard {
    fn default() -> Self {
        let clock = ManualClock::at(Micros(START));
        let guard = Guard::builder("login").store_and_clock(Arc::new(MemoryStore::default()), Arc::new(clock.clone()));
        Self { guard, clock, passes: HashMap::new(), handed_out: 0 }
    }
}

/// What a future says that has nothing to wait for.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the store in memory answers at once"),
    }
}

/// The client of an address.
fn client(from: u32) -> ClientIp {
    TrustedProxies::default().identify(IpAddr::V4(Ipv4Addr::from(from)), &HeaderMap::new()).ip
}

impl LoginGuard {
    fn reserve(&self, attempt: &Attempt) -> Result<Reservation, Stop> {
        match now(self.guard.reserve(attempt)).expect("the store in memory has no trouble") {
            Verdict::Go(reservation) => Ok(reservation),
            Verdict::Stop(stop) => Err(stop),
        }
    }
}

impl Policy for LoginGuard {
    fn attempt(&mut self, attempt: &Try) -> Answer {
        self.clock.set(Micros(START + attempt.at * 1000));
        let account = Subject::of([attempt.account.to_le_bytes()]);
        let device = attempt.known.then(|| Subject::of([&b"device"[..], &attempt.account.to_le_bytes()]));
        // Honest users have no pass lying about; a machine keeps its own until it is used up.
        let kept = self.passes.get(&attempt.from).copied().filter(|_| attempt.whose == crate::scenario::Whose::Attacker);
        let mut asked = Attempt { client: client(attempt.from), accounts: vec![Account { account, device }], pass: kept };
        let mut answer = Answer::Checked;
        let mut reserved = self.reserve(&asked);
        if let (Err(Stop::Challenge { .. }), true) = (&reserved, attempt.solves) {
            self.handed_out += 1;
            let pass = Subject::of([&b"pass"[..], &self.handed_out.to_le_bytes()]);
            self.passes.insert(attempt.from, pass);
            asked.pass = Some(pass);
            reserved = self.reserve(&asked);
            answer = Answer::CheckedAfterChallenge;
        }
        let Ok(reservation) = reserved else { return Answer::Refused };
        now(reservation.settle(if attempt.right { Outcome::Success } else { Outcome::Failure })).expect("as above");
        answer
    }
}
