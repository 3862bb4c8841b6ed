//! The limiters that count: in memory, and in a store.

use std::sync::{Arc, PoisonError, RwLock};

use super::answer::{Answer, Limiter, Op, RateLimiter, Rejected, Reply, Res};
use super::blocked::BlockedKeys;
use super::counters::{Counter, Counters, MemoryCounters};
use super::options::{Options, OptionsError};
use super::runtime::{Runtime, duration};
use crate::clock::{Clock, Micros};

/// Counters of a [`RateLimiterMemory`], unless set otherwise.
const MEMORY_KEYS: usize = 1 << 20;

/// What a consume call comes to, before anything is done about it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Decided {
    res: Res,
    allowed: bool,
    /// Milliseconds by which to delay what is allowed.
    delay: f64,
    /// Milliseconds for which to block the key in the store.
    block: Option<f64>,
    /// Milliseconds for which to block it in the process.
    block_here: Option<f64>,
}

/// In memory; counts whole points.
#[derive(Debug)]
pub struct RateLimiterMemory {
    shared: Shared,
    pub(super) counters: MemoryCounters,
}

/// In a store of [`Counters`]; Redis, for one.
pub struct RateLimiterStore {
    shared: Shared,
    counters: Arc<dyn Counters>,
    blocked: BlockedKeys,
    /// There, a set without a duration never ends in memory, and lasts as long as a window in stores.
    insurance: Option<Limiter>,
}

