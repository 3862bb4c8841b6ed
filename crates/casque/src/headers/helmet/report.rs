//! What is wrong with the options, and where.

use std::cell::RefCell;
use std::ops::Range;

use crate::config;

pub use crate::config::Severity;

/// Something to say about the options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it stops the options from being used.
    pub severity: Severity,
    /// Where, as bytes of the text that the options were read from.
    pub span: Range<usize>,
    /// Where, as a path of keys as they were written: `contentSecurityPolicy.directives.scriptSrc[1]`. Empty for the options as
    /// a whole.
    pub path: String,
    /// What: lower case, no full stop, never a control byte.
    pub message: String,
    /// What to do about it. May be empty.
    pub remedy: String,
}

impl From<Problem> for config::Problem {
    fn from(problem: Problem) -> Self {
        Self { severity: problem.severity, span: problem.span, message: problem.message, label: problem.remedy }
    }
}

/// That an error has been reported, so that nothing more needs to be said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

/// A place in the options.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) span: Range<usize>,
}

impl Place {
    /// The value of a key below this one.
    pub(super) fn key(&self, name: &str, span: &Range<usize>) -> Self {
        // The path is shown to people and kept with every problem; a key may hold anything, and a lot of it.
        const LONGEST: usize = 60;
        let name: String = name.chars().take(LONGEST).flat_map(char::escape_debug).collect();
        let path = if self.path.is_empty() { name } else { format!("{}.{name}", self.path) };
        Self { path, span: span.clone() }
    }

    /// An element of the list that stands here.
    pub(super) fn item(&self, index: usize, span: &Range<usize>) -> Self {
        Self { path: format!("{}[{index}]", self.path), span: span.clone() }
    }
}

/// Gathers problems.
#[derive(Debug, Default)]
pub(super) struct Report(RefCell<Vec<Problem>>);

impl Report {
    pub(super) fn error(&self, place: &Place, message: impl Into<String>, remedy: impl Into<String>) -> Reported {
        self.note(Severity::Error, place, message.into(), remedy.into());
        Reported
    }

    pub(super) fn warn(&self, place: &Place, message: impl Into<String>, remedy: impl Into<String>) {
        self.note(Severity::Warning, place, message.into(), remedy.into());
    }

    fn note(&self, severity: Severity, place: &Place, message: String, remedy: String) {
        self.0.borrow_mut().push(Problem { severity, span: place.span.clone(), path: place.path.clone(), message, remedy });
    }

    /// How many errors there are.
    pub(super) fn errors(&self) -> usize {
        self.0.borrow().iter().filter(|p| p.severity == Severity::Error).count()
    }

    /// Everything, in the order of the text.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.0.into_inner();
        problems.sort_by_key(|p| (p.span.start, p.span.end));
        problems
    }
}
