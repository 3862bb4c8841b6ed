//! Limits asked by hand: in a handler, a job, a guard of one's own.

use std::fmt;
use std::sync::Arc;

use super::budget::Change;
use super::decision::{Decision, MAX_LIMITS};
use super::rule::Limit;
use super::store::memory::MemoryStore;
use super::store::{Charge, Receipt, Store, StoreError};
use super::subject::{Key, Subject};
use crate::clock::{Clock, SystemClock};

/// Asks a store.
///
/// ```
/// use casque::limit::{Ask, Limit, Limiter, Quota, Reserved, Settle, Subject};
///
/// # async fn check(_: &str) -> bool { true }
/// # async fn log_in(limiter: Limiter, name: &str, password: &str) -> Result<bool, casque::limit::StoreError> {
/// let attempts = Limit::new("attempts", Quota::per_hour(10).strict());
/// // Charged before the password is looked at: a thousand attempts at once are ten.
/// let reservation = match limiter.reserve(&[Ask::new(&attempts, Subject::of([name]))]).await? {
///     Reserved::Yes(reservation) => reservation,
///     Reserved::No(answer) => { let _wait = answer.decision.retry_after; return Ok(false) }
/// };
/// let right = check(password).await;
/// reservation.settle(if right { Settle::Refund } else { Settle::Keep }).await?;
/// # Ok(right) }
/// ```
pub struct Limiter<S = MemoryStore> {
    store: Arc<S>,
    clock: Arc<dyn Clock>,
}

/// What to charge: a limit, and whom it counts.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'l> {
    limit: &'l Limit,
    subject: Subject,
    cost: u32,
    creator: Option<Subject>,
}

impl<'l> Ask<'l> {
    /// One request.
    #[must_use]
    pub fn new(limit: &'l Limit, subject: Subject) -> Self {
        Self { limit, subject, cost: 1, creator: None }
    }

    /// So many at once.
    #[must_use]
    pub fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// Who answers for the subject if it is new; see [`Charge::creator`].
    #[must_use]
    pub fn created_by(mut self, creator: Subject) -> Self {
        self.creator = Some(creator);
        self
    }
}

/// A decision, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'l> {
    /// The limit's name.
    pub limit: &'l str,
    /// What it says. Durations only; the store's trouble is a [`StoreError`] and never one of these.
    pub decision: Decision,
}

/// Whether all limits agreed.
#[derive(Debug)]
#[must_use]
pub enum Reserved<'l, S> {
    /// All did, and all are charged.
    Yes(Reservation<S>),
    /// This one did not; nothing is charged.
    No(Answer<'l>),
}

/// How a reservation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// It was used up: the charges stay.
    Keep,
    /// It was not: this reservation's charges are taken back, and nothing else of the key.
    Refund,
}

/// Charges that were made before it is known whether they are due. Dropped without a word they stay.
#[must_use = "dropped, the charges stay; settle it"]
pub struct Reservation<S> {
    store: Arc<S>,
    clock: Arc<dyn Clock>,
    charges: Vec<Charge>,
    receipt: Receipt,
}

impl<S> Clone for Limiter<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), clock: self.clock.clone() }
    }
}

impl<S> fmt::Debug for Limiter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Reservation<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("charges", &self.charges).finish_non_exhaustive()
    }
}

impl<S: Store> Limiter<S> {
    /// Asks `store`, which may be shared with layers.
    #[must_use]
    pub fn new(store: Arc<S>) -> Self {
        Self { store, clock: Arc::new(SystemClock) }
    }

    /// Reads the time from another clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn charge_of(&self, ask: &Ask<'_>) -> Charge {
        Charge {
            key: Key { limit: ask.limit.id(), subject: ask.subject },
            budget: ask.limit.budget(&*self.clock),
            cost: ask.cost,
            advisory: !ask.limit.is_enforced(),
            creator: ask.creator,
        }
    }

    /// Charges `n`, or nothing if so many do not fit. `n` of zero asks how the key stands: `remaining` and `reset_after`. A limit
    /// that is off lets everything pass; one in shadow mode answers as if it were enforced, and [`Limit::is_enforced`] tells.
    ///
    /// # Errors
    /// The store could not answer.
    pub async fn try_acquire<'l>(&self, limit: &'l Limit, subject: Subject, n: u32) -> Result<Answer<'l>, StoreError> {
        if limit.is_off() {
            return Ok(Answer { limit: limit.name(), decision: Decision::pass(limit.budget(&*self.clock).burst(), 0) });
        }
        let charge = self.charge_of(&Ask::new(limit, subject).cost(n));
        let outcome = self.store.charge(&[charge], self.clock.now()).await?;
        let decision = outcome.decisions.as_slice().first().copied().unwrap_or_default();
        Ok(Answer { limit: limit.name(), decision })
    }

    /// Charges all of `asks` or none, for an attempt that is settled later. Limits that are off are not asked, those in shadow
    /// mode are charged and never refuse. At most [`MAX_LIMITS`]; put first what is cheapest to be refused by.
    ///
    /// # Errors
    /// The store could not answer. Nothing can be said about the limits then.
    pub async fn reserve<'l>(&self, asks: &[Ask<'l>]) -> Result<Reserved<'l, S>, StoreError> {
        let on: Vec<&Ask<'l>> = asks.iter().filter(|ask| !ask.limit.is_off()).take(MAX_LIMITS).collect();
        let mut charges: Vec<Charge> = on.iter().map(|ask| self.charge_of(ask)).collect();
        let outcome = self.store.charge(&charges, self.clock.now()).await?;
        let decisions = outcome.decisions.as_slice();
        if let Some((ask, decision)) = outcome.refused.and_then(|i| on.get(i).zip(decisions.get(i))) {
            return Ok(Reserved::No(Answer { limit: ask.limit.name(), decision: *decision }));
        }
        for (charge, decision) in charges.iter_mut().zip(decisions) {
            // What a limit in shadow mode refused was not charged, so there is nothing to take back.
            if !decision.allowed {
                charge.cost = 0;
            }
        }
        Ok(Reserved::Yes(Reservation { store: self.store.clone(), clock: self.clock.clone(), charges, receipt: outcome.receipt }))
    }

    /// Changes a key without asking: penalise, reward, block, unblock, set, reset; [`Change::Look`] only looks. The answer is
    /// how the key stands then: whether one more would pass, and how many.
    ///
    /// # Errors
    /// The store could not answer.
    pub async fn change<'l>(&self, limit: &'l Limit, subject: Subject, change: Change) -> Result<Answer<'l>, StoreError> {
        let key = Key { limit: limit.id(), subject };
        let outcome = self.store.change(key, limit.budget(&*self.clock), change, self.clock.now()).await?;
        let decision = outcome.decisions.as_slice().first().copied().unwrap_or_default();
        Ok(Answer { limit: limit.name(), decision })
    }
}

