//! What the limiters that count have in common: options that may change while they run, and a clock.

use std::sync::{Arc, PoisonError, RwLock};

use super::answer::{Rejected, Reply};
use super::decide::Decided;
use super::options::Options;
use super::runtime::{Runtime, duration};
use crate::clock::{Clock, Micros};

/// What both limiters have.
pub(super) struct Shared {
    pub(super) runtime: Arc<dyn Runtime>,
    options: RwLock<Options>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("options", &self.options()).finish_non_exhaustive()
    }
}

/// A runtime's clock, for the parts that need no more of it.
pub(super) struct ClockOf(pub(super) Arc<dyn Runtime>);

impl Clock for ClockOf {
    fn now(&self) -> Micros {
        self.0.now()
    }

    fn wall(&self) -> std::time::Duration {
        self.0.wall()
    }
}

impl Shared {
    pub(super) fn new(runtime: Arc<dyn Runtime>, options: Options) -> Self {
        Self { runtime, options: RwLock::new(options) }
    }

    pub(super) fn options(&self) -> Options {
        self.options.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.options.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn inherit(&self, block_duration: f64, exec_evenly: bool) {
        self.change(|options| {
            options.block_duration = block_duration;
            options.exec_evenly = exec_evenly;
        });
    }

    /// Gives the answer when it is time.
    pub(super) async fn answer(&self, decided: Decided) -> Result<Reply, Rejected> {
        if !decided.allowed {
            return Err(Rejected::Limit(decided.res));
        }
        if decided.delay > 0.0 {
            self.runtime.sleep(duration(decided.delay)).await;
        }
        Ok(Reply::Res(decided.res))
    }
}
