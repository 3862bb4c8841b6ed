//! The guard itself: an attempt is charged before it is looked at, and settled by how it ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::blocks;
use super::budgets::{Budgets, Charged, SPRAYING_COST};
use super::meter::Meter;
use super::outcome::Outcome;
use super::worry::Tally;
use crate::client_ip::ClientIp;
use crate::clock::{Clock, SystemClock};
use crate::limit::{Answer, Ask, Change, Full, Inflight, Limit, Limiter, MemoryStore, Reserved, Settle, Slot, Store, StoreError, Subject};

/// The most accounts that one attempt may name.
pub const MOST_ACCOUNTS: usize = 4;

/// One try at the password of an account.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Who tries.
    pub client: ClientIp,
    /// The accounts that are tried: one, but where a request holds several credentials. None where no name was found; such
    /// attempts of one source count together as those at one account. Beyond [`MOST_ACCOUNTS`] the attempt is refused.
    pub accounts: Vec<Account>,
    /// A challenge that was passed.
    pub pass: Option<Subject>,
}

/// An account, and whether the browser is known to it.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// The account, by its name in normal form.
    pub account: Subject,
    /// The device whose cookie for this account the browser has.
    pub device: Option<Subject>,
}

/// What the guard says.
#[derive(Debug)]
#[must_use]
pub enum Verdict<S = MemoryStore> {
    /// The app may look at it. It is charged already.
    Go(Reservation<S>),
    /// It may not, and nothing is charged.
    Stop(Stop),
}

/// Why an attempt stops here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A budget is used up.
    Exceeded {
        /// Which: `source`, `network`, `account`, or what is left of the first and the last to those who passed a challenge:
        /// `source-challenged` and `account-challenged`.
        budget: &'static str,
        /// How long until the same attempt could pass.
        retry_after: Option<Duration>,
    },
    /// A challenge would help.
    Challenge {
        /// What was used up, or `alarm` if failures jump everywhere.
        budget: &'static str,
        /// How many failures this source has behind it: the more, the harder.
        debt: u32,
        /// For clients that cannot pass a challenge.
        retry_after: Option<Duration>,
    },
    /// As many attempts as may be are being looked at.
    Busy,
    /// More accounts in one attempt than may be.
    TooManyAccounts,
}

/// An attempt that the app may look at, charged. Dropped without being settled it stays charged.
#[must_use = "dropped, the attempt stays charged; settle it"]
#[derive(Debug)]
pub struct Reservation<S = MemoryStore> {
    guard: Guard<S>,
    charged: crate::limit::Reservation<S>,
    client: ClientIp,
    accounts: Vec<Subject>,
    trust: Trust,
    /// Whether its source is blocked, and it was charged to what is left there to those who pass a challenge.
    blocked: bool,
    _slots: Vec<Slot>,
}

/// What a browser is to the accounts that it tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It has logged in to all of them before.
    Known,
    /// It has not.
    Unknown,
    /// It has not, and passed a challenge.
    Challenged,
}

/// How many attempts may be looked at at a time, since a password's hash takes memory and a tenth of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AtOnce {
    /// In all, of known browsers and of others each. Default: 32. Of known ones a quarter at one account.
    pub all: usize,
    /// At one account, by browsers that it does not know. Default: 2.
    pub per_account: usize,
}

impl Default for AtOnce {
    fn default() -> Self {
        Self { all: 32, per_account: 2 }
    }
}

