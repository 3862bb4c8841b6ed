use proptest::prelude::*;

use super::*;
use crate::limit::Quota;

const START: Micros = Micros(10_000_000);

fn budgets() -> impl Strategy<Value = Budget> {
    (1u32..20, 1u64..5_000, 1u32..20, 0..3u8).prop_map(|(requests, window_ms, burst, kind)| {
        let quota = Quota::new(requests, Duration::from_millis(window_ms));
        let quota = match kind {
            0 => quota.burst(burst),
            1 => quota,
            _ => quota.strict(),
        };
        quota.fixed_budget().unwrap()
    })
}

/// The most that may pass in any window.
fn most(budget: Budget, window: u64) -> usize {
    let most = match budget {
        Budget::Rate(gcra) => u64::from(gcra.burst()) + window.div_ceil(gcra.interval()),
        Budget::Strict(strict) => u64::from(strict.limit()),
        Budget::Window(window) => u64::from(window.limit),
    };
    usize::try_from(most).unwrap()
}

proptest! {
    /// In any window never more than the budget says, whatever the arrival times.
    #[test]
    fn never_more_than_allowed(
        requests in 1u32..20, window_ms in 1u64..5_000, strict: bool,
        steps in proptest::collection::vec((0u64..2_000_000, 1u32..4), 1..300),
    ) {
        let quota = Quota::new(requests, Duration::from_millis(window_ms));
        let budget = if strict { quota.strict() } else { quota }.fixed_budget().unwrap();
        let window = quota.window().as_micros() as u64;
        let most = if strict { requests as usize } else { most(budget, window) };
        let (mut state, mut now) = (State::Fresh, START);
        let mut passed: Vec<u64> = Vec::new();
        for (step, cost) in steps {
            now = Micros(now.0 + step);
            let (next, d) = budget.decide(state, now, cost);
            state = next;
            if d.allowed {
                passed.extend((0..cost).map(|_| now.0));
            }
        }
        for (i, first) in passed.iter().enumerate() {
            prop_assert!(passed[i..].iter().take_while(|t| **t < first + window).count() <= most);
        }
    }

    /// Waiting as long as told is always enough, and one microsecond less never is, as far as the log's ticks are microseconds.
    #[test]
    fn retry_after_is_exact(budget in budgets(), steps in proptest::collection::vec(0u64..500_000, 1..60), cost in 1u32..16) {
        let (mut state, mut now) = (State::Fresh, START);
        for step in steps {
            now = Micros(now.0 + step);
            state = budget.decide(state, now, 1).0;
        }
        let (same, d) = budget.decide(state, now, cost);
        if let (false, Some(wait)) = (d.allowed, d.retry_after) {
            prop_assert!(budget.decide(same, now.after(wait), cost).1.allowed);
            prop_assert!(!budget.decide(same, Micros(now.after(wait).0 - 1), cost).1.allowed);
        }
    }

    /// Whatever is refunded, in whatever order and however late, the key has no more than if those charges had never been made.
    #[test]
    fn refunds_give_no_credit(budget in budgets(), steps in proptest::collection::vec((0u64..300_000, 1u32..3, 0u8..4, 0usize..8), 1..200)) {
        let (mut ours, mut without, mut now) = (State::Fresh, State::Fresh, START);
        let mut held: Vec<(Micros, u32)> = Vec::new();
        for (step, cost, what, which) in steps {
            now = Micros(now.0 + step);
            match what {
                // A charge that will be refunded some time.
                0 | 1 => {
                    let (next, d) = budget.decide(ours, now, cost);
                    if d.allowed {
                        ours = next;
                        held.push((now, cost));
                    }
                }
                // One that is kept, in both.
                2 => {
                    let (next, d) = budget.decide(ours, now, cost);
                    if d.allowed {
                        ours = next;
                        let (next, other) = budget.decide(without, now, cost);
                        prop_assert!(other.allowed, "more room than without the refunded charges");
                        without = next;
                    }
                }
                _ => {
                    if !held.is_empty() {
                        let (at, cost) = held.remove(which % held.len());
                        ours = budget.refund(ours, at, now, cost);
                    }
                }
            }
            prop_assert!(budget.look(ours, now).remaining <= budget.look(without, now).remaining);
        }
    }

    /// A refund at once undoes its charge.
    #[test]
    fn a_refund_at_once_undoes_its_charge(budget in budgets(), steps in proptest::collection::vec(0u64..300_000, 0..30), cost in 1u32..4) {
        let (mut state, mut now) = (State::Fresh, START);
        for step in steps {
            now = Micros(now.0 + step);
            state = budget.decide(state, now, 1).0;
        }
        let before = budget.look(state, now);
        let (charged, d) = budget.decide(state, now, cost);
        if d.allowed {
            prop_assert_eq!(budget.look(budget.refund(charged, now, now, cost), now), before);
        }
    }

    /// The stand-in for keys without a state of their own is never looser than the budget itself.
    #[test]
    fn the_stricter_rate_is_stricter(
        requests in 1u32..40, window_ms in 40u64..5_000, steps in proptest::collection::vec(0u64..300_000, 1..300),
    ) {
        let quota = Quota::new(requests, Duration::from_millis(window_ms)).strict();
        let gcra = Gcra::never_more_than(requests, quota.window().as_micros() as u64);
        let (mut tat, mut now) = (Micros(0), START);
        let mut passed: Vec<u64> = Vec::new();
        for step in steps {
            now = Micros(now.0 + step);
            let (next, d) = gcra.decide(tat, now, 1);
            tat = next;
            if d.allowed {
                passed.push(now.0);
            }
        }
        let window = quota.window().as_micros() as u64;
        for (i, first) in passed.iter().enumerate() {
            prop_assert!(passed[i..].iter().take_while(|t| **t < first + window).count() <= requests as usize);
        }
    }

    /// A clock that was set back locks nobody out for the step, and nothing panics on any state and any time.
    #[test]
    fn no_state_locks_for_longer_than_the_budget(
        budget in budgets(), set_at in 0u64..u64::MAX / 4, now in 0u64..u64::MAX / 4, n in 0u32..100,
    ) {
        let (state, _) = budget.change(State::Fresh, Micros(set_at), Change::Penalise(n));
        let decision = budget.look(state, Micros(now));
        let longest = Duration::from_micros(match budget {
            Budget::Rate(gcra) => gcra.interval() * u64::from(gcra.burst()),
            Budget::Strict(strict) => strict.window_micros() + 1,
            Budget::Window(window) => window.length_micros,
        });
        prop_assert!(decision.retry_after.is_some_and(|wait| wait <= longest), "{decision:?}");
    }
}

