//! The guard of routes that take passwords: an attempt is charged before the app sees it, and settled by the app's answer.

pub mod account;
mod blocks;
mod budgets;
pub mod challenge;
mod cookies;
pub mod device;
mod guard;
mod meter;
pub mod outcome;
mod secret;
#[cfg(test)]
mod tests;
mod token;

pub use budgets::Budgets;
pub use cookies::strip;
pub use guard::{Account, AtOnce, Attempt, Builder, Guard, MOST_ACCOUNTS, Reservation, Stop, Trust, Verdict};
pub use meter::Meter;
pub use outcome::Outcome;
pub use secret::{MIN_SECRET, SecretError, Secrets};
