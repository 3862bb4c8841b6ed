//! Methods and paths, as several sections write them.

use http::Method;

use super::Section;
use crate::path::Pattern;

impl Section<'_, '_> {
    /// A list of methods, in upper case. What cannot be read is reported and left out.
    pub fn methods(&mut self, key: &'static str) -> Vec<Method> {
        let mut known = Vec::new();
        for method in self.strings(key).into_iter().flat_map(|m| m.value) {
            match Method::from_bytes(method.value.as_bytes()) {
                Ok(m) if m.as_str() == m.as_str().to_ascii_uppercase() => known.push(m),
                _ => self.error(
                    method.span,
                    format!("`{}` is no method", method.value),
                    format!("methods are upper case: did you mean \"{}\"?", method.value.to_ascii_uppercase()),
                ),
            }
        }
        known
    }

    /// A list of path patterns. What cannot be read is reported and left out.
    pub fn patterns(&mut self, key: &'static str) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for path in self.strings(key).into_iter().flat_map(|p| p.value) {
            match Pattern::parse(&path.value) {
                Ok(pattern) => patterns.push(pattern),
                Err(problem) => {
                    self.error(path.span, format!("path `{}` {problem}", path.value), "for example \"/login\", \"/api/*\" or \"**/login\"")
                }
            }
        }
        patterns
    }
}
