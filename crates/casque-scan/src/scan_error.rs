//! Why a site gets no grade.

use std::fmt;

use crate::exchange::Exchange;

/// Why a site gets no grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanError {
    /// Neither https nor http gave an answer.
    NoAnswer,
    /// The page answered with this status: an error is not what visitors see. 401 and 403 are graded.
    Status(u16),
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => f.write_str("the site answers neither over https nor over http; check the name and that it is up"),
            Self::Status(status @ 500..) => {
                write!(f, "the app answered {status}, so nothing was graded; scan it again when it answers with a page")
            }
            Self::Status(status) => {
                write!(f, "the page answers with status {status}, so nothing was graded; name an address that answers with a page")
            }
        }
    }
}

impl std::error::Error for ScanError {}

impl Exchange {
    /// Whether an answer is what visitors are meant to see: a page, a redirect, or the word that they have to log in.
    pub(crate) fn is_page(&self) -> bool {
        matches!(self.status, 200..=399 | 401 | 403)
    }
}
