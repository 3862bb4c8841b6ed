//! Device cookies: how the guard knows a browser that has signed in to an account before.
//!
//! A known browser has a budget of its own, so that a botnet which has spent the account's budget does not lock its owner out.
//! The protocol is OWASP's (Slow Down Online Guessing Attacks with Device Cookies); where its text has two answers, its Notes
//! count: a device whose budget is spent is an unknown browser, and may still use the account's. Nothing is kept per device but
//! that budget. A cookie is no credential: it picks the counter, and the app still checks the password.
//!
//! The value is `d1.` + base64url(key id, issued at, 16 random bytes, tag). The account is not in it, only under the tag; the
//! name carries a keyed hash of the account, so that browsers shared by several people keep one cookie for each ([`name`]).
//!
//! The [`Subject`] that is asked for here is what a browser is known to. In the layer that is the name as it was typed, at one guard of
//! one app ([`super::Login::devices_of`], [`super::LoginPolicy::realm`]); two callers with one secret and one such subject share devices.
//!
//! **Attacks and answers.** *Forging a device*: the tag. *Using one's own device for another's account*: the account is under
//! the tag. *Stealing one*: it buys that one device's budget, no more than an unknown browser has. *Asking a browser who has
//! signed in with it*: names cannot be computed without the secret. *Collecting devices by signing in again and again*: each
//! counts for one's own account only. *Filling a browser's cookie jar*: [`Carried::evict`]. *A request that names hundreds*:
//! only [`MOST_READ`] are looked at. Tampered, expired, from the future, of an unknown key: an unknown browser.

mod carried;
mod name;

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::cookies;
use super::secret::{Purpose, Secrets};
use super::token::{Kind, LEEWAY, take, take_time, time};
use crate::Scheme;
use crate::limit::Subject;

pub use carried::{Carried, MOST_READ};
pub use name::{is_name, name};

const KIND: Kind = Kind { prefix: "d1.", purpose: Purpose::Device, most: 5 + 16 };

/// A browser that has signed in to an account before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    subject: Subject,
    issued_at: u64,
}

impl Device {
    /// What to count this device by: one account in one browser.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// When its cookie was made, in seconds since 1970.
    #[must_use]
    pub fn issued_at(&self) -> u64 {
        self.issued_at
    }
}

/// A new device cookie's value, for an account that has just signed in. `random` is fresh for each: the device starts with no
/// failures.
#[must_use]
pub fn mint(secrets: &Secrets, account: Subject, now: u64, random: [u8; 16]) -> String {
    let body = [&time(now)[..], &random].concat();
    KIND.seal(secrets, &[account.as_bytes()], &body)
}

/// The device that a cookie value stands for, if we made it for this account, and no longer than `max_age` ago. `now` is in
/// seconds since 1970.
#[must_use]
pub fn open(secrets: &Secrets, account: Subject, value: &[u8], now: u64, max_age: Duration) -> Option<Device> {
    let (_, body) = KIND.open(secrets, &[account.as_bytes()], value)?;
    let (issued_at, rest) = take_time(&body)?;
    let (id, rest) = take::<16>(rest)?;
    let in_time = issued_at <= now.saturating_add(LEEWAY) && now < issued_at.saturating_add(max_age.as_secs());
    (rest.is_empty() && in_time).then(|| Device { subject: Subject::of([&b"casque.login.device"[..], account.as_bytes(), &id]), issued_at })
}

/// How long devices are known, and how many a browser keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Devices {
    /// How long a device is known after it signed in. Default: 180 days; each sign-in begins it anew.
    pub max_age: Duration,
    /// The most device cookies in one browser, one per account. Default: 8; at least 1.
    pub most: usize,
}

impl Default for Devices {
    fn default() -> Self {
        Self { max_age: Duration::from_secs(180 * 24 * 3600), most: 8 }
    }
}

impl Devices {
    /// The device of a request, if it brings one for this account. A cookie made with an older secret stands under the name that
    /// the older secret gave it, and is found there. `now` is in seconds since 1970.
    #[must_use]
    pub fn find(&self, secrets: &Secrets, scheme: Scheme, account: Subject, headers: &HeaderMap, now: u64) -> Option<Device> {
        let mut names = name::names(secrets, scheme, account);
        names.find_map(|name| open(secrets, account, cookies::the_one(headers, &name)?, now, self.max_age))
    }

    /// The `Set-Cookie` lines for a browser that has just signed in: its new cookie, and the end of those that it should no
    /// longer have: one for this account under an older secret's name, and the oldest above [`Devices::most`]. `now` is in
    /// seconds since 1970, `random` fresh.
    #[must_use]
    pub fn grant(
        &self,
        secrets: &Secrets,
        scheme: Scheme,
        account: Subject,
        carried: &Carried,
        now: u64,
        random: [u8; 16],
    ) -> Vec<HeaderValue> {
        let own = name(secrets, scheme, account);
        let renamed: Vec<String> = name::names(secrets, scheme, account).filter(|n| *n != own && carried.has(n)).collect();
        let evicted = carried.evict(&own, &renamed, self.most);
        let new = cookies::line(scheme, &own, &mint(secrets, account, now, random), self.max_age.as_secs());
        let ended = renamed.iter().chain(&evicted).map(|name| cookies::line(scheme, name, "", 0));
        std::iter::once(new).chain(ended).collect()
    }
}

#[cfg(test)]
mod tests;
