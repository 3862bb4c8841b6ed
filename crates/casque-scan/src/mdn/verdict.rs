//! A result code with its price and its words.

use crate::report::Severity;

/// One of the results a test can have. The lists of them stand with their tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The code: `hsts-preloaded`, say.
    pub code: &'static str,
    /// What it does to the score.
    pub modifier: i32,
    /// Whether the test counts as passed.
    pub pass: bool,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence: what was found.
    pub title: &'static str,
    /// What an attacker makes of it; empty if nothing.
    pub why: &'static str,
}

impl Verdict {
    /// Well done.
    pub(super) const fn good(code: &'static str, modifier: i32, title: &'static str) -> Self {
        Self { code, modifier, pass: true, severity: Severity::Good, title, why: "" }
    }

    /// Neither good nor bad; passes.
    pub(super) const fn neutral(code: &'static str, title: &'static str) -> Self {
        Self { code, modifier: 0, pass: true, severity: Severity::Info, title, why: "" }
    }

    /// A mistake; fails.
    pub(super) const fn bad(code: &'static str, modifier: i32, severity: Severity, title: &'static str, why: &'static str) -> Self {
        Self { code, modifier, pass: false, severity, title, why }
    }

    /// The same verdict, counted as passed all the same.
    pub(super) const fn passing(mut self) -> Self {
        self.pass = true;
        self
    }
}
