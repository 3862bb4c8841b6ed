//! Which device cookies a browser has, and which of them it should give up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;

use super::is_name;
use crate::Scheme;
use crate::login::cookies;
use crate::login::token::take_time;

/// The most device cookies of one request that are looked at. A browser has no more than it was given.
pub const MOST_READ: usize = 32;

/// The names of the device cookies that a request brought, of any account, and how old they say they are.
///
/// Of other accounts' cookies nothing can be checked, for the account is under the tag. It need not be: what is decided by it is
/// only which of its own cookies the browser is told to drop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    cookies: Vec<(String, u64)>,
}

impl Carried {
    /// Reads a request, which is to be done before [`super::super::strip`].
    #[must_use]
    pub fn read(headers: &HeaderMap, scheme: Scheme) -> Self {
        let mut cookies: Vec<(String, u64)> = Vec::new();
        for (name, value) in cookies::pairs(headers).filter(|(name, _)| is_name(scheme, name)).take(MOST_READ) {
            let name = String::from_utf8_lossy(name).into_owned();
            if !cookies.iter().any(|(n, _)| *n == name) {
                cookies.push((name, claimed_time(value)));
            }
        }
        Self { cookies }
    }

    /// Whether there is a cookie with this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.cookies.iter().any(|(n, _)| n == name)
    }

    /// The names to expire so that no more than `most` are left, `own` among them, which is always kept: unreadable ones first,
    /// then the oldest. `gone` are expired anyway.
    #[must_use]
    pub fn evict(&self, own: &str, gone: &[String], most: usize) -> Vec<String> {
        let mut others: Vec<&(String, u64)> = self.cookies.iter().filter(|(name, _)| name != own && !gone.contains(name)).collect();
        others.sort_by_key(|(_, time)| *time);
        let surplus = (others.len() + 1).saturating_sub(most.max(1));
        others.into_iter().take(surplus).map(|(name, _)| name.clone()).collect()
    }
}

/// When a cookie says it was made; 0 if it says nothing readable.
fn claimed_time(value: &[u8]) -> u64 {
    let read = || {
        // `d1.`, then 4 bytes of key id and 5 of time, which are 12 characters.
        let body = URL_SAFE_NO_PAD.decode(value.get(3..15)?).ok()?;
        take_time(body.get(4..)?).map(|(time, _)| time)
    };
    read().unwrap_or(0)
}
