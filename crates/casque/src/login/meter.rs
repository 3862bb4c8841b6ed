//! How many attempts fail everywhere, and whether that is more than usual.
//!
//! A botnet that tries one password at each of a million accounts stays under every limit of one account and of one address.
//! What it cannot hide is that the sum of failures jumps. While it does, browsers that nobody knows have to pass a challenge.

use crate::clock::Micros;

const MINUTE: u64 = 60_000_000;
const HOUR: u64 = 60 * MINUTE;
const DAYS: usize = 7;
const HOURS: usize = DAYS * 24;
/// Failures a minute that are never an alarm.
const FLOOR: u64 = 30;
/// How many times the usual is one.
const TIMES: u64 = 10;
/// How long an alarm lasts after the last minute that was one.
const LASTS: u64 = 10 * MINUTE;

/// Counts failures of browsers that are not known, in one process. Takes under 2 KiB, whatever happens.
#[derive(Debug, Clone)]
pub struct Meter {
    /// The minute that is counted, and the one before it.
    minute: u64,
    now: u64,
    before: u64,
    /// Failures of each of the last 168 hours, and which hour each slot is.
    hours: [(u64, u64); HOURS],
    alarm_until: Micros,
}

impl Default for Meter {
    fn default() -> Self {
        Self { minute: 0, now: 0, before: 0, hours: [(u64::MAX, 0); HOURS], alarm_until: Micros(0) }
    }
}

impl Meter {
    /// Counts a failure. Whether that is an alarm: more in the last minute than 30 and than ten times the median of this hour of
    /// the day in the last seven days.
    pub fn failure(&mut self, now: Micros) -> bool {
        self.turn(now);
        self.now += 1;
        let hour = now.0 / HOUR;
        let slot = &mut self.hours[slot(hour)];
        if slot.0 != hour {
            *slot = (hour, 0);
        }
        slot.1 += 1;
        self.judge(now);
        self.alarm(now)
    }

    /// Counts an attempt that was sent to a challenge because of the alarm. An attack that does not pass challenges fails at
    /// none, and would seem to be over.
    pub fn challenged(&mut self, now: Micros) {
        self.turn(now);
        self.now += 1;
        self.judge(now);
    }

    /// Takes one of those back: a challenge was passed.
    pub fn passed(&mut self, now: Micros) {
        self.turn(now);
        let of = if self.now > 0 { &mut self.now } else { &mut self.before };
        *of = of.saturating_sub(1);
    }

    fn turn(&mut self, now: Micros) {
        let minute = now.0 / MINUTE;
        if minute != self.minute {
            self.before = if Some(minute) == self.minute.checked_add(1) { self.now } else { 0 };
            (self.minute, self.now) = (minute, 0);
        }
    }

    fn judge(&mut self, now: Micros) {
        let hour = now.0 / HOUR;
        if self.last_minute(now) > FLOOR.max(TIMES * self.usual(hour) / 60) {
            self.alarm_until = Micros(now.0.saturating_add(LASTS));
        }
    }

    /// Whether there is an alarm.
    #[must_use]
    pub fn alarm(&self, now: Micros) -> bool {
        now < self.alarm_until
    }

    /// Until when there is one; in the past if there is none.
    #[must_use]
    pub fn alarm_until(&self) -> Micros {
        self.alarm_until
    }

    /// Failures in the last sixty seconds: this minute's, and the share of the minute before that is not yet past, as if they
    /// had come evenly.
    fn last_minute(&self, now: Micros) -> u64 {
        let left = MINUTE - now.0 % MINUTE;
        self.now + self.before * left / MINUTE
    }

    /// The median of the same hour's failures on the seven days before; zero for days that are not known.
    fn usual(&self, hour: u64) -> u64 {
        let mut days = [0; DAYS];
        for (day, failures) in (1..).zip(&mut days) {
            let Some(then) = hour.checked_sub(24 * day) else { continue };
            let (known, count) = self.hours[slot(then)];
            if known == then {
                *failures = count;
            }
        }
        days.sort_unstable();
        days[DAYS / 2]
    }
}

fn slot(hour: u64) -> usize {
    (hour % HOURS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(meter: &mut Meter, from: u64, count: u64, apart: u64) -> u64 {
        for i in 0..count {
            meter.failure(Micros(from + i * apart));
        }
        from + count * apart
    }

    #[test]
    fn a_jump_is_an_alarm_and_ends_ten_minutes_after_it() {
        let mut meter = Meter::default();
        let at = 1000 * HOUR;
        let quiet = failures(&mut meter, at, 30, MINUTE / 30);
        assert!(!meter.alarm(Micros(quiet)), "thirty a minute are everyday typing");
        let end = failures(&mut meter, quiet, 40, 1000);
        assert!(meter.alarm(Micros(end)));
        assert!(meter.alarm(Micros(end + 9 * MINUTE)));
        assert!(!meter.alarm(Micros(end + 11 * MINUTE)));
    }

    #[test]
    fn the_edge_of_a_minute_hides_no_jump() {
        let mut meter = Meter::default();
        let edge = 1000 * HOUR + MINUTE;
        failures(&mut meter, edge - 20_000, 20, 1000);
        assert!(!meter.alarm(Micros(edge - 1)));
        let end = failures(&mut meter, edge, 20, 1000);
        assert!(meter.alarm(Micros(end)));
    }

    #[test]
    fn what_is_usual_at_this_hour_is_no_alarm() {
        let mut meter = Meter::default();
        let monday = 24_000 * HOUR;
        // A busy hour a day: 600 failures, ten a minute.
        for day in 0..7 {
            failures(&mut meter, monday + day * 24 * HOUR, 600, HOUR / 600);
        }
        let today = monday + 7 * 24 * HOUR;
        let end = failures(&mut meter, today, 90, 600_000);
        assert!(!meter.alarm(Micros(end)), "90 a minute is nine times the usual");
        let other_hour = today + 5 * HOUR;
        let end = failures(&mut meter, other_hour, 90, 600_000);
        assert!(meter.alarm(Micros(end)), "at another hour it is not");
    }

    #[test]
    fn one_day_of_attack_does_not_become_the_usual() {
        let mut meter = Meter::default();
        let monday = 24_000 * HOUR;
        failures(&mut meter, monday, 360_000, HOUR / 360_000);
        let end = failures(&mut meter, monday + 24 * HOUR, 90, 600_000);
        assert!(meter.alarm(Micros(end)));
    }

    #[test]
    fn knocking_without_passing_keeps_the_alarm_up_and_passing_does_not() {
        let alarmed = || {
            let mut meter = Meter::default();
            let end = failures(&mut meter, 1000 * HOUR, 40, 1000);
            (meter, end)
        };
        let (mut meter, end) = alarmed();
        for minute in 0..60 {
            for n in 0..40 {
                meter.challenged(Micros(end + minute * MINUTE + n * 1000));
            }
        }
        assert!(meter.alarm(Micros(end + 60 * MINUTE)));
        let (mut meter, end) = alarmed();
        for minute in 0..60 {
            for n in 0..40 {
                let at = Micros(end + minute * MINUTE + n * 1000);
                meter.challenged(at);
                meter.passed(at);
            }
        }
        assert!(!meter.alarm(Micros(end + 60 * MINUTE)), "newcomers who pass are no attack");
    }

    proptest::proptest! {
        #[test]
        fn any_clock_is_survived(times in proptest::collection::vec(0u64.., 0..200)) {
            let mut meter = Meter::default();
            for at in times {
                meter.failure(Micros(at));
            }
        }
    }
}