/// Guards one kind of credential: a log-in, a password reset, a one-time code. Clones share everything.
///
/// ```
/// use casque::login::{Account, Attempt, Guard, Outcome, Verdict};
/// use casque::limit::{Subject, normalize_name};
///
/// # fn right(_: &str, _: &str) -> bool { true }
/// # async fn log_in(guard: &Guard, client: casque::client_ip::ClientIp, name: &str, password: &str) -> Result<bool, casque::limit::StoreError> {
/// let account = Account { account: Subject::of([normalize_name(name)]), device: None };
/// let attempt = Attempt { client, accounts: vec![account], pass: None };
/// let reservation = match guard.reserve(&attempt).await? {
///     Verdict::Go(reservation) => reservation,
///     Verdict::Stop(_why) => return Ok(false),       // 429, or a challenge
/// };
/// let right = right(name, password);
/// reservation.settle(if right { Outcome::Success } else { Outcome::Failure }).await?;
/// # Ok(right) }
/// ```
pub struct Guard<S = MemoryStore> {
    rules: Arc<Rules>,
    pulse: Arc<Pulse>,
    limiter: Limiter<S>,
    /// Where known browsers are counted.
    devices: Limiter<S>,
    clock: Arc<dyn Clock>,
}

/// What a guard goes by.
#[derive(Debug)]
pub(super) struct Rules {
    charged: Charged,
    challenges: bool,
    at_once: AtOnce,
    /// What these rules have made of the log-ins so far.
    pub(super) tally: Tally,
}

/// What a guard knows of the moment and keeps out of the store.
#[derive(Debug)]
pub(super) struct Pulse {
    meter: Mutex<Meter>,
    known: Inflight,
    unknown: Inflight,
    account: Inflight,
}

impl Pulse {
    pub(super) fn new(at_once: AtOnce) -> Self {
        Self {
            meter: Mutex::default(),
            // Of an account at most a quarter: else whoever has one keeps all that are known to theirs waiting.
            known: Inflight::new(at_once.all).per_key((at_once.all / 4).max(at_once.per_account)),
            unknown: Inflight::new(at_once.all),
            account: Inflight::new(usize::MAX).per_key(at_once.per_account),
        }
    }
}

impl<S> Clone for Guard<S> {
    fn clone(&self) -> Self {
        Self {
            rules: self.rules.clone(),
            pulse: self.pulse.clone(),
            limiter: self.limiter.clone(),
            devices: self.devices.clone(),
            clock: self.clock.clone(),
        }
    }
}

impl<S> std::fmt::Debug for Guard<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("budgets", &self.rules.charged).finish_non_exhaustive()
    }
}

/// How a [`Guard`] is made.
#[derive(Debug, Clone)]
pub struct Builder {
    name: String,
    budgets: Budgets,
    at_once: AtOnce,
    challenges: bool,
    shadow: bool,
}

impl Guard {
    /// A guard with the default budgets. Guards of one name on one store share their counts.
    #[must_use]
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder { name: name.into(), budgets: Budgets::default(), at_once: AtOnce::default(), challenges: true, shadow: false }
    }
}

impl Builder {
    /// Other budgets.
    #[must_use]
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
        self
    }

    /// How many attempts may be looked at at a time.
    #[must_use]
    pub fn at_once(mut self, at_once: AtOnce) -> Self {
        self.at_once = at_once;
        self
    }

    /// Whether whoever guards can show challenges. Without them an account whose budget is used up refuses browsers that it does
    /// not know, and a jump of failures everywhere changes nothing. Default: true.
    #[must_use]
    pub fn challenges(mut self, can: bool) -> Self {
        self.challenges = can;
        self
    }

    /// Keeps its counts apart from those of a guard of the same name that refuses. It still says [`Stop`]: that nobody is to
    /// stop is for whoever asks to remember.
    #[must_use]
    pub fn shadow(mut self, shadow: bool) -> Self {
        self.shadow = shadow;
        self
    }

    /// The guard, on a store that may be shared with limits and other guards.
    #[must_use]
    pub fn store<S: Store>(self, store: Arc<S>) -> Guard<S> {
        self.store_and_clock(store, Arc::new(SystemClock))
    }

    /// The guard with another clock.
    #[must_use]
    pub fn store_and_clock<S: Store>(self, store: Arc<S>, clock: Arc<dyn Clock>) -> Guard<S> {
        let pulse = Arc::new(Pulse::new(self.at_once));
        let limiter = Limiter::new(store).clock(clock.clone());
        Guard::new(Arc::new(self.rules()), pulse, limiter.clone(), limiter, clock)
    }

    pub(super) fn rules(self) -> Rules {
        let charged = Charged::new(&self.name, &self.budgets, self.shadow);
        Rules { charged, challenges: self.challenges, at_once: self.at_once, tally: Tally::default() }
    }
}

