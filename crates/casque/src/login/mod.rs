//! The guard of routes that take passwords: an attempt is charged before the app sees it, and settled by the app's answer.

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
pub mod outcome;
mod policy;
mod replay;
mod secret;
mod service;
#[cfg(test)]
mod tests;
mod token;
mod visit;

pub use answer::Guarded;
pub use budgets::Budgets;
pub use cookies::strip;
pub use future::ResponseFuture;
pub use guard::{Account, AtOnce, Attempt, Builder, Guard, MOST_ACCOUNTS, Reservation, Stop, Trust, Verdict};
pub use house::Guards;
pub use layer::{GuardedRequest, LoginGuardLayer};
pub use meter::Meter;
pub use outcome::Outcome;
pub use policy::{Exceeded, Login, LoginPolicy};
pub use replay::Replay;
pub use secret::{MIN_SECRET, SecretError, Secrets};
pub use service::LoginGuarded;
