//! The guard of routes that take passwords: an attempt is charged before the app sees it, and settled by the app's answer.

pub mod challenge;
mod cookies;
pub mod device;
mod secret;
mod token;

pub use cookies::strip;
pub use secret::{MIN_SECRET, SecretError, Secrets};
