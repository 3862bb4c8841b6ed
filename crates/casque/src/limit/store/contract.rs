//! What every store must do. A store's tests call [`check`] with a way to make an empty one.
//!
//! Times are those of the store's own clock where it has one, so nothing here waits: what depends on time passing is in
//! [`check_with_time`], for stores that go by the time they are given.

use std::time::Duration;

use super::{Charge, Outcome, Store};
use crate::clock::{ManualClock, Micros};
use crate::limit::{Change, Decision, Key, Quota, Subject};

const NOW: Micros = Micros(1_000_000_000);
const ONE: Duration = Duration::from_secs(1);

/// Runs the suite for a store that goes by the time it is given.
pub(crate) fn check_with_time<S: Store>(make: impl Fn() -> S) {
    check(&make);
    run(async {
        lets_the_burst_through_and_then_one_per_interval(&make()).await;
        a_refusal_costs_nothing(&make()).await;
        strict_is_exact_in_any_window(&make()).await;
        a_calendar_quota_ends_with_its_period(&make()).await;
        a_late_refund_gives_no_credit(&make()).await;
        a_refund_of_one_is_not_a_refund_of_the_next(&make()).await;
        hits_do_not_extend_a_block(&make()).await;
        what_a_changed_policy_promises_is_kept(&make()).await;
        a_key_that_comes_back_is_not_begun_again(&make()).await;
    });
}

/// Runs the part of the suite in which no time passes that a test could notice: quotas are per hour.
pub(crate) fn check<S: Store>(make: impl Fn() -> S) {
    run(async {
        keys_and_limits_do_not_share(&make()).await;
        all_or_nothing(&make()).await;
        looking_costs_nothing(&make()).await;
        what_can_never_pass_says_so(&make()).await;
        advice_stops_nothing(&make()).await;
        for quota in [Quota::per_hour(4), Quota::per_hour(4).strict(), Quota::monthly(4)] {
            lets_so_many_through(&make(), quota).await;
            a_refund_takes_back_what_it_is_told(&make(), quota).await;
            a_refund_of_nothing_gives_no_credit(&make(), quota).await;
            penalties_and_rewards(&make(), quota).await;
            blocks(&make(), quota).await;
            set_get_and_reset(&make(), quota).await;
        }
        made_up_keys_are_counted_under_their_maker(&make()).await;
    });
}

fn run(suite: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(suite);
}

fn key(limit: u64, subject: &str) -> Key {
    Key { limit, subject: Subject::of([subject]) }
}

fn charge(limit: u64, subject: &str, quota: Quota, cost: u32) -> Charge {
    let budget = quota.budget(&ManualClock::at(NOW));
    Charge { key: key(limit, subject), budget, cost, advisory: false, creator: None }
}

async fn ask<S: Store>(store: &S, charges: &[Charge], at: Duration) -> Outcome {
    store.charge(charges, NOW.after(at)).await.unwrap()
}

async fn passes<S: Store>(store: &S, charge: Charge, at: Duration) -> bool {
    ask(store, &[charge], at).await.refused.is_none()
}

async fn change<S: Store>(store: &S, of: Charge, change: Change, at: Duration) -> Decision {
    store.change(of.key, of.budget, change, NOW.after(at)).await.unwrap().decisions.as_slice()[0]
}

async fn remaining<S: Store>(store: &S, of: Charge, at: Duration) -> u32 {
    change(store, of, Change::Look, at).await.remaining
}

async fn lets_the_burst_through_and_then_one_per_interval<S: Store>(store: &S) {
    let one = [charge(1, "a", Quota::per_second(2).burst(3), 1)];
    for left in [2, 1, 0] {
        let outcome = ask(store, &one, Duration::ZERO).await;
        assert_eq!(outcome.refused, None);
        assert_eq!(outcome.decisions.as_slice()[0].remaining, left);
    }
    let refused = ask(store, &one, Duration::ZERO).await;
    assert_eq!(refused.refused, Some(0));
    assert_eq!(refused.decisions.as_slice()[0].retry_after, Some(Duration::from_millis(500)));
    assert_eq!(ask(store, &one, Duration::from_micros(499_999)).await.refused, Some(0));
    assert_eq!(ask(store, &one, Duration::from_millis(500)).await.refused, None);
}