impl Rules {
    /// The limits that refuse, with what an operator knows them by.
    pub(super) fn told(&self) -> [(&'static str, &Limit); 7] {
        self.charged.told()
    }

    pub(super) fn at_once(&self) -> AtOnce {
        self.at_once
    }
}

/// What an unknown browser is counted by.
struct Lane<'l> {
    source: &'l Limit,
    account: &'l Limit,
    /// The pass that pays, where one has to.
    pass: Option<Subject>,
}

/// A charge that was refused, by what an operator calls it.
struct Refused {
    budget: &'static str,
    retry_after: Option<Duration>,
    blocked: bool,
}

impl<S: Store> Guard<S> {
    pub(super) fn new(rules: Arc<Rules>, pulse: Arc<Pulse>, limiter: Limiter<S>, devices: Limiter<S>, clock: Arc<dyn Clock>) -> Self {
        Self { rules, pulse, limiter, devices, clock }
    }

    /// Charges an attempt, before anybody looks at its password.
    ///
    /// A browser that is known to all the accounts is charged to its devices alone, so that nobody else's failures can keep it
    /// out. Any other is charged to its source, its network and the accounts, all of them or none.
    ///
    /// # Errors
    /// The store could not answer. Nothing can be said about the attempt then.
    pub async fn reserve(&self, attempt: &Attempt) -> Result<Verdict<S>, StoreError> {
        if attempt.accounts.len() > MOST_ACCOUNTS {
            return Ok(Verdict::Stop(Stop::TooManyAccounts));
        }
        let devices: Option<Vec<Subject>> = attempt.accounts.iter().map(|a| a.device).collect();
        if let Some(mut devices) = devices.filter(|d| !d.is_empty()) {
            devices.sort_unstable();
            // A device whose budget is used up counts as none (the Notes of OWASP's page, not its step 1.3): its user may still
            // use what all unknown browsers have.
            let limits = [&self.rules.charged.device_life, &self.rules.charged.device];
            let tries = devices.chunk_by(Subject::eq).map(|same| (same[0], cost_of(same.len())));
            let asks: Vec<Ask<'_>> = tries.flat_map(|(device, cost)| limits.map(|l| Ask::new(l, device).cost(cost))).collect();
            if let Ok(charged) = self.charge(&self.devices, &asks).await? {
                return self.go(attempt, charged, Trust::Known, false).await;
            }
        }
        self.reserve_unknown(attempt).await
    }

    async fn reserve_unknown(&self, attempt: &Attempt) -> Result<Verdict<S>, StoreError> {
        let alarm = self.rules.challenges && self.alarm();
        if alarm && attempt.pass.is_none() {
            self.meter().challenged(self.clock.now());
            return self.challenge(attempt, "alarm", None).await;
        }
        let Charged { source, account, source_challenged, account_challenged, .. } = &self.rules.charged;
        // During an alarm each attempt uses up some of its pass, else one pass would do for the whole attack; and so does each
        // that is let through where a budget is used up.
        let mut lane = Lane { source, account, pass: attempt.pass.filter(|_| alarm) };
        loop {
            let refused = match self.charge(&self.limiter, &self.asks(attempt, &lane)).await? {
                Ok(charged) => {
                    if alarm {
                        self.meter().passed(self.clock.now());
                    }
                    let trust = if lane.pass.is_some() { Trust::Challenged } else { Trust::Unknown };
                    let in_lane = lane.source.id() == source_challenged.id();
                    return self.go(attempt, charged, trust, in_lane).await;
                }
                Err(refused) => refused,
            };
            let mut retry_after = refused.retry_after;
            match refused.budget {
                "source" => {
                    // Only what uses the budget up begins a block. What comes while it lasts is refused by it and changes nothing.
                    if !refused.blocked {
                        retry_after = Some(self.block(Subject::client(attempt.client)).await?);
                    }
                    lane.source = source_challenged;
                }
                "account" => {
                    self.cost_of_knocking(attempt, &lane).await?;
                    lane.account = account_challenged;
                }
                "pass" => {}
                budget => {
                    if budget == "account-challenged" {
                        self.cost_of_knocking(attempt, &lane).await?;
                    }
                    return Ok(Verdict::Stop(Stop::Exceeded { budget, retry_after }));
                }
            }
            if !self.rules.challenges {
                return Ok(Verdict::Stop(Stop::Exceeded { budget: refused.budget, retry_after }));
            }
            if attempt.pass.is_none() || refused.budget == "pass" {
                return self.challenge(attempt, refused.budget, retry_after).await;
            }
            lane.pass = attempt.pass;
        }
    }

