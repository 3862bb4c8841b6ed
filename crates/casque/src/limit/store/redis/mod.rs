//! The store that several processes share: Redis or Valkey, one server, one that sentinels watch, or a cluster.
//!
//! ```
//! use std::sync::Arc;
//!
//! use casque::limit::store::redis::{OnError, RedisOptions, RedisStore};
//! use casque::limit::{LimitLayer, Quota};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = "a text of 32 bytes or more, the same in every process";
//! let options = RedisOptions::new("redis://127.0.0.1:6379", secret)?.on_error(OnError::Local);
//! let layer = LimitLayer::new(Quota::per_second(100)).store(Arc::new(RedisStore::new(options)));
//! # drop(layer); Ok(()) }
//! ```
//!
//! A decision is one script, one round trip and the server's clock, so processes need not agree on the time. All limits of a
//! decision are charged in that one step or none is. In a cluster that holds for limits that count by the same subject, which
//! are in one slot; others are charged one after another and taken back if a later one refuses, so that for a moment others
//! may be refused too early, never let through too often. Every key ends by itself when nothing is left of it.
//!
//! **When Redis cannot answer** a decision is there after 50 ms at the latest. After five failures in a row nobody asks any more; twice
//! a second a probe does. Meanwhile [`OnError`] says what happens. By default this process counts on in memory from where Redis
//! stood at its last answer, and what was charged meanwhile is charged to Redis when it is back, also to one that has come
//! back empty. So an attacker who can make Redis blink wins no budget by it. Replication of Redis is asynchronous: what was
//! charged in the last moments before a failover may be lost with the old master.
//!
//! **Attacks and answers.** *Reading Redis*: names of keys are hashed under a secret, and hold no address and no account.
//! *Hammering a full limit*: a refusal is remembered for a second and costs Redis nothing; what is unblocked elsewhere is
//! unblocked here a second later. *Many keys while Redis is down*: what is remembered for its return is of fixed size, and a
//! key at its limit is not pushed out by keys that are not. *A hostile answer*: an answer that is none of the scripts' counts as
//! no answer.
//!
//! The user that signs in needs `+evalsha +eval +get +set +del +time` on `~cq1:*`; on a cluster also `+cluster|slots`, and
//! for [`RedisCounters`] `+exists +incrby +pttl`.

mod breaker;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "compat")]
mod counters;
mod health;
mod instead;
mod link;
mod names;
mod options;
mod outage;
mod recovery;
mod refused;
mod script;
mod server;
mod spread;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(feature = "compat")]
pub use counters::RedisCounters;
pub use health::Health;
pub use options::{OnError, OptionsError, RedisOptions, check_url};

use self::breaker::{Breaker, Gate};
use self::health::Counts;
use self::link::Link;
use self::names::Names;
use self::outage::Outage;
use self::refused::Refusals;
use self::script::{Call, Edit, Scripts, Time, What};
use self::server::{Server, Trouble};
use super::creators::counted_under;
use super::memory::MemoryStore;
use super::{Charge, Outcome, Pending, Receipt, Store, StoreError};
use crate::clock::{Clock, Micros, SystemClock, as_micros};
use crate::limit::budget::{Budget, Change, Gcra};
use crate::limit::subject::Key;

/// State in Redis. Clones are the same store. Needs a tokio runtime; each thread that asks has one connection of its own, which
/// any number of decisions share.
///
/// It goes by the machine's clock: a limiter or layer with another [`Clock`] does not fit it.
#[derive(Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

struct Inner {
    options: RedisOptions,
    server: Arc<Server>,
    names: Names,
    scripts: Scripts,
    creations: Gcra,
    /// Where is counted on when Redis does not answer; it learns from every answer.
    local: Arc<MemoryStore>,
    clock: Arc<dyn Clock>,
    breaker: Mutex<Breaker>,
    /// Rises when connections are not to be used any more.
    epoch: AtomicU64,
    refusals: Refusals,
    outage: Outage,
    counts: Counts,
    /// The server's clock less this process's, in microseconds, as of the last answer.
    ahead: AtomicI64,
}

impl RedisStore {
    /// A store with these options; it connects when it is first asked. See [`RedisStore::connect`].
    #[must_use]
    pub fn new(options: RedisOptions) -> Self {
        Self::beside(options, Arc::default())
    }