/// What both have.
struct Shared {
    runtime: Arc<dyn Runtime>,
    options: RwLock<Options>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("options", &self.options()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RateLimiterStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimiterStore").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// A runtime's clock, for the parts that need no more of it.
struct ClockOf(Arc<dyn Runtime>);

impl Clock for ClockOf {
    fn now(&self) -> Micros {
        self.0.now()
    }

    fn wall(&self) -> std::time::Duration {
        self.0.wall()
    }
}

impl Shared {
    fn options(&self) -> Options {
        self.options.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.options.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Gives the answer when it is time.
    async fn answer(&self, decided: Decided) -> Result<Reply, Rejected> {
        if !decided.allowed {
            return Err(Rejected::Limit(decided.res));
        }
        if decided.delay > 0.0 {
            self.runtime.sleep(duration(decided.delay)).await;
        }
        Ok(Reply::Res(decided.res))
    }
}

/// A window's or a block's time in the store: `None` is for ever.
fn lasting(seconds: f64) -> Option<u64> {
    (seconds > 0.0).then_some((seconds * 1000.0) as u64)
}

/// The same as it is told.
fn told(seconds: f64) -> f64 {
    if seconds == 0.0 { -1.0 } else { seconds * 1000.0 }
}

fn left(counter: &Counter) -> f64 {
    counter.left.map_or(-1.0, |ms| ms as f64)
}

fn res_of(options: &Options, counter: &Counter, is_first: bool) -> Res {
    Res {
        remaining_points: (options.points - counter.points).max(0.0),
        ms_before_next: left(counter),
        consumed_points: counter.points,
        is_first_in_duration: is_first,
    }
}

/// The window of a key that this call begins.
fn window(options: &Options, custom_duration: Option<f64>) -> Option<u64> {
    lasting(custom_duration.filter(|d| *d >= 0.0).unwrap_or(options.duration))
}

/// Whether this call took the key over what blocks it; later ones do not block it anew.
fn crosses(options: &Options, res: &Res, added: f64) -> bool {
    let line = if options.block_on_consumed > 0.0 { (options.block_on_consumed - 1.0).max(options.points) } else { options.points };
    options.block_duration > 0.0 && res.consumed_points > line && res.consumed_points <= line + added
}

/// How long to hold back what passes, so that the others spread over the rest of the window. Less than nothing for a key that
/// was rewarded: it is not held back, and its window is told longer than it is.
fn delay(options: &Options, res: &Res) -> f64 {
    if !options.exec_evenly || options.points <= 0.0 || res.is_first_in_duration || res.ms_before_next <= 0.0 {
        return 0.0;
    }
    let even = (res.ms_before_next / (res.remaining_points + 2.0)).ceil();
    let least = options.exec_evenly_min_delay();
    if even < least { res.consumed_points * least } else { even }
}

/// What a call that added `added` points comes to.
fn decide(options: &Options, res: Res, added: f64) -> Decided {
    let mut decided = Decided { res, allowed: res.consumed_points <= options.points, delay: 0.0, block: None, block_here: None };
    let caught = options.in_memory_block_on_consumed > 0.0 && res.consumed_points >= options.in_memory_block_on_consumed;
    if caught && options.in_memory_block_duration <= 0.0 {
        // To the end of the window; then `blockDuration` does not count, as its users know.
        decided.block_here = (res.ms_before_next > 0.0).then_some(res.ms_before_next);
    } else if !decided.allowed {
        if crosses(options, &res, added) {
            decided.block = Some(options.block_duration * 1000.0);
            decided.res.ms_before_next = options.block_duration * 1000.0;
        }
        if caught {
            decided.block_here = Some(options.in_memory_block_duration * 1000.0);
            decided.res.ms_before_next = options.in_memory_block_duration * 1000.0;
        }
    }
    if decided.allowed && decided.block_here.is_none() {
        decided.delay = delay(options, &res);
        decided.res.ms_before_next = if decided.delay == 0.0 { res.ms_before_next } else { (res.ms_before_next - decided.delay).max(0.0) };
    }
    decided
}

/// The points that `block` leaves a key with.
fn blocked_points(options: &Options) -> f64 {
    options.block_on_consumed.max(options.points + 1.0)
}

fn put_res(points: f64, ms: f64) -> Reply {
    Reply::Res(Res { remaining_points: 0.0, ms_before_next: ms, consumed_points: points, is_first_in_duration: false })
}

impl RateLimiterMemory {
    /// A limiter of its own counters, at most a million.
    ///
    /// # Errors
    /// Options that no limiter can have.
    pub fn new(runtime: impl Runtime, options: Options) -> Result<Arc<Self>, OptionsError> {
        Self::with_keys(Arc::new(runtime), options, MEMORY_KEYS)
    }

    /// At most so many counters.
    ///
    /// # Errors
    /// Options that no limiter can have.
    pub fn with_keys(runtime: Arc<dyn Runtime>, options: Options, keys: usize) -> Result<Arc<Self>, OptionsError> {
        options.check()?;
        let counters = MemoryCounters::new(Arc::new(ClockOf(runtime.clone())), keys);
        Ok(Arc::new(Self { shared: Shared { runtime, options: RwLock::new(options) }, counters }))
    }

    /// The options as they are.
    #[must_use]
    pub fn options(&self) -> Options {
        self.shared.options()
    }

    /// Changes options while it runs.
    pub fn change_options(&self, change: impl FnOnce(&mut Options)) {
        self.shared.change(change);
    }

    pub(super) fn runtime(&self) -> &dyn Runtime {
        &*self.shared.runtime
    }

    fn add(&self, options: &Options, key: &str, points: f64, custom_duration: Option<f64>) -> Res {
        let counter = self.counters.add_now(key, points, window(options, custom_duration));
        res_of(options, &counter, counter.begun)
    }
}

impl RateLimiter for RateLimiterMemory {
    fn run(self: Arc<Self>, key: String, op: Op) -> Answer {
        Box::pin(async move {
            let options = self.shared.options();
            let key = options.key(&key);
            match op {
                Op::Consume { points, custom_duration } => {
                    let points = points.trunc();
                    let mut decided = decide(&options, self.add(&options, &key, points, custom_duration), points);
                    if let Some(ms) = decided.block {
                        self.counters.put_now(&key, decided.res.consumed_points, Some(ms as u64));
                        // There, a block counts as a new window.
                        decided.res.is_first_in_duration = true;
                    }
                    self.shared.answer(decided).await
                }
                Op::Penalty { points, custom_duration } => Ok(Reply::Res(self.add(&options, &key, points.trunc(), custom_duration))),
                Op::Reward { points, custom_duration } => Ok(Reply::Res(self.add(&options, &key, -points.trunc(), custom_duration))),
                Op::Get => Ok(Reply::Found(self.counters.get_now(&key).map(|c| res_of(&options, &c, false)))),
                Op::Set { points, seconds } => {
                    self.counters.put_now(&key, points.trunc(), lasting(seconds.unwrap_or(0.0)));
                    Ok(put_res(points, told(seconds.unwrap_or(options.duration))))
                }
                Op::Block { seconds } => {
                    let points = options.points + 1.0;
                    self.counters.put_now(&key, points.trunc(), lasting(seconds));
                    Ok(put_res(points, told(seconds)))
                }
                Op::Delete => Ok(Reply::Deleted(self.counters.delete_now(&key))),
            }
        })
    }

    fn points(&self) -> f64 {
        self.shared.options().points
    }

    fn key_prefix(&self) -> String {
        self.shared.options().key_prefix
    }

    fn inherit(&self, block_duration: f64, exec_evenly: bool) {
        inherit(&self.shared, block_duration, exec_evenly);
    }
}

fn inherit(shared: &Shared, block_duration: f64, exec_evenly: bool) {
    shared.change(|options| {
        options.block_duration = block_duration;
        options.exec_evenly = exec_evenly;
    });
}

impl RateLimiterStore {
    /// A limiter that counts in `counters`.
    ///
    /// # Errors
    /// Options that no limiter can have.
    pub fn new(runtime: Arc<dyn Runtime>, counters: Arc<dyn Counters>, options: Options) -> Result<Arc<Self>, OptionsError> {
        options.check_store()?;
        let insurance = options.insurance_limiter.clone();
        if let Some(insurance) = &insurance {
            insurance.0.inherit(options.block_duration, options.exec_evenly);
        }
        let blocked = BlockedKeys::new(Arc::new(ClockOf(runtime.clone())));
        Ok(Arc::new(Self { shared: Shared { runtime, options: RwLock::new(options) }, counters, blocked, insurance }))
    }

    /// The options as they are.
    #[must_use]
    pub fn options(&self) -> Options {
        self.shared.options()
    }

    /// Changes options while it runs.
    pub fn change_options(&self, change: impl FnOnce(&mut Options)) {
        self.shared.change(change);
    }

    /// Milliseconds for which the process refuses a key by itself.
    #[must_use]
    pub fn in_memory_block_ms(&self, key: &str) -> u64 {
        self.blocked.ms_before_expire(&self.options().key(key))
    }

    /// Ends all blocks that only the process knows of.
    pub fn delete_in_memory_blocked_all(&self) {
        self.blocked.clear();
    }

    async fn asked(&self, key: &str, op: Op) -> Result<Reply, Rejected> {
        let options = self.shared.options();
        let key = options.key(key);
        let trouble = Rejected::Trouble;
        match op {
            Op::Consume { points, custom_duration } => {
                let here = self.blocked.ms_before_expire(&key);
                if here > 0 {
                    let res = Res { remaining_points: 0.0, ms_before_next: here as f64, consumed_points: 0.0, is_first_in_duration: false };
                    return Err(Rejected::Limit(res));
                }
                let counter = self.counters.add(&key, points, window(&options, custom_duration)).await.map_err(trouble)?;
                let decided = decide(&options, res_of(&options, &counter, counter.points == points), points);
                if let Some(ms) = decided.block_here {
                    self.blocked.add_ms(&key, ms);
                }
                if let Some(ms) = decided.block {
                    self.counters.put(&key, counter.points, Some(ms as u64)).await.map_err(trouble)?;
                }
                self.shared.answer(decided).await
            }
            Op::Penalty { points, custom_duration } => self.changed(&options, &key, points, custom_duration).await,
            Op::Reward { points, custom_duration } => self.changed(&options, &key, -points, custom_duration).await,
            Op::Get => {
                let counter = self.counters.get(&key).await.map_err(trouble)?;
                Ok(Reply::Found(counter.map(|c| res_of(&options, &c, c.points == 0.0))))
            }
            Op::Set { points, seconds } => {
                let seconds = seconds.unwrap_or(options.duration);
                self.counters.put(&key, points, lasting(seconds)).await.map_err(trouble)?;
                Ok(put_res(points, told(seconds)))
            }
            Op::Block { seconds } => {
                let points = blocked_points(&options);
                self.counters.put(&key, points, lasting(seconds)).await.map_err(trouble)?;
                Ok(put_res(points, told(seconds)))
            }
            Op::Delete => {
                self.blocked.delete(&key);
                Ok(Reply::Deleted(self.counters.delete(&key).await.map_err(trouble)?))
            }
        }
    }

    async fn changed(&self, options: &Options, key: &str, points: f64, custom_duration: Option<f64>) -> Result<Reply, Rejected> {
        let counter = self.counters.add(key, points, window(options, custom_duration)).await.map_err(Rejected::Trouble)?;
        Ok(Reply::Res(res_of(options, &counter, counter.points == points)))
    }
}

impl RateLimiter for RateLimiterStore {
    fn run(self: Arc<Self>, key: String, op: Op) -> Answer {
        Box::pin(async move {
            match (self.asked(&key, op).await, &self.insurance) {
                (Err(Rejected::Trouble(_)), Some(insurance)) => {
                    // Whoever does not say for how long means this limiter's window, not the insurance's.
                    let op = match op {
                        Op::Set { points, seconds: None } => Op::Set { points, seconds: Some(self.options().duration) },
                        op => op,
                    };
                    insurance.run(&key, op).await
                }
                (answer, _) => answer,
            }
        })
    }

    fn points(&self) -> f64 {
        self.shared.options().points
    }

    fn key_prefix(&self) -> String {
        self.shared.options().key_prefix
    }

    fn insurance(&self) -> Option<Limiter> {
        self.insurance.clone()
    }

    fn inherit(&self, block_duration: f64, exec_evenly: bool) {
        inherit(&self.shared, block_duration, exec_evenly);
        if let Some(insurance) = &self.insurance {
            insurance.0.inherit(block_duration, exec_evenly);
        }
    }
}
