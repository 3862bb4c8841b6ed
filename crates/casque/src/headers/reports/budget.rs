//! How many reports are taken in per second, from one client and from all.

use super::refusal::Refusal;

/// Entries in a row of the table, and rows: 2,048 clients in 32 KiB.
const WAYS: usize = 4;
const ROWS: usize = 512;

/// A rate: so many at once, and so many a second after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once, at least 1.
    pub burst: u32,
    /// How many a second are earned back, at least 1 and at most a million.
    pub per_second: u32,
}

impl Rate {
    /// Microseconds that one report costs.
    fn interval(self) -> u64 {
        1_000_000 / u64::from(self.per_second.clamp(1, 1_000_000))
    }

    /// How far ahead of now a debt may run, in microseconds.
    fn tolerance(self) -> u64 {
        self.interval() * u64::from(self.burst.max(1))
    }

    /// The most that can be owed at `now`. A debt beyond it comes from a clock that was set back, and has to be cut for good: a
    /// client would else stay locked out for the whole step.
    fn cut(self, paid_at: &mut u64, now: u64) {
        *paid_at = (*paid_at).min(now.saturating_add(self.tolerance()));
    }

    /// How many are left, of a debt that was cut.
    fn left(self, paid_at: u64, now: u64) -> u32 {
        u32::try_from(self.tolerance().saturating_sub(paid_at.saturating_sub(now)) / self.interval()).unwrap_or(u32::MAX)
    }

    fn charge(self, paid_at: u64, now: u64, n: u32) -> u64 {
        paid_at.max(now).saturating_add(self.interval().saturating_mul(u64::from(n)))
    }
}

/// The ration of reports: a bucket for each client and one for all, each a single number, the time at which its debt is paid.
///
/// The table of clients has a fixed size. In a full row a newcomer takes over the entry with the smallest debt, debt and all: many
/// clients at once are counted stricter, never let through. The client's bucket is asked first, so that whoever is refused there
/// takes nothing from the others.
#[derive(Debug)]
pub struct Budget {
    client: Rate,
    total: Rate,
    rows: Box<[[(u64, u64); WAYS]]>,
    total_paid_at: u64,
}

impl Default for Budget {
    /// 120 at once and 2 a second from a client: a page that breaks a strict policy in a hundred places sends that many requests,
    /// if the browser knows `report-uri` only. 1,000 at once and 200 a second in all.
    fn default() -> Self {
        Self::new(Rate { burst: 120, per_second: 2 }, Rate { burst: 1000, per_second: 200 })
    }
}

impl Budget {
    /// A ration for each client, and one for all together.
    #[must_use]
    pub fn new(client: Rate, total: Rate) -> Self {
        Self { client, total, rows: vec![[(0, 0); WAYS]; ROWS].into_boxed_slice(), total_paid_at: 0 }
    }

    /// Asks for one body, before it is read. It pays for the first report in it; for the others see [`Budget::grant`].
    ///
    /// `client` tells senders apart: a hash of the address (of IPv6, the /64) under a key that nobody outside knows. `now` is in
    /// milliseconds, on any clock.
    ///
    /// # Errors
    /// [`Refusal::ClientRate`] or [`Refusal::TotalRate`]. Nothing is charged then.
    pub fn admit(&mut self, client: u64, now: u64) -> Result<(), Refusal> {
        if self.grant(client, 1, now) == 1 {
            return Ok(());
        }
        Err(if self.total.left(self.total_paid_at, now.saturating_mul(1000)) == 0 { Refusal::TotalRate } else { Refusal::ClientRate })
    }

