//! Time as a parameter.
//!
//! Every decision in this crate takes the time from its caller, so that a test can stand one microsecond before a limit
//! opens. Only [`SystemClock`] looks at a real clock.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// A point on a monotonic clock, in microseconds since an origin that only the clock knows.
///
/// Microseconds in 64 bits last 584,000 years, so arithmetic on them saturates instead of being checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// This point plus a duration, saturating.
    #[must_use]
    pub fn after(self, d: Duration) -> Self {
        Self(self.0.saturating_add(as_micros(d)))
    }

    /// How long after `earlier` this point is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// A duration in whole microseconds, saturating at `u64::MAX`.
pub(crate) fn as_micros(d: Duration) -> u64 {
    // Without the 128 bits of `Duration::as_micros`.
    d.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(d.subsec_micros()))
}

/// Tells the time. One method to write, so that a test needs one line to replace it.
pub trait Clock: Send + Sync + 'static {
    /// The present moment. Never goes back.
    fn now(&self) -> Micros;

    /// The time since 1970-01-01T00:00:00Z, for what follows the calendar or outlives the process. May be set, also back.
    /// Default: the origin of [`Clock::now`] is taken for that moment.
    fn wall(&self) -> Duration {
        Duration::from_micros(self.now().0)
    }
}

/// The machine's monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[inline]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    fn now(&self) -> Micros {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let origin = *ORIGIN.get_or_init(Instant::now);
        // Starting at one hour keeps "now minus a window" above zero right after start.
        Micros(3_600_000_000 + as_micros(origin.elapsed()))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the calendar's clock")]
    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

/// A clock that stands still until a test moves it. Clones share the time.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn at(at: Micros) -> Self {
        Self(Arc::new(AtomicU64::new(at.0)))
    }

    /// Puts the clock to `at`, earlier or later.
    pub fn set(&self, at: Micros) {
        self.0.store(at.0, Ordering::Relaxed);
    }

    /// Moves the clock forward.
    pub fn advance(&self, d: Duration) {
        self.0.fetch_add(as_micros(d), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Micros {
        Micros(self.0.load(Ordering::Relaxed))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Micros {
        (**self).now()
    }

    fn wall(&self) -> Duration {
        (**self).wall()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_never_goes_back() {
        let a = SystemClock.now();
        let b = SystemClock.now();
        assert!(b >= a);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let c = ManualClock::at(Micros(5));
        let shared = c.clone();
        assert_eq!(c.now(), Micros(5));
        shared.advance(Duration::from_micros(7));
        assert_eq!(c.now(), Micros(12));
        assert_eq!(Micros(12).since(Micros(5)), Duration::from_micros(7));
        assert_eq!(Micros(5).since(Micros(12)), Duration::ZERO);
    }
}
