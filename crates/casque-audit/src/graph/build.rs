//! Putting a graph together while a lockfile is read.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Edge, EdgeKind, Graph, Instance, InstanceId, Marks, Needed, Note, NoteKind, Source, needed};
use crate::limits::Limits;
use crate::package::{Ecosystem, Package};
use crate::place::{Lines, Place};
use crate::text::Result;

/// An instance as it is read.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) at: usize,
    pub(crate) package: Package,
    pub(crate) alias: Option<Arc<str>>,
    pub(crate) source: Source,
    pub(crate) path: Arc<str>,
    pub(crate) resolved: Option<Arc<str>>,
    pub(crate) integrity: Option<Arc<str>>,
    pub(crate) deprecated: Option<Arc<str>>,
    pub(crate) license: Option<Arc<str>>,
    pub(crate) marks: Marks,
    /// What the lockfile itself says of dev and optional; used where the roots' own requests are not known.
    pub(crate) flags: Flags,
}

impl Draft {
    pub(crate) fn new(at: usize, package: Package, source: Source, path: Arc<str>) -> Self {
        Self {
            at,
            package,
            alias: None,
            source,
            path,
            resolved: None,
            integrity: None,
            deprecated: None,
            license: None,
            marks: Marks::default(),
            flags: Flags::default(),
        }
    }
}

/// The flags that npm and old pnpm write.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) dev: bool,
    pub(crate) optional: bool,
    pub(crate) dev_optional: bool,
    pub(crate) peer: bool,
}

/// How far the flags in a lockfile count. Walking is better: flags are as easily edited as forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Whatever no project reaches counts as needed to run.
    Never,
    /// For what no project reaches, as the format leaves out peers.
    Unreached,
    /// What projects ask for is not known.
    Always,
}

/// Where an interned text lies. Within one builder it tells the text from all others at the cost of an address, however long it is.
pub(crate) fn identity(interned: &Arc<str>) -> *const u8 {
    interned.as_ptr()
}

#[derive(Debug)]
pub(crate) struct Builder<'l> {
    limits: &'l Limits,
    names: HashSet<Arc<str>>,
    drafts: Vec<Draft>,
    edges: Vec<Edge>,
    roots: Vec<InstanceId>,
    notes: Vec<(Option<usize>, NoteKind, String)>,
    flags: Trust,
}

