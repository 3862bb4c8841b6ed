//! What every store must do. A store's tests call [`check`] with a way to make an empty one.

use std::time::Duration;

use super::{Charge, Outcome, Store};
use crate::clock::Micros;
use crate::limit::{Gcra, Quota};

const NOW: Micros = Micros(1_000_000_000);

/// Runs the suite.
pub(crate) fn check<S: Store>(make: impl Fn() -> S) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        lets_the_burst_through_and_then_one_per_interval(&make()).await;
        keys_and_limits_do_not_share(&make()).await;
        all_or_nothing(&make()).await;
        a_refusal_costs_nothing(&make()).await;
        looking_costs_nothing(&make()).await;
        what_can_never_pass_says_so(&make()).await;
        advice_stops_nothing(&make()).await;
    });
}

fn charge<'a>(limit: u64, subject: &'a [u8], quota: Quota, cost: u32) -> Charge<'a> {
    Charge { limit, subject, gcra: Gcra::from(quota), cost, advisory: false }
}

async fn ask<S: Store>(store: &S, charges: &[Charge<'_>], at: Duration) -> Outcome {
    store.charge(charges, NOW.after(at)).await.unwrap()
}

async fn lets_the_burst_through_and_then_one_per_interval<S: Store>(store: &S) {
    let one = [charge(1, b"a", Quota::per_second(2).burst(3), 1)];
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

async fn keys_and_limits_do_not_share<S: Store>(store: &S) {
    let quota = Quota::per_hour(1);
    for (limit, subject) in [(1, &b"a"[..]), (1, b"b"), (2, b"a"), (1, b""), (1, b"ab"), (12, b"")] {
        assert_eq!(ask(store, &[charge(limit, subject, quota, 1)], Duration::ZERO).await.refused, None);
    }
}

async fn all_or_nothing<S: Store>(store: &S) {
    let (wide, narrow) = (charge(1, b"a", Quota::per_hour(100), 1), charge(2, b"a", Quota::per_hour(1), 1));
    assert_eq!(ask(store, &[wide, narrow], Duration::ZERO).await.refused, None);
    let second = ask(store, &[wide, narrow], Duration::ZERO).await;
    assert_eq!(second.refused, Some(1));
    let peek = Charge { cost: 0, ..wide };
    assert_eq!(ask(store, &[peek], Duration::ZERO).await.decisions.as_slice()[0].remaining, 99, "a refused set must charge none");
}

async fn a_refusal_costs_nothing<S: Store>(store: &S) {
    let one = [charge(1, b"a", Quota::per_minute(1), 1)];
    ask(store, &one, Duration::ZERO).await;
    for _ in 0..100 {
        assert_eq!(ask(store, &one, Duration::from_secs(30)).await.refused, Some(0));
    }
    assert_eq!(ask(store, &one, Duration::from_secs(60)).await.refused, None, "hammering must not extend the wait");
}

async fn looking_costs_nothing<S: Store>(store: &S) {
    let peek = [charge(1, b"a", Quota::per_minute(5), 0)];
    for _ in 0..10 {
        assert_eq!(ask(store, &peek, Duration::ZERO).await.decisions.as_slice()[0].remaining, 5);
    }
}

async fn what_can_never_pass_says_so<S: Store>(store: &S) {
    let outcome = ask(store, &[charge(1, b"a", Quota::per_minute(5), 6)], Duration::ZERO).await;
    assert_eq!(outcome.refused, Some(0));
    assert_eq!(outcome.decisions.as_slice()[0].retry_after, None);
}

async fn advice_stops_nothing<S: Store>(store: &S) {
    let advice = Charge { advisory: true, ..charge(1, b"a", Quota::per_hour(1), 1) };
    let real = charge(2, b"a", Quota::per_hour(2), 1);
    let allowed = |o: &Outcome| o.decisions.as_slice().iter().map(|d| d.allowed).collect::<Vec<_>>();
    let first = ask(store, &[advice, real], Duration::ZERO).await;
    assert_eq!((first.refused, allowed(&first)), (None, vec![true, true]));
    let second = ask(store, &[advice, real], Duration::ZERO).await;
    assert_eq!((second.refused, allowed(&second)), (None, vec![false, true]));
    assert_eq!(ask(store, &[advice, real], Duration::ZERO).await.refused, Some(1));
}
