//! What a lockfile alone shows of the ways in which others get their code into a project: scripts that run on installation, files
//! that come from elsewhere than the rest, addresses that belie the name, hashes that are missing, names that imitate.
//!
//! These are notices, not findings: each has honest reasons to be there. They make nobody's build fail unless he says so
//! ([`Settings::deny`]), and the frequent ones are counted rather than listed. What they are for is the change: a notice that is in
//! a pull request's lockfile and not in its base.
//!
//! **Attacks and answers.** The lockfile is hostile: checks take time that grows with its packages, each tells of a package once,
//! and what they quote is cleaned where it is shown. A lockfile that lies about scripts cannot be caught from here; the scripts that
//! it admits are told.

mod address;
mod deprecated;
mod halves;
mod install_scripts;
mod integrity;
mod look_alike;
mod registries;
mod render;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, Instance, Source};
use crate::kind::Kind;
use crate::package::Package;
use crate::place::Place;
use crate::report::clean::plain;

pub use render::render;
pub(crate) use render::{json, markdown, markdown_all, sarif_results, sarif_rules, text};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// A version's hash is not what it was before. Only a comparison of two lockfiles tells that.
    ChangedHash,
    /// The name is nearly that of a well-known package.
    LookAlike,
    /// The address is one of another package or version than the entry says.
    Address,
    /// A scoped package comes from another registry than the rest of its scope.
    Scope,
    /// A package comes from another registry than the rest.
    Registry,
    /// It comes from a repository or from an address of the web instead of a registry.
    Source,
    /// The two halves of a package-lock.json of version 2 disagree.
    Halves,
    /// Nothing holds its files to what they were, or a hash that can be forged (sha1).
    Integrity,
    /// It runs scripts when it is installed.
    InstallScript,
    /// Its author advises against it.
    Deprecated,
}

impl Check {
    /// Every check by the name that settings and reports call it by; the one that deserves most attention first.
    pub const NAMES: [(&'static str, Self); 10] = [
        ("changed-hash", Self::ChangedHash),
        ("look-alike", Self::LookAlike),
        ("address", Self::Address),
        ("scope", Self::Scope),
        ("registry", Self::Registry),
        ("source", Self::Source),
        ("halves", Self::Halves),
        ("integrity", Self::Integrity),
        ("install-script", Self::InstallScript),
        ("deprecated", Self::Deprecated),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, check)| *check == self).map_or("", |(name, _)| name)
    }

    /// Whether many packages of an ordinary project have it: it is then counted, not listed.
    pub const fn is_frequent(self) -> bool {
        matches!(self, Self::Integrity | Self::InstallScript | Self::Deprecated)
    }
}

/// Something that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which check.
    pub check: Check,
    /// The package. Its name is empty for what is about the whole lockfile.
    pub package: Package,
    /// Where it stands in the lockfile.
    pub place: Place,
    /// What was found, to be read after the package's name. Has text of strangers in it.
    pub message: String,
    /// Whether the settings make the audit fail because of it.
    pub denied: bool,
}

impl Notice {
    fn new(check: Check, instance: &Instance, message: impl Into<String>) -> Self {
        Self { check, package: instance.package.clone(), place: instance.place, message: message.into(), denied: false }
    }

    /// What it is about, fit to be shown: `name@version`; nothing where it is about the whole lockfile.
    pub(crate) fn subject(&self) -> String {
        match (&*self.package.name, &*self.package.version) {
            ("", _) => String::new(),
            (name, "") => plain(name),
            _ => self.package.to_string(),
        }
    }

    /// The whole sentence, with text of strangers in it.
    pub(crate) fn sentence(&self) -> String {
        let subject = self.subject();
        if subject.is_empty() { self.message.clone() } else { format!("{subject} {}", self.message) }
    }
}

/// What is made of notices. Default: they are told, and that is all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The checks that make an audit fail.
    pub deny: BTreeSet<Check>,
    /// Packages that may run scripts when they are installed, by name.
    pub allow_scripts: BTreeSet<String>,
}

/// Looks at a lockfile. Notices come by check, and by place within one.
#[must_use]
pub fn notices(graph: &Graph, kind: Kind, settings: &Settings) -> Vec<Notice> {
    let mut out = Vec::new();
    let packages = packages(graph);
    look_alike::check(&packages, &mut out);
    address::check(&packages, &mut out);
    registries::check(&packages, &mut out);
    sources::check(&packages, &mut out);
    halves::check(graph, &mut out);
    integrity::check(&packages, kind, &mut out);
    install_scripts::check(&packages, &settings.allow_scripts, &mut out);
    deprecated::check(&packages, &mut out);
    for notice in &mut out {
        notice.denied = settings.deny.contains(&notice.check);
    }
    out.sort_by_key(|notice| (notice.check, notice.place));
    out
}

/// A package, by an instance that a project asks for itself if there is one.
struct Found<'g> {
    instance: &'g Instance,
    direct: bool,
}

/// Each package once. Projects and links are none.
fn packages(graph: &Graph) -> Vec<Found<'_>> {
    let mut chosen: BTreeMap<&Package, Found<'_>> = BTreeMap::new();
    for (id, instance) in graph.iter() {
        if !matches!(instance.source, Source::Workspace | Source::Link) {
            let entry = chosen.entry(&instance.package).or_insert(Found { instance, direct: false });
            if !entry.direct && graph.is_direct(id) {
                *entry = Found { instance, direct: true };
            }
        }
    }
    chosen.into_values().collect()
}

/// The host of an address of the web.
pub(crate) fn host(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(host, _)| host);
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests;
