//! The limiter that counts in a store.

use std::sync::Arc;

use super::answer::{Answer, Limiter, Op, RateLimiter, Rejected, Reply, Res};
use super::blocked::BlockedKeys;
use super::counters::Counters;
use super::decide::{blocked_points, decide, lasting, put_res, res_of, told, window};
use super::options::{Options, OptionsError};
use super::runtime::Runtime;
use super::shared::{ClockOf, Shared};

/// In a store of [`Counters`]; Redis, for one.
pub struct RateLimiterStore {
    shared: Shared,
    counters: Arc<dyn Counters>,
    blocked: BlockedKeys,
    insurance: Option<Limiter>,
}

impl std::fmt::Debug for RateLimiterStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimiterStore").field("shared", &self.shared).finish_non_exhaustive()
    }
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
        Ok(Arc::new(Self { shared: Shared::new(runtime, options), counters, blocked, insurance }))
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
        self.shared.inherit(block_duration, exec_evenly);
        if let Some(insurance) = &self.insurance {
            insurance.0.inherit(block_duration, exec_evenly);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::testing::{Paused, Remote, memory, options, refused, wait};
    use super::*;

    fn limiter(runtime: &Arc<Paused>, remote: &Arc<Remote>, options: Options) -> (Arc<RateLimiterStore>, Limiter) {
        let store = RateLimiterStore::new(runtime.clone(), remote.clone(), options).unwrap();
        (store.clone(), store.into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_blocked_here_costs_the_store_nothing() {
        let runtime = Paused::begin();
        let remote = Remote::new(&runtime, 0);
        let written = Options { in_memory_block_on_consumed: 2.0, in_memory_block_duration: 10.0, ..options(2.0, 1.0) };
        let (store, limiter) = limiter(&runtime, &remote, written);
        assert_eq!(refused(limiter.consume("a", 3.0).await), Some(10_000.0));
        for _ in 0..5 {
            assert_eq!(refused(limiter.consume("a", 1.0).await), Some(10_000.0));
        }
        assert_eq!((remote.calls.load(Ordering::Relaxed), store.in_memory_block_ms("a")), (1, 10_000));
        wait(10_000).await;
        assert_eq!(refused(limiter.consume("a", 1.0).await), None);
        assert!(refused(limiter.consume("b", 3.0).await).is_some());
        store.delete_in_memory_blocked_all();
        wait(1000).await;
        assert_eq!(refused(limiter.consume("b", 1.0).await), None);
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_is_no_limit_and_the_insurance_is_asked() {
        let runtime = Paused::begin();
        let remote = Remote::new(&runtime, 0);
        remote.broken.store(true, Ordering::Relaxed);
        let (_, bare) = limiter(&runtime, &remote, options(1.0, 1.0));
        assert_eq!(bare.consume("a", 1.0).await, Err(Rejected::Trouble("no route to host".to_owned())));
        let insurance = memory(&runtime, options(1.0, 5.0));
        let insured = Options { insurance_limiter: Some(insurance), block_duration: 30.0, ..options(9.0, 7.0) };
        let (_, insured) = limiter(&runtime, &remote, insured);
        assert_eq!(refused(insured.consume("a", 1.0).await), None);
        assert_eq!(refused(insured.consume("a", 1.0).await), Some(30_000.0), "it blocks for as long as the one that it insures");
        let set = insured.run("b", Op::Set { points: 1.0, seconds: None }).await.unwrap();
        assert_eq!(set.res().unwrap().ms_before_next, 7000.0, "a set without a time means the insured one's window");
    }

    #[tokio::test(start_paused = true)]
    async fn a_block_counts_up_to_what_blocks() {
        let runtime = Paused::begin();
        let remote = Remote::new(&runtime, 0);
        let (_, limiter) = limiter(&runtime, &remote, Options { block_on_consumed: 8.0, ..options(5.0, 1.0) });
        assert_eq!(limiter.block("a", 9.0).await.unwrap().consumed_points, 8.0);
        assert_eq!(refused(limiter.consume("a", 1.0).await), Some(9000.0));
        for bad in [
            Options { block_on_consumed: 4.0, ..options(5.0, 1.0) },
            Options { in_memory_block_on_consumed: 4.0, ..options(5.0, 1.0) },
            Options { in_memory_block_duration: 4.0, ..options(5.0, 1.0) },
        ] {
            assert!(RateLimiterStore::new(runtime.clone(), remote.clone(), bad).is_err());
        }
    }
}