impl<'l> Builder<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            names: HashSet::new(),
            drafts: Vec::new(),
            edges: Vec::new(),
            roots: Vec::new(),
            notes: Vec::new(),
            flags: Trust::Never,
        }
    }

    pub(crate) fn limits(&self) -> &'l Limits {
        self.limits
    }

    /// The text, held once however often it appears.
    pub(crate) fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.names.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.names.insert(Arc::clone(&new));
        new
    }

    pub(crate) fn npm(&mut self, name: &str, version: &str) -> Package {
        Package { ecosystem: Ecosystem::Npm, name: self.intern(name), version: self.intern(version) }
    }

    pub(crate) fn cargo(&mut self, name: &str, version: &str) -> Package {
        Package { ecosystem: Ecosystem::Cargo, name: self.intern(name), version: self.intern(version) }
    }

    pub(crate) fn add(&mut self, draft: Draft) -> Result<InstanceId> {
        self.limits.more_packages(draft.at, self.drafts.len())?;
        let id = InstanceId(u32::try_from(self.drafts.len()).unwrap_or(u32::MAX));
        self.drafts.push(draft);
        Ok(id)
    }

    pub(crate) fn draft(&mut self, id: InstanceId) -> &mut Draft {
        &mut self.drafts[id.index()]
    }

    pub(crate) fn drafts(&self) -> &[Draft] {
        &self.drafts
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = InstanceId> + use<> {
        (0..u32::try_from(self.drafts.len()).unwrap_or(u32::MAX)).map(InstanceId)
    }

    /// An edge, whose answer may be found later by [`Self::resolve`].
    pub(crate) fn edge(
        &mut self,
        at: usize,
        from: InstanceId,
        to: Option<InstanceId>,
        kind: EdgeKind,
        name: &str,
        range: &str,
    ) -> Result<()> {
        self.limits.more_edges(at, self.edges.len())?;
        let (name, range) = (self.intern(name), self.intern(range));
        self.edges.push(Edge { from, to, name, range, kind });
        Ok(())
    }

    /// Finds the answers that are still open.
    pub(crate) fn resolve(&mut self, mut answer: impl FnMut(&Edge, &[Draft]) -> Option<InstanceId>) {
        for edge in &mut self.edges {
            if edge.to.is_none() {
                edge.to = answer(edge, &self.drafts);
            }
        }
    }

    /// Gives edges the kind that only something else tells.
    pub(crate) fn rank(&mut self, kind: impl Fn(&Edge, &[Draft]) -> EdgeKind) {
        for edge in &mut self.edges {
            edge.kind = kind(edge, &self.drafts);
        }
    }

    pub(crate) fn edges(&self) -> &[Edge] {
        &self.edges
    }

    pub(crate) fn root(&mut self, id: InstanceId) {
        self.roots.push(id);
    }

    pub(crate) fn note(&mut self, at: Option<usize>, kind: NoteKind, message: impl Into<String>) {
        self.notes.push((at, kind, message.into()));
    }

    /// Lets the lockfile's own flags say what is needed for what, where walking from the roots cannot.
    pub(crate) fn trust_flags(&mut self, trust: Trust) {
        self.flags = trust;
    }

    pub(crate) fn finish(mut self, text: &str) -> Graph {
        let count = self.drafts.len();
        self.roots.sort_unstable();
        self.roots.dedup();
        // A stable sort keeps the order in which each package names its dependencies.
        self.edges.sort_by_key(|e| e.from);
        let starts = offsets(count, self.edges.iter().map(|e| e.from));
        let mut incoming: Vec<u32> = (0u32..).zip(&self.edges).filter(|(_, e)| e.to.is_some()).map(|(i, _)| i).collect();
        incoming.sort_by_key(|i| self.edges[*i as usize].to);
        let incoming_starts = offsets(count, incoming.iter().filter_map(|i| self.edges[*i as usize].to));
        let walked = needed::walk(&self.edges, &starts, &self.roots, count);
        let needed: Vec<Needed> = walked
            .into_iter()
            .zip(&self.drafts)
            .map(|(walked, d)| match (self.flags, walked) {
                (Trust::Never, walked) => walked.unwrap_or(Needed::TO_RUN),
                (Trust::Unreached, Some(walked)) => walked,
                (Trust::Unreached | Trust::Always, _) => {
                    Needed::from_flags(d.flags.dev, d.flags.optional, d.flags.dev_optional, d.flags.peer)
                }
            })
            .collect();
        let places = places(text, self.drafts.iter().map(|d| d.at));
        let note_places = places_of_notes(text, &self.notes);
        let instances = self.drafts.into_iter().zip(needed).zip(places).map(|((d, needed), place)| Instance {
            package: d.package,
            alias: d.alias,
            source: d.source,
            path: d.path,
            resolved: d.resolved,
            integrity: d.integrity,
            deprecated: d.deprecated,
            license: d.license,
            marks: d.marks,
            needed,
            place,
        });
        Graph {
            instances: instances.collect(),
            edges: self.edges,
            starts,
            incoming,
            incoming_starts,
            roots: self.roots,
            notes: self.notes.into_iter().zip(note_places).map(|((_, kind, message), place)| Note { kind, place, message }).collect(),
        }
    }
}

/// Where each instance's run begins in a list sorted by instance.
fn offsets(count: usize, sorted: impl Iterator<Item = InstanceId>) -> Vec<u32> {
    let mut starts = vec![0; count + 1];
    for id in sorted {
        starts[id.index() + 1] += 1;
    }
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    starts
}

/// Offsets to places in one pass, whatever their order.
fn places(text: &str, offsets: impl Iterator<Item = usize>) -> Vec<Place> {
    let offsets: Vec<usize> = offsets.collect();
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|i| offsets[*i]);
    let mut lines = Lines::new(text);
    let mut places = vec![Place::START; offsets.len()];
    for i in order {
        places[i] = lines.place(offsets[i]);
    }
    places
}

fn places_of_notes(text: &str, notes: &[(Option<usize>, NoteKind, String)]) -> Vec<Option<Place>> {
    let known = places(text, notes.iter().map(|(at, ..)| at.unwrap_or(0)));
    notes.iter().zip(known).map(|((at, ..), place)| at.map(|_| place)).collect()
}
