//! OWASP's device cookies, and attempts at once, through the guard of log-ins.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use casque::client_ip::{ClientIp, TrustedProxies};
use casque::clock::{Clock as _, ManualClock, Micros};
use casque::limit::{MemoryStore, Quota, Subject};
use casque::login::{Account, AtOnce, Attempt, Budgets, Guard, Outcome, Secrets, Trust, Verdict, device};
use http::HeaderMap;

use crate::group::{Group, vectors};

/// The data names an account and a browser, and what an attempt comes to: `checked`, `locked`, `ok`, several with `xN`, and behind
/// a comma or in brackets what shows only later.
#[test]
fn device_cookies() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("device cookies", &[]);
    let suite = &file["deviceCookie"];
    let number = |key: &str| u32::try_from(suite["params"][key].as_u64().unwrap()).unwrap();
    // The failure after N locks and is looked at itself, so that N + 1 are.
    let quota = Quota::new(number("N") + 1, Duration::from_secs(number("T").into())).strict();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for case in suite["cases"].as_array().unwrap() {
        let bench = Bench::new(quota);
        for (i, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            if step[0] == "wait" {
                bench.clock.advance(Duration::from_secs(step[1].as_u64().unwrap()));
                continue;
            }
            let (account, brought) = (step[1].as_str().unwrap(), step[2].as_str());
            let (password, times) = counted(step[3].as_str().unwrap());
            let told = step[4].as_str().unwrap();
            let (what, more) = told.split_once([',', '(']).unwrap_or((told, ""));
            let wanted = std::iter::repeat_n(what.split('+').next().map(|w| counted(w).0.trim()).unwrap(), times);
            let tries: Vec<_> = (0..times).map(|_| runtime.block_on(bench.attempt(account, brought, password == "right"))).collect();
            let id = format!("{} step {i}", case["id"].as_str().unwrap());
            group.case(&id, &tries.iter().map(|t| t.0).collect::<Vec<_>>(), &wanted.collect());
            if more.contains("untrusted") {
                let trust = tries.last().and_then(|t| t.1);
                group.case(&format!("{id}: its budget"), &trust, &Some(Trust::Unknown));
            }
            if told.ends_with("+new cookie") {
                let fresh = bench.device(account, Some(&format!("D({account})")));
                group.case(&format!("{id}: its cookie"), &fresh.is_some(), &true);
            }
            // `4 more` counts this one.
            if let Some(left) = more.split(": ").nth(1).and_then(|m| m.split(' ').next()?.parse::<usize>().ok()) {
                let looked_at =
                    1 + (0..100).take_while(|_| runtime.block_on(bench.attempt(account, brought, false)).0 == "checked").count();
                group.case(&format!("{id}: what is left"), &looked_at, &left);
            }
        }
    }
}

/// `wrong x4` is four of `wrong`.
fn counted(text: &str) -> (&str, usize) {
    let split = text.trim().rsplit_once(" x").and_then(|(what, n)| Some((what, n.parse().ok()?)));
    split.unwrap_or((text, 1))
}

/// A guard with nothing but these budgets in the way.
struct Bench {
    guard: Guard,
    clock: ManualClock,
    secrets: Secrets,
}

impl Bench {
    fn new(quota: Quota) -> Self {
        let clock = ManualClock::at(Micros(1_700_000_000_000_000));
        let wide = Quota::per_second(100_000);
        let budgets = Budgets { device: quota, account: quota, source: wide, network: wide, ..Budgets::default() };
        let store = Arc::new(MemoryStore::with_capacity(1 << 12));
        let guard = Guard::builder("owasp").budgets(budgets).challenges(false).store_and_clock(store, Arc::new(clock.clone()));
        Self { guard, clock, secrets: Secrets::random([7; 32]) }
    }

    /// What a cookie such as `D(alice)`, or `D(alice) with one bit flipped`, is worth for an account.
    fn device(&self, account: &str, brought: Option<&str>) -> Option<Subject> {
        let (owner, how) = brought?.strip_prefix("D(")?.split_once(')')?;
        let now = self.clock.wall().as_secs();
        let mut value = device::mint(&self.secrets, Subject::of([owner]), now, [1; 16]).into_bytes();
        if !how.is_empty() {
            value[20] ^= 1;
        }
        device::open(&self.secrets, Subject::of([account]), &value, now, Duration::from_secs(86_400)).map(|d| d.subject())
    }

    async fn attempt(&self, account: &str, brought: Option<&str>, right: bool) -> (&'static str, Option<Trust>) {
        let accounts = vec![Account { account: Subject::of([account]), device: self.device(account, brought) }];
        match self.guard.reserve(&Attempt { client: client(), accounts, pass: None }).await.unwrap() {
            Verdict::Stop(_) => ("locked", None),
            Verdict::Go(reservation) => {
                let trust = reservation.trust();
                reservation.settle(if right { Outcome::Success } else { Outcome::Failure }).await.unwrap();
                (if right { "ok" } else { "checked" }, Some(trust))
            }
        }
    }
}

fn client() -> ClientIp {
    TrustedProxies::default().identify("192.0.2.1".parse().unwrap(), &HeaderMap::new()).ip
}

/// All are charged before any password is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_at_once_through_the_guard() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("attempts at once through the guard", &[]);
    let recorded = &file["loginRecipeRace"]["reserveThenRefund"];
    let wrong = u32::try_from(recorded["passwordsChecked"].as_u64().unwrap()).unwrap();
    let wide = Quota::per_second(100_000);
    let budgets = Budgets { account: Quota::per_hour(wrong).strict(), source: wide, network: wide, ..Budgets::default() };
    let at_once = AtOnce { all: 100_000, per_account: 100_000 };
    let guard = Guard::builder("race").budgets(budgets).at_once(at_once).challenges(false).store(Arc::new(MemoryStore::default()));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..recorded["parallel"].as_u64().unwrap() {
        let guard = guard.clone();
        all.spawn(async move {
            let accounts = vec![Account { account: Subject::of(["alice"]), device: None }];
            let Verdict::Go(reservation) = guard.reserve(&Attempt { client: client(), accounts, pass: None }).await.unwrap() else {
                return 0;
            };
            // As long as a password takes, so that all are open at a time.
            tokio::time::sleep(Duration::from_millis(100)).await;
            reservation.settle(Outcome::Failure).await.unwrap();
            1
        });
    }
    let checked: u32 = all.join_all().await.into_iter().sum();
    group.case("passwords checked", &checked, &wrong);
}