#[test]
fn a_log_of_a_changed_policy_is_read_as_it_was_meant() {
    let (hour, minute) = (Quota::per_hour(3).strict(), Quota::per_minute(3).strict());
    let (hour, minute) = (hour.fixed_budget().unwrap(), minute.fixed_budget().unwrap());
    let mut state = State::Fresh;
    for _ in 0..3 {
        state = hour.decide(state, START, 1).0;
    }
    assert!(!minute.decide(state, START.after(Duration::from_secs(59)), 1).1.allowed);
    assert!(minute.decide(state, START.after(Duration::from_secs(60)), 1).1.allowed);
}

#[test]
fn a_month_of_another_replica_is_not_begun_again() {
    let of = |index: u64, ends: u64| Budget::Window(Window { limit: 2, index, ends: Micros(ends), length_micros: 1_000_000 });
    let (state, _) = of(7, 20_000_000).change(State::Fresh, START, Change::Penalise(2));
    assert!(!of(6, 10_500_000).decide(state, START, 1).1.allowed, "a clock that is behind must not reset the count");
    assert!(of(8, 30_000_000).decide(state, START, 1).1.allowed);
}

#[test]
fn a_period_that_another_replica_began_is_waited_for_to_its_end() {
    let of = |index: u64, ends: u64| Budget::Window(Window { limit: 1, index, ends: Micros(ends), length_micros: 20_000_000 });
    let (state, _) = of(7, 40_000_000).decide(State::Fresh, START, 1);
    let (_, refused) = of(6, 20_000_000).decide(state, START, 1);
    assert_eq!(refused.retry_after, Some(Duration::from_secs(30)), "{refused:?}");
    assert_eq!(refused.reset_after, Duration::from_secs(30));
}

#[test]
fn no_time_is_no_block() {
    let budget = Quota::per_hour(2).fixed_budget().unwrap();
    let (state, _) = budget.change(State::Fresh, START, Change::Penalise(2));
    assert_eq!(budget.change(state, START, Change::Block(Duration::ZERO)).0, state, "nor a pardon");
}

#[test]
fn strict_is_strict_over_years_too() {
    let year = Duration::from_secs(366 * 86_400);
    assert!(matches!(Quota::new(5, year).strict().fixed_budget(), Some(Budget::Strict(_))));
    // Longer than a log's ticks reach.
    assert!(matches!(Quota::new(5, year * 2).strict().fixed_budget(), Some(Budget::Rate(g)) if g.burst() == 2));
}
