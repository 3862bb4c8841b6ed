//! What is wrong with a file, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::place::Place;

/// A file that could not be read or understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file, when it is known: what was given as bytes has none.
    pub path: Option<PathBuf>,
    /// Where in the file, when it is about a place.
    pub place: Option<Place>,
    /// What is wrong and what to do. Text of the file in it is escaped and shortened.
    pub message: String,
}

impl Error {
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self { path: None, place: None, message: message.into() }
    }

    /// The same, about this file.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }
}

impl fmt::Display for Error {
    /// `path:line:column: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}:", path.display().to_string().escape_debug())?;
        }
        if let Some(place) = self.place {
            write!(f, "{}:{}:", place.line, place.column)?;
        }
        if self.path.is_some() || self.place.is_some() {
            f.write_str(" ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
