//! Ten thousand honest users on one day, and twenty classes of sixty.

use crate::random::Random;
use crate::scenario::{HOUR, Time, Try, Whose};

/// Users, of whom each logs in once.
pub const USERS: u32 = 10_000;
/// Classes, of which one is too few: whether somebody in it has forgotten his password decides everything.
const CLASSES: u32 = 20;
const PUPILS: u32 = 60;
/// Addresses that the mobile users share.
pub const MOBILE_ADDRESSES: u32 = 20;

/// The address of a mobile network's gateway.
#[must_use]
pub fn mobile_address(n: u32) -> u32 {
    // One network each, as carriers spread theirs.
    0x6440_0000 + (n % MOBILE_ADDRESSES) * 0x100 + 7
}

/// All their tries in order.
#[must_use]
pub fn day() -> Vec<Try> {
    let mut random = Random::new(20_251_123);
    let mut tries = Vec::new();
    for user in 0..USERS {
        let (whose, from, start) = match random.below(100) {
            0..60 => (Whose::Home, 0x7000_0000 + user * 97, random.below(24 * HOUR)),
            60..85 => (
                Whose::Mobile,
                mobile_address(u32::try_from(random.below(u64::from(MOBILE_ADDRESSES))).unwrap_or(0)),
                random.below(24 * HOUR),
            ),
            // Offices of a hundred, who come at nine, give or take twenty minutes.
            _ => (Whose::Office, 0x0b00_0000 + (user % 15) * 0x1_0000 + 1, 9 * HOUR - HOUR / 3 + random.below(2 * HOUR / 3)),
        };
        let known = random.permille(850);
        session(&mut tries, &mut random, Try { at: start, from, account: user, exists: true, right: true, known, solves: true, whose });
    }
    for pupil in 0..CLASSES * PUPILS {
        let class = pupil / PUPILS;
        // Within a minute, on machines that nobody has used before; every half an hour from eight on.
        let at = 8 * HOUR + u64::from(class) * HOUR / 2 + random.below(60_000);
        let (from, account) = (0x0c00_0001 + class * 0x1_0000, USERS + pupil);
        let pupil = Try { at, from, account, exists: true, right: true, known: false, solves: true, whose: Whose::Classroom };
        session(&mut tries, &mut random, pupil);
    }
    tries.sort_by_key(|t| t.at);
    tries
}

/// One in ten mistypes, up to three times; one in a hundred has forgotten it and gives up after six.
fn session(tries: &mut Vec<Try>, random: &mut Random, first: Try) {
    let forgotten = random.permille(10);
    let wrong = if forgotten { 6 } else { (0..3).take_while(|_| random.permille(100)).count() };
    let mut at: Time = first.at;
    for _ in 0..wrong {
        tries.push(Try { at, right: false, ..first });
        at += 8_000 + random.below(4_000);
    }
    if !forgotten {
        tries.push(Try { at, ..first });
    }
}
