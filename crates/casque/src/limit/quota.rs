//! How much in how long.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::clock::as_micros;

/// So many requests per window, with a burst.
///
/// `Quota::per_minute(20)` lets 20 come at once and then one every 3 seconds. The most that can pass in any window is
/// `burst + rate`: with the default burst that is twice the rate, spread over the window's two ends. For "never more than
/// 20 in any minute" use `Quota::per_minute(10).burst(10)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    requests: NonZeroU32,
    window_micros: u64,
    burst: NonZeroU32,
}

impl Quota {
    /// So many per window; the burst is the same number. Zero counts as one, for a quota that lets nothing through is a block.
    ///
    /// The window is at least one microsecond per request, which is as fine as the clock.
    #[must_use]
    pub fn new(requests: u32, window: Duration) -> Self {
        let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
        let window_micros = as_micros(window).max(u64::from(requests.get()));
        Self { requests, window_micros, burst: requests }
    }

    /// So many per second.
    #[must_use]
    pub fn per_second(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(1))
    }

    /// So many per minute.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(60))
    }

    /// So many per hour.
    #[must_use]
    pub fn per_hour(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(3600))
    }

    /// How many may come at once. Default: the rate's number. Zero counts as one.
    #[must_use]
    pub fn burst(mut self, burst: u32) -> Self {
        self.burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        self
    }

    /// Requests per window.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// The window.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_micros(self.window_micros)
    }

    /// The burst.
    #[must_use]
    pub fn burst_size(&self) -> u32 {
        self.burst.get()
    }

    /// Microseconds that one request costs; rounded up, so that rounding never lets more through.
    pub(super) fn interval_micros(&self) -> u64 {
        self.window_micros.div_ceil(u64::from(self.requests.get()))
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.window();
        write!(f, "{} per ", self.requests)?;
        match (window.as_secs(), window.subsec_micros()) {
            (1, 0) => write!(f, "second"),
            (60, 0) => write!(f, "minute"),
            (3600, 0) => write!(f, "hour"),
            _ => write!(f, "{window:?}"),
        }?;
        if self.burst != self.requests {
            write!(f, ", burst {}", self.burst)?;
        }
        Ok(())
    }
}
