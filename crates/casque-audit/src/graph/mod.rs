//! What a lockfile says, whatever wrote it: instances of packages, and who asked for whom.

mod build;
mod needed;

use std::sync::Arc;

pub(crate) use build::{Builder, Draft, Flags, Trust, identity};
pub use needed::Needed;

use crate::package::Package;
use crate::place::Place;

/// An instance, by its index in [`Graph::instances`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub(crate) u32);

impl InstanceId {
    /// The index in [`Graph::instances`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One package at one place of an installation. The same package may be there many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its real name and its version. Projects may have neither name nor version; both are then empty.
    pub package: Package,
    /// The name it is imported by, where that is not its own.
    pub alias: Option<Arc<str>>,
    /// Where its files come from. Only what comes from a registry is the package that advisories speak of.
    pub source: Source,
    /// Where it stands once installed: `node_modules/a/node_modules/b` for npm and bun (bun's keys written out), the folder of a
    /// workspace (`""` is the root). Others have a store, not places; it is then the lockfile's own key.
    pub path: Arc<str>,
    /// The address that the lockfile gives for its files.
    pub resolved: Option<Arc<str>>,
    /// The hash that the lockfile holds it to, as it is written (`sha512-...`, or the hexadecimal checksum of cargo and yarn 2+).
    pub integrity: Option<Arc<str>>,
    /// Why its author advises against it, where the lockfile has that. Text of strangers: escape it before showing.
    pub deprecated: Option<Arc<str>>,
    /// What its licence field says, where the lockfile has that.
    pub license: Option<Arc<str>>,
    /// What the lockfile says besides.
    pub marks: Marks,
    /// What asked for it, as far down as the graph goes.
    pub needed: Needed,
    /// Where in the lockfile it stands.
    pub place: Place,
}

impl Instance {
    /// Whether advisories for its name and version are about it.
    pub fn is_from_registry(&self) -> bool {
        self.source == Source::Registry && !self.package.version.is_empty()
    }

    /// The name it is imported by.
    pub fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.package.name)
    }
}

/// Where the files of an instance come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The ecosystem's registry or a mirror of it; private registries of npm too, as lockfiles do not tell them apart.
    Registry,
    /// Another registry of crates, whose names mean other things.
    OtherRegistry,
    /// A git repository.
    Git,
    /// An archive at an address of the web.
    Tarball,
    /// An archive or a folder of this machine.
    File,
    /// A link to a folder; what is in the folder is an instance of its own if the lockfile knows it.
    Link,
    /// The project itself, or a part of it.
    Workspace,
    /// jsr.io, for which there are no advisories.
    Jsr,
    /// A JavaScript runtime that pnpm installs.
    Runtime,
}

impl Source {
    /// Its word in answers and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::OtherRegistry => "other-registry",
            Self::Git => "git",
            Self::Tarball => "tarball",
            Self::File => "file",
            Self::Link => "link",
            Self::Workspace => "workspace",
            Self::Jsr => "jsr",
            Self::Runtime => "runtime",
        }
    }
}

/// What a lockfile says of an instance besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Marks {
    /// It runs scripts when it is installed. npm 7+, pnpm 5 and 6, deno 5; others do not say.
    pub install_script: bool,
    /// It came inside another package, not from its own address.
    pub bundled: bool,
    /// The project changes its files after download.
    pub patched: bool,
    /// A published package's own npm-shrinkwrap.json decided it; the project cannot.
    pub shrinkwrapped: bool,
}

/// How somebody asked for a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// To run. Everything cargo has: Cargo.lock does not tell its kinds apart.
    Prod,
    /// To work on it; only projects have such.
    Dev,
    /// To run, but it may be missing.
    Optional,
    /// Expected to be there already.
    Peer,
    /// Used if it happens to be there.
    PeerOptional,
    /// From a link to the folder it leads to, or from a root to a part of the project.
    Link,
}

impl EdgeKind {
    /// Its word in answers; none for the usual kind.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Prod => None,
            Self::Dev => Some("dev"),
            Self::Optional => Some("optional"),
            Self::Peer => Some("peer"),
            Self::PeerOptional => Some("optional peer"),
            Self::Link => Some("link"),
        }
    }
}

/// Somebody asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Who asks.
    pub from: InstanceId,
    /// Who answers. Nothing: it is not installed, which is normal for optional ones.
    pub to: Option<InstanceId>,
    /// The name asked for: an alias, where there is one.
    pub name: Arc<str>,
    /// What was asked for: a range, an address, or the exact version where the lockfile keeps only that (pnpm, deno, cargo).
    pub range: Arc<str>,
    /// How.
    pub kind: EdgeKind,
}

/// Something about a lockfile that its reader should know: nothing is wrong enough to stop, yet the result rests on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// Where.
    pub place: Option<Place>,
    /// A sentence.
    pub message: String,
}

/// The kinds of [`Note`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// The two halves of a package-lock.json of version 2 disagree.
    Disagreement,
    /// What the project itself asks for is not known, as package.json is missing: everything counts as needed to run.
    NoManifest,
    /// Entries of other ecosystems were left out.
    LeftOut,
}

/// Everything that a lockfile installs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    instances: Vec<Instance>,
    /// Sorted by who asks.
    edges: Vec<Edge>,
    /// Where the edges of each instance begin; one more at the end.
    starts: Vec<u32>,
    /// Edges by who answers, the same way.
    incoming: Vec<u32>,
    incoming_starts: Vec<u32>,
    roots: Vec<InstanceId>,
    notes: Vec<Note>,
}