    /// An attempt at an account whose budget is used up is not looked at, and yet costs its source one: whoever keeps an account
    /// shut spends what he could keep others shut with.
    async fn cost_of_knocking(&self, attempt: &Attempt, lane: &Lane<'_>) -> Result<(), StoreError> {
        self.limiter.change(lane.source, Subject::client(attempt.client), Change::Penalise(1)).await.map(|_| ())
    }

    /// What an unknown browser is charged: what costs least to refuse by comes first, so that what is refused at its source never
    /// makes an account's state.
    fn asks<'l>(&'l self, attempt: &Attempt, lane: &Lane<'l>) -> Vec<Ask<'l>> {
        let Charged { network, pass: by_pass, .. } = &self.rules.charged;
        let (from, cost) = (Subject::client(attempt.client), cost_of(attempt.accounts.len().max(1)));
        let mut asks = vec![Ask::new(lane.source, from).cost(cost), Ask::new(network, Subject::network(attempt.client)).cost(cost)];
        asks.extend(lane.pass.map(|pass| Ask::new(by_pass, pass).cost(cost)));
        // A request that holds one account's name several times tries as many passwords.
        let accounts = accounts_of(attempt);
        let tries = accounts.chunk_by(Subject::eq).map(|same| (same[0], cost_of(same.len())));
        asks.extend(tries.map(|(account, cost)| Ask::new(lane.account, account).cost(cost).created_by(from)));
        asks
    }

