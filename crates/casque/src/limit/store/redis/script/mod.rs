//! The scripts: what is sent to Redis for a decision, and what its answer means.

use std::sync::Arc;

use redis::{Cmd, Value};

use super::names::Names;
use crate::clock::Micros;
use crate::limit::budget::{Budget, Gcra};
use crate::limit::decision::Decision;
use crate::limit::store::creators::{begun_key, creations_key, shared_key};
use crate::limit::store::{Charge, Outcome, Receipt};
use crate::limit::subject::Key;

/// Every time that is longer counts as so long: 71 years. Sums of two and the time since 1970 are then exact in Lua's numbers.
const LONGEST: u64 = 1 << 51;

const CLOCK: &str = include_str!("clock.lua");
const BUDGET: &str = include_str!("budget.lua");
const CHARGE: &str = include_str!("charge.lua");
const RATE: &str = include_str!("rate.lua");
const CHANGE: &str = include_str!("change.lua");
#[cfg(feature = "compat")]
const COUNT: &str = include_str!("count.lua");

/// All scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    charge: Arc<Script>,
    rate: Arc<Script>,
    change: Arc<Script>,
    #[cfg(feature = "compat")]
    count: Arc<Script>,
    time: Time,
}

#[derive(Debug)]
struct Script {
    text: String,
    hash: String,
}

impl Script {
    fn new(text: String) -> Arc<Self> {
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Arc::new(Self { text, hash })
    }
}

/// Who tells the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// The server: replicas of the app need not agree on it.
    Server,
    /// The caller; a test, which moves it.
    #[cfg(test)]
    Caller,
}

impl Scripts {
    pub(super) fn new(time: Time) -> Self {
        let clock = match time {
            Time::Server => CLOCK,
            #[cfg(test)]
            Time::Caller => "local now = tonumber(table.remove(ARGV))\n",
        };
        let of = |bodies: &[&str]| {
            let text = [&[clock], bodies].concat().concat();
            // Where time stands still between two calls, keys must not end by themselves.
            #[cfg(test)]
            let text = if time == Time::Caller {
                text.replace("math.ceil((free - now) / 1000)", "3600000").replace("math.ceil(kept / 1000)", "3600000")
            } else {
                text
            };
            Script::new(text)
        };
        Self {
            charge: of(&[BUDGET, CHARGE]),
            rate: of(&[RATE]),
            change: of(&[BUDGET, CHANGE]),
            #[cfg(feature = "compat")]
            count: Script::new(COUNT.to_owned()),
            time,
        }
    }

    /// A call of a counter that ends `time` milliseconds after it began; `None`: never.
    #[cfg(feature = "compat")]
    pub(super) fn count(&self, names: &Names, key: &Key, step: Step, points: i64, time: Option<u64>) -> Call {
        let mut call = Call::new(&self.count, Asked::Listed(1));
        call.key(names, key);
        call.word(step.word());
        call.arguments.push(Argument::Signed(points));
        call.number(time.map_or(0, |time| time.clamp(1, LONGEST / 1000)));
        call
    }

    fn timed(&self, mut call: Call, now: Micros) -> Call {
        if self.time != Time::Server {
            call.number(now.0);
        }
        call
    }

    /// A call that charges all or none.
    pub(super) fn charge(&self, names: &Names, charges: &[Charge], creations: &Gcra, now: Micros) -> Call {
        if let [Charge { key, budget: Budget::Rate(gcra), cost, advisory, creator: None }] = *charges
            && gcra.tolerance() <= LONGEST
        {
            let mut call = Call::new(&self.rate, Asked::Rate { gcra, cost, advisory });
            call.key(names, &key);
            call.numbers([gcra.interval(), gcra.tolerance(), gcra.burst().into()]);
            call.number(cost.into());
            return self.timed(call, now);
        }
        let mut call = Call::new(&self.charge, Asked::Listed(charges.len()));
        for charge in charges {
            call.key(names, &charge.key);
            if let Some(creator) = charge.creator {
                call.key(names, &begun_key(&charge.key));
                call.key(names, &creations_key(&charge.key, creator));
                call.key(names, &shared_key(&charge.key, creator));
            }
            let (kind, numbers) = numbers(&charge.budget, now);
            call.word(kind);
            for n in [u64::from(charge.cost), u64::from(charge.advisory), u64::from(charge.creator.is_some())] {
                call.number(n);
            }
            call.numbers(numbers);
        }
        if charges.iter().any(|c| c.creator.is_some()) {
            call.numbers(numbers(&Budget::Rate(*creations), now).1);
        }
        self.timed(call, now)
    }