    /// The same, with another store's table to count on in when Redis does not answer.
    #[must_use]
    pub fn beside(options: RedisOptions, local: Arc<MemoryStore>) -> Self {
        Self::build(options, local, Arc::new(SystemClock), Time::Server)
    }

    fn build(options: RedisOptions, local: Arc<MemoryStore>, clock: Arc<dyn Clock>, time: Time) -> Self {
        let inner = Inner {
            server: Arc::new(Server::new(options.clone())),
            names: Names::new(&options.secret),
            scripts: Scripts::new(time),
            creations: Gcra::from(options.creations),
            options,
            local,
            clock,
            breaker: Mutex::default(),
            epoch: AtomicU64::new(0),
            refusals: Refusals::default(),
            outage: Outage::default(),
            counts: Counts::default(),
            ahead: AtomicI64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Its options.
    #[must_use]
    pub fn options(&self) -> &RedisOptions {
        &self.inner.options
    }

    /// The table in which is counted on when Redis does not answer.
    #[must_use]
    pub fn local(&self) -> &Arc<MemoryStore> {
        &self.inner.local
    }

    /// Connects this thread and finds out whether Redis takes charges, so that the first decision need not wait for it, and a
    /// mistake in the options is seen at start. Never needed: a store that is not connected, or whose Redis is not there yet,
    /// connects by itself.
    ///
    /// # Errors
    /// Redis cannot be reached or does not take charges. The store then does what [`OnError`] says, and goes on trying.
    pub async fn connect(&self) -> Result<(), StoreError> {
        self.inner.clone().connect().await
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.inner.counts.health()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("options", &self.inner.options).field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Store for RedisStore {
    type Future = Pending;

    fn charge(&self, charges: &[Charge], now: Micros) -> Pending {
        let inner = &self.inner;
        if let Some(known) = inner.known_refusal(charges, now) {
            return Pending::known(Ok(known));
        }
        if !inner.may_ask() {
            return Pending::known(inner.charge_instead(charges, now, false));
        }
        let (inner, charges) = (inner.clone(), charges.to_vec());
        Pending::asked(async move {
            match inner.charge(&charges, now).await {
                Ok(outcome) => {
                    inner.learn(&charges, &outcome, now);
                    Ok(outcome)
                }
                Err(_) => inner.charge_instead(&charges, now, true),
            }
        })
    }

    fn refund(&self, charges: &[Charge], receipt: Receipt, now: Micros) -> Pending {
        let inner = &self.inner;
        for (i, charge) in charges.iter().enumerate() {
            inner.refusals.forget(counted_under(charge, receipt, i));
        }
        if receipt.fallback || !inner.may_ask() {
            return Pending::known(inner.refund_instead(charges, receipt, now));
        }
        let edit = |(i, charge): (usize, &Charge)| {
            let what = if charge.cost == 0 { What::Look } else { What::Refund { cost: charge.cost, at: receipt.at } };
            Edit { key: counted_under(charge, receipt, i), budget: charge.budget, what }
        };
        let edits: Vec<Edit> = charges.iter().enumerate().map(edit).collect();
        let (inner, charges) = (inner.clone(), charges.to_vec());
        Pending::asked(async move {
            match inner.edit(&edits, now).await {
                Ok(outcome) => {
                    inner.mirror(&edits, &outcome, now);
                    Ok(Outcome { receipt, ..outcome })
                }
                Err(_) => inner.refund_instead(&charges, receipt, now),
            }
        })
    }

    fn change(&self, key: Key, budget: Budget, change: Change, now: Micros) -> Pending {
        let inner = &self.inner;
        inner.refusals.forget(key);
        if !inner.may_ask() {
            return Pending::known(inner.change_instead(key, budget, change, now));
        }
        let what = match change {
            Change::Look => What::Look,
            Change::Penalise(n) => What::Penalise(n),
            Change::Reward(n) => What::Reward(n),
            Change::Block(time) => What::Block(as_micros(time)),
            Change::Unblock => What::Unblock,
            Change::Set(n) => What::Set(n),
            Change::Reset => What::Reset,
        };
        let inner = inner.clone();
        Pending::asked(async move {
            let edits = [Edit { key, budget, what }];
            match inner.edit(&edits, now).await {
                Ok(outcome) => {
                    inner.mirror(&edits, &outcome, now);
                    Ok(outcome)
                }
                Err(_) => inner.change_instead(key, budget, change, now),
            }
        })
    }
}

impl Inner {
    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether Redis is asked at all; begins a probe where one is due.
    fn may_ask(self: &Arc<Self>) -> bool {
        let gate = self.breaker().gate(self.clock.now());
        if gate == Gate::Probe {
            self.probe();
        }
        gate == Gate::Ask
    }

    /// The refusal of these charges, if Redis has refused one of them a moment ago.
    fn known_refusal(&self, charges: &[Charge], now: Micros) -> Option<Outcome> {
        let known = |charge: &Charge| if charge.advisory { None } else { self.refusals.known(charge, charge.key, now) };
        let (refused, decision) = charges.iter().enumerate().find_map(|(i, charge)| known(charge).map(|d| (i, d)))?;
        let mut outcome = Outcome { refused: Some(refused), ..Outcome::default() };
        for charge in &charges[..refused] {
            outcome.decisions.push(self.local.look(&charge.key, &charge.budget, now));
        }
        outcome.decisions.push(decision);
        self.counts.cached();
        Some(outcome)
    }

    /// Charges all or none, in time.
    async fn charge(&self, charges: &[Charge], now: Micros) -> Result<Outcome, Trouble> {
        if self.server.is_cluster() {
            return self.in_time(self.charge_spread(charges, now)).await;
        }
        self.in_time(self.charge_at_once(charges, now)).await
    }

    /// Changes keys, in time.
    async fn edit(&self, edits: &[Edit], now: Micros) -> Result<Outcome, Trouble> {
        if self.server.is_cluster() {
            return self.in_time(self.edit_spread(edits, now)).await;
        }
        self.in_time(self.edit_at_once(edits, now)).await
    }

    async fn charge_at_once(&self, charges: &[Charge], now: Micros) -> Result<Outcome, Trouble> {
        self.ask(self.scripts.charge(&self.names, charges, &self.creations, now)).await
    }

    async fn edit_at_once(&self, edits: &[Edit], now: Micros) -> Result<Outcome, Trouble> {
        self.ask(self.scripts.change(&self.names, edits, now)).await
    }

    async fn ask(&self, call: Call) -> Result<Outcome, Trouble> {
        let answer = self.send(&call).await?;
        script::outcome(&answer, &call).ok_or_else(Trouble::no_answer)
    }

    /// Waits for an answer no longer than it may take, and tells the breaker how it went.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        let answer = match tokio::time::timeout(self.options.timeout, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(Trouble::TimedOut),
        };
        let now = self.clock.now();
        match &answer {
            Ok(_) => {
                self.counts.answered();
                self.breaker().answered(now);
            }
            Err(trouble) => {
                if self.breaker().failed(now, rand::random()) {
                    self.renew_connections();
                    self.counts.went_down(trouble);
                }
                self.counts.failed();
            }
        }
        answer
    }

    /// Connections that are there are not used any more: one that leads nowhere may never say so.
    fn renew_connections(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    async fn send(&self, call: &Call) -> Result<redis::Value, Trouble> {
        Link::to(&self.server).ask(&self.server, self.epoch.load(Ordering::Acquire), call).await
    }

    /// Takes from an answer to charges what is needed when none comes.
    fn learn(&self, charges: &[Charge], outcome: &Outcome, now: Micros) {
        let ahead = i64::try_from(outcome.receipt.at.0).unwrap_or(0) - i64::try_from(now.0).unwrap_or(0);
        self.ahead.store(ahead, Ordering::Relaxed);
        for (i, (charge, decision)) in charges.iter().zip(outcome.decisions.as_slice()).enumerate() {
            let key = counted_under(charge, outcome.receipt, i);
            let is_refused = outcome.refused == Some(i);
            if is_refused {
                self.refusals.note(charge, key, decision, now);
            }
            // Of a refused set the others were not charged, and say how it would have been.
            if self.options.on_error == OnError::Local && (is_refused || outcome.refused.is_none()) {
                self.local.mirror(&key, &charge.budget, decision, false, now);
            }
        }
    }

    /// The same after changes, which may have left more than there was.
    fn mirror(&self, edits: &[Edit], outcome: &Outcome, now: Micros) {
        for (edit, decision) in edits.iter().zip(outcome.decisions.as_slice()) {
            self.local.mirror(&edit.key, &edit.budget, decision, true, now);
        }
    }
}