impl Graph {
    /// Every instance, projects and links too, in the file's order.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// Every instance with its id.
    pub fn iter(&self) -> impl Iterator<Item = (InstanceId, &Instance)> {
        (0u32..).map(InstanceId).zip(&self.instances)
    }

    /// An instance. Ids belong to their graph; one of another gives any instance, or panics.
    pub fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[id.index()]
    }

    /// The same, with licences for those that the lockfile gives none: what `of` knows of them.
    #[must_use]
    pub fn with_licenses(mut self, of: impl Fn(&Instance) -> Option<String>) -> Self {
        for instance in &mut self.instances {
            if instance.license.is_none() {
                instance.license = of(instance).map(Arc::from);
            }
        }
        self
    }

    /// All edges, sorted by who asks.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// What an instance asks for.
    pub fn requests(&self, id: InstanceId) -> &[Edge] {
        match (self.starts.get(id.index()), self.starts.get(id.index() + 1)) {
            (Some(from), Some(to)) => &self.edges[*from as usize..*to as usize],
            _ => &[],
        }
    }

    /// Who asks for an instance and gets it.
    pub fn dependents(&self, id: InstanceId) -> impl Iterator<Item = &Edge> {
        let range = match (self.incoming_starts.get(id.index()), self.incoming_starts.get(id.index() + 1)) {
            (Some(from), Some(to)) => *from as usize..*to as usize,
            _ => 0..0,
        };
        self.incoming[range].iter().map(|e| &self.edges[*e as usize])
    }

    /// The projects: the root and its workspaces, in the file's order.
    pub fn roots(&self) -> &[InstanceId] {
        &self.roots
    }

    /// Whether a project asks for it by itself, through a link or not.
    pub fn is_direct(&self, id: InstanceId) -> bool {
        let asked_by_root = |e: &Edge| e.kind != EdgeKind::Link && self.is_root(e.from);
        self.dependents(id).any(|e| match e.kind {
            EdgeKind::Link => self.dependents(e.from).any(asked_by_root),
            _ => asked_by_root(e),
        })
    }

    /// Whether it is a project.
    pub fn is_root(&self, id: InstanceId) -> bool {
        self.roots.binary_search(&id).is_ok()
    }

    /// What it is called where a way to it is told: `name@version`, a project's name, or its folder. Text of strangers.
    pub fn label(&self, id: InstanceId) -> String {
        let instance = self.instance(id);
        match (&*instance.package.name, &*instance.path) {
            ("", "") => "the project".to_owned(),
            ("", path) => path.to_owned(),
            (name, _) if instance.source == Source::Workspace || instance.package.version.is_empty() => name.to_owned(),
            (name, _) => format!("{name}@{}", instance.package.version),
        }
    }

    /// Whether it is a link to a folder that is an instance too: a step that says nothing.
    pub(crate) fn is_followed_link(&self, id: InstanceId) -> bool {
        self.instance(id).source == Source::Link && self.requests(id).iter().any(|edge| edge.kind == EdgeKind::Link)
    }

    /// What should be said of the lockfile.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// For every instance the edge by which it is nearest to a project (an index in [`Self::edges`]); none for projects and for
    /// what no project reaches. Following the edges back gives a shortest path. Time and memory grow with the edges only, however
    /// many paths there are.
    pub fn nearest(&self) -> Vec<Option<usize>> {
        let mut nearest = vec![None; self.instances.len()];
        let mut seen = vec![false; self.instances.len()];
        let mut queue: Vec<InstanceId> = self.roots.clone();
        for root in &queue {
            seen[root.index()] = true;
        }
        let mut next = 0;
        while let Some(from) = queue.get(next).copied() {
            next += 1;
            let start = self.starts[from.index()] as usize;
            for (i, edge) in self.requests(from).iter().enumerate() {
                let Some(to) = edge.to.filter(|to| !seen[to.index()]) else { continue };
                seen[to.index()] = true;
                nearest[to.index()] = Some(start + i);
                queue.push(to);
            }
        }
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Limits, Manifests, parse};

    #[test]
    fn the_nearest_path_is_followed_back_edge_by_edge() {
        let text = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1", "b": "1"}},
            "node_modules/a": {"version": "1", "dependencies": {"c": "1"}}, "node_modules/b": {"version": "1", "dependencies": {"d": "1"}},
            "node_modules/c": {"version": "1", "dependencies": {"d": "1"}}, "node_modules/d": {"version": "1", "dependencies": {"a": "1", "e": "1"}},
            "node_modules/e": {"version": "1"}, "node_modules/lost": {"version": "1"}}}"#;
        let graph = parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
        let nearest = graph.nearest();
        let mut at = graph.iter().find(|(_, i)| &*i.package.name == "e").unwrap().0;
        let mut names = vec!["e"];
        while let Some(edge) = nearest[at.index()] {
            at = graph.edges()[edge].from;
            names.push(&graph.instance(at).package.name);
        }
        assert_eq!(names, ["e", "d", "b", ""]);
        assert_eq!(nearest[graph.instances().len() - 1], None);
        let asked_by: Vec<&str> = graph.dependents(InstanceId(4)).map(|e| graph.instance(e.from).name()).collect();
        assert_eq!(asked_by, ["b", "c"]);
    }
}
