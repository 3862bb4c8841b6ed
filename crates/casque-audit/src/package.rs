//! What a package is called: the identity that lockfiles name and advisories are about.

use std::fmt;
use std::sync::Arc;

use crate::text::percent;

/// Where names are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// The npm registry.
    Npm,
    /// crates.io.
    Cargo,
}

impl Ecosystem {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Npm, Self::Cargo];

    /// The name in OSV records (OSV schema, `affected[].package.ecosystem`).
    pub const fn osv(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Cargo => "crates.io",
        }
    }

    /// The type in package URLs (purl specification, known types).
    pub const fn purl(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Cargo => "cargo",
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.osv())
    }
}

/// One version of one package. Names are compared as they are: npm has old names that differ in case alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Where the name is from.
    pub ecosystem: Ecosystem,
    /// The real name: for an alias, the one that it stands for.
    pub name: Arc<str>,
    /// The version as the lockfile has it. It need not parse.
    pub version: Arc<str>,
}

impl Package {
    /// A package by its parts.
    pub fn new(ecosystem: Ecosystem, name: impl Into<Arc<str>>, version: impl Into<Arc<str>>) -> Self {
        Self { ecosystem, name: name.into(), version: version.into() }
    }

    /// The package URL: `pkg:npm/%40babel/core@7.0.0` (package-url/purl-spec). It is ASCII, whatever the name and version are.
    pub fn purl(&self) -> String {
        let mut out = format!("pkg:{}", self.ecosystem.purl());
        for part in self.name.split('/') {
            out.push('/');
            out.push_str(&percent::encode(part));
        }
        if !self.version.is_empty() {
            out.push('@');
            out.push_str(&percent::encode(&self.version));
        }
        out
    }
}

impl fmt::Display for Package {
    /// `name@version`. Names and versions come from files of others: what would steer a terminal or turn its text is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&*self.name, "@", &*self.version] {
            for c in part.chars() {
                if c.is_ascii_graphic() {
                    fmt::Write::write_char(f, c)?;
                } else {
                    write!(f, "{}", c.escape_debug())?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_reads_as_people_write_it() {
        assert_eq!(Package::new(Ecosystem::Npm, "@babel/core", "7.0.0").to_string(), "@babel/core@7.0.0");
        assert_eq!(Package::new(Ecosystem::Npm, "a\u{1b}[2J", "1\u{202e}").to_string(), "a\\u{1b}[2J@1\\u{202e}");
    }

    #[test]
    fn a_package_has_a_url() {
        assert_eq!(Package::new(Ecosystem::Npm, "@babel/core", "7.0.0").purl(), "pkg:npm/%40babel/core@7.0.0");
        assert_eq!(Package::new(Ecosystem::Cargo, "serde", "1.0.0+x y").purl(), "pkg:cargo/serde@1.0.0%2Bx%20y");
        assert_eq!(Package::new(Ecosystem::Npm, "a", "").purl(), "pkg:npm/a");
    }
}
