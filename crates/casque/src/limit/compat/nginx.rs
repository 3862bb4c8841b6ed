//! nginx's `limit_req`, in its own arithmetic.
//!
//! A leaky bucket that is counted in thousandths of a request and whole milliseconds. It is GCRA in other words ([`super::super::Gcra`]),
//! but for its rounding; who moves a `limit_req_zone` over can see here that the same requests pass.

use std::time::Duration;

use crate::clock::Micros;

/// Requests, in thousandths.
const REQUEST: i64 = 1000;

/// A `limit_req` line and the rate of its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitReq {
    /// Thousandths of a request per second: `rate=1r/s` is 1000, `rate=10r/m` is 166.
    pub rate: u32,
    /// `burst=`, in requests.
    pub burst: u32,
    /// What may go on at once of the burst.
    pub delay: Delay,
}

/// `nodelay` and `delay=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// `nodelay`: all that is let through goes on at once.
    None,
    /// `delay=`: so many requests of the burst go on at once, the others wait their turn. nginx's default is 0.
    After(u32),
}

/// What is kept of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// How much it is above its rate, in thousandths of a request.
    pub excess: i64,
    /// When a request of it last passed.
    pub last: Micros,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on at once.
    Pass,
    /// It goes on after so long.
    Delay(Duration),
    /// It is refused.
    Reject,
}

impl LimitReq {
    /// Reads a rate as nginx's configuration has it: `10r/s` or `10r/m`.
    #[must_use]
    pub fn rate(written: &str) -> Option<u32> {
        let (number, seconds) = match (written.strip_suffix("r/s"), written.strip_suffix("r/m")) {
            (Some(n), _) => (n, 1),
            (_, Some(n)) => (n, 60),
            _ => return None,
        };
        let requests: u32 = number.parse().ok().filter(|n| *n > 0)?;
        Some(requests.checked_mul(1000)? / seconds)
    }

    /// Decides on a request, and gives the key's next level and how much it would be above its rate, in thousandths of a
    /// request. A refused request does not change the level.
    #[must_use]
    pub fn decide(&self, level: Option<Level>, now: Micros) -> (Option<Level>, i64, Verdict) {
        let excess = match level {
            None => 0,
            Some(level) => {
                let millis = i64::try_from(now.0 / 1000).unwrap_or(i64::MAX) - i64::try_from(level.last.0 / 1000).unwrap_or(i64::MAX);
                // A clock that was set back counts as standing still; by more than a minute, as having moved on by the least.
                let millis = if millis < -60_000 { 1 } else { millis.max(0) };
                let leaked = i64::from(self.rate).saturating_mul(millis) / 1000;
                level.excess.saturating_sub(leaked).saturating_add(REQUEST).max(0)
            }
        };
        if excess > i64::from(self.burst) * REQUEST {
            return (level, excess, Verdict::Reject);
        }
        let verdict = match self.delay {
            Delay::After(at_once) if excess > i64::from(at_once) * REQUEST => {
                let over = excess - i64::from(at_once) * REQUEST;
                let millis = over.saturating_mul(1000) / i64::from(self.rate.max(1));
                if millis == 0 { Verdict::Pass } else { Verdict::Delay(Duration::from_millis(u64::try_from(millis).unwrap_or(0))) }
            }
            _ => Verdict::Pass,
        };
        (Some(Level { excess, last: now }), excess, verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_nginx_reads_them() {
        assert_eq!(LimitReq::rate("1r/s"), Some(1000));
        assert_eq!(LimitReq::rate("10r/m"), Some(166));
        for bad in ["0r/s", "10", "r/s", "1.5r/s", "-1r/m", "99999999999r/s"] {
            assert_eq!(LimitReq::rate(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_clock_and_no_setting_panics(rate: u32, burst: u32, after: u32, times: Vec<u64>) {
            let limit = LimitReq { rate, burst, delay: Delay::After(after) };
            let mut level = None;
            for now in times {
                level = limit.decide(level, Micros(now)).0;
            }
        }
    }
}
