//! Exit codes.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well: 0.
    Clean,
    /// It ran and found something: 1.
    Findings,
    /// It could not run: 2.
    Error,
    /// There was nothing to do it with: 3.
    Nothing,
    /// There is no database, or none to rely on: 4.
    NoDatabase,
    /// The guarded app's own code.
    App(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Clean => Self::SUCCESS,
            Exit::Findings => Self::from(1),
            Exit::Error => Self::from(2),
            Exit::Nothing => Self::from(3),
            Exit::NoDatabase => Self::from(4),
            Exit::App(code) => Self::from(code),
        }
    }
}
