//! Time that can be waited for.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::clock::Clock;

/// Work to be done.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A clock, and somebody to wait and to work. Delays, deadlines and queues need it; the rest of casque does not.
pub trait Runtime: Clock {
    /// Ends after so long.
    fn sleep(&self, time: Duration) -> Task;

    /// Sees a task through, whoever waits for it or does not any more.
    fn spawn(&self, task: Task);
}

/// tokio's timers and tasks, and the machine's clocks. Only inside a tokio runtime.
#[cfg(feature = "serve")]
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioRuntime;

#[cfg(feature = "serve")]
impl Clock for TokioRuntime {
    fn now(&self) -> crate::clock::Micros {
        crate::clock::SystemClock.now()
    }

    fn wall(&self) -> Duration {
        crate::clock::SystemClock.wall()
    }
}

#[cfg(feature = "serve")]
impl Runtime for TokioRuntime {
    fn sleep(&self, time: Duration) -> Task {
        Box::pin(tokio::time::sleep(time))
    }

    fn spawn(&self, task: Task) {
        tokio::spawn(task);
    }
}

/// Whole milliseconds of the runtime's clock, as JavaScript counts.
pub(super) fn millis(clock: &(impl Clock + ?Sized)) -> u64 {
    clock.now().0 / 1000
}

/// A duration of so many milliseconds; of none if that is negative or no number.
pub(super) fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}
