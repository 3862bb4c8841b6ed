//! Which licences came and went.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, Source};
use crate::package::Ecosystem;

/// What became of the licences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Licenses {
    /// Licences that the base has no package under, each with the packages.
    pub new: Vec<(String, Vec<String>)>,
    /// Licences that the head has no package under.
    pub gone: Vec<String>,
    /// Packages that are under another licence now.
    pub changed: Vec<LicenseChange>,
}

/// A package whose licence is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseChange {
    /// The package's name.
    pub name: String,
    /// The licences of its versions before.
    pub before: Vec<String>,
    /// And after.
    pub after: Vec<String>,
}

type ByName<'g> = BTreeMap<(Ecosystem, &'g str), BTreeSet<&'g str>>;

/// Nothing if one of the two tells no licences: that is a matter of the format, not of the packages.
pub(super) fn compare(base: &Graph, head: &Graph) -> Option<Licenses> {
    let (before, after) = (by_name(base), by_name(head));
    let all = |names: &ByName<'_>| names.values().flatten().map(|license| (*license).to_owned()).collect::<BTreeSet<String>>();
    let (old, new) = (all(&before), all(&after));
    let silent = |graph: &Graph, all: &BTreeSet<String>| all.is_empty() && !graph.instances().is_empty();
    if silent(base, &old) || silent(head, &new) {
        return None;
    }
    let under = |license: &String| {
        let has = |set: &&BTreeSet<&str>| set.contains(license.as_str());
        (license.clone(), after.iter().filter(|(_, set)| has(set)).map(|((_, name), _)| (*name).to_owned()).collect())
    };
    let texts = |set: &BTreeSet<&str>| set.iter().map(|text| (*text).to_owned()).collect();
    let changed = after.iter().filter_map(|(key, now)| {
        let was = before.get(key).filter(|was| *was != now && !now.is_subset(was))?;
        Some(LicenseChange { name: key.1.to_owned(), before: texts(was), after: texts(now) })
    });
    Some(Licenses {
        new: new.difference(&old).map(under).collect(),
        gone: old.difference(&new).cloned().collect(),
        changed: changed.collect(),
    })
}

fn by_name(graph: &Graph) -> ByName<'_> {
    let mut all: ByName<'_> = BTreeMap::new();
    for instance in graph.instances().iter().filter(|i| !matches!(i.source, Source::Workspace | Source::Link)) {
        if let Some(license) = instance.license.as_deref().filter(|text| !text.trim().is_empty()) {
            all.entry((instance.package.ecosystem, &*instance.package.name)).or_default().insert(license);
        }
    }
    all
}
