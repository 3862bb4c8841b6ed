//! The island: what a project depends on, read from its lockfiles.
//!
//! This crate depends on nothing of ours and does no network. So far it finds lockfiles and tells their kinds apart
//! ([`discover`]); matching them against advisories is built on that.

pub mod cvss;
mod discover;
mod package;
pub mod version;

pub use discover::{Kind, Lockfile, discover};
pub use package::{Ecosystem, Package};
