//! Versions that both states have, with another hash.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, Source};
use crate::package::Package;
use crate::supply::{Check, Notice, Settings};

/// Hashes of one kind can be compared, others not: npm replaces sha1 by sha512 of the same files, and yarn writes in front of its
/// checksums how it packed what they are of.
pub(super) fn compare(base: &Graph, head: &Graph, settings: &Settings) -> Vec<Notice> {
    let before = hashes(base);
    let mut notices = Vec::new();
    let mut told: BTreeSet<&Package> = BTreeSet::new();
    for instance in head.instances().iter().filter(|i| i.source == Source::Registry) {
        let Some(known) = before.get(&instance.package) else { continue };
        let changed = instance.integrity.as_deref().into_iter().flat_map(parts).any(|(kind, hash)| {
            let mut alike = known.iter().filter(|(other, _)| *other == kind).peekable();
            alike.peek().is_some() && alike.all(|(_, other)| *other != hash)
        });
        if changed && told.insert(&instance.package) {
            let message = "has another hash than before, though it is the same version: registries do not change what is published";
            let denied = settings.deny.contains(&Check::ChangedHash);
            notices.push(Notice {
                check: Check::ChangedHash,
                package: instance.package.clone(),
                place: instance.place,
                message: message.to_owned(),
                denied,
            });
        }
    }
    notices
}

fn hashes(graph: &Graph) -> BTreeMap<&Package, BTreeSet<(&str, &str)>> {
    let mut all: BTreeMap<&Package, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for instance in graph.instances().iter().filter(|i| i.source == Source::Registry) {
        all.entry(&instance.package).or_default().extend(instance.integrity.as_deref().into_iter().flat_map(parts));
    }
    all
}

/// `sha512-BASE64 sha1-BASE64`, `10c0/HEX` of yarn, or the bare checksum of cargo: each as its kind and the rest.
fn parts(integrity: &str) -> impl Iterator<Item = (&str, &str)> {
    integrity.split_ascii_whitespace().map(|hash| {
        let kind = hash.find(['-', '/', ':']).filter(|at| *at <= 8).unwrap_or(0);
        hash.split_at(kind)
    })
}
