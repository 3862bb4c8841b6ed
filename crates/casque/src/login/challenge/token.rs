//! The challenge itself: what is asked, of whom, until when. All of it is in the token and under its tag. Where it leads back to
//! is hidden besides: the address of a form may carry what opens it, such as a reset link's key, and tokens travel in queries.

use super::return_to::{MAX_RETURN_TO, ReturnTo};
use super::step::{Step, instead_of_work};
use crate::client_ip::ClientIp;
use crate::limit::Subject;
use crate::login::secret::{Purpose, Secrets};
use crate::login::token::{self, hide, take, take_time, time};

/// Seconds that a token is good for beyond its wait, which no work need exceed.
const GRACE: u16 = 120;

/// Fields of fixed size: kind, bits, issued at, wait, lifetime, nonce, route.
const FIXED: usize = 1 + 1 + 5 + 2 + 2 + 16 + 16;

const TOKEN: token::Kind = token::Kind { prefix: "ch1.", purpose: Purpose::Challenge, most: FIXED + MAX_RETURN_TO };

/// How a challenge is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By waiting.
    Wait,
    /// By work, or by waiting longer.
    Work,
    /// By the word of the operator's page.
    External,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Wait => 1,
            Self::Work => 2,
            Self::External => 3,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Wait, Self::Work, Self::External].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// One challenge, posed to one address for one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// How it is met.
    pub kind: Kind,
    /// Zero bits that the work must show; 0 if none is asked.
    pub bits: u8,
    /// When it was posed, in seconds since 1970.
    pub issued_at: u64,
    /// Seconds from then after which it is met without work.
    pub wait: u16,
    /// Seconds from then after which it is no longer good.
    pub lifetime: u16,
    /// What makes it unlike any other, and its pass too.
    pub nonce: [u8; 16],
    /// The guarded route, see [`route`].
    pub route: Subject,
    /// Where the form is.
    pub return_to: ReturnTo,
}

/// A guarded route's name, as challenges and passes carry it.
#[must_use]
pub fn route(name: &str) -> Subject {
    Subject::of(["casque.login.route", name])
}

impl Challenge {
    /// The challenge of a step; `None` for [`Step::StepUp`], from which nobody comes back. `now` is in seconds since 1970, `nonce`
    /// random and fresh.
    #[must_use]
    pub fn new(step: &Step, route: Subject, return_to: ReturnTo, now: u64, nonce: [u8; 16]) -> Option<Self> {
        let (kind, bits, wait, lifetime) = match step.bounded() {
            Step::Wait { seconds } => (Kind::Wait, 0, seconds, seconds.saturating_add(GRACE)),
            Step::ProofOfWork { bits } => {
                let wait = instead_of_work(bits);
                (Kind::Work, bits, wait, wait.saturating_add(GRACE))
            }
            // People take their time with captchas.
            Step::External { .. } => (Kind::External, 0, 0, 4 * GRACE),
            Step::StepUp { .. } => return None,
        };
        Some(Self { kind, bits, issued_at: now, wait, lifetime, nonce, route, return_to })
    }

    /// The second from which on it can no longer be met.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.issued_at.saturating_add(u64::from(self.lifetime))
    }

    /// Seconds that are left of the wait.
    #[must_use]
    pub fn wait_left(&self, now: u64) -> u64 {
        self.issued_at.saturating_add(u64::from(self.wait)).saturating_sub(now)
    }

    /// The token for this client.
    #[must_use]
    pub fn seal(&self, secrets: &Secrets, client: ClientIp) -> String {
        let mut body = Vec::with_capacity(FIXED + self.return_to.as_str().len());
        body.extend_from_slice(&[self.kind.byte(), self.bits]);
        body.extend_from_slice(&time(self.issued_at));
        body.extend_from_slice(&self.wait.to_be_bytes());
        body.extend_from_slice(&self.lifetime.to_be_bytes());
        body.extend_from_slice(&self.nonce);
        body.extend_from_slice(self.route.as_bytes());
        let mut hidden = self.return_to.as_str().as_bytes().to_vec();
        hide(secrets.current(), Purpose::ReturnTo, &self.nonce, &mut hidden);
        body.append(&mut hidden);
        TOKEN.seal(secrets, &[&client.key()], &body)
    }

    /// What a token says, if we posed it to this client; when, and whether it is met, is for [`super::verify`] to judge.
    #[must_use]
    pub fn open(secrets: &Secrets, client: ClientIp, token: &str) -> Option<Self> {
        let (keys, body) = TOKEN.open(secrets, &[&client.key()], token.as_bytes())?;
        let ([kind, bits], rest) = take(&body)?;
        let (issued_at, rest) = take_time(rest)?;
        let (wait, rest) = take(rest)?;
        let (lifetime, rest) = take(rest)?;
        let (nonce, rest) = take(rest)?;
        let (route, rest) = take(rest)?;
        let mut return_to = rest.to_vec();
        hide(keys, Purpose::ReturnTo, &nonce, &mut return_to);
        Some(Self {
            kind: Kind::from_byte(kind)?,
            bits,
            issued_at,
            wait: u16::from_be_bytes(wait),
            lifetime: u16::from_be_bytes(lifetime),
            nonce,
            route: Subject::from_bytes(route),
            return_to: ReturnTo::parse(std::str::from_utf8(&return_to).ok()?)?,
        })
    }
}

/// The most characters of a token.
pub(super) const MOST_TEXT: usize = TOKEN.most_text();
