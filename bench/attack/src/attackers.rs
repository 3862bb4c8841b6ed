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
    /// out; these log in every hour, half of them with a known browser.
    LockOut,
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
            Kind::LockOut => Box::new(lock_out(base)),
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

fn lock_out(base: Try) -> impl Iterator<Item = Try> {
    let victim = |n: u32| TARGET + n;
    let rounds = 24 * HOUR / 5_000;
    (0..rounds).flat_map(move |round| {
        let start: Time = round * 5_000;
        let attack = (0..VICTIMS).map(move |n| Try {
            at: start + u64::from(n) * 50,
            from: bot(BOTS - 1 - (n + low(round)) % VICTIMS),
            account: victim(n),
            ..base
        });
        let hour = start.is_multiple_of(HOUR);
        let owners = (0..if hour { VICTIMS } else { 0 }).map(move |n| {
            let at = start + u64::from(n) * 50 + 25;
            Try {
                at,
                from: 0x5f00_0000 + n * 0x100,
                account: victim(n),
                right: true,
                known: n % 2 == 0,
                solves: true,
                whose: Whose::Victim,
                ..base
            }
        });
        let mut both: Vec<Try> = attack.chain(owners).collect();
        both.sort_by_key(|t| t.at);
        both
    })
}
