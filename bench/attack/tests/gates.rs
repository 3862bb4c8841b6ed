//! What the login guard promises, held: the figures of the table that a release may not fall behind, and that a count is exact
//! when everybody comes at once. The baselines are held loosely, so that a mistake in the model shows.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;

use casque::client_ip::{ClientIp, TrustedProxies};
use casque::clock::{ManualClock, Micros};
use casque::limit::{MemoryStore, Subject};
use casque::login::{Account, AtOnce, Attempt, Guard, Outcome, Verdict};
use casque_attack::attackers::{Attack, Kind};
use casque_attack::flood::flood;
use casque_attack::policies;
use casque_attack::scenario::{Tally, run, share};
use http::HeaderMap;

const GUARD: &str = "casque's login guard";

fn day(name: &str, attack: Option<(Kind, bool)>) -> Tally {
    let (_, make) = policies::all().into_iter().find(|(n, _)| *n == name).expect("a defence of this name");
    run(&mut *make(), attack.map(|(kind, solves)| Attack { kind, solves }).as_ref())
}

fn got_in((all, ok): (u64, u64)) -> f64 {
    share(ok, all)
}

#[test]
fn a_calm_day_refuses_next_to_nobody_and_challenges_few() {
    let calm = day(GUARD, None);
    assert!(calm.wrongly_refused().0 <= 0.1, "{:?}", calm.honest);
    assert_eq!(calm.honest[3].1, 0, "classes");
    // Who has forgotten his password, and some of those who sit in a classroom with many who mistype.
    assert!(share(calm.challenged.1, calm.challenged.0) <= 1.5, "{:?}", calm.challenged);
}

#[test]
fn one_bot_gets_no_more_than_250_guesses_a_day() {
    for solves in [false, true] {
        let tally = day(GUARD, Some((Kind::OneBot, solves)));
        assert!(tally.checked_in_all() <= 250, "{solves}: {}", tally.checked_in_all());
        assert!(tally.checked_in_all() >= 5, "the attack reached nothing: is the model still one?");
    }
}

#[test]
fn ten_thousand_bots_get_no_more_than_twenty_guesses_an_hour() {
    for solves in [false, true] {
        let tally = day(GUARD, Some((Kind::Botnet, solves)));
        assert!(tally.checked.iter().all(|hour| *hour <= 20), "{solves}: {:?}", tally.checked);
    }
}

#[test]
fn owners_get_in_while_bots_that_pass_no_challenge_lock_them_out() {
    owners_get_in(Kind::LockOut, false);
}

#[test]
fn owners_get_in_while_bots_that_pass_challenges_lock_them_out() {
    owners_get_in(Kind::LockOut, true);
}

fn owners_get_in(kind: Kind, solves: bool) {
    let tally = day(GUARD, Some((kind, solves)));
    assert_eq!(tally.victim_known.0, tally.victim_known.1, "known browsers");
    assert!(got_in(tally.victim_new) >= 95.0, "new browsers: {:?}", tally.victim_new);
}

#[test]
fn stuffing_by_bots_that_pass_no_challenge_reaches_next_to_nothing() {
    let tally = day(GUARD, Some((Kind::Stuffing, false)));
    assert!(share(tally.checked_in_all(), tally.tried) <= 0.1, "{}", tally.checked_in_all());
}

#[test]
fn a_flood_makes_a_full_table_forget_nobody_who_is_at_his_limit() {
    let came = flood(100_000, 1 << 12);
    assert_eq!((came.account_forgotten, came.source_forgotten), (0, 0), "{came:?}");
    assert!(came.bytes.0 <= came.bytes.1 && came.bytes.1 < 4 << 20, "{came:?}");
}

#[test]
fn the_baselines_are_what_they_are_known_for() {
    let one_bot = |name| day(name, Some((Kind::OneBot, false))).checked_in_all();
    for (name, guesses) in [
        ("none", 864_000..=864_000),
        ("nginx limit_req 10r/m burst 5", 14_000..=15_000),
        ("rate-limiter-flexible's recipe", 101..=101),
        ("fail2ban's defaults", 1_800..=2_500),
        ("crowdsec http-bf", 80..=120),
        ("lockout 5 in 15 min", 460..=500),
        ("Authelia's defaults", 800..=900),
        ("axes-like, extending", 3..=3),
        ("OWASP device cookies", 240..=264),
    ] {
        let counted = one_bot(name);
        assert!(guesses.contains(&counted), "{name}: {counted}");
    }
    let botnet = |name| day(name, Some((Kind::Botnet, false))).checked[13];
    for (name, guesses) in [
        ("nginx limit_req 10r/m burst 5", 600_000..=600_000),
        ("rate-limiter-flexible's recipe", 100_000..=120_000),
        ("fail2ban's defaults", 180_000..=220_000),
        ("crowdsec http-bf", 600_000..=600_000),
        ("lockout 5 in 15 min", 15..=25),
        ("OWASP device cookies", 9..=12),
    ] {
        let counted = botnet(name);
        assert!(guesses.contains(&counted), "{name}: {counted}");
    }
}