async fn lets_so_many_through<S: Store>(store: &S, quota: Quota) {
    let one = charge(1, "a", quota, 1);
    for left in [3, 2, 1, 0] {
        let outcome = ask(store, &[one], Duration::ZERO).await;
        assert_eq!(outcome.refused, None, "{quota}");
        assert_eq!(outcome.decisions.as_slice()[0].remaining, left, "{quota}");
    }
    let refused = ask(store, &[one], Duration::ZERO).await;
    let decision = refused.decisions.as_slice()[0];
    assert_eq!(refused.refused, Some(0), "{quota}");
    assert!(!decision.blocked && decision.retry_after.is_some_and(|r| r > Duration::from_secs(600)), "{quota}: {decision:?}");
    let two = charge(1, "b", quota, 2);
    assert_eq!([passes(store, two, Duration::ZERO).await, passes(store, two, Duration::ZERO).await], [true, true], "{quota}");
    assert!(!passes(store, two, Duration::ZERO).await, "{quota}");
}

async fn keys_and_limits_do_not_share<S: Store>(store: &S) {
    let quota = Quota::per_hour(1);
    for (limit, subject) in [(1, "a"), (1, "b"), (2, "a"), (1, ""), (1, "ab"), (12, "")] {
        assert!(passes(store, charge(limit, subject, quota, 1), Duration::ZERO).await);
    }
}

async fn all_or_nothing<S: Store>(store: &S) {
    let (wide, narrow) = (charge(1, "a", Quota::per_hour(100), 1), charge(2, "a", Quota::per_hour(1), 1));
    assert_eq!(ask(store, &[wide, narrow], Duration::ZERO).await.refused, None);
    let second = ask(store, &[wide, narrow], Duration::ZERO).await;
    assert_eq!(second.refused, Some(1));
    assert_eq!(remaining(store, wide, Duration::ZERO).await, 99, "a refused set must charge none");
}

async fn a_refusal_costs_nothing<S: Store>(store: &S) {
    let one = charge(1, "a", Quota::per_minute(1), 1);
    passes(store, one, Duration::ZERO).await;
    for _ in 0..100 {
        assert!(!passes(store, one, Duration::from_secs(30)).await);
    }
    assert!(passes(store, one, Duration::from_secs(60)).await, "hammering must not extend the wait");
}

async fn looking_costs_nothing<S: Store>(store: &S) {
    let peek = [charge(1, "a", Quota::per_hour(5), 0)];
    for _ in 0..10 {
        assert_eq!(ask(store, &peek, Duration::ZERO).await.decisions.as_slice()[0].remaining, 5);
    }
}

async fn what_can_never_pass_says_so<S: Store>(store: &S) {
    let outcome = ask(store, &[charge(1, "a", Quota::per_minute(5), 6)], Duration::ZERO).await;
    assert_eq!(outcome.refused, Some(0));
    assert_eq!(outcome.decisions.as_slice()[0].retry_after, None);
}

async fn advice_stops_nothing<S: Store>(store: &S) {
    let advice = Charge { advisory: true, ..charge(1, "a", Quota::per_hour(1), 1) };
    let real = charge(2, "a", Quota::per_hour(2), 1);
    let allowed = |o: &Outcome| o.decisions.as_slice().iter().map(|d| d.allowed).collect::<Vec<_>>();
    let first = ask(store, &[advice, real], Duration::ZERO).await;
    assert_eq!((first.refused, allowed(&first)), (None, vec![true, true]));
    let second = ask(store, &[advice, real], Duration::ZERO).await;
    assert_eq!((second.refused, allowed(&second)), (None, vec![false, true]));
    assert_eq!(ask(store, &[advice, real], Duration::ZERO).await.refused, Some(1));
}

async fn strict_is_exact_in_any_window<S: Store>(store: &S) {
    let one = charge(1, "a", Quota::per_minute(3).strict(), 1);
    for at in [0, 10, 50] {
        assert!(passes(store, one, ONE * at).await);
    }
    let refused = ask(store, &[one], ONE * 55).await;
    assert_eq!(refused.decisions.as_slice()[0].retry_after, Some(ONE * 5), "the first leaves the window after a minute");
    assert!(!passes(store, one, Duration::from_micros(59_999_999)).await);
    assert!(passes(store, one, ONE * 60).await);
    assert!(!passes(store, one, ONE * 60).await);
    assert!(passes(store, one, ONE * 70).await);
}

async fn a_calendar_quota_ends_with_its_period<S: Store>(store: &S) {
    let clock = ManualClock::at(NOW);
    let at = |now: Duration| {
        clock.set(NOW.after(now));
        Charge { budget: Quota::daily(2).budget(&clock), ..charge(1, "a", Quota::daily(2), 1) }
    };
    // NOW is 1,000 seconds into a day of the manual clock.
    let midnight = ONE * (86_400 - 1_000);
    assert!(passes(store, at(Duration::ZERO), Duration::ZERO).await);
    assert!(passes(store, at(ONE), ONE).await);
    let last = midnight - Duration::from_micros(1);
    assert!(!passes(store, at(last), last).await);
    assert!(passes(store, at(midnight), midnight).await);
    assert_eq!(remaining(store, at(midnight), midnight).await, 1);
}