    /// Asks for `wanted` reports and gives how many may be recorded, which are charged. For the second and further reports of a
    /// body, so that one request with fifty counts as fifty.
    pub fn grant(&mut self, client: u64, wanted: u32, now: u64) -> u32 {
        let now = now.saturating_mul(1000);
        let row = &mut self.rows[usize::try_from(client % ROWS as u64).unwrap_or(0)];
        let known = row.iter().position(|(key, _)| *key == client);
        let least = || (0..WAYS).min_by_key(|i| row[*i].1).unwrap_or(0);
        let entry = &mut row[known.unwrap_or_else(least)];
        self.client.cut(&mut entry.1, now);
        self.total.cut(&mut self.total_paid_at, now);
        let granted = wanted.min(self.client.left(entry.1, now)).min(self.total.left(self.total_paid_at, now));
        if granted > 0 {
            *entry = (client, self.client.charge(entry.1, now, granted));
            self.total_paid_at = self.total.charge(self.total_paid_at, now, granted);
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget(client: (u32, u32), total: (u32, u32)) -> Budget {
        let rate = |(burst, per_second)| Rate { burst, per_second };
        Budget::new(rate(client), rate(total))
    }

    #[test]
    fn a_client_has_its_burst_and_earns_it_back() {
        let mut budget = budget((3, 2), (100, 100));
        let now = 1_000_000;
        assert_eq!([0; 4].map(|_| budget.admit(7, now).is_ok()), [true, true, true, false]);
        assert_eq!(budget.admit(7, now), Err(Refusal::ClientRate));
        assert_eq!(budget.admit(8, now), Ok(()));
        assert!(budget.admit(7, now + 499).is_err());
        assert!(budget.admit(7, now + 500).is_ok());
        assert_eq!(budget.grant(7, 50, now + 10_000), 3);
    }

    #[test]
    fn who_is_refused_takes_nothing_from_the_others() {
        let mut budget = budget((1, 1), (10, 1));
        for _ in 0..1000 {
            let _ = budget.admit(1, 0);
        }
        assert_eq!((2..12).filter(|client| budget.admit(*client, 0).is_ok()).count(), 9);
        assert_eq!(budget.admit(99, 0), Err(Refusal::TotalRate));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let mut budget = budget((1, 1), (1, 1));
        assert!(budget.admit(7, 1_000_000_000_000).is_ok());
        assert!(budget.admit(7, 5).is_err());
        assert!(budget.admit(7, 1005).is_ok());
    }

    #[test]
    fn a_full_row_forgives_no_debt() {
        let mut budget = budget((2, 1), (1_000_000, 1_000_000));
        // All of one row, ten times as many as it holds.
        let clients: Vec<u64> = (0..40).map(|i| 5 + i * ROWS as u64).collect();
        let passed = (0..10).flat_map(|_| &clients).filter(|client| budget.admit(**client, 0).is_ok()).count();
        assert_eq!(passed, 2 * WAYS);
    }

    proptest! {
        /// Whatever is asked when: never more than burst and rate, for one and for all.
        #[test]
        fn never_more_than_was_rationed(
            asks in proptest::collection::vec((0u64..6, 0u32..60, 0u64..3000), 1..100),
            client in (1u32..50, 1u32..50), total in (1u32..100, 1u32..100),
        ) {
            let mut budget = budget(client, total);
            let (mut now, mut all, mut by_client) = (0, 0u64, [0u64; 6]);
            for (who, wanted, step) in asks {
                now += step;
                let granted = budget.grant(who, wanted, now);
                prop_assert!(granted <= wanted);
                all += u64::from(granted);
                by_client[who as usize] += u64::from(granted);
                let most = |(burst, per_second): (u32, u32)| u64::from(burst) + now * u64::from(per_second) / 999 + 1;
                prop_assert!(all <= most(total));
                prop_assert!(by_client.iter().all(|n| *n <= most(client)));
            }
        }

        #[test]
        fn no_numbers_panic(client: u64, wanted: u32, now: u64, burst: u32, per_second: u32) {
            let mut budget = budget((burst, per_second), (burst, per_second));
            let _ = (budget.admit(client, now), budget.grant(client, wanted, now), budget.admit(client, 0));
        }
    }
}
