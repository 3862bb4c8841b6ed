//! Dependency paths as an ignore names them.

mod ways;

use std::fmt;

use super::Versions;
use crate::graph::Instance;

pub(super) use ways::open_way;

/// How many steps a path may have. They are kept as bits.
const LONGEST: usize = 60;
/// A way from a project to a package: `express > qs`, `* > qs@6.x`. The project itself is not in it.
///
/// `*` stands for any number of packages, none included; a name is the package's own or the alias it is asked for by; a range after
/// `@` is npm's, and prereleases are in it as in any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Any,
    Package { name: String, versions: Option<Versions> },
}

impl DependencyPath {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong, as a fragment of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let steps = text.split('>').map(|step| Step::parse(step.trim())).collect::<Result<Vec<_>, _>>()?;
        if steps.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} steps; `*` stands for any number of packages"));
        }
        Ok(Self { text: steps.iter().map(Step::to_string).collect::<Vec<_>>().join(" > "), steps })
    }

    /// The states that stand for a beginning.
    fn start(&self) -> u64 {
        self.closure(1)
    }

    /// Where one may be, having met one more package.
    fn next(&self, states: u64, instance: &Instance) -> u64 {
        let mut after = 0;
        for (n, step) in self.steps.iter().enumerate().filter(|(n, _)| states & (1 << n) != 0) {
            match step {
                Step::Any => after |= 1 << n,
                step if step.is(instance) => after |= 1 << (n + 1),
                Step::Package { .. } => {}
            }
        }
        self.closure(after)
    }

    /// `*` may stand for nothing.
    fn closure(&self, mut states: u64) -> u64 {
        for (n, step) in self.steps.iter().enumerate() {
            if *step == Step::Any && states & (1 << n) != 0 {
                states |= 1 << (n + 1);
            }
        }
        states
    }

    fn ends(&self, states: u64) -> bool {
        states & (1 << self.steps.len()) != 0
    }
}

impl fmt::Display for DependencyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Step {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let at = text.get(1..).and_then(|rest| rest.find('@')).map_or(text.len(), |at| at + 1);
        let (name, range) = text.split_at(at);
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*') {
            return Err("write the packages from the project on, such as \"express > qs\" or \"* > qs@6.x\"".to_owned());
        }
        let versions = match range.strip_prefix('@') {
            Some(range) => Some(Versions::parse(range)?),
            None => None,
        };
        Ok(Self::Package { name: name.to_owned(), versions })
    }

    fn is(&self, instance: &Instance) -> bool {
        let Self::Package { name, versions } = self else { return true };
        let named = *instance.package.name == **name || instance.name() == name;
        named && versions.as_ref().is_none_or(|versions| versions.contain(&instance.package))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Package { name, versions: None } => f.write_str(name),
            Self::Package { name, versions: Some(range) } => write!(f, "{name}@{range}"),
        }
    }
}

#[cfg(test)]
mod tests;
