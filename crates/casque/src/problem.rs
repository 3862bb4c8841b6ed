//! What is wrong with something written.

use std::fmt;
use std::ops::Range;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but not as safely as it could.
    Warning,
    /// It cannot be what was meant.
    Error,
}

/// Something wrong with a text that a user wrote, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// Where, as bytes of the text.
    pub span: Range<usize>,
    /// What, with the value in it: lower case, no full stop.
    pub message: String,
    /// The remedy, to stand under the place. May be empty.
    pub label: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.label.is_empty() { Ok(()) } else { write!(f, ": {}", self.label) }
    }
}

impl std::error::Error for Problem {}
