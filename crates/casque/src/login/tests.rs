//! The guard from outside, on the store in memory and a stepped clock.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::*;
use crate::client_ip::{ClientIp, TrustedProxies};
use crate::clock::{ManualClock, Micros};
use crate::limit::{MemoryStore, Quota, Subject};

struct Bench {
    guard: Guard,
    clock: ManualClock,
}

fn bench(build: impl FnOnce(Builder) -> Builder) -> Bench {
    let clock = ManualClock::at(Micros(1_000_000 * 3_600_000_000));
    let store = Arc::new(MemoryStore::with_capacity(1 << 16));
    let guard = build(Guard::builder("test")).store_and_clock(store, Arc::new(clock.clone()));
    Bench { guard, clock }
}

fn ip(text: &str) -> ClientIp {
    TrustedProxies::default().identify(text.parse::<IpAddr>().unwrap(), &HeaderMap::new()).ip
}

fn nth(n: u32) -> ClientIp {
    ip(&std::net::Ipv4Addr::from(0x0a00_0000 + n * 256 + 1).to_string())
}

fn name(name: &str) -> Subject {
    Subject::of([name])
}

fn unknown(client: ClientIp, account: &str) -> Attempt {
    Attempt { client, accounts: vec![Account { account: name(account), device: None }], pass: None }
}

fn known(client: ClientIp, account: &str, device: &str) -> Attempt {
    Attempt { client, accounts: vec![Account { account: name(account), device: Some(name(device)) }], pass: None }
}

fn with_pass(attempt: Attempt, pass: &str) -> Attempt {
    Attempt { pass: Some(name(pass)), ..attempt }
}

impl Bench {
    /// What comes of an attempt that ends so if it is looked at.
    async fn attempt(&self, attempt: &Attempt, outcome: Outcome) -> Result<Trust, Stop> {
        match self.guard.reserve(attempt).await.unwrap() {
            Verdict::Go(reservation) => {
                let trust = reservation.trust();
                reservation.settle(outcome).await.unwrap();
                Ok(trust)
            }
            Verdict::Stop(stop) => Err(stop),
        }
    }

    async fn wrong(&self, attempt: &Attempt) -> Result<Trust, Stop> {
        self.attempt(attempt, Outcome::Failure).await
    }

    async fn right(&self, attempt: &Attempt) -> Result<Trust, Stop> {
        self.attempt(attempt, Outcome::Success).await
    }

    /// How many wrong ones are looked at until one is not.
    async fn until_stopped(&self, attempt: &Attempt) -> (u32, Stop) {
        for n in 0..10_000 {
            if let Err(stop) = self.wrong(attempt).await {
                return (n, stop);
            }
        }
        panic!("never stopped");
    }
}

fn budget(stop: Stop) -> &'static str {
    match stop {
        Stop::Exceeded { budget, .. } | Stop::Challenge { budget, .. } => budget,
        Stop::Busy => "busy",
        Stop::TooManyAccounts => "too many",
    }
}

#[tokio::test]
async fn a_thousand_at_once_are_as_many_as_the_budget() {
    let bench = bench(|b| b.at_once(AtOnce { all: 10_000, per_account: 10_000 }));
    let mut open = Vec::new();
    for n in 0..1000 {
        if let Verdict::Go(reservation) = bench.guard.reserve(&unknown(nth(n), "alice")).await.unwrap() {
            open.push(reservation);
        }
    }
    assert_eq!(open.len(), 5, "the race factor is one");
    drop(open);
    let late = bench.right(&unknown(nth(2000), "alice")).await;
    assert!(matches!(late, Err(Stop::Challenge { budget: "account", .. })), "dropped, they stay charged: {late:?}");
}

#[tokio::test]
async fn a_known_browser_gets_in_whatever_others_do() {
    let bench = bench(|b| b);
    for n in 0..500 {
        let _ = bench.wrong(&unknown(nth(n), "alice")).await;
    }
    assert!(bench.right(&unknown(nth(900), "alice")).await.is_err());
    // Even from an address that is blocked itself.
    let _ = bench.until_stopped(&unknown(nth(1), "bob")).await;
    for _ in 0..50 {
        assert_eq!(bench.right(&known(nth(1), "alice", "laptop")).await, Ok(Trust::Known));
    }
}

#[tokio::test]
async fn a_device_that_fails_counts_as_none_and_in_the_end_for_good() {
    let bench = bench(|b| b.challenges(false).budgets(Budgets { source: Quota::per_second(100), ..Budgets::default() }));
    let alice = known(nth(1), "alice", "stolen");
    let mut trusted = 0;
    for hour in 0..30 {
        let (checked, _) = bench.until_stopped(&alice).await;
        // Ten by the device, and the five that all unknown browsers have.
        assert!(checked <= 15, "hour {hour}: {checked}");
        trusted += checked.saturating_sub(5);
        bench.clock.advance(Duration::from_secs(3601));
    }
    assert!((100..=102).contains(&trusted), "a stolen cookie is good for a hundred: {trusted}");
    assert!(bench.right(&known(nth(1), "alice", "other")).await.is_ok());
}

