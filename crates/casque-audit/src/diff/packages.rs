//! Which packages came, went, or are there in other versions.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, Instance, Source};
use crate::matching::installed;
use crate::package::{Ecosystem, Package};
use crate::report::address::without_secrets;
use crate::version::Version;

/// What became of the packages of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where the name is from.
    pub ecosystem: Ecosystem,
    /// The name.
    pub name: String,
    /// Versions of the base that the head lacks, ascending; for what is from no registry, where it is from.
    pub before: Vec<String>,
    /// Versions of the head that the base lacks.
    pub after: Vec<String>,
    /// Both have other versions of it besides.
    pub others: bool,
    /// A project asks for it by itself.
    pub direct: bool,
    /// It is there for development only.
    pub dev: bool,
}

/// How far an update goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The first number.
    Major,
    /// The second.
    Minor,
    /// Any other.
    Patch,
    /// Back to an older one.
    Down,
}

impl Step {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Minor => "minor",
            Self::Patch => "patch",
            Self::Down => "downgrade",
        }
    }
}

impl Change {
    /// The base has no package of that name.
    pub fn is_added(&self) -> bool {
        self.before.is_empty() && !self.others
    }

    /// The head has no package of that name.
    pub fn is_removed(&self) -> bool {
        self.after.is_empty() && !self.others
    }

    /// How far it goes, where one version became another.
    pub fn step(&self) -> Option<Step> {
        let ([before], [after]) = (&self.before[..], &self.after[..]) else { return None };
        let version = |text: &String| installed(&Package::new(self.ecosystem, self.name.as_str(), text.as_str()));
        let (old, new) = (version(before)?, version(after)?);
        if new < old {
            return Some(Step::Down);
        }
        let ([a, b, _], [x, y, _]) = (old.numbers()?, new.numbers()?);
        Some(match (a == x, b == y) {
            (false, _) => Step::Major,
            (true, false) => Step::Minor,
            (true, true) => Step::Patch,
        })
    }
}

#[derive(Default)]
struct Held {
    /// As they are shown, in the order of versions.
    versions: BTreeSet<(Option<Version>, String)>,
    direct: bool,
    used: bool,
}

pub(super) fn compare(base: &Graph, head: &Graph) -> Vec<Change> {
    let (mut before, mut after) = (held(base), held(head));
    let names: BTreeSet<(Ecosystem, &str)> = before.keys().chain(after.keys()).copied().collect();
    let mut changes = Vec::new();
    for key in names {
        let (old, new) = (before.remove(&key).unwrap_or_default(), after.remove(&key).unwrap_or_default());
        if old.versions == new.versions {
            continue;
        }
        let texts = |a: &Held, b: &Held| a.versions.difference(&b.versions).map(|(_, text)| text.clone()).collect();
        let now = if new.versions.is_empty() { &old } else { &new };
        changes.push(Change {
            ecosystem: key.0,
            name: key.1.to_owned(),
            before: texts(&old, &new),
            after: texts(&new, &old),
            others: old.versions.intersection(&new.versions).next().is_some(),
            direct: now.direct,
            dev: !now.used,
        });
    }
    changes
}

fn held(graph: &Graph) -> BTreeMap<(Ecosystem, &str), Held> {
    let mut all: BTreeMap<(Ecosystem, &str), Held> = BTreeMap::new();
    for (id, instance) in graph.iter().filter(|(_, i)| !matches!(i.source, Source::Workspace | Source::Link)) {
        let held = all.entry((instance.package.ecosystem, &*instance.package.name)).or_default();
        held.versions.insert((installed(&instance.package), shown(instance)));
        held.direct = held.direct || graph.is_direct(id);
        held.used |= !instance.needed.only_dev();
    }
    all
}

/// A version says all about what is from the registry; of anything else it is where it is from that counts.
fn shown(instance: &Instance) -> String {
    match instance.source {
        Source::Registry => instance.package.version.to_string(),
        source => {
            let from = instance.resolved.as_deref().map(without_secrets).unwrap_or_default();
            format!("{} {} {from}", instance.package.version, source.word()).trim().to_owned()
        }
    }
}
