//! The guard of routes that take passwords: an attempt is charged before the app sees it, and settled by the app's answer.

pub mod account;
pub mod outcome;