    /// A call that does something to each key.
    pub(super) fn change(&self, names: &Names, edits: &[Edit], now: Micros) -> Call {
        let mut call = Call::new(&self.change, Asked::Listed(edits.len()));
        for edit in edits {
            call.key(names, &edit.key);
            let (word, n, m) = edit.what.written();
            let (kind, budget) = numbers(&edit.budget, now);
            call.word(word);
            call.number(n);
            call.number(m);
            call.word(kind);
            call.numbers(budget);
        }
        self.timed(call, now)
    }
}

/// Something to be done to a key without asking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edit {
    pub(super) key: Key,
    pub(super) budget: Budget,
    pub(super) what: What,
}

/// What; numbers of requests, and microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Look,
    Penalise(u32),
    Reward(u32),
    Block(u64),
    Unblock,
    Set(u32),
    Reset,
    /// Takes back a charge that was made then.
    Refund {
        cost: u32,
        at: Micros,
    },
    /// So many were charged elsewhere, where so many are left.
    Merge {
        charged: u32,
        left: u32,
    },
}

impl What {
    fn written(self) -> (&'static str, u64, u64) {
        match self {
            Self::Look => ("look", 0, 0),
            Self::Penalise(n) => ("penalise", n.into(), 0),
            Self::Reward(n) => ("reward", n.into(), 0),
            Self::Block(micros) => ("block", micros.min(LONGEST), 0),
            Self::Unblock => ("unblock", 0, 0),
            Self::Set(n) => ("set", n.into(), 0),
            Self::Reset => ("reset", 0, 0),
            Self::Refund { cost, at } => ("refund", cost.into(), at.0),
            Self::Merge { charged, left } => ("merge", charged.into(), left.into()),
        }
    }
}

/// What is done to a counter.
#[cfg(feature = "compat")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Add,
    Put,
    Get,
    Delete,
}

#[cfg(feature = "compat")]
impl Step {
    fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Put => "put",
            Self::Get => "get",
            Self::Delete => "delete",
        }
    }
}

/// A budget as the scripts read it.
fn numbers(budget: &Budget, now: Micros) -> (&'static str, [u64; 3]) {
    match budget {
        Budget::Rate(gcra) => {
            let interval = gcra.interval().min(LONGEST);
            ("r", [interval, gcra.tolerance().min(LONGEST), u64::from(gcra.burst())])
        }
        Budget::Strict(strict) => ("s", [u64::from(strict.limit()), strict.window_micros(), 0]),
        Budget::Window(window) => ("w", [u64::from(window.limit), window.index, window.ends.0.saturating_sub(now.0).min(LONGEST)]),
    }
}

/// A script with its keys and arguments.
#[derive(Debug)]
pub(super) struct Call {
    script: Arc<Script>,
    asked: Asked,
    keys: Vec<[u8; Names::LENGTH]>,
    arguments: Vec<Argument>,
}

/// What an answer must tell.
#[derive(Debug, Clone, Copy)]
enum Asked {
    /// How so many charges or edits went.
    Listed(usize),
    /// How a key stood before it was charged, from which follows how that went.
    Rate { gcra: Gcra, cost: u32, advisory: bool },
}

#[derive(Debug, Clone, Copy)]
enum Argument {
    Word(&'static str),
    Number(u64),
    #[cfg(feature = "compat")]
    Signed(i64),
}

impl Call {
    fn new(script: &Arc<Script>, asked: Asked) -> Self {
        Self { script: script.clone(), asked, keys: Vec::with_capacity(4), arguments: Vec::with_capacity(16) }
    }