    async fn charge(&self, limiter: &Limiter<S>, asks: &[Ask<'_>]) -> Result<Result<crate::limit::Reservation<S>, Refused>, StoreError> {
        Ok(match limiter.reserve(asks).await? {
            Reserved::Yes(charged) => Ok(charged),
            Reserved::No(Answer { limit, decision }) => {
                let told = self.rules.charged.told();
                let budget = told.iter().find(|(_, l)| l.name() == limit).map_or("device", |(told, _)| told);
                Err(Refused { budget, retry_after: decision.retry_after, blocked: decision.blocked })
            }
        })
    }

    async fn go(
        &self,
        attempt: &Attempt,
        charged: crate::limit::Reservation<S>,
        trust: Trust,
        blocked: bool,
    ) -> Result<Verdict<S>, StoreError> {
        let accounts = accounts_of(attempt);
        let slots = match trust {
            Trust::Known => self.pulse.known.enter(accounts[0]).map(|slot| vec![slot]),
            Trust::Unknown | Trust::Challenged => self.unknown_slots(&accounts),
        };
        let Ok(slots) = slots else {
            // Nobody looked at it. Slots come second, or what is refused by its budgets would keep them from others.
            charged.settle(Settle::Refund).await?;
            return Ok(Verdict::Stop(Stop::Busy));
        };
        Ok(Verdict::Go(Reservation { guard: self.clone(), charged, client: attempt.client, accounts, trust, blocked, _slots: slots }))
    }

    fn unknown_slots(&self, accounts: &[Subject]) -> Result<Vec<Slot>, Full> {
        let mut slots = vec![self.pulse.unknown.enter(Subject::ALL)?];
        for same in accounts.chunk_by(Subject::eq) {
            slots.push(self.pulse.account.enter(same[0])?);
        }
        Ok(slots)
    }

    /// A challenge, which is the harder the more failures the source has behind it.
    async fn challenge(&self, attempt: &Attempt, budget: &'static str, retry_after: Option<Duration>) -> Result<Verdict<S>, StoreError> {
        let source = &self.rules.charged.source;
        let stands = self.limiter.try_acquire(source, Subject::client(attempt.client), 0).await?.decision;
        let debt = source.quota().burst_size().saturating_sub(stands.remaining);
        Ok(Verdict::Stop(Stop::Challenge { budget, debt, retry_after }))
    }

    /// Blocks a source, for longer each time in a day, and tells for how long.
    async fn block(&self, source: Subject) -> Result<Duration, StoreError> {
        let Charged { blocks, source: by_source, .. } = &self.rules.charged;
        let counted = self.limiter.try_acquire(blocks, source, 1).await?.decision;
        let most = blocks.quota().requests();
        let earlier = if counted.allowed { most.saturating_sub(counted.remaining + 1) } else { most };
        let length = blocks::length(earlier, source, self.clock.now().0);
        self.limiter.change(by_source, source, Change::Block(length)).await?;
        Ok(length)
    }

    /// Whether browsers that are not known have to pass a challenge, because failures jump everywhere.
    #[must_use]
    pub fn alarm(&self) -> bool {
        self.meter().alarm(self.clock.now())
    }

    /// How the accounts, sources and networks of this guard are counted, for an operator who wants to look or unblock.
    #[must_use]
    pub fn limits(&self) -> [(&'static str, &Limit); 7] {
        self.rules.charged.told()
    }

    fn meter(&self) -> std::sync::MutexGuard<'_, Meter> {
        self.pulse.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost_of(tries: usize) -> u32 {
    u32::try_from(tries).unwrap_or(u32::MAX)
}

/// The accounts that are charged, in order, as often as they are tried. Attempts without a name count together as those of their source, so that leaving the name out,
/// or hiding it where only the app finds it, leads to no fresh budget.
fn accounts_of(attempt: &Attempt) -> Vec<Subject> {
    if attempt.accounts.is_empty() {
        return vec![Subject::of([&b"no account"[..], &attempt.client.key()])];
    }
    let mut accounts: Vec<Subject> = attempt.accounts.iter().map(|a| a.account).collect();
    accounts.sort_unstable();
    accounts
}

impl<S: Store> Reservation<S> {
    /// What the browser is to the accounts.
    #[must_use]
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Ends it. A right password and what says nothing about the password take back this attempt's own charges and nothing
    /// else: logging in to one's own account in between washes nothing. A wrong one keeps them, and counts for the source and
    /// for the alarm.
    ///
    /// # Errors
    /// The store could not answer; the charges may then stay.
    pub async fn settle(self, outcome: Outcome) -> Result<(), StoreError> {
        match outcome {
            Outcome::Success | Outcome::Neutral => self.charged.settle(Settle::Refund).await,
            // The charges stay as they are.
            Outcome::Failure => {
                if self.trust == Trust::Known {
                    return Ok(());
                }
                let now = self.guard.clock.now();
                self.guard.meter().failure(now);
                self.note_spread().await
            }
        }
    }

    /// Charges a source extra for failing at ever more accounts.
    async fn note_spread(&self) -> Result<(), StoreError> {
        let Charged { pair, spread, source, source_challenged, .. } = &self.guard.rules.charged;
        let (limiter, from) = (&self.guard.limiter, Subject::client(self.client));
        let charged = if self.blocked { source_challenged } else { source };
        for account in self.accounts.chunk_by(Subject::eq).map(|same| &same[0]) {
            let both = Subject::of([from.as_bytes(), account.as_bytes()]);
            let seen = limiter.try_acquire(pair, both, 1).await?.decision;
            if Charged::is_new(&seen) && !limiter.try_acquire(spread, from, 1).await?.decision.allowed {
                limiter.change(charged, from, Change::Penalise(SPRAYING_COST)).await?;
            }
        }
        Ok(())
    }
}
