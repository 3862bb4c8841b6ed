//! What the app's answer to an attempt means: the password was right, or it was not, or nobody looked.
//!
//! ```
//! use casque::login::outcome::{Answer, Outcome, Sign, Signs};
//! use http::{HeaderMap, StatusCode};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signs = Signs::new().success(Sign::new().status("302")?.location_not("/login")?.set_cookie("sid"));
//! let mut headers = HeaderMap::new();
//! headers.insert("location", "https://shop.example/account".parse()?);
//! headers.append("set-cookie", "sid=81f0; HttpOnly".parse()?);
//! let answer = Answer { status: StatusCode::FOUND, headers: &headers, path: "/login" };
//! assert_eq!(signs.read(answer, None), Outcome::Success);
//! # Ok(()) }
//! ```
//!
//! **How it is decided.** A failure sign that fits decides first, then a success sign that fits. What no sign fits is read as without
//! signs, but is no success if there are signs for one. Without signs:
//!
//! | answer | means |
//! |---|---|
//! | 502, 503, 504 | neutral: the app was not there |
//! | redirect to the attempt's own path, to a path with `login` or the like, or with `error` or the like in its query | failure |
//! | any other redirect | success |
//! | 204 | success |
//! | other 2xx with JSON | failure if its top says so (`error`, `errors`, `success: false`, …) or if it cannot be read, else success |
//! | any other 2xx, as the form shown again | failure |
//! | everything else, 4xx and 500 too | failure |
//!
//! **Attacks and answers.** A success and a neutral answer give the attempt back, so whoever makes a wrong guess look like one
//! guesses for ever.
//! - *Input that breaks the app after it looked at the password* (a `next` that no template can show, an `Accept` that no format
//!   fits): 500 and 4xx are failures, 404 and 406 too. Only the answers of proxies in front of a missing app are neutral.
//! - *Redirects spelled differently*: paths are compared in normal form, whatever the host: a failing log-in that redirects to the app's
//!   inner address fails all the same, and so does one whose `Host` the attacker made up.
//! - *A `Referer` to be sent back to* after a wrong password: a redirect to the page that the client says it came from is no success, and
//!   fits no sign with a location. An app that takes only the path of that page needs a sign without one, such as a cookie's.
//! - *A cookie that is taken away*: `sid=; Max-Age=0` is no sign of a session.
//! - *A marker in what the page repeats*: failure signs decide first. Name no marker that somebody could type into the form.
//! - *A marker behind 64 KiB, in a compressed or a broken body*: what was not seen counts as failure, for signs of either kind.
//!
//! An app that redirects to its front page after a wrong password looks like success. Name its signs.

mod back;
mod body;
mod location;
mod sign;
#[cfg(test)]
mod tests;
mod usual;

use http::{HeaderMap, StatusCode};

pub(super) use back::{mark, unmark};
pub use body::{Look, Marker};
pub use sign::Sign;

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The password was right: the attempt is given back.
    Success,
    /// It was not, or nobody can tell: the attempt stays charged.
    Failure,
    /// Nobody looked at it: the attempt is given back, and says nothing.
    Neutral,
}

/// The head of an answer, and what was asked.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The status code.
    pub status: StatusCode,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The path of the request, as it was sent.
    pub path: &'a str,
}

/// By what an app's answers are told apart. None is the usual reading.
#[derive(Debug, Clone, Default)]
pub struct Signs {
    success: Vec<Sign>,
    failure: Vec<Sign>,
}

impl Signs {
    /// No signs yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An answer with this sign is a success, unless it has one of failure too.
    #[must_use]
    pub fn success(mut self, sign: Sign) -> Self {
        self.success.push(sign);
        self
    }

    /// An answer with this sign is a failure.
    #[must_use]
    pub fn failure(mut self, sign: Sign) -> Self {
        self.failure.push(sign);
        self
    }

    /// Whether bodies may be looked at, for markers or, without signs of success, for what JSON says. Then no `Accept-Encoding` may reach the app, for in a compressed body there
    /// are none to see.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        self.success.is_empty() || self.all().any(Sign::needs_body)
    }

    /// What to look for in this answer's body; none if its head decides.
    #[must_use]
    pub fn look(&self, answer: Answer<'_>) -> Option<Look> {
        let candidates = || self.all().filter(|sign| sign.needs_body() && sign.fits_head(answer));
        let json = usual::needs_body(answer) && self.success.is_empty();
        if !json && candidates().next().is_none() {
            return None;
        }
        Some(Look::new(candidates().flat_map(Sign::markers), json, body::is_readable(answer.headers)))
    }

    /// What an answer means. `look` is what [`Signs::look`] gave for it, fed with the body; without it, an answer that needed it is a
    /// failure.
    #[must_use]
    pub fn read(&self, answer: Answer<'_>, look: Option<&Look>) -> Outcome {
        if self.failure.iter().any(|sign| sign.fits_head(answer) && sign.may_fit_body(look)) {
            return Outcome::Failure;
        }
        if self.success.iter().any(|sign| sign.fits_head(answer) && sign.fits_body(look)) {
            return Outcome::Success;
        }
        match usual::read(answer, look) {
            Outcome::Success if !self.success.is_empty() => Outcome::Failure,
            outcome => outcome,
        }
    }

    fn all(&self) -> impl Iterator<Item = &Sign> {
        self.failure.iter().chain(&self.success)
    }
}
