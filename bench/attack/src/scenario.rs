//! One day under one attack and one defence.

use crate::attackers::Attack;
use crate::honest;

/// Milliseconds since midnight.
pub type Time = u64;
/// An hour.
pub const HOUR: Time = 3_600_000;

/// A try at a password.
#[derive(Debug, Clone, Copy)]
pub struct Try {
    /// When.
    pub at: Time,
    /// From which IPv4 address.
    pub from: u32,
    /// At which account.
    pub account: u32,
    /// Whether the account exists.
    pub exists: bool,
    /// Whether the password is right.
    pub right: bool,
    /// Whether the browser has logged in to the account before.
    pub known: bool,
    /// Whether whoever sits there passes challenges.
    pub solves: bool,
    /// Whose try it is.
    pub whose: Whose,
}

/// Whose try it is, as far as the tally tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// An honest user's at home.
    Home,
    /// On a mobile network, behind an address that hundreds share.
    Mobile,
    /// In an office of a hundred.
    Office,
    /// One of sixty in a classroom, behind one address.
    Classroom,
    /// The owner of an account that is attacked.
    Victim,
    /// The attacker's.
    Attacker,
}

/// What a defence does with a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The app looks at the password.
    Checked,
    /// It does, after a challenge.
    CheckedAfterChallenge,
    /// It does not.
    Refused,
}

/// A defence.
pub trait Policy {
    /// Whether the password is looked at; if it is, whether it is right is told to the defence at once.
    fn attempt(&mut self, attempt: &Try) -> Answer;
}

/// What came of a day.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The attacker's tries, and those whose password was looked at, by hour.
    pub tried: u64,
    /// See [`Tally::tried`].
    pub checked: Vec<u64>,
    /// Accounts that he got into.
    pub taken: u64,
    /// Right passwords of honest users, and how many of them were refused: at home, mobile, in offices, in the classroom.
    pub honest: [(u64, u64); 4],
    /// Honest tries but those of victims, and how many met a challenge and passed it.
    pub challenged: (u64, u64),
    /// Log-ins of victims with a known browser, and how many got in.
    pub victim_known: (u64, u64),
    /// The same with a new browser.
    pub victim_new: (u64, u64),
}

impl Tally {
    /// All that was looked at of the attacker's.
    #[must_use]
    pub fn checked_in_all(&self) -> u64 {
        self.checked.iter().sum()
    }

    /// Of a hundred right passwords of honest users outside classrooms, how many were refused, and the same for whichever group
    /// it is worst.
    #[must_use]
    pub fn wrongly_refused(&self) -> (f64, f64) {
        let (all, refused) = self.honest[..3].iter().fold((0, 0), |(a, r), (all, refused)| (a + all, r + refused));
        let worst = self.honest[..3].iter().map(|(all, refused)| share(*refused, *all)).fold(0.0, f64::max);
        (share(refused, all), worst)
    }
}

/// A share in percent.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of a day are far below 2^53")]
pub fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 * 100.0 / of as f64 }
}

/// A day of honest users, classes among them, and the attack if there is one.
pub fn run(policy: &mut dyn Policy, attack: Option<&Attack>) -> Tally {
    let honest = honest::day();
    let mut tally = Tally { checked: vec![0; 24], ..Tally::default() };
    let mut honest = honest.into_iter().peekable();
    let mut theirs = attack.into_iter().flat_map(Attack::tries).peekable();
    let mut taken = std::collections::HashSet::new();
    loop {
        let next = match (honest.peek(), theirs.peek()) {
            (Some(h), Some(t)) if h.at <= t.at => honest.next(),
            (_, Some(_)) => theirs.next(),
            (_, None) => honest.next(),
        };
        let Some(attempt) = next else { break };
        let answer = policy.attempt(&attempt);
        tally.count(&attempt, answer, &mut taken);
    }
    tally.taken = taken.len() as u64;
    tally
}

impl Tally {
    fn count(&mut self, attempt: &Try, answer: Answer, taken: &mut std::collections::HashSet<u32>) {
        let refused = answer == Answer::Refused;
        if attempt.whose == Whose::Attacker {
            self.tried += 1;
            if !refused {
                if let Some(hour) = self.checked.get_mut(usize::try_from(attempt.at / HOUR).unwrap_or(usize::MAX)) {
                    *hour += 1;
                }
                if attempt.right {
                    taken.insert(attempt.account);
                }
            }
            return;
        }
        // Owners of attacked accounts are told of in a column of their own.
        if attempt.whose != Whose::Victim {
            self.challenged.0 += 1;
            self.challenged.1 += u64::from(answer == Answer::CheckedAfterChallenge);
        }
        if !attempt.right {
            return;
        }
        let group = match attempt.whose {
            Whose::Home => 0,
            Whose::Mobile => 1,
            Whose::Office => 2,
            Whose::Classroom => 3,
            Whose::Victim | Whose::Attacker => {
                let victims = if attempt.known { &mut self.victim_known } else { &mut self.victim_new };
                victims.0 += 1;
                victims.1 += u64::from(!refused);
                return;
            }
        };
        self.honest[group].0 += 1;
        self.honest[group].1 += u64::from(refused);
    }
}
