//! What of a report a project has decided about: which findings are not to be told, why, and until when.
//!
//! Plain values: whoever reads them from a file fills them in. Pure: the day is passed in.
//!
//! **Attacks and answers.** An entry is a way to keep a vulnerability from being seen, so each is as narrow as it was written and
//! none is silent. It names one advisory; a package name alone, under which tomorrow's malware would be ignored too, is not enough.
//! One with a path holds only where every way to the package is such a path ([`DependencyPath`]); a lockfile made to make that hard
//! to tell is reported. Malware is ignored by nothing that does not say so in as many words and names its end, and then every report
//! warns of it. An entry that has ended, or that nothing matches, is told, with where it stands. Files of other tools are read
//! by [`import`] alone, when somebody asks for it, and never count by being there.

mod apply;
mod ignore;
pub mod import;
mod path;
mod toml;
mod vex;

pub use apply::{Applied, Remark};
pub use ignore::{Ignore, Versions, check_id};
pub use path::DependencyPath;
pub use toml::to_toml;
pub use vex::Vex;

use crate::report::Gate;
use crate::supply;

/// A project's policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// What makes the audit fail.
    pub gate: Gate,
    /// What is not reported.
    pub ignores: Vec<Ignore>,
    /// What is made of notices about the supply chain.
    pub supply: supply::Settings,
}
