//! Reading casque.toml: every problem at once, each at its line and column, with the nearest key that exists.
//!
//! A [`Section`] is a table being read. Each part of casque asks its section for the keys it knows; what nobody asked for is
//! unknown, and an error: a misspelt setting of a security tool must never be a setting that silently does nothing.
//!
//! ```
//! use casque::config::Document;
//!
//! let document = Document::parse("[server]\nheader-timout = \"10s\"\n");
//! let mut root = document.root();
//! if let Some(mut server) = root.section("server") {
//!     let _ = server.duration("header-timeout");
//!     server.finish();
//! }
//! root.finish();
//! let problems = document.problems();
//! assert_eq!(problems[0].message, "unknown key `header-timout` in [server]");
//! assert_eq!(problems[0].label, "did you mean `header-timeout`?");
//! ```

mod section;
mod values;

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

pub use crate::nearest::nearest;
pub use crate::problem::{Problem, Severity};
pub use section::Section;
pub use values::{duration, rate, size};

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

impl<T> At<T> {
    /// Another value at the same place.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> At<U> {
        At { value: f(self.value), span: self.span }
    }
}

/// A parsed file, and the problems found in it so far.
#[derive(Debug)]
pub struct Document<'i> {
    table: Spanned<DeTable<'i>>,
    problems: RefCell<Vec<Problem>>,
}

impl<'i> Document<'i> {
    /// Parses a file. Syntax errors become problems; what could be made out of the rest is still read.
    #[must_use]
    pub fn parse(text: &'i str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let problems = errors
            .into_iter()
            .map(|e| {
                let span = e.span().unwrap_or(0..0);
                Problem { severity: Severity::Error, span, message: e.message().to_owned(), label: String::new() }
            })
            .collect();
        Self { table, problems: RefCell::new(problems) }
    }

    /// The file's top level.
    #[must_use]
    pub fn root(&self) -> Section<'_, 'i> {
        Section::new(self.table.get_ref(), 0..0, String::new(), &self.problems)
    }

    /// Notes a problem that only a comparison of several values shows.
    pub fn report(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Everything found so far, in the order of the file.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.borrow().clone();
        problems.sort_by_key(|p| (p.span.start, p.span.end));
        problems.dedup();
        problems
    }
}
