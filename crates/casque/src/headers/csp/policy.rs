//! A policy: directives in their order, and the way back to text.

use std::collections::HashSet;
use std::fmt;

use super::names;
use super::source::{OTHER_WORDS, Source};

/// One Content-Security-Policy: directives in the order they were written, no name twice.
///
/// Whatever it was made from, it holds visible ASCII only, and no `;` or `,` inside a name or a value: as text it is one header
/// value that says exactly this policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Csp {
    pub(super) directives: Vec<Directive>,
}

/// A directive and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Lower case.
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

/// What stands between two directives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Separator {
    /// `; `, the default.
    #[default]
    Spaced,
    /// `;`, as helmet writes it.
    Tight,
}

impl Separator {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Spaced => "; ",
            Self::Tight => ";",
        }
    }
}

impl Directive {
    /// Its name, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its values, as written.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Its values, read as a source list. What is no source is left out, as browsers do.
    pub fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        self.values.iter().filter_map(|v| Source::parse(v))
    }

    /// Whether it allows nothing: `'none'` alone, or no value.
    #[must_use]
    pub fn is_none(&self) -> bool {
        match self.values.as_slice() {
            [] => true,
            [only] => only.eq_ignore_ascii_case("'none'"),
            _ => false,
        }
    }
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.values.iter().try_for_each(|v| write!(f, " {v}"))
    }
}

impl fmt::Display for Csp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Separator::Spaced)
    }
}

impl Csp {
    /// Its directives, in order.
    #[must_use]
    pub fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.directives.is_empty()
    }

    /// The directive of that name, given in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().find(|d| d.name == name)
    }

    /// The directive that rules in the place of `name`: itself, or the first of its fallbacks that is there (CSP Level 3, 6.8.3).
    /// `None` if nothing restricts it.
    #[must_use]
    pub fn effective(&self, name: &str) -> Option<&Directive> {
        self.get(name).or_else(|| names::fallback(name).iter().find_map(|n| self.get(n)))
    }

    /// Puts a directive in the place of the one of its name, or at the end.
    pub fn set(&mut self, directive: Directive) {
        match self.directives.iter_mut().find(|d| d.name == directive.name) {
            Some(place) => *place = directive,
            None => self.directives.push(directive),
        }
    }

    /// Takes a directive out.
    pub fn remove(&mut self, name: &str) -> Option<Directive> {
        let place = self.directives.iter().position(|d| d.name == name)?;
        Some(self.directives.remove(place))
    }

    /// The policy with keywords and schemes in lower case, which is how browsers compare them, and no value twice in a directive.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let directives = self.directives.iter().map(|d| {
            let mut seen = HashSet::new();
            let values = d.values.iter().map(|v| lowered(v)).filter(|v| seen.insert(v.clone())).collect();
            Directive { name: d.name.clone(), values }
        });
        Self { directives: directives.collect() }
    }

    /// The policy as a `Content-Security-Policy-Report-Only` may carry it: `sandbox` has no effect there, and for
    /// `upgrade-insecure-requests` browsers only print a warning (CSP Level 3, 3.2; Upgrade Insecure Requests, 3).
    #[must_use]
    pub fn for_report_only(&self) -> Self {
        let idle = |d: &&Directive| !matches!(d.name(), "sandbox" | "upgrade-insecure-requests");
        Self { directives: self.directives.iter().filter(idle).cloned().collect() }
    }

    /// The policy as text, with that separator.
    #[must_use]
    pub fn to_string_with(&self, separator: Separator) -> String {
        let mut text = String::with_capacity(
            self.directives.iter().map(|d| d.name.len() + d.values.iter().map(|v| v.len() + 1).sum::<usize>() + 2).sum(),
        );
        // Writing to a String cannot fail.
        _ = self.write(&mut text, separator);
        text
    }

    fn write(&self, to: &mut impl fmt::Write, separator: Separator) -> fmt::Result {
        for (i, directive) in self.directives.iter().enumerate() {
            if i > 0 {
                to.write_str(separator.text())?;
            }
            write!(to, "{directive}")?;
        }
        Ok(())
    }
}

fn lowered(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let is_word = OTHER_WORDS.contains(&lower.as_str()) || matches!(Source::parse(value), Some(Source::Keyword(_) | Source::Scheme(_)));
    if is_word { lower } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_written_as_it_was_read() {
        let text = "default-src 'self'; img-src 'self' data:; upgrade-insecure-requests";
        let mut csp = Csp::parse(text).unwrap();
        assert_eq!(csp.to_string(), text);
        assert_eq!(csp.to_string_with(Separator::Tight), "default-src 'self';img-src 'self' data:;upgrade-insecure-requests");
        csp.set(Directive::new("default-src", ["'none'"]).unwrap());
        csp.set(Directive::new("base-uri", ["'self'"]).unwrap());
        assert_eq!(csp.to_string(), "default-src 'none'; img-src 'self' data:; upgrade-insecure-requests; base-uri 'self'");
        assert!(csp.get("default-src").unwrap().is_none());
        assert_eq!(csp.remove("img-src").unwrap().to_string(), "img-src 'self' data:");
    }

    #[test]
    fn the_effective_directive_is_the_first_of_the_chain() {
        let csp = Csp::parse("default-src 'none'; script-src 'self'; child-src a.example").unwrap();
        let effective = |name| csp.effective(name).map(Directive::name);
        assert_eq!(effective("script-src-elem"), Some("script-src"));
        assert_eq!(effective("worker-src"), Some("child-src"));
        assert_eq!(effective("fenced-frame-src"), Some("child-src"));
        assert_eq!(effective("font-src"), Some("default-src"));
        assert_eq!(effective("base-uri"), None);
    }

    #[test]
    fn report_only_leaves_out_what_has_no_effect_there() {
        let csp = Csp::parse("sandbox allow-scripts; default-src 'self'; upgrade-insecure-requests").unwrap();
        assert_eq!(csp.for_report_only().to_string(), "default-src 'self'");
    }
}
