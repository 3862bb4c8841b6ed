//! What the guard charges, as limits.

use std::time::Duration;

use crate::limit::{Decision, Limit, Quota};

/// How many wrong passwords are let through, counted by whom. Right ones cost nothing.
///
/// The defaults are those of the attack table in `docs/reference/login.md`. They are rates with a burst: such a count takes 16
/// bytes, so that a store of the default size holds a million of them, and an attacker who wants to fill it has to spend far more
/// addresses than one who wants to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Of a browser that has logged in to this account before. Default: 10 an hour.
    pub device: Quota,
    /// Of one account, by all browsers together that have not. Default: 5 at once, and then 5 an hour; never more than 10 in any
    /// hour.
    pub account: Quota,
    /// Of one account, by such browsers that passed a challenge after [`Self::account`] was used up. Default: the same again.
    pub account_challenged: Quota,
    /// Of one client address, whichever accounts. Default: 20 an hour. A source that uses it up is blocked for a quarter of an
    /// hour, then for one, four and 24 hours.
    pub source: Quota,
    /// Of one client address that is blocked, for those behind it who pass a challenge. Default: 8 an hour.
    pub source_challenged: Quota,
    /// Of one network, IPv4 /24 or IPv6 /48. Default: 300 an hour.
    pub network: Quota,
    /// Attempts that one passed challenge is good for. Default: 3, which do not come back while the pass lasts.
    pub pass: Quota,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            device: Quota::per_hour(10),
            account: Quota::per_hour(5),
            account_challenged: Quota::per_hour(5),
            source: Quota::per_hour(20),
            source_challenged: Quota::per_hour(8),
            network: Quota::per_hour(300),
            pass: Quota::per_hour(3),
        }
    }
}

/// How many distinct accounts a source may fail at before each more costs it extra.
const FREE_ACCOUNTS: u32 = 3;
/// How long until one of them is free again.
const FREE_FOR: Duration = Duration::from_secs(3600);
/// The burst of the mark that a source failed at an account. Far more than the one that it is charged, so that marks are what a
/// full store lets go of first: a forgotten mark makes the guard stricter, a forgotten account would make it laxer.
const MARK: u32 = 16;
/// What each more costs it, over the one that the attempt cost.
pub(super) const SPRAYING_COST: u32 = 2;
const DAY: Duration = Duration::from_secs(86_400);

/// The budgets under the names of one guard.
#[derive(Debug, Clone)]
pub(super) struct Charged {
    pub(super) device: Limit,
    /// A device whose holder fails for good: a stolen cookie.
    pub(super) device_life: Limit,
    pub(super) account: Limit,
    pub(super) account_challenged: Limit,
    pub(super) source: Limit,
    pub(super) source_challenged: Limit,
    pub(super) network: Limit,
    pub(super) pass: Limit,
    /// Whether a source failed at this account already in the last hour.
    pub(super) pair: Limit,
    /// At how many accounts a source failed in the last hour.
    pub(super) spread: Limit,
    /// How often a source was blocked in the last day.
    pub(super) blocks: Limit,
}

impl Charged {
    /// `shadow` keeps the counts of a guard that only watches apart from those of one that refuses.
    pub(super) fn new(name: &str, budgets: &Budgets, shadow: bool) -> Self {
        let mode = if shadow { "login-shadow" } else { "login" };
        let limit = |what: &str, quota: Quota| Limit::new(format!("{mode}:{name}:{what}"), quota);
        let lifetime = Quota::new(budgets.device.requests().saturating_mul(10), DAY * 180);
        Self {
            device: limit("device", budgets.device),
            device_life: limit("device-life", lifetime),
            account: limit("account", budgets.account),
            account_challenged: limit("account-challenged", budgets.account_challenged),
            source: limit("source", budgets.source),
            source_challenged: limit("source-challenged", budgets.source_challenged),
            network: limit("network", budgets.network),
            pass: limit("pass", budgets.pass),
            pair: limit("pair", Quota::per_hour(1).burst(MARK)),
            spread: limit("spread", Quota::new(FREE_ACCOUNTS, FREE_FOR * FREE_ACCOUNTS)),
            blocks: limit("blocks", Quota::new(4, DAY).strict()),
        }
    }

    /// Whether the answer to a charge of [`Self::pair`] says that it is the first within an hour.
    pub(super) fn is_new(pair: &Decision) -> bool {
        pair.allowed && pair.remaining == MARK - 1
    }

    /// The limits that refuse, with what an operator knows them by.
    pub(super) fn told(&self) -> [(&'static str, &Limit); 7] {
        [
            ("device", &self.device),
            ("account", &self.account),
            ("account-challenged", &self.account_challenged),
            ("source", &self.source),
            ("source-challenged", &self.source_challenged),
            ("network", &self.network),
            ("pass", &self.pass),
        ]
    }
}
