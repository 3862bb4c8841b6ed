//! `[fetch-metadata]` in casque.toml.
//!
//! ```toml
//! [fetch-metadata]
//! mode = "report"                       # off (default), report (log only) or enforce
//! allow = ["/fonts", "/pay/return"]     # paths that other sites may use, with all below them
//! ```

use std::ops::Range;

use super::policy::{IsolationPolicy, Mode};
use crate::config::{At, Section};

/// The section as it was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    mode: Option<At<Mode>>,
    policy: IsolationPolicy,
}

impl Written {
    /// Reads the section.
    #[must_use]
    pub fn read(mut section: Section<'_, '_>) -> Self {
        let mode = section.choice("mode", &Mode::NAMES);
        let mut policy = IsolationPolicy::default();
        for path in section.strings("allow").map(|list| list.value).unwrap_or_default() {
            match policy.clone().allow([path.value.as_str()]) {
                Ok(more) => policy = more,
                Err(error) => section.error(path.span, error.to_string(), "write it like \"/fonts\""),
            }
        }
        section.finish();
        Self { mode, policy }
    }

    /// What a narrower section changes in this one: its mode counts, its paths are added.
    #[must_use]
    pub fn overlaid(&self, narrower: &Self) -> Self {
        Self { mode: narrower.mode.clone().or_else(|| self.mode.clone()), policy: self.policy.clone().allowing_also(&narrower.policy) }
    }

    /// Where it is said that requests are not looked at, if it is.
    #[must_use]
    pub fn switched_off(&self) -> Option<Range<usize>> {
        self.mode.as_ref().filter(|m| m.value == Mode::Off).map(|m| m.span.clone())
    }

    /// What runs. Paths that were refused when the section was read are left out.
    #[must_use]
    pub fn policy(&self) -> IsolationPolicy {
        self.policy.clone().with_mode(self.mode.as_ref().map(|m| m.value).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Document;

    #[test]
    fn a_route_changes_the_mode_and_adds_paths() {
        let text = "[a]\nmode = \"report\"\nallow = [\"/fonts\"]\n[b]\nmode = \"enforce\"\nallow = [\"/pay/return\"]\n[c]\n";
        let document = Document::parse(text);
        let mut root = document.root();
        let [a, b, c] = ["a", "b", "c"].map(|name| Written::read(root.section(name).unwrap()));
        root.finish();
        assert!(document.problems().is_empty());
        assert_eq!((a.policy().mode(), c.policy().mode()), (Mode::Report, Mode::Off));
        let both = a.overlaid(&b).policy();
        assert_eq!((both.mode(), both.exempts("/fonts/x"), both.exempts("/pay/return")), (Mode::Enforce, true, true));
        assert_eq!(a.overlaid(&c).policy(), a.policy());
        assert_eq!(a.switched_off(), None);
    }

    #[test]
    fn mistakes_are_named() {
        let document = Document::parse("[a]\nmode = \"enforced\"\nallow = [\"/\", \"fonts\", \"/ok\"]\nalow = []\n");
        let mut root = document.root();
        let a = Written::read(root.section("a").unwrap());
        root.finish();
        let problems: Vec<String> = document.problems().into_iter().map(|p| format!("{} | {}", p.message, p.label)).collect();
        assert_eq!(problems.len(), 4, "{problems:#?}");
        assert!(
            problems.iter().any(|p| p.contains("\"/\" is the whole app"))
                && problems.iter().any(|p| p.contains("did you mean \"enforce\"?"))
        );
        assert!(a.policy().exempts("/ok"));
    }
}
