//! The limiter that counts in memory.

use std::sync::Arc;

use super::answer::{Answer, Op, RateLimiter, Reply, Res};
use super::counters::MemoryCounters;
use super::decide::{decide, lasting, put_res, res_of, told, window};
use super::options::{Options, OptionsError};
use super::runtime::Runtime;
use super::shared::{ClockOf, Shared};

/// Counters of a [`RateLimiterMemory`], unless set otherwise.
const MEMORY_KEYS: usize = 1 << 20;

/// In memory; counts whole points.
#[derive(Debug)]
pub struct RateLimiterMemory {
    shared: Shared,
    pub(super) counters: MemoryCounters,
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
        Ok(Arc::new(Self { shared: Shared::new(runtime, options), counters }))
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
        self.shared.inherit(block_duration, exec_evenly);
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Limiter;
    use super::super::testing::{Paused, memory, options, refused, wait};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_window_begins_with_its_first_point_and_refusals_are_charged() {
        let limiter = memory(&Paused::begin(), options(2.0, 1.0));
        assert!(limiter.consume("a", 1.0).await.unwrap().is_first_in_duration);
        wait(600).await;
        let second = limiter.consume("a", 1.0).await.unwrap();
        assert_eq!((second.ms_before_next, second.remaining_points, second.is_first_in_duration), (400.0, 0.0, false));
        assert_eq!(refused(limiter.consume("a", 1.0).await), Some(400.0));
        assert_eq!(limiter.get("a").await.unwrap().unwrap().consumed_points, 3.0);
        assert_eq!(refused(limiter.consume("b", 1.0).await), None);
        wait(400).await;
        assert_eq!(limiter.get("a").await.unwrap(), None);
        assert_eq!(refused(limiter.consume("a", 2.0).await), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_block_lasts_as_long_as_it_was_told() {
        let limiter = memory(&Paused::begin(), Options { block_duration: 60.0, ..options(1.0, 1.0) });
        assert_eq!(refused(limiter.consume("a", 2.0).await), Some(60_000.0));
        wait(30_000).await;
        assert_eq!(refused(limiter.consume("a", 1.0).await), Some(30_000.0), "hits do not extend it");
        wait(30_000).await;
        assert_eq!(refused(limiter.consume("a", 1.0).await), None);
        // There, more than 24 days overflow a timer, and the block is gone at once.
        let month = 30.0 * 86_400.0;
        assert_eq!(limiter.block("b", month).await.unwrap().ms_before_next, month * 1000.0);
        wait(25 * 86_400_000).await;
        assert_eq!(refused(limiter.consume("b", 1.0).await), Some(5.0 * 86_400_000.0));
        assert!(limiter.delete("b").await.unwrap() && !limiter.delete("b").await.unwrap());
        assert_eq!(refused(limiter.consume("b", 1.0).await), None);
    }

    #[tokio::test(start_paused = true)]
    async fn penalties_and_rewards_move_the_count_and_refuse_nothing() {
        let limiter = memory(&Paused::begin(), options(2.0, 10.0));
        assert_eq!(limiter.penalty("a", 5.0).await.unwrap().consumed_points, 5.0);
        assert!(refused(limiter.consume("a", 1.0).await).is_some());
        assert_eq!(limiter.reward("a", 9.0).await.unwrap().remaining_points, 5.0, "below zero there is more than others have");
        assert_eq!(refused(limiter.consume("a", 5.0).await), None);
        assert_eq!(limiter.set("a", 2.0, 0.0).await.unwrap().ms_before_next, -1.0);
        wait(1_000_000).await;
        assert_eq!(refused(limiter.consume("a", 1.0).await), Some(-1.0), "for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn options_that_no_limiter_can_have_are_refused_and_others_may_change() {
        let runtime = Paused::begin();
        for (points, duration) in [(f64::NAN, 1.0), (1.0, f64::NAN), (1.0, -1.0), (f64::INFINITY, 1.0)] {
            assert!(RateLimiterMemory::with_keys(runtime.clone(), options(points, duration), 10).is_err());
        }
        let limiter = RateLimiterMemory::with_keys(runtime, options(1.0, 10.0), 10).unwrap();
        let asked = Limiter::from(limiter.clone());
        assert!(refused(asked.consume("a", 2.0).await).is_some());
        limiter.change_options(|options| options.points = 3.0);
        assert_eq!(refused(asked.consume("a", 1.0).await), None);
        assert_eq!(limiter.options().points, 3.0);
    }
}
