//! What both yarns share: requests are answered by descriptors, `name@range`, and package.json says what projects ask for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::graph::{Builder, Draft, EdgeKind, Graph, InstanceId, NoteKind, Source, identity};
use crate::manifest::{Manifest, Manifests};
use crate::text::{Result, fault, quote};

/// Descriptors and who answers them. All texts are interned by one builder.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    by_request: HashMap<(*const u8, *const u8), InstanceId>,
    by_name: HashMap<*const u8, Option<InstanceId>>,
}

impl Descriptors {
    pub(super) fn add(&mut self, b: &mut Builder<'_>, at: usize, name: &str, range: &str, id: InstanceId) -> Result<()> {
        b.limits().more_edges(at, self.by_request.len())?;
        let name_of = identity(&b.intern(name));
        match self.by_request.entry((name_of, identity(&b.intern(range)))) {
            Entry::Occupied(_) => return fault(at, format!("{} appears twice", quote(&format!("{name}@{range}")))),
            Entry::Vacant(slot) => slot.insert(id),
        };
        self.by_name.entry(name_of).and_modify(|only| *only = only.filter(|o| *o == id)).or_insert(Some(id));
        Ok(())
    }

    /// Another way to ask, unless somebody answers it already.
    pub(super) fn or_add(&mut self, b: &mut Builder<'_>, name: &str, range: &str, id: InstanceId) {
        self.by_request.entry((identity(&b.intern(name)), identity(&b.intern(range)))).or_insert(id);
    }

    pub(super) fn find(&self, name: &Arc<str>, range: &Arc<str>) -> Option<InstanceId> {
        self.by_request.get(&(identity(name), identity(range))).copied()
    }

    /// Who answers where `resolutions` of the project have changed what was asked for: the only one of that name, if there is one.
    pub(super) fn only(&self, name: &Arc<str>) -> Option<InstanceId> {
        self.by_name.get(&identity(name)).copied().flatten()
    }
}

/// Adds the projects that a lockfile of yarn 1 does not have, and answers all requests.
pub(super) fn finish(mut b: Builder<'_>, known: &Descriptors, text: &str, manifests: &Manifests) -> Result<Graph> {
    let mut members: HashMap<&str, InstanceId> = HashMap::new();
    let all = manifests.root.iter().map(|m| ("", m)).chain(manifests.members.iter().map(|(folder, m)| (folder.as_str(), m)));
    for (folder, manifest) in all {
        let id = project(&mut b, folder, manifest)?;
        if !manifest.name.is_empty() {
            members.insert(&manifest.name, id);
        }
    }
    b.resolve(|edge, drafts| {
        let member = || members.get(&*edge.name).copied().filter(|_| drafts[edge.from.index()].source == Source::Workspace);
        known.find(&edge.name, &edge.range).or_else(member).or_else(|| known.only(&edge.name))
    });
    if manifests.root.is_none() {
        without_manifest(&mut b)?;
    }
    Ok(b.finish(text))
}

fn project(b: &mut Builder<'_>, folder: &str, manifest: &Manifest) -> Result<InstanceId> {
    let package = b.npm(&manifest.name, &manifest.version);
    let path = b.intern(folder);
    let id = b.add(Draft::new(0, package, Source::Workspace, path))?;
    b.root(id);
    for (kind, name, range) in &manifest.requests {
        // What a project expects its users to have is not installed for it.
        if !matches!(kind, EdgeKind::Peer | EdgeKind::PeerOptional) {
            b.edge(0, id, None, *kind, name, range)?;
        }
    }
    Ok(id)
}

/// Takes whatever nobody in the lockfile asks for as asked for by the project.
fn without_manifest(b: &mut Builder<'_>) -> Result<()> {
    let mut asked = vec![false; b.drafts().len()];
    for edge in b.edges() {
        if let Some(to) = edge.to.filter(|to| *to != edge.from) {
            asked[to.index()] = true;
        }
    }
    let package = b.npm("", "");
    let path = b.intern("");
    let root = b.add(Draft::new(0, package, Source::Workspace, path))?;
    b.root(root);
    for (id, asked) in b.ids().zip(asked) {
        if !asked {
            let draft = &b.drafts()[id.index()];
            let name = Arc::clone(draft.alias.as_ref().unwrap_or(&draft.package.name));
            b.edge(0, root, Some(id), EdgeKind::Prod, &name, "*")?;
        }
    }
    b.note(
        None,
        NoteKind::NoManifest,
        "package.json is not there: what the project asks for itself is guessed, and everything counts as needed to run",
    );
    Ok(())
}