impl<S: Store> Reservation<S> {
    /// Keeps the charges or takes them back.
    ///
    /// # Errors
    /// The store could not answer; the charges may then stay.
    pub async fn settle(self, how: Settle) -> Result<(), StoreError> {
        if how == Settle::Refund {
            self.store.refund(&self.charges, self.receipt, self.clock.now()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{ManualClock, Micros};
    use crate::limit::{Mode, Quota};

    fn limiter() -> (Limiter, ManualClock) {
        let clock = ManualClock::at(Micros(1_000_000_000));
        (Limiter::new(Arc::new(MemoryStore::with_capacity(1024))).clock(clock.clone()), clock)
    }

    fn alice() -> Subject {
        Subject::of(["alice"])
    }

    async fn reserve(limiter: &Limiter, asks: &[Ask<'_>]) -> Result<Reservation<MemoryStore>, String> {
        match limiter.reserve(asks).await.unwrap() {
            Reserved::Yes(reservation) => Ok(reservation),
            Reserved::No(answer) => Err(answer.limit.to_owned()),
        }
    }

    #[tokio::test]
    async fn a_thousand_attempts_at_once_are_as_many_as_the_limit() {
        let (limiter, clock) = limiter();
        let limit = Limit::new("attempts", Quota::per_hour(10).strict());
        let mut open = Vec::new();
        for _ in 0..1000 {
            open.extend(reserve(&limiter, &[Ask::new(&limit, alice())]).await);
        }
        assert_eq!(open.len(), 10, "charged before anything is checked");
        clock.advance(Duration::from_secs(1));
        open.pop().unwrap().settle(Settle::Refund).await.unwrap();
        open.pop().unwrap().settle(Settle::Keep).await.unwrap();
        drop(open);
        assert!(reserve(&limiter, &[Ask::new(&limit, alice())]).await.is_ok());
        assert_eq!(reserve(&limiter, &[Ask::new(&limit, alice())]).await.unwrap_err(), "attempts");
    }

    #[tokio::test]
    async fn all_or_none_are_charged_and_the_one_that_refuses_is_named() {
        let (limiter, _) = limiter();
        let (wide, narrow) = (Limit::new("source", Quota::per_hour(20)), Limit::new("account", Quota::per_hour(1)));
        let off = Limit::new("off", Quota::per_hour(1)).mode(Mode::Off);
        let shadow = Limit::new("shadow", Quota::per_hour(1)).mode(Mode::Shadow);
        let asks: Vec<Ask<'_>> = [&off, &shadow, &wide, &narrow].into_iter().map(|l| Ask::new(l, alice())).collect();
        let first = reserve(&limiter, &asks).await.unwrap();
        assert_eq!(reserve(&limiter, &asks).await.unwrap_err(), "account");
        let left = limiter.change(&wide, alice(), Change::Look).await.unwrap();
        assert_eq!((left.limit, left.decision.remaining), ("source", 19));
        first.settle(Settle::Refund).await.unwrap();
        assert_eq!(limiter.try_acquire(&wide, alice(), 0).await.unwrap().decision.remaining, 20);
    }

    #[tokio::test]
    async fn what_shadow_refused_is_not_refunded() {
        let (limiter, _) = limiter();
        let shadow = Limit::new("shadow", Quota::per_hour(1)).mode(Mode::Shadow);
        reserve(&limiter, &[Ask::new(&shadow, alice())]).await.unwrap().settle(Settle::Keep).await.unwrap();
        reserve(&limiter, &[Ask::new(&shadow, alice())]).await.unwrap().settle(Settle::Refund).await.unwrap();
        assert_eq!(limiter.change(&shadow, alice(), Change::Look).await.unwrap().decision.remaining, 0);
    }

    #[tokio::test]
    async fn a_limit_that_is_off_is_not_asked() {
        let (limiter, _) = limiter();
        let off = Limit::new("off", Quota::per_hour(1)).mode(Mode::Off);
        for _ in 0..3 {
            let answer = limiter.try_acquire(&off, alice(), 1).await.unwrap();
            assert_eq!((answer.decision.allowed, answer.decision.remaining), (true, 1));
        }
    }

    #[tokio::test]
    async fn nothing_asked_is_nothing_refused() {
        let (limiter, _) = limiter();
        reserve(&limiter, &[]).await.unwrap().settle(Settle::Refund).await.unwrap();
    }
}
