//! The rules of other limiters, for those who bring theirs along.
//!
//! New rules are better written with [`super::Quota`]: what these do beyond it is mostly what they do worse.

pub mod nginx;
#[cfg(feature = "compat")]
pub mod rlf;