#[tokio::test]
async fn right_answers_wash_nothing() {
    let bench = bench(|b| b.challenges(false));
    let mut checked = 0;
    // Three guesses, then a log-in to one's own account.
    for n in 0..400 {
        if n % 4 == 3 {
            let _ = bench.right(&unknown(nth(1), "mallory")).await;
        } else if bench.wrong(&unknown(nth(1), "alice")).await.is_ok() {
            checked += 1;
        }
    }
    assert_eq!(checked, 5);
}

#[tokio::test]
async fn spraying_costs_its_source_more_than_one_account_does() {
    let bench = bench(|b| b.challenges(false).budgets(Budgets { account: Quota::per_hour(1000), ..Budgets::default() }));
    let (one_account, stop) = bench.until_stopped(&unknown(nth(1), "alice")).await;
    assert_eq!((one_account, budget(stop)), (20, "source"));
    let mut many = 0;
    while bench.wrong(&unknown(nth(2), &format!("user{many}"))).await.is_ok() {
        many += 1;
    }
    assert!((7..=10).contains(&many), "{many}");
}

#[tokio::test]
async fn blocks_grow_and_knocking_does_not_prolong_them() {
    let bench = bench(|b| b.challenges(false).budgets(Budgets { account: Quota::per_hour(1000), ..Budgets::default() }));
    let attempt = unknown(nth(1), "alice");
    let mut lengths = Vec::new();
    for _ in 0..5 {
        let (_, stop) = bench.until_stopped(&attempt).await;
        let Stop::Exceeded { budget: "source", retry_after: Some(length) } = stop else { panic!("{stop:?}") };
        let start = bench.clock.clone();
        for _ in 0..10 {
            start.advance(length / 20);
            let again = bench.wrong(&attempt).await.unwrap_err();
            let Stop::Exceeded { retry_after: Some(left), .. } = again else { panic!("{again:?}") };
            assert!(left < length, "no hit makes it longer");
        }
        lengths.push(length.as_secs());
        bench.clock.advance(length / 2 + Duration::from_secs(1));
    }
    let about = |secs: u64, low: u64| (low..=low + low / 10).contains(&secs);
    assert!(about(lengths[0], 900) && about(lengths[1], 3600) && about(lengths[2], 14_400), "{lengths:?}");
    assert!(about(lengths[3], 86_400), "{lengths:?}");
}

#[tokio::test]
async fn whoever_shares_a_blocked_address_gets_in_by_a_challenge() {
    let bench = bench(|b| b);
    for n in 0..20 {
        let _ = bench.wrong(&unknown(nth(1), &format!("user{n}"))).await;
    }
    let neighbour = unknown(nth(1), "neighbour");
    assert!(matches!(bench.right(&neighbour).await, Err(Stop::Challenge { budget: "source", .. })));
    assert_eq!(bench.right(&with_pass(neighbour.clone(), "p")).await, Ok(Trust::Challenged));
    let mut lane = 0;
    for n in 0..50 {
        lane += u32::from(bench.wrong(&with_pass(unknown(nth(1), &format!("user{n}")), &format!("p{n}"))).await.is_ok());
    }
    assert_eq!(lane, 8);
}

#[tokio::test]
async fn an_account_under_attack_is_open_to_whoever_passes_a_challenge() {
    let bench = bench(|b| b);
    for n in 0..5 {
        bench.wrong(&unknown(nth(n), "alice")).await.unwrap();
    }
    let newcomer = unknown(nth(100), "alice");
    assert_eq!(budget(bench.right(&newcomer).await.unwrap_err()), "account");
    assert_eq!(bench.right(&with_pass(newcomer.clone(), "p1")).await, Ok(Trust::Challenged));
    // One pass is good for three wrong ones.
    for _ in 0..3 {
        bench.wrong(&with_pass(newcomer.clone(), "p1")).await.unwrap();
    }
    let stop = bench.wrong(&with_pass(newcomer.clone(), "p1")).await.unwrap_err();
    assert!(matches!(stop, Stop::Challenge { budget: "pass", .. }), "{stop:?}");
    // And the lane has its own bound, whoever solves challenges all day.
    let mut lane = 3;
    for n in 0..100 {
        lane += u32::from(bench.wrong(&with_pass(unknown(nth(200 + n), "alice"), &format!("s{n}"))).await.is_ok());
    }
    assert_eq!(lane, 5);
}

#[tokio::test]
async fn failures_everywhere_ask_unknown_browsers_for_a_challenge() {
    let bench = bench(|b| b);
    for n in 0..40 {
        let _ = bench.wrong(&unknown(nth(n), &format!("user{n}"))).await;
    }
    assert!(bench.guard.alarm());
    let stop = bench.right(&unknown(nth(77), "alice")).await.unwrap_err();
    assert!(matches!(stop, Stop::Challenge { budget: "alarm", debt: 0, .. }), "{stop:?}");
    assert_eq!(bench.right(&known(nth(77), "alice", "laptop")).await, Ok(Trust::Known));
    assert_eq!(bench.right(&with_pass(unknown(nth(77), "alice"), "p")).await, Ok(Trust::Challenged));
    let attacker = with_pass(unknown(nth(78), "bob"), "q");
    let (checked, stop) = bench.until_stopped(&attacker).await;
    assert_eq!((checked, budget(stop)), (3, "pass"), "a pass is used up during an alarm");
    bench.clock.advance(Duration::from_secs(11 * 60));
    assert!(bench.right(&unknown(nth(77), "alice")).await.is_ok());
}

