//! Versions and ranges as npm, Cargo and the OSV schema read them.
//!
//! A [`Version`] is kept as a key: bytes whose plain order is the order of versions. Comparing two of them is a `memcmp`, takes
//! nothing from the heap, and works as well on bytes of a database file as on a parsed version. Each writer has its own grammar
//! ([`Grammar`]); the order is SemVer's (2.0.0, section 11) for all of them, so build metadata never counts.
//!
//! Versions come from lockfiles and advisories, thus from strangers: no text is longer than 256 characters, numbers may have as
//! many digits as fit, and no parser goes back over its input more than once.

mod grammar;
mod key;
mod partial;
mod range;
mod set;
mod sugar;

pub use grammar::{Grammar, Unparsable};
pub use key::Version;
pub use range::{InvalidRange, Range, RangeOptions};
pub(crate) use set::key_in;
pub use set::{High, Interval, VersionSet};

/// The longest text that is a version, in UTF-16 units as node-semver counts (`MAX_LENGTH`).
pub const MAX_LENGTH: usize = 256;
