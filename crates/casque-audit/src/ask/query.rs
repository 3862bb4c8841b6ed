//! The package that somebody asks for: `PKG` or `PKG@RANGE`.

use crate::graph::Instance;
use crate::lockfile::spec::split_name;
use crate::matching::installed;
use crate::text::quote;
use crate::version::{Range, RangeOptions};

/// A name, and which of its versions are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The name: a package's own, or the alias it is imported by.
    pub name: String,
    versions: Option<(String, Option<Range>)>,
}

impl Query {
    /// Reads `lodash`, `@babel/core@7` or `minimist@<1.2.6`. Ranges are npm's for crates too, so that `serde@1.0` is every 1.0.x,
    /// and prereleases count as versions like others.
    ///
    /// # Errors
    /// There is no name, or what follows it is neither a range nor a version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, range) = split_name(text).map_or((text, None), |(name, range)| (name, Some(range)));
        if name.is_empty() || name == "@" {
            return Err(format!("{} names no package; write a name, or a name and a range: lodash@<4.17.21", quote(text)));
        }
        let Some(range) = range else { return Ok(Self { name: name.to_owned(), versions: None }) };
        let parsed = Range::parse(range, RangeOptions::AUDIT).ok();
        if range.is_empty() || (parsed.is_none() && !range.starts_with(|c: char| c.is_ascii_digit())) {
            return Err(format!("{} is no version and no range such as ^1.2.3 or '<2'", quote(range)));
        }
        Ok(Self { name: name.to_owned(), versions: Some((range.to_owned(), parsed)) })
    }

    /// Whether an instance is meant.
    pub fn matches(&self, instance: &Instance) -> bool {
        self.is_called(instance)
            && self.versions.as_ref().is_none_or(|(text, range)| {
                let inside = || installed(&instance.package).is_some_and(|version| range.as_ref().is_some_and(|r| r.contains(&version)));
                *instance.package.version == **text || inside()
            })
    }

    /// Whether an instance has the name, in whatever version.
    pub fn is_called(&self, instance: &Instance) -> bool {
        *instance.package.name == *self.name || instance.alias.as_deref() == Some(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Limits, Manifests, parse};

    #[test]
    fn packages_are_asked_for_by_name_alias_and_range() {
        let text = r#"{"lockfileVersion": 3, "packages": {"": {},
            "node_modules/a": {"version": "1.2.0"}, "node_modules/b/node_modules/a": {"version": "2.0.0-rc.1"},
            "node_modules/old": {"name": "@s/a", "version": "3.0.0"}, "node_modules/odd": {"version": "1-odd thing"}}}"#;
        let graph = parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
        let found = |query: &str| {
            let query = Query::parse(query).unwrap();
            graph.instances().iter().filter(|i| query.matches(i)).map(|i| i.package.version.to_string()).collect::<Vec<_>>().join(" ")
        };
        for (query, versions) in [
            ("a", "1.2.0 2.0.0-rc.1"),
            ("a@1", "1.2.0"),
            ("a@<2", "1.2.0"),
            ("a@<=2.0.0", "1.2.0 2.0.0-rc.1"),
            ("a@^3", ""),
            ("@s/a", "3.0.0"),
            ("@s/a@3", "3.0.0"),
            ("old", "3.0.0"),
            ("odd@1-odd thing", "1-odd thing"),
            ("A", ""),
        ] {
            assert_eq!(found(query), versions, "{query}");
        }
        for wrong in ["", "@", "a@", "a@latest"] {
            assert!(Query::parse(wrong).is_err(), "{wrong}");
        }
    }
}
