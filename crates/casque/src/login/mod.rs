//! The guard of routes that take passwords: an attempt is charged before the app sees it, and settled by the app's answer.

mod blocks;
mod budgets;
mod guard;
mod meter;
mod outcome;

pub use budgets::Budgets;
pub use guard::{Account, AtOnce, Attempt, Builder, Guard, MOST_ACCOUNTS, Reservation, Stop, Trust, Verdict};
pub use meter::Meter;
pub use outcome::Outcome;
#[cfg(test)]
mod tests;