async fn a_refund_takes_back_what_it_is_told<S: Store>(store: &S, quota: Quota) {
    let (first, second) = (charge(1, "a", quota, 2), charge(2, "a", quota, 1));
    let outcome = ask(store, &[first, second], Duration::ZERO).await;
    let kept = Charge { cost: 0, ..second };
    let after = store.refund(&[first, kept], outcome.receipt, NOW).await.unwrap();
    let left: Vec<u32> = after.decisions.as_slice().iter().map(|d| d.remaining).collect();
    assert_eq!(left, [4, 3], "{quota}");
}

async fn a_refund_of_nothing_gives_no_credit<S: Store>(store: &S, quota: Quota) {
    let one = charge(1, "a", quota, 1);
    let receipt = ask(store, &[one], Duration::ZERO).await.receipt;
    for _ in 0..5 {
        store.refund(&[one], receipt, NOW).await.unwrap();
    }
    for _ in 0..4 {
        assert!(passes(store, one, Duration::ZERO).await, "{quota}");
    }
    assert!(!passes(store, one, Duration::ZERO).await, "{quota}");
}

async fn a_late_refund_gives_no_credit<S: Store>(store: &S) {
    for (limit, quota) in [(1, Quota::per_minute(2)), (2, Quota::per_minute(2).strict())] {
        let one = charge(limit, "a", quota, 1);
        let early = ask(store, &[one], Duration::ZERO).await.receipt;
        // The first is paid back or out of the window by now; these two are not.
        assert!(passes(store, one, ONE * 61).await && passes(store, one, ONE * 61).await);
        store.refund(&[one], early, NOW.after(ONE * 61)).await.unwrap();
        assert!(!passes(store, one, ONE * 61).await, "{quota}");
    }
}

async fn a_refund_of_one_is_not_a_refund_of_the_next<S: Store>(store: &S) {
    let one = charge(1, "a", Quota::per_minute(2).strict(), 1);
    let early = ask(store, &[one], Duration::ZERO).await.receipt;
    ask(store, &[one], ONE * 30).await;
    store.refund(&[one], early, NOW.after(ONE * 40)).await.unwrap();
    assert!(passes(store, one, ONE * 40).await);
    assert!(!passes(store, one, ONE * 61).await, "the second still counts for its own minute");
    assert!(passes(store, one, ONE * 90).await);
}

async fn penalties_and_rewards<S: Store>(store: &S, quota: Quota) {
    let one = charge(1, "a", quota, 1);
    assert_eq!(change(store, one, Change::Penalise(3), Duration::ZERO).await.remaining, 1, "{quota}");
    assert_eq!(change(store, one, Change::Reward(2), Duration::ZERO).await.remaining, 3, "{quota}");
    assert_eq!(change(store, one, Change::Reward(9), Duration::ZERO).await.remaining, 4, "{quota}: no credit");
    assert_eq!(change(store, one, Change::Penalise(9), Duration::ZERO).await.remaining, 0, "{quota}: to the limit, not past it");
    assert_eq!(change(store, one, Change::Reward(1), Duration::ZERO).await.remaining, 1, "{quota}");
    assert!(passes(store, one, Duration::ZERO).await && !passes(store, one, Duration::ZERO).await, "{quota}");
}

async fn blocks<S: Store>(store: &S, quota: Quota) {
    let one = charge(1, "a", quota, 1);
    let blocked = change(store, one, Change::Block(ONE * 900), Duration::ZERO).await;
    assert!(blocked.blocked && !blocked.allowed && blocked.remaining == 0, "{quota}: {blocked:?}");
    let refused = ask(store, &[one], Duration::ZERO).await;
    assert_eq!(refused.refused, Some(0), "{quota}");
    let decision = refused.decisions.as_slice()[0];
    assert!(decision.blocked && decision.retry_after.is_some_and(|r| r > ONE * 890 && r <= ONE * 900), "{quota}: {decision:?}");
    let shorter = change(store, one, Change::Block(ONE), Duration::ZERO).await;
    assert!(shorter.retry_after.is_some_and(|r| r > ONE * 890), "{quota}: a shorter block must not end a longer one");
    for nothing in [Change::Reward(4), Change::Penalise(4), Change::Look] {
        assert!(change(store, one, nothing, Duration::ZERO).await.blocked, "{quota}");
    }
    assert!(passes(store, charge(1, "b", quota, 1), Duration::ZERO).await, "{quota}");
    let free = change(store, one, Change::Unblock, Duration::ZERO).await;
    assert_eq!((free.allowed, free.blocked, free.remaining), (true, false, 4), "{quota}");
    passes(store, one, Duration::ZERO).await;
    assert_eq!(change(store, one, Change::Unblock, Duration::ZERO).await.remaining, 3, "{quota}: nothing to unblock is nothing to forget");
}

