//! What an unknown browser is asked while accounts are under attack: to wait, to compute, or to satisfy a page of the operator.
//!
//! Nothing is kept for a challenge. The [`Challenge`] is a token (`ch1.`) that the client brings back to [`REDEEM_PATH`] with its
//! solution, and changes there into a [`Pass`] (`p1.`), a cookie with which the guarded route lets some attempts through. A
//! challenge makes guessing dearer and slower and keeps simple programs out; it is no wall. The walls are the budgets of account
//! and address, which are charged with a pass as without.
//!
//! | step | a browser | a program |
//! |---|---|---|
//! | [`Step::Wait`] | a page that moves on by itself | brings the token back after `wait` seconds |
//! | [`Step::ProofOfWork`] | a page that computes; without script, a longer wait | finds `solution`: SHA-256 of token, `.` and solution begins with `difficulty` zero bits |
//! | [`Step::External`] | is sent to the operator's page with the token | the same, see [`Vouching`] |
//! | [`Step::StepUp`] | is sent to the operator's other way to sign in | the same |
//!
//! What was typed into the form is not kept: a page that carried a password would be one more place to steal it from. The
//! browser goes back to the form, and the page says that it is to be filled in again.
//!
//! The way through: [`pose`] answers the request that is not let through; what comes to [`REDEEM_PATH`] is read by
//! [`Redemption::parse`] and judged by [`verify`]; both of its results are answers. [`Pass::find`] reads the pass of the next
//! attempt, and [`Pass::subject`] is what to count it by.
//!
//! **Attacks and answers.**
//! *Replay*: a token may be redeemed again and again, but its pass is made of its nonce, and so is always the same pass with the
//! same few attempts. *Solving for others*: token and pass are bound to the address (IPv6: the /64) and the route that they were
//! made for. Work can be done elsewhere; the pass is good only where it was asked for, and that address pays for its attempts.
//! *Working ahead*: the nonce is random, and a token is good for its work and two minutes. *Waiting in many places at once*: the
//! tokens of one address all lead to attempts that this address pays for. *Open redirect*: the way back is a [`ReturnTo`] inside
//! the token; the operator's pages come from his configuration. *A token as a cookie, a pass as a device*: each kind has a key
//! of its own. *Reading a reset link's key out of a
//! token that passes through logs and other pages*: the way back is hidden in it. *Oversized tokens*: bounded before they are decoded. *A clock that goes back*: what is more than a minute from the
//! future is refused; waits take longer, never shorter. *Forging by header*: nothing of a request is believed but its tag; the
//! address comes from [`crate::client_ip`]. *An easier challenge*: difficulty, wait and expiry are under the tag, and asking
//! again is answered by the same debt. *Burning our CPU*: a check is one HMAC and one hash. *Login CSRF*: a page elsewhere can
//! make a browser redeem a token only if the browser's own address asked for it, and all it gets is a pass.

mod answer;
mod page;
mod pass;
mod redemption;
mod return_to;
mod step;
#[cfg(test)]
mod tests;
mod token;
mod verify;
mod vouching;

pub use answer::{Asked, pose};
pub use page::{WAIT_CSP, WORK_CSP};
pub use pass::Pass;
pub use redemption::{MAX_REDEMPTION, Redemption};
pub use return_to::{MAX_RETURN_TO, ReturnTo};
pub use step::{Escalation, HookUrl, HookUrlError, MAX_BITS, MAX_WAIT, Step};
pub use token::{Challenge, Kind, route};
pub use verify::{Passed, Rejected, verify};
pub use vouching::Vouching;

/// Where challenges are redeemed: `GET` with the fields in the query, or `POST` with a form.
pub const REDEEM_PATH: &str = "/.well-known/casque/login";