    fn key(&mut self, names: &Names, key: &Key) {
        self.keys.push(names.of(key));
    }

    fn word(&mut self, word: &'static str) {
        self.arguments.push(Argument::Word(word));
    }

    fn number(&mut self, n: u64) {
        self.arguments.push(Argument::Number(n));
    }

    fn numbers(&mut self, numbers: [u64; 3]) {
        self.arguments.extend(numbers.map(Argument::Number));
    }

    /// The command for a server that knows the script.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// The command that brings the script along. Not `SCRIPT LOAD`, which proxies and access lists refuse.
    pub(super) fn in_full(&self) -> Cmd {
        self.command("EVAL", &self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len());
        for key in &self.keys {
            command.arg(&key[..]);
        }
        for argument in &self.arguments {
            match argument {
                Argument::Word(word) => command.arg(*word),
                Argument::Number(n) => command.arg(*n),
                #[cfg(feature = "compat")]
                Argument::Signed(n) => command.arg(*n),
            };
        }
        command
    }
}

/// Whether this is an answer to a call that changes keys, which tells how each stands then.
pub(super) fn is_answer(answer: &Value, call: &Call) -> bool {
    matches!((answer, call.asked), (Value::Array(list), Asked::Listed(count)) if list.len() == 3 + 4 * count)
}

/// What a script's answer to a call says; `None` if it is no such answer.
pub(super) fn outcome(answer: &Value, call: &Call) -> Option<Outcome> {
    let Value::Array(list) = answer else { return None };
    let numbers: Option<Vec<i64>> = list.iter().map(|v| if let Value::Int(n) = v { Some(*n) } else { None }).collect();
    let numbers = numbers?;
    let count = match call.asked {
        Asked::Listed(count) => count,
        Asked::Rate { gcra, cost, advisory } => return rate_outcome(&numbers, &gcra, cost, advisory),
    };
    let (head, decisions) = numbers.split_first_chunk::<3>()?;
    let receipt = Receipt { at: Micros(u64::try_from(head[0]).ok()?), shared: u8::try_from(head[2]).ok()?, fallback: false };
    let mut outcome = Outcome { refused: usize::try_from(head[1]).ok(), receipt, ..Outcome::default() };
    for [passes, left, wait, reset] in decisions.as_chunks::<4>().0 {
        outcome.decisions.push(decision(*passes, *left, *wait, *reset)?);
    }
    let told = outcome.decisions.as_slice();
    let as_many = told.len() == outcome.refused.map_or(count, |refused| refused + 1) && told.len() <= count;
    let is_refused = outcome.refused.is_none() || told.last().is_some_and(|last| !last.allowed);
    (as_many && is_refused).then_some(outcome)
}

fn rate_outcome(answer: &[i64], gcra: &Gcra, cost: u32, advisory: bool) -> Option<Outcome> {
    let [now, ahead] = *answer else { return None };
    let now = Micros(u64::try_from(now).ok()?);
    let decision = match u64::try_from(ahead) {
        Ok(ahead) if ahead <= gcra.tolerance() => gcra.decide(Micros(now.0.saturating_add(ahead)), now, cost).1,
        Ok(_) => return None,
        // What is left of a block, and two more, less than nothing.
        Err(_) => Decision::block(ahead.checked_add(2)?.checked_neg().and_then(|left| u64::try_from(left).ok()).filter(|left| *left > 0)?),
    };
    let receipt = Receipt { at: now, ..Receipt::default() };
    let mut outcome = Outcome { refused: (!decision.allowed && !advisory).then_some(0), receipt, ..Outcome::default() };
    outcome.decisions.push(decision);
    Some(outcome)
}

fn decision(passes: i64, left: i64, wait: i64, reset: i64) -> Option<Decision> {
    let left = u32::try_from(left).unwrap_or(if left < 0 { 0 } else { u32::MAX });
    let reset = u64::try_from(reset).ok()?;
    Some(match passes {
        0 => Decision::refuse(left, u64::try_from(wait).ok(), reset),
        1 => Decision::pass(left, reset),
        2 => Decision::block(u64::try_from(wait).ok()?),
        _ => return None,
    })
}
