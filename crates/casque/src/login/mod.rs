//! The guard of routes that take passwords: an attempt is charged before the app sees it, and settled by the app's answer.
//!
//! ```
//! use axum::{Router, routing::post};
//! use casque::login::{Login, LoginGuardLayer, LoginPolicy, Secrets};
//!
//! # async fn log_in() {}
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Made once with `openssl rand -hex 32`, and read from a variable or a file.
//! let secrets = Secrets::new(["50a1c1e6b7f1a2c7d1a0c33a9e6f0d4b50a1c1e6b7f1a2c7"])?;
//! let login = Login::new("login", ["/login"])?;
//! let app: Router = Router::new()
//!     .route("/login", post(log_in))
//!     .layer(LoginGuardLayer::new(LoginPolicy::new([login], secrets)).https(true));
//! # drop(app); Ok(()) }
//! ```
//!
//! [`casque::serve`](crate::serve()) says who the client is; other servers need a [`crate::client_ip::ClientIpLayer`] outside. A log-in
//! that is no HTTP route reserves by hand: [`Guard`].
//!
//! | subject | where |
//! |---|---|
//! | whose account is tried | [`account`] |
//! | who is charged, and how much there is | [`Guard`], [`Budgets`] |
//! | browsers that have logged in before | [`device`] |
//! | what the others may do when a budget is used up | [`challenge`] |
//! | what the app's answer means | [`outcome`] |
//!
//! **Attacks and answers.**
//! - *Many at once*: charged first and looked at then, so a thousand at once are as few as a thousand in a row. A client that hangs
//!   up before the answer has paid.
//! - *Many addresses*: the account has a budget of its own, whoever spends it.
//! - *Many accounts*: an address that fails at ever more of them pays more; networks have budgets; and where the sum of failures
//!   jumps, browsers that nobody knows have to pass a challenge.
//! - *Locking the owner out*: a known browser is charged to its own budget alone. New ones are offered a challenge.
//! - *Washing*: a right password gives back its own charge and nothing else, so one's own account is no soap.
//! - *Becoming known elsewhere*: a device cookie is good for one name, as it was typed, at one guard of one app. So neither a decoy
//!   name beside one's own, nor an account `ADA` where there is an `ada`, nor a reset that anybody may ask for, nor an account of that
//!   name at another app behind the same gateway ([`LoginPolicy::realm`]) makes a browser known to somebody's account.
//! - *Spelling*: the path counts in every reading that some server has of it, the name in normal form, and another method that says it
//!   is a `POST` (`X-HTTP-Method-Override`, `?_method=`) counts as one.
//! - *Hiding the name*: [`account`] refuses what two readers could take differently.
//! - *Keeping the app busy*: at most 32 attempts are looked at at a time, two at one account; known browsers have slots of their own, a
//!   quarter of them at one account.
//! - *Filling the memory*: counts lie in a table of fixed size that lets go of what owes least; known browsers have one of their own. A
//!   body takes at most 64 KiB for as long as the server lets it be sent.
//! - *Learning who has an account*: unknown names are counted as known ones are, and no answer tells what is left.
//!
//! A guard that does not fit its app protects nobody, or stops everybody. It says so: [`Worry`].

pub mod account;
mod answer;
mod blocks;
mod budgets;
pub mod challenge;
#[cfg(feature = "config")]
pub mod config;
mod cookies;
pub mod device;
mod future;
mod guard;
mod house;
mod layer;
mod meter;
mod method;
pub mod outcome;
mod policy;
mod replay;
mod secret;
mod service;
#[cfg(test)]
mod tests;
mod token;
mod visit;
mod worry;

pub use answer::Guarded;
pub use budgets::Budgets;
pub use cookies::strip;
pub use future::ResponseFuture;
pub use guard::{Account, AtOnce, Attempt, Builder, Guard, MOST_ACCOUNTS, Reservation, Stop, Trust, Verdict};
pub use house::Guards;
pub use layer::{GuardedRequest, LoginGuardLayer};
pub use meter::Meter;
pub use outcome::Outcome;
pub use policy::{Counts, Exceeded, Login, LoginPolicy};
pub use replay::Replay;
pub use secret::{MIN_SECRET, SecretError, Secrets};
pub use service::LoginGuarded;
pub use worry::{Never, Worry};
