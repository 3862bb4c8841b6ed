//! Advisories as OSV records (OSV schema 1.7).
//!
//! A record comes from a stranger and ends up in a terminal and in decisions. So: a record is at most [`MAX_RECORD`] bytes, JSON's
//! depth is limited by its parser, work grows no faster than `n log n` with the size, ids and names hold no blanks or control
//! characters, and control characters and those that turn the direction of writing are taken out of prose. What the schema leaves
//! free (`database_specific`, `ecosystem_specific`) is read where it has the known form and passed over where not.

mod events;
mod json;
mod package;
mod prose;
mod raw;
mod record;
#[cfg(test)]
mod tests;

pub use json::{MAX_RECORD, Problem, ReadError};
pub(crate) use prose::plain;
pub use record::{Affected, Informational, Record};