async fn hits_do_not_extend_a_block<S: Store>(store: &S) {
    let one = charge(1, "a", Quota::per_hour(5), 1);
    change(store, one, Change::Block(ONE * 60), Duration::ZERO).await;
    for at in 0..60 {
        let decision = ask(store, &[one], ONE * at).await.decisions.as_slice()[0];
        assert_eq!(decision.retry_after, Some(ONE * (60 - at)));
    }
    let after = ask(store, &[one], ONE * 60).await;
    assert_eq!((after.refused, after.decisions.as_slice()[0].remaining), (None, 4));
}

async fn set_get_and_reset<S: Store>(store: &S, quota: Quota) {
    let one = charge(1, "a", quota, 1);
    assert_eq!(remaining(store, one, Duration::ZERO).await, 4, "{quota}");
    assert_eq!(change(store, one, Change::Set(3), Duration::ZERO).await.remaining, 1, "{quota}");
    assert_eq!(remaining(store, one, Duration::ZERO).await, 1, "{quota}");
    let full = change(store, one, Change::Set(4), Duration::ZERO).await;
    assert!(!full.allowed && !full.blocked && full.remaining == 0, "{quota}");
    assert_eq!(change(store, one, Change::Set(0), Duration::ZERO).await.remaining, 4, "{quota}");
    passes(store, one, Duration::ZERO).await;
    assert_eq!(change(store, one, Change::Reset, Duration::ZERO).await.remaining, 4, "{quota}");
    change(store, one, Change::Block(ONE * 60), Duration::ZERO).await;
    assert_eq!(change(store, one, Change::Set(1), Duration::ZERO).await.remaining, 3, "{quota}: setting ends a block");
}

async fn made_up_keys_are_counted_under_their_maker<S: Store>(store: &S) {
    let maker = |name: &str| Some(Subject::of(["maker", name]));
    let made_up = |n: u32, by: &str| Charge { creator: maker(by), ..charge(1, &format!("key {n}"), Quota::per_hour(2), 1) };
    let mut passed = 0;
    let mut shared = None;
    for n in 0..1000 {
        let charge = made_up(n, "one");
        let outcome = ask(store, &[charge], Duration::ZERO).await;
        passed += u32::from(outcome.refused.is_none());
        if outcome.receipt.shared == 1 && shared.is_none() {
            shared = Some((charge, outcome.receipt));
        }
    }
    assert!((100..=102).contains(&passed), "{passed} of 1000 made-up keys had a budget: 100 of their own and one of 2 for the rest");
    // Keys that are there already go on, and others may still begin theirs.
    assert!(passes(store, made_up(0, "one"), Duration::ZERO).await);
    assert!(passes(store, made_up(5000, "two"), Duration::ZERO).await);
    // What was counted under the maker's name is refunded there.
    let (charge, receipt) = shared.unwrap();
    assert!(!passes(store, made_up(6000, "one"), Duration::ZERO).await);
    store.refund(&[charge], receipt, NOW).await.unwrap();
    assert!(passes(store, made_up(6000, "one"), Duration::ZERO).await);
}

async fn what_a_changed_policy_promises_is_kept<S: Store>(store: &S) {
    let (narrow, wide) = (charge(1, "a", Quota::per_hour(1), 1), charge(1, "a", Quota::per_second(10), 1));
    assert!(passes(store, narrow, Duration::ZERO).await);
    let wait = ask(store, &[wide], Duration::ZERO).await.decisions.as_slice()[0].retry_after.unwrap();
    assert_eq!(wait, Duration::from_millis(100));
    assert!(passes(store, wide, wait).await, "an hour's wait of the old policy must not outlast it");
}

/// What is paid back between two requests is no new key: else an office with a few API keys would soon share one budget.
async fn a_key_that_comes_back_is_not_begun_again<S: Store>(store: &S) {
    let maker = Some(Subject::of(["maker"]));
    for (limit, quota) in [(1, Quota::per_second(2).burst(1)), (2, Quota::new(2, ONE).strict())] {
        let mut shared = 0;
        for at in 0..300 {
            for name in ["one", "two"] {
                let charge = Charge { creator: maker, ..charge(limit, name, quota, 1) };
                shared += ask(store, &[charge], ONE * 3 * at).await.receipt.shared;
            }
        }
        assert_eq!(shared, 0, "{quota}");
    }
}
