//! What a challenge is changed into: leave for some attempts on one route, from one address.

use http::{HeaderMap, HeaderValue};

use super::token::Challenge;
use crate::Scheme;
use crate::client_ip::ClientIp;
use crate::limit::Subject;
use crate::login::cookies::{self, PASS};
use crate::login::secret::{Purpose, Secrets};
use crate::login::token::{Kind, LEEWAY, take, take_time, time};

/// Seconds that a pass is good for, from the last moment on at which its challenge could be met.
const LIFETIME: u64 = 600;

/// The longest that a pass can have to go: its challenge's lifetime comes before.
const LONGEST: u64 = LIFETIME + u16::MAX as u64;

const TOKEN: Kind = Kind { prefix: "p1.", purpose: Purpose::Pass, most: 5 + 16 };

/// A pass. However often its challenge is redeemed, it is the same one, with the same end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// When it ends, in seconds since 1970: ten minutes after its challenge does.
    pub expires_at: u64,
    nonce: [u8; 16],
    client: ClientIp,
    route: Subject,
}

impl Pass {
    /// The pass for a challenge that was met.
    pub(super) fn of(challenge: &Challenge, client: ClientIp) -> Self {
        let expires_at = challenge.expires_at().saturating_add(LIFETIME);
        Self { expires_at, nonce: challenge.nonce, client, route: challenge.route }
    }

    /// What to count its attempts by.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject::of([&b"casque.login.pass"[..], &self.client.key(), self.route.as_bytes(), &self.nonce])
    }

    /// The value of its cookie.
    #[must_use]
    pub fn seal(&self, secrets: &Secrets) -> String {
        let body = [&time(self.expires_at)[..], &self.nonce].concat();
        TOKEN.seal(secrets, &[&self.client.key(), self.route.as_bytes()], &body)
    }

    /// The pass that a cookie value stands for, if we made it for this client and this route (see [`super::route`]) and it has
    /// not ended. `now` is in seconds since 1970.
    #[must_use]
    pub fn open(secrets: &Secrets, client: ClientIp, route: Subject, value: &[u8], now: u64) -> Option<Self> {
        let (_, body) = TOKEN.open(secrets, &[&client.key(), route.as_bytes()], value)?;
        let (expires_at, rest) = take_time(&body)?;
        let (nonce, rest) = take(rest)?;
        let in_time = now < expires_at && expires_at <= now.saturating_add(LONGEST + LEEWAY);
        (rest.is_empty() && in_time).then_some(Self { expires_at, nonce, client, route })
    }

    /// The pass of a request.
    #[must_use]
    pub fn find(secrets: &Secrets, scheme: Scheme, client: ClientIp, route: Subject, headers: &HeaderMap, now: u64) -> Option<Self> {
        Self::open(secrets, client, route, cookies::the_one(headers, &cookies::name_on(scheme, PASS))?, now)
    }

    /// Its `Set-Cookie` line: `__Host-casque-pass` over HTTPS, `casque-pass` on plain HTTP. A browser has one pass at a time.
    #[must_use]
    pub fn set_cookie(&self, secrets: &Secrets, scheme: Scheme, now: u64) -> HeaderValue {
        cookies::line(scheme, &cookies::name_on(scheme, PASS), &self.seal(secrets), self.expires_at.saturating_sub(now))
    }
}
