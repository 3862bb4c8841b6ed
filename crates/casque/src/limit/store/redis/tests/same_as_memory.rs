//! The scripts' arithmetic beside the engine's: any sequence of calls at any times has the same answers, to the microsecond.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::limit::Subject;
use crate::limit::budget::{Strict, Window};
use crate::limit::decision::Decision;
use crate::limit::{Budget, Change, State};

/// A time that a server could have: what matters is that sums of it are exact there.
const START: u64 = 1_732_353_644_123_457;

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(u64),
    Back(u64),
    Charge(u32),
    Change(Change),
    Refund(u32, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0u64..3_000_000).prop_map(Step::Wait),
        1 => (0u64..100_000_000_000).prop_map(Step::Wait),
        1 => (0u64..10_000_000).prop_map(Step::Back),
        8 => (0u32..4).prop_map(Step::Charge),
        1 => any::<u32>().prop_map(Step::Charge),
        1 => (0u32..9).prop_map(|n| Step::Change(Change::Penalise(n))),
        1 => (0u32..9).prop_map(|n| Step::Change(Change::Reward(n))),
        1 => (1u64..5_000_000).prop_map(|n| Step::Change(Change::Block(Duration::from_micros(n)))),
        1 => Just(Step::Change(Change::Unblock)),
        1 => (0u32..9).prop_map(|n| Step::Change(Change::Set(n))),
        1 => Just(Step::Change(Change::Reset)),
        1 => Just(Step::Change(Change::Look)),
        2 => (0u32..3, 0u64..4_000_000).prop_map(|(cost, ago)| Step::Refund(cost, ago)),
    ];
    proptest::collection::vec(step, 1..60)
}

/// A budget, or the limit and the length of periods.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Fixed(Budget),
    Periods(u32, u64),
}

impl Rule {
    fn budget(self, now: Micros) -> Budget {
        match self {
            Self::Fixed(budget) => budget,
            Self::Periods(limit, length_micros) => {
                let index = now.0 / length_micros;
                Budget::Window(Window { limit, index, ends: Micros((index + 1) * length_micros), length_micros })
            }
        }
    }
}

fn rules() -> impl Strategy<Value = Rule> {
    prop_oneof![
        (1u64..100_000_000, 1u32..50).prop_map(|(interval, burst)| Rule::Fixed(Budget::Rate(Gcra::new(interval, burst)))),
        // Windows whose log counts in microseconds in memory too.
        (1u32..=16, 1u64..2_000_000_000).prop_map(|(n, window)| Rule::Fixed(Budget::Strict(Strict::new(n, Duration::from_micros(window))))),
        (1u32..20, 1u64..30_000_000).prop_map(|(limit, length)| Rule::Periods(limit, length)),
    ]
}

/// Runs the steps on the engine and on the store.
async fn both(store: &RedisStore, rule: Rule, steps: &[Step]) -> (Vec<Decision>, Vec<Decision>) {
    let key = Key { limit: rand::random(), subject: Subject::ALL };
    let (mut state, mut now) = (State::Fresh, Micros(START));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let one = |outcome: Result<Outcome, StoreError>| outcome.unwrap().decisions.as_slice()[0];
    for step in steps {
        let budget = rule.budget(now);
        match *step {
            Step::Wait(micros) => now = Micros(now.0 + micros),
            Step::Back(micros) => now = Micros(now.0 - micros),
            Step::Charge(cost) => {
                let (next, decision) = budget.decide(state.at(now), now, cost);
                // What changes nothing writes nothing there, not even that a block has ended or that the clock was set back.
                // But a rate that was cut to what its budget can put it at is kept.
                let is_cut = matches!((state, next), (State::Rate(before), State::Rate(after)) if after < before);
                state = if decision.allowed && cost > 0 || is_cut { next } else { state };
                ours.push(decision);
                // Asked past what is remembered of refusals, which goes by time passing.
                store.inner.refusals.forget(key);
                theirs.push(one(store.charge(&[Charge { key, budget, cost, advisory: false, creator: None }], now).await));
            }
            Step::Change(change) => {
                let was_blocked = matches!(state, State::Blocked { until } if until > now);
                let (next, decision) = budget.change(state, now, change);
                state = if change == Change::Look || change == Change::Unblock && !was_blocked { state } else { next };
                ours.push(decision);
                theirs.push(one(store.change(key, budget, change, now).await));
            }
            Step::Refund(cost, ago) => {
                let at = Micros(now.0 - ago);
                // There, what is to come counts as now before anything is taken back.
                let next = budget.refund(budget.decide(state.at(now), now, 0).0, at, now, cost);
                ours.push(budget.look(next, now));
                state = if cost == 0 { state } else { next };
                let charge = Charge { key, budget, cost, advisory: false, creator: None };
                let receipt = Receipt { at, ..Receipt::default() };
                theirs.push(one(store.refund(&[charge], receipt, now).await));
            }
        }
    }
    (ours, theirs)
}

#[test]
fn any_sequence_has_the_same_answers() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = told_the_time(&server.url());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    proptest!(ProptestConfig { cases: 96, ..ProptestConfig::default() }, |(rule in rules(), steps in steps())| {
        let (ours, theirs) = runtime.block_on(both(&store, rule, &steps));
        prop_assert_eq!(ours, theirs, "{:?}", rule);
    });
}

/// What is longer than Lua's numbers are exact for counts as 71 years, and is still a limit.
#[test]
fn the_longest_and_the_widest_still_limit() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = RedisStore::new(options(&server.url()));
        for (limit, gcra) in [(1, Gcra::new(u64::MAX, 1)), (2, Gcra::new(u64::MAX, u32::MAX)), (3, Gcra::new(1 << 51, 1000))] {
            let key = Key { limit, subject: Subject::ALL };
            let charge = Charge { key, budget: Budget::Rate(gcra), cost: 1, advisory: false, creator: None };
            let first = store.charge(&[charge], Micros(1)).await.unwrap();
            assert_eq!((first.refused, store.charge(&[charge], Micros(1)).await.unwrap().refused), (None, Some(0)), "{gcra:?}");
        }
        let wide = Budget::Rate(Gcra::new(1, u32::MAX));
        let charge = Charge { key: Key { limit: 4, subject: Subject::ALL }, budget: wide, cost: u32::MAX, advisory: false, creator: None };
        assert_eq!(store.charge(&[charge], Micros(1)).await.unwrap().refused, None);
        assert_eq!(store.health().failed, 0);
    });
}