#[tokio::test]
async fn attempts_without_a_name_share_their_sources_budget() {
    let bench = bench(|b| b.challenges(false));
    let nameless = |n| Attempt { client: nth(n), accounts: Vec::new(), pass: None };
    let (checked, stop) = bench.until_stopped(&nameless(1)).await;
    assert_eq!((checked, budget(stop)), (5, "account"));
    assert!(bench.wrong(&nameless(2)).await.is_ok(), "another source is another");
}

#[tokio::test]
async fn several_credentials_are_charged_each() {
    let bench = bench(|b| b.challenges(false));
    let accounts: Vec<Account> = ["a", "b", "c", "d"].map(|n| Account { account: name(n), device: None }).into();
    let batch = Attempt { client: nth(1), accounts, pass: None };
    let (checked, stop) = bench.until_stopped(&batch).await;
    assert!(checked <= 5 && budget(stop) == "source", "{checked}");
    let five = Attempt { accounts: vec![Account { account: name("e"), device: None }; 5], ..batch };
    assert_eq!(bench.wrong(&five).await, Err(Stop::TooManyAccounts));
}

#[tokio::test]
async fn slots_bound_what_is_looked_at_and_give_the_charge_back() {
    let bench = bench(|b| b.at_once(AtOnce { all: 3, per_account: 2 }));
    let open = |account: &'static str, n| {
        let guard = bench.guard.clone();
        async move { guard.reserve(&unknown(nth(n), account)).await.unwrap() }
    };
    let (first, second) = (open("alice", 1).await, open("alice", 2).await);
    assert!(matches!(open("alice", 3).await, Verdict::Stop(Stop::Busy)));
    let third = open("bob", 4).await;
    assert!(matches!(open("carol", 5).await, Verdict::Stop(Stop::Busy)));
    assert_eq!(bench.right(&known(nth(6), "alice", "laptop")).await, Ok(Trust::Known), "known browsers have slots of their own");
    drop((first, second, third));
    // Two are charged of five; busy ones were given back.
    let mut left = 0;
    while bench.wrong(&unknown(nth(50 + left), "alice")).await.is_ok() {
        left += 1;
    }
    assert_eq!(left, 3);
}

#[tokio::test]
async fn an_answer_that_says_nothing_costs_nothing() {
    let bench = bench(|b| b);
    for _ in 0..100 {
        bench.attempt(&unknown(nth(1), "alice"), Outcome::Neutral).await.unwrap();
    }
    assert_eq!(bench.until_stopped(&unknown(nth(1), "alice")).await.0, 5);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Try { client: u8, account: u8, device: bool, pass: Option<u8>, outcome: u8 },
        Wait(u16),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let attempt = (0u8..6, 0u8..2, any::<bool>(), proptest::option::of(0u8..3), 0u8..4)
            .prop_map(|(client, account, device, pass, outcome)| Step::Try { client, account, device, pass, outcome });
        proptest::collection::vec(prop_oneof![9 => attempt, 1 => (0u16..2000).prop_map(Step::Wait)], 0..200)
    }

    proptest! {
        /// However it is mixed: no account has more than 20 wrong ones looked at in any hour by browsers that it does not know.
        #[test]
        fn no_order_gets_more(steps in steps()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let bench = bench(|b| b.budgets(Budgets { source: Quota::per_second(1000), network: Quota::per_second(1000), ..Budgets::default() }));
                let mut failed: Vec<(u8, Micros)> = Vec::new();
                for step in steps {
                    match step {
                        Step::Wait(secs) => bench.clock.advance(Duration::from_secs(secs.into())),
                        Step::Try { client, account, device, pass, outcome } => {
                            let of = format!("account{account}");
                            let who = nth(client.into());
                            let mut attempt = if device { known(who, &of, &format!("d{account}")) } else { unknown(who, &of) };
                            attempt.pass = pass.map(|p| name(&format!("pass{p}")));
                            let outcome = [Outcome::Success, Outcome::Neutral, Outcome::Failure, Outcome::Failure][usize::from(outcome)];
                            if bench.attempt(&attempt, outcome).await.is_ok_and(|t| t != Trust::Known) && outcome == Outcome::Failure {
                                failed.push((account, crate::clock::Clock::now(&bench.clock)));
                            }
                        }
                    }
                }
                for (account, at) in &failed {
                    let hour = failed.iter().filter(|(a, t)| a == account && t >= at && t.since(*at) < Duration::from_secs(3600)).count();
                    prop_assert!(hour <= 20, "{hour} in an hour");
                }
                Ok(())
            })?;
        }
    }
}
