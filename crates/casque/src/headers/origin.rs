//! Where a rule comes from, for people who ask why a header is there.

use std::fmt;
use std::ops::Range;

use super::preset::Preset;

/// Who wrote a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// A preset.
    Preset(Preset),
    /// The policy file: the bytes where it stands.
    File(Range<usize>),
    /// A helmet option, and the bytes of the policy file where the options stand.
    Helmet(Range<usize>),
    /// casque itself, because something else asks for it.
    Casque(&'static str),
    /// The program that built the policy.
    #[default]
    Code,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset(preset) => write!(f, "preset {}", preset.name()),
            Self::File(_) => f.write_str("policy file"),
            Self::Helmet(_) => f.write_str("helmet options"),
            Self::Casque(why) => f.write_str(why),
            Self::Code => f.write_str("set in code"),
        }
    }
}
