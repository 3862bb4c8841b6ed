//! Where packages come from, and where they did before.

use std::collections::BTreeMap;

use crate::graph::{Graph, Instance, Source};
use crate::package::Ecosystem;
use crate::supply::host;

/// How many packages of an origin are named.
const NAMED: usize = 5;

/// Somewhere that packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What kind of place it is.
    pub source: Source,
    /// The host, as far as it shows; empty where the lockfile does not tell.
    pub host: String,
    /// How many packages come from there.
    pub count: usize,
    /// Some of them.
    pub packages: Vec<String>,
}

/// What is in the head alone, and what is in the base alone. A lockfile that tells no addresses tells no origins either.
pub(super) fn compare(base: &Graph, head: &Graph) -> (Vec<Origin>, Vec<Origin>) {
    let (before, after) = (origins(base), origins(head));
    let tells = |origins: &BTreeMap<(&str, String), Origin>| origins.keys().any(|(_, host)| !host.is_empty());
    let comparable = base.instances().is_empty() || head.instances().is_empty() || tells(&before) == tells(&after);
    let apart = |a: &BTreeMap<(&str, String), Origin>, b: &BTreeMap<(&str, String), Origin>| {
        // Without addresses on one side the kinds of places can still be compared.
        let known = |key: &(&str, String)| if comparable { b.contains_key(key) } else { b.keys().any(|other| other.0 == key.0) };
        a.iter().filter(|(key, _)| !known(key)).map(|(_, origin)| origin.clone()).collect()
    };
    (apart(&after, &before), apart(&before, &after))
}

fn origins(graph: &Graph) -> BTreeMap<(&'static str, String), Origin> {
    let mut all: BTreeMap<(&'static str, String), Origin> = BTreeMap::new();
    for (id, instance) in graph.iter().filter(|(_, i)| !matches!(i.source, Source::Workspace | Source::Link)) {
        let host = place(instance);
        let origin = all.entry((instance.source.word(), host.clone())).or_insert_with(|| Origin {
            source: instance.source,
            host,
            count: 0,
            packages: Vec::new(),
        });
        origin.count += 1;
        if origin.packages.len() < NAMED {
            origin.packages.push(graph.label(id));
        }
    }
    all
}

/// crates.io has two addresses, and one name here.
fn place(instance: &Instance) -> String {
    let address = instance.resolved.as_deref().unwrap_or("");
    if instance.source == Source::Registry && instance.package.ecosystem == Ecosystem::Cargo {
        return String::new();
    }
    let bare = address.split_once('+').filter(|(kind, _)| kind.bytes().all(|b| b.is_ascii_alphabetic())).map_or(address, |(_, rest)| rest);
    let bare = bare.strip_prefix("ssh://").map_or_else(|| bare.to_owned(), |rest| format!("https://{rest}"));
    host(&bare).unwrap_or("").to_owned()
}
