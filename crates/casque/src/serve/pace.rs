//! Whether a body comes fast enough. Pure; only time spent waiting for the client is counted.

use std::time::Duration;

/// The window over which the rate is averaged.
const WINDOW: Duration = Duration::from_secs(10);
/// What a body may take to get going.
const GRACE: Duration = Duration::from_secs(5);

/// The pace of one body.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    waited: Duration,
    allowance: Duration,
    bytes: u64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { waited: Duration::ZERO, allowance: WINDOW + GRACE, bytes: 0 }
    }

    /// Notes that bytes came after waiting so long for them; tells whether the body may go on.
    pub(super) fn arrived(&mut self, bytes: u64, after: Duration, min_rate: u64) -> bool {
        self.waited += after;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.waited < self.allowance {
            return true;
        }
        let fast_enough = self.bytes >= min_rate.saturating_mul(WINDOW.as_secs());
        *self = Self { waited: Duration::ZERO, allowance: WINDOW, bytes: 0 };
        fast_enough
    }

    /// How much longer to wait before the pace must be judged without another byte.
    pub(super) fn patience(&self) -> Duration {
        self.allowance.saturating_sub(self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` every `every` until refused or `total` has gone by; gives the time of the refusal.
    fn refused_after(bytes: u64, every: Duration, total: Duration) -> Option<Duration> {
        let mut pace = Pace::new();
        let mut at = Duration::ZERO;
        while at < total {
            at += every;
            if !pace.arrived(bytes, every, 500) {
                return Some(at);
            }
        }
        None
    }

    #[test]
    fn a_trickle_is_stopped_within_the_first_window_and_its_grace() {
        assert_eq!(refused_after(1, Duration::from_secs(1), Duration::from_secs(60)), Some(Duration::from_secs(15)));
        assert_eq!(refused_after(499, Duration::from_secs(1), Duration::from_secs(600)), Some(Duration::from_secs(25)));
    }

    #[test]
    fn the_asked_rate_goes_on_for_ever() {
        assert_eq!(refused_after(500, Duration::from_secs(1), Duration::from_secs(3600)), None);
        assert_eq!(refused_after(5_000, Duration::from_secs(9), Duration::from_secs(3600)), None);
    }

    #[test]
    fn a_burst_does_not_buy_hours() {
        let mut pace = Pace::new();
        assert!(pace.arrived(10_000_000, Duration::from_millis(1), 500));
        let mut seconds = 0;
        while pace.arrived(1, Duration::from_secs(1), 500) {
            seconds += 1;
        }
        assert!(seconds < 26, "{seconds}");
    }
}
