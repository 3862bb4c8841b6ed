//! Why a database cannot be used.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::osv::ReadError;

/// A database that could not be read, built or written.
#[derive(Debug)]
pub struct Error {
    /// The file, when it is known.
    pub path: Option<PathBuf>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a database.
#[derive(Debug)]
pub enum Problem {
    /// The file system says no.
    Io(io::Error),
    /// The file is something else.
    NotADatabase,
    /// It has been written by another version of casque, in this format.
    OtherFormat(u32),
    /// It is damaged; what is, in words.
    Corrupt(&'static str),
    /// A record in a source of the database cannot be read.
    Record(ReadError),
    /// A zip file cannot be read; why, in words.
    Zip(&'static str),
    /// A list of changes cannot be read: the line, from 1.
    ChangeList(usize),
    /// There would be more than 4 GiB of it.
    TooLarge,
    /// A folder without a single record.
    Empty,
}

/// What does not fit in a damaged database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corrupt(pub(super) &'static str);

impl From<Corrupt> for Error {
    fn from(corrupt: Corrupt) -> Self {
        Problem::Corrupt(corrupt.0).into()
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self { path: None, problem }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Problem::Io(error).into()
    }
}

impl Error {
    /// The same, about this file.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display().to_string().escape_debug())?;
        }
        match &self.problem {
            Problem::Io(error) => write!(f, "{error}"),
            Problem::NotADatabase => {
                f.write_str("this is no advisory database: give the file that `casque db update` or `casque db build` wrote, or a folder of OSV records")
            }
            Problem::OtherFormat(format) => {
                write!(
                    f,
                    "this advisory database has format {format}, and this casque reads {}: make it anew with `casque db update` or `casque db build`",
                    super::FORMAT
                )
            }
            Problem::Corrupt(what) => {
                write!(f, "this advisory database is damaged ({what}) and was not used: make it anew with `casque db update` or `casque db build`")
            }
            Problem::Record(error) => write!(f, "{error}"),
            Problem::Zip(what) => write!(f, "this zip file cannot be read: {what}"),
            Problem::ChangeList(line) => write!(f, "line {line} is not of the form `2024-01-02T03:04:05Z,ID`"),
            Problem::TooLarge => f.write_str("the advisories take more than 4 GiB: leave some out"),
            Problem::Empty => f.write_str("there is no OSV record of npm or crates.io in this folder"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Io(error) => Some(error),
            Problem::Record(error) => Some(error),
            _ => None,
        }
    }
}
