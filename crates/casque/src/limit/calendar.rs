//! Days and months, for quotas that begin anew with them.

use std::time::Duration;

const DAY: u64 = 86_400;

/// A period of the calendar (Gregorian, without leap seconds, as Unix time is).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Month,
}

/// Where a moment stands in its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Current {
    /// The period's number. Days since 1970, or twelve times the year plus the month from 0.
    pub(super) index: u64,
    /// What is left of it.
    pub(super) left: Duration,
    /// All of it.
    pub(super) length: Duration,
}

impl Period {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The longest that one can be.
    pub(super) fn longest(self) -> Duration {
        match self {
            Self::Day => Duration::from_secs(DAY),
            Self::Month => Duration::from_secs(31 * DAY),
        }
    }

    /// The period at `wall`, the time since 1970, where midnight is `offset` minutes earlier than in UTC.
    pub(super) fn at(self, wall: Duration, offset: i32) -> Current {
        let seconds = wall.as_secs().saturating_add_signed(i64::from(offset) * 60);
        let day = seconds / DAY;
        let (index, first, days) = match self {
            Self::Day => (day, day, 1),
            Self::Month => {
                let (year, month, first, days) = month_of(day);
                (year * 12 + month, first, days)
            }
        };
        let length = Duration::from_secs(days * DAY);
        let gone = Duration::from_secs(seconds - first * DAY) + Duration::from_nanos(u64::from(wall.subsec_nanos()));
        Current { index, left: length.saturating_sub(gone), length }
    }
}

/// The year, the month from 0, the month's first day and its length in days, of a day since 1970.
fn month_of(day: u64) -> (u64, u64, u64, u64) {
    // 400 years have 146,097 days, so this is the year or a neighbour of it.
    let mut year = 1970 + day * 400 / 146_097;
    while first_of_year(year) > day {
        year -= 1;
    }
    while first_of_year(year + 1) <= day {
        year += 1;
    }
    let leap = first_of_year(year + 1) - first_of_year(year) == 366;
    let mut first = first_of_year(year);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, length) in (0..).zip(lengths) {
        if day < first + length {
            return (year, month, first, length);
        }
        first += length;
    }
    // Not reached: the lengths add up to the year's.
    (year, 11, first - 31, 31)
}

/// Days from 1970 to the first of January of a year from 1970 on.
fn first_of_year(year: u64) -> u64 {
    let leap_days = |y: u64| y / 4 - y / 100 + y / 400;
    365 * (year - 1970) + leap_days(year - 1) - leap_days(1969)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(seconds: u64) -> (u64, u64) {
        let current = Period::Month.at(Duration::from_secs(seconds), 0);
        (current.index, current.left.as_secs())
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        assert_eq!(month(0), (1970 * 12, 31 * DAY));
        // 2024-02-29T23:59:59Z, 2024-03-01T00:00:00Z
        assert_eq!(month(1_709_251_199), (2024 * 12 + 1, 1));
        assert_eq!(month(1_709_251_200), (2024 * 12 + 2, 31 * DAY));
        // 2100-02-28T23:59:59Z: 2100 is no leap year.
        assert_eq!(month(4_107_542_399), (2100 * 12 + 1, 1));
        // 2099-12-31T23:59:59Z
        assert_eq!(month(4_102_444_799), (2099 * 12 + 11, 1));
    }

    proptest::proptest! {
        /// Periods follow each other without a gap, whatever the moment and the offset.
        #[test]
        fn periods_meet(seconds in 0u64..100_000_000_000, offset in -1439i32..=1439) {
            for period in [Period::Day, Period::Month] {
                let wall = Duration::from_secs(seconds + DAY);
                let now = period.at(wall, offset);
                let last = period.at(wall + now.left - Duration::from_nanos(1), offset);
                let next = period.at(wall + now.left, offset);
                proptest::prop_assert_eq!(last.index, now.index);
                proptest::prop_assert_eq!(next.index, now.index + 1);
                proptest::prop_assert_eq!(next.left, next.length);
            }
        }
    }
}
