//! What makes an audit fail.

use std::fmt;

use super::Hit;
use crate::cvss::Severity;
use crate::matching::{Class, Finding};

/// From which severity on a vulnerability makes the audit fail. Malware always does, and warnings never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// This one or a worse one; low is any. A vulnerability whose severity nobody has told counts: it may be the worst.
    At(Severity),
    /// No vulnerability does.
    Never,
}

impl Default for Bar {
    fn default() -> Self {
        Self::At(Severity::High)
    }
}

impl Bar {
    /// Every bar by the name it is chosen by.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("low", Self::At(Severity::Low)),
        ("moderate", Self::At(Severity::Moderate)),
        ("high", Self::At(Severity::High)),
        ("critical", Self::At(Severity::Critical)),
        ("none", Self::Never),
    ];

    fn met_by(self, finding: &Finding) -> bool {
        match self {
            Self::At(bar) => finding.severity.is_none_or(|severity| severity >= bar),
            Self::Never => false,
        }
    }
}

/// What a vulnerability of something that is there for development only comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dev {
    /// It is told, and does not make the audit fail.
    #[default]
    Warn,
    /// It counts like any other.
    Fail,
}

impl Dev {
    /// Both by the names they are chosen by.
    pub const NAMES: [(&'static str, Self); 2] = [("warn", Self::Warn), ("fail", Self::Fail)];
}

/// Which findings make an audit fail. Default: vulnerabilities from high on, of what the project needs to run. Malware always does,
/// wherever it is: it runs when it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gate {
    /// From which severity on.
    pub bar: Bar,
    /// Whether development dependencies count.
    pub dev: Dev,
    /// Only what an update mends counts.
    pub fixable_only: bool,
}

impl Gate {
    /// Whether a finding about a package makes the audit fail.
    #[must_use]
    pub fn stops(self, hit: &Hit, finding: &Finding) -> bool {
        if finding.class == Class::Malware {
            return true;
        }
        let counts = self.dev == Dev::Fail || !hit.is_dev();
        let mends = !self.fixable_only || hit.fix(finding).is_some();
        !finding.class.is_warning() && self.bar.met_by(finding) && counts && mends
    }
}

impl fmt::Display for Gate {
    /// In the words of the policy file: `fail-on = "high", dev = "warn"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fail-on = \"{}\", dev = \"{}\"", name_of(&Bar::NAMES, self.bar), name_of(&Dev::NAMES, self.dev))?;
        if self.fixable_only { f.write_str(", fixable-only = true") } else { Ok(()) }
    }
}

pub(super) fn name_of<T: Copy + PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}