/// Reserves from many threads that start together, and counts how many the app would have looked at. Reservations are held until
/// all have asked, as those of an app that takes its time.
fn checked_at_once(guard: &Guard, attempts: &[Attempt], outcome: Outcome) -> usize {
    const THREADS: usize = 16;
    let start = Arc::new(Barrier::new(THREADS));
    let each = attempts.len() / THREADS;
    let threads: Vec<_> = attempts
        .chunks(each)
        .map(|mine| {
            let (guard, start, mine) = (guard.clone(), start.clone(), mine.to_vec());
            thread::spawn(move || {
                start.wait();
                let verdicts = mine.iter().map(|attempt| now(guard.reserve(attempt)).expect("memory has no trouble"));
                let held: Vec<_> =
                    verdicts.filter_map(|v| if let Verdict::Go(reservation) = v { Some(reservation) } else { None }).collect();
                let checked = held.len();
                for reservation in held {
                    now(reservation.settle(outcome)).expect("as above");
                }
                checked
            })
        })
        .collect();
    threads.into_iter().map(|t| t.join().expect("no panic")).sum()
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the store in memory answers at once"),
    }
}

fn client(n: u32) -> ClientIp {
    TrustedProxies::default().identify(IpAddr::V4(Ipv4Addr::from(n)), &HeaderMap::new()).ip
}

fn attempt(from: u32, account: u32, device: Option<u32>) -> Attempt {
    let account = Subject::of([account.to_le_bytes()]);
    let device = device.map(|d| Subject::of([d.to_le_bytes()]));
    Attempt { client: client(from), accounts: vec![Account { account, device }], pass: None }
}

/// The guard of a gateway whose app takes on any number at once: what is refused is refused by its budget alone.
fn guard(at_once: AtOnce) -> Guard {
    let clock = ManualClock::at(Micros(1_000 * 3_600_000_000));
    Guard::builder("race").challenges(false).at_once(at_once).store_and_clock(Arc::new(MemoryStore::default()), Arc::new(clock))
}

const WIDE: AtOnce = AtOnce { all: 100_000, per_account: 100_000 };
const RACERS: u32 = 1_600;

#[test]
fn the_race_factor_is_one() {
    for round in 0..20 {
        let at_one_account: Vec<Attempt> = (0..RACERS).map(|n| attempt(n << 12, round, None)).collect();
        assert_eq!(checked_at_once(&guard(WIDE), &at_one_account, Outcome::Failure), 5, "of one account, from everywhere");
        let of_one_source: Vec<Attempt> = (0..RACERS).map(|n| attempt(7, n, None)).collect();
        assert_eq!(checked_at_once(&guard(WIDE), &of_one_source, Outcome::Failure), 20, "of one source, at all accounts");
        let of_one_network: Vec<Attempt> = (0..RACERS).map(|n| attempt(n % 256, n, None)).collect();
        assert_eq!(checked_at_once(&guard(WIDE), &of_one_network, Outcome::Failure), 300, "of one network, at all accounts");
    }
}

#[test]
fn the_race_factor_is_one_for_a_stolen_device_cookie() {
    // The device's budget, and then the account's as anybody has it.
    let with_one_cookie: Vec<Attempt> = (0..RACERS).map(|n| attempt(n << 12, 1, Some(9))).collect();
    assert_eq!(checked_at_once(&guard(WIDE), &with_one_cookie, Outcome::Failure), 10 + 5);
}

#[test]
fn no_more_than_two_at_an_account_are_looked_at_at_a_time() {
    let at_one_account: Vec<Attempt> = (0..RACERS).map(|n| attempt(n << 12, 1, None)).collect();
    let checked = checked_at_once(&guard(AtOnce::default()), &at_one_account, Outcome::Failure);
    assert!((2..=5).contains(&checked), "{checked}");
}

#[test]
fn right_passwords_in_a_race_leave_no_charge() {
    let guard = guard(WIDE);
    let owners: Vec<_> = (0..RACERS).map(|n| attempt(n << 12, 1, None)).collect();
    assert!(checked_at_once(&guard, &owners, Outcome::Success) >= 5);
    assert_eq!(checked_at_once(&guard, &owners, Outcome::Failure), 5, "what was given back is there again, and no more");
}
