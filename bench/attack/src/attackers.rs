//! The attackers A1 to A5, each as the row of their tries.

use crate::honest::{self, USERS};
use crate::random::Random;
use crate::scenario::{HOUR, Time, Try, Whose};

/// An attack, and whether its machines pass challenges.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    /// Which.
    pub kind: Kind,
    /// Whether it passes every challenge.
    pub solves: bool,
}

/// What is attacked how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A1: one machine at one account, ten guesses a second all day.
    OneBot,
    /// A2: ten thousand machines at one account, one guess a minute each, for two hours.
    Botnet,
    /// A3: a million stolen pairs, a hundred a second, over the same machines. One in a hundred names exists, and of those one
    /// in fifty passwords is right.
    Stuffing,
    /// A4: ten common passwords at ten thousand accounts, one an hour, from a thousand addresses; each is right for one account
    /// in a thousand.
    Spraying,
    /// A5: a wrong password at each of a hundred accounts every five seconds, from a hundred addresses, to lock their owners
    /// out; these log in once in every hour, half of them with a known browser.
    LockOut,
    /// The same from ten thousand addresses, each of which keeps to one account and tries it seven times an hour, which is as
    /// anybody behind a shared address might.
    LockOutScattered,
}

const BOTS: u32 = 10_000;
/// An account that nobody else uses.
const TARGET: u32 = 1_000_000;
/// Names that do not exist begin here.
const STRANGERS: u32 = 10_000_000;
const VICTIMS: u32 = 100;

/// Scattered over networks; twenty of them share the mobile users' addresses.
fn bot(n: u32) -> u32 {
    if n < honest::MOBILE_ADDRESSES { honest::mobile_address(n) } else { 0x2000_0000_u32.wrapping_add(n.wrapping_mul(0x0001_3d57)) }
}

impl Attack {
    /// All tries in order.
    pub fn tries(&self) -> Box<dyn Iterator<Item = Try>> {
        let solves = self.solves;
        let base = Try { at: 0, from: 0, account: TARGET, exists: true, right: false, known: false, solves, whose: Whose::Attacker };
        match self.kind {
            Kind::OneBot => Box::new((0..24 * HOUR / 100).map(move |n| Try { at: n * 100, from: bot(77), ..base })),
            Kind::Botnet => Box::new((0..2 * 60 * u64::from(BOTS)).map(move |n| {
                let at = 12 * HOUR + n * 60_000 / u64::from(BOTS);
                Try { at, from: bot(low(n) % BOTS), ..base }
            })),
            Kind::Stuffing => Box::new(stuffing(base)),
            Kind::Spraying => Box::new(spraying(base)),
            // Each address goes through all the accounts.
            Kind::LockOut => Box::new(lock_out(base, |round, n| BOTS - 1 - (n + round) % VICTIMS)),
            Kind::LockOutScattered => Box::new(lock_out(base, |round, n| n + VICTIMS * (round % (BOTS / VICTIMS)))),
        }
    }
}

fn low(n: u64) -> u32 {
    (n & 0xffff_ffff) as u32
}

fn stuffing(base: Try) -> impl Iterator<Item = Try> {
    let mut random = Random::new(3);
    (0..1_000_000u64).map(move |n| {
        let exists = random.permille(10);
        let account = if exists { low(random.below(u64::from(USERS))) } else { STRANGERS + low(n) };
        let right = exists && random.permille(20);
        Try { at: 12 * HOUR + n * 10, from: bot(low(n) % BOTS), account, exists, right, ..base }
    })
}

fn spraying(base: Try) -> impl Iterator<Item = Try> {
    let mut random = Random::new(4);
    (0..10u64).flat_map(|hour| (0..USERS).map(move |account| (hour, account))).map(move |(hour, account)| {
        let right = random.permille(1);
        let at = (10 + hour) * HOUR + u64::from(account) * HOUR / u64::from(USERS);
        Try { at, from: bot(account % 1000), account, right, ..base }
    })
}

/// `from` tells which machine tries the `n`th account in a round.
fn lock_out(base: Try, from: fn(u32, u32) -> u32) -> impl Iterator<Item = Try> {
    const ROUND: Time = 5_000;
    (0..24).flat_map(move |hour| {
        let rounds = hour * HOUR / ROUND..(hour + 1) * HOUR / ROUND;
        let mut tries: Vec<Try> = rounds
            .flat_map(|round| {
                (0..VICTIMS).map(move |n| Try {
                    at: round * ROUND + u64::from(n) * 50,
                    from: bot(from(low(round), n)),
                    account: TARGET + n,
                    ..base
                })
            })
            .collect();
        // At any moment of the hour: at a fixed one they would meet every lock in the same phase.
        let mut random = Random::new(500 + hour);
        tries.extend((0..VICTIMS).map(|n| Try {
            at: hour * HOUR + random.below(HOUR),
            from: 0x5f00_0000 + n * 0x100,
            account: TARGET + n,
            right: true,
            known: n % 2 == 0,
            solves: true,
            whose: Whose::Victim,
            ..base
        }));
        tries.sort_by_key(|t| t.at);
        tries
    })
}
