//! How much in how long.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::budget::{Budget, Gcra, Strict, Window};
use super::calendar::Period;
use crate::clock::{Clock, as_micros};

/// So many requests per window, with a burst.
///
/// `Quota::per_minute(20)` lets 20 come at once and then one every 3 seconds. The most that can pass in any window is
/// `burst + rate`: with the default burst that is twice the rate, spread over the window's two ends. For "never more than
/// 20 in any minute, wherever it begins" use `Quota::per_minute(20).strict()`; for "1,000 a day, anew at midnight",
/// [`Quota::daily`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    requests: NonZeroU32,
    window_micros: u64,
    shape: Shape,
}

/// What "so many per window" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Rate { burst: NonZeroU32 },
    Strict,
    Calendar { period: Period, offset: i32 },
}

impl Quota {
    /// So many per window; the burst is the same number. Zero counts as one, for a quota that lets nothing through is a block.
    ///
    /// The window is at least one microsecond per request, which is as fine as the clock.
    #[must_use]
    pub fn new(requests: u32, window: Duration) -> Self {
        let requests = at_least_one(requests);
        let window_micros = as_micros(window).max(u64::from(requests.get()));
        Self { requests, window_micros, shape: Shape::Rate { burst: requests } }
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

    /// So many a day of the calendar, anew at midnight UTC.
    #[must_use]
    pub fn daily(requests: u32) -> Self {
        Self::calendar(requests, Period::Day)
    }

    /// So many a month of the calendar, anew at its first midnight UTC.
    #[must_use]
    pub fn monthly(requests: u32) -> Self {
        Self::calendar(requests, Period::Month)
    }

    fn calendar(requests: u32, period: Period) -> Self {
        let window_micros = as_micros(period.longest());
        Self { requests: at_least_one(requests), window_micros, shape: Shape::Calendar { period, offset: 0 } }
    }

    /// Days and months begin at midnight so many minutes east of UTC, -1439 to 1439 (others are brought into that). Means
    /// nothing for other quotas. A fixed offset: daylight saving time would make a day of 23 hours and one of 25.
    #[must_use]
    pub fn utc_offset(mut self, minutes: i32) -> Self {
        if let Shape::Calendar { offset, .. } = &mut self.shape {
            *offset = minutes.clamp(-1439, 1439);
        }
        self
    }

    /// How many may come at once. Default: the rate's number. Zero counts as one. Only a rate has a burst: a strict quota
    /// becomes a rate again, one of the calendar stays as it is.
    #[must_use]
    pub fn burst(mut self, burst: u32) -> Self {
        if !matches!(self.shape, Shape::Calendar { .. }) {
            self.shape = Shape::Rate { burst: at_least_one(burst) };
        }
        self
    }

    /// Never more than so many in any window, wherever it begins.
    ///
    /// Up to [`Strict::MOST`] requests in up to [`Strict::LONGEST`] every one that passed is remembered, so that exactly so many pass. Of more, half may
    /// come at once and the others evenly spread, which never lets more than the number through but may let fewer. Means
    /// nothing for a quota of the calendar.
    #[must_use]
    pub fn strict(mut self) -> Self {
        if matches!(self.shape, Shape::Rate { .. }) {
            self.shape = Shape::Strict;
        }
        self
    }

    /// Requests per window.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// The window; of a month, its longest.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_micros(self.window_micros)
    }

    /// The burst.
    #[must_use]
    pub fn burst_size(&self) -> u32 {
        if let Shape::Rate { burst } = self.shape { burst.get() } else { self.requests.get() }
    }

    /// The budget in the units that are counted in, if it is the same at all times: a quota of the calendar is not.
    #[must_use]
    pub fn fixed_budget(&self) -> Option<Budget> {
        match self.shape {
            Shape::Strict if self.requests.get() <= Strict::MOST && self.window() <= Strict::LONGEST => {
                Some(Budget::Strict(Strict::new(self.requests.get(), self.window())))
            }
            Shape::Rate { .. } | Shape::Strict => Some(Budget::Rate(self.rate())),
            Shape::Calendar { .. } => None,
        }
    }

    /// The budget as it is now.
    #[must_use]
    pub fn budget(&self, clock: &dyn Clock) -> Budget {
        match (self.fixed_budget(), self.shape) {
            (None, Shape::Calendar { period, offset }) => {
                let (now, wall) = (clock.now(), clock.wall());
                let current = period.at(wall, offset);
                Budget::Window(Window {
                    limit: self.requests.get(),
                    index: current.index,
                    ends: now.after(current.left),
                    length_micros: as_micros(current.length),
                })
            }
            (fixed, _) => fixed.unwrap_or(Budget::Rate(self.rate())),
        }
    }

    /// A rate that lets through no more than this quota; for a rate, itself.
    pub(super) fn rate(&self) -> Gcra {
        match self.shape {
            // Rounded up, so that rounding never lets more through.
            Shape::Rate { burst } => Gcra::new(self.window_micros.div_ceil(u64::from(self.requests.get())), burst.get()),
            Shape::Strict | Shape::Calendar { .. } => Gcra::never_more_than(self.requests.get(), self.window_micros),
        }
    }
}

fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.window();
        write!(f, "{} per ", self.requests)?;
        if let Shape::Calendar { period, offset } = self.shape {
            write!(f, "{}", period.name())?;
            if offset != 0 {
                let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
                write!(f, " at {sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
            }
            return Ok(());
        }
        match (window.as_secs(), window.subsec_micros()) {
            (1, 0) => write!(f, "second"),
            (60, 0) => write!(f, "minute"),
            (3600, 0) => write!(f, "hour"),
            _ => write!(f, "{window:?}"),
        }?;
        match self.shape {
            Shape::Rate { burst } if burst != self.requests => write!(f, ", burst {burst}"),
            Shape::Strict => write!(f, ", strict"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Micros};

    #[test]
    fn quotas_say_what_they_are() {
        assert_eq!(Quota::per_minute(20).to_string(), "20 per minute");
        assert_eq!(Quota::per_minute(20).burst(5).to_string(), "20 per minute, burst 5");
        assert_eq!(Quota::per_hour(10).strict().to_string(), "10 per hour, strict");
        assert_eq!(Quota::daily(1000).to_string(), "1000 per day");
        assert_eq!(Quota::monthly(5).utc_offset(-210).to_string(), "5 per month at -03:30");
    }

    #[test]
    fn a_day_ends_at_midnight_of_its_offset() {
        // ManualClock's origin is 1970; 22:00 on the first day.
        let clock = ManualClock::at(Micros(22 * 3_600_000_000));
        let ends = |quota: Quota| match quota.budget(&clock) {
            Budget::Window(w) => (w.index, w.ends.0 / 3_600_000_000),
            other => panic!("{other:?}"),
        };
        assert_eq!(ends(Quota::daily(5)), (0, 24));
        assert_eq!(ends(Quota::daily(5).utc_offset(180)), (1, 45));
        assert_eq!(ends(Quota::daily(5).utc_offset(-60)), (0, 25));
        assert_eq!(ends(Quota::monthly(5)), (1970 * 12, 31 * 24));
    }

    #[test]
    fn more_than_a_log_holds_is_a_stricter_rate() {
        assert!(matches!(Quota::per_hour(16).strict().fixed_budget(), Some(Budget::Strict(_))));
        assert!(matches!(Quota::per_hour(17).strict().fixed_budget(), Some(Budget::Rate(g)) if g.burst() == 8));
    }
}
