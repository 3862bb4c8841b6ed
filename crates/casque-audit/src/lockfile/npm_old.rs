//! package-lock.json as npm 5 and 6 wrote it, and npm-shrinkwrap.json before: `dependencies` within `dependencies`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::spec::Spec;
use super::tree::{LONGEST, Tree};
use crate::graph::{Builder, Draft, EdgeKind, Flags, Graph, InstanceId, NoteKind, Source, Trust};
use crate::limits::Limits;
use crate::manifest::{Manifests, Request};
use crate::text::json::{Json, Shape};
use crate::text::{Key, Result, fault};

/// All entries, each before those inside it.
#[derive(Default)]
pub(super) struct Entries<'a> {
    list: Vec<Entry<'a>>,
    path_bytes: usize,
    requests: usize,
}

pub(super) struct Entry<'a> {
    key: Key<'a>,
    parent: Option<usize>,
    path: String,
    version: Option<Cow<'a, str>>,
    resolved: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    bundled: bool,
    flags: Flags,
    requires: Option<Vec<Request<'a>>>,
    below_link: bool,
}

impl Entry<'_> {
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn at(&self) -> usize {
        self.key.at
    }

    pub(super) fn integrity(&self) -> Option<&str> {
        self.integrity.as_deref()
    }

    pub(super) fn below_link(&self) -> bool {
        self.below_link
    }

    /// Its version, where that is one of a registry.
    pub(super) fn registry_version(&self) -> Option<&str> {
        match Spec::parse(self.version.as_deref()?) {
            Spec::Range(version) | Spec::Alias { range: version, .. } => Some(version),
            Spec::Elsewhere(_) => None,
        }
    }

    fn is_link(&self) -> bool {
        self.version.as_deref().is_some_and(|v| matches!(Spec::parse(v), Spec::Elsewhere(Source::File | Source::Link)))
    }
}

impl<'a> Entries<'a> {
    /// Reads a `dependencies` object. `size` is the file's: paths are made here, and may not be much longer than what made them.
    pub(super) fn read(json: &mut Json<'a>, size: usize, limits: &Limits) -> Result<Self> {
        let mut entries = Self::default();
        entries.level(json, None, size, limits)?;
        Ok(entries)
    }

    fn level(&mut self, json: &mut Json<'a>, parent: Option<usize>, size: usize, limits: &Limits) -> Result<()> {
        json.object_or_skip(|json, key| {
            let (above, below_link) = match parent.and_then(|p| self.list.get(p)) {
                Some(p) => (format!("{}/", p.path), p.below_link || p.is_link()),
                None => (String::new(), false),
            };
            let path = format!("{above}node_modules/{}", key.name);
            self.path_bytes += path.len();
            if path.len() > LONGEST || self.path_bytes > 4 * size.max(1 << 20) {
                return fault(key.at, "the folders of these packages would have paths that are too long");
            }
            limits.more_packages(key.at, self.list.len())?;
            let index = self.list.len();
            self.list.push(Entry {
                key,
                parent,
                path,
                version: None,
                resolved: None,
                integrity: None,
                bundled: false,
                flags: Flags::default(),
                requires: None,
                below_link,
            });
            json.object(|json, field| self.field(json, index, &field.name, size, limits))
        })
    }

    fn field(&mut self, json: &mut Json<'a>, index: usize, name: &str, size: usize, limits: &Limits) -> Result<()> {
        if name == "dependencies" {
            return self.level(json, Some(index), size, limits);
        }
        let Some(entry) = self.list.get_mut(index) else { return json.skip() };
        match name {
            "version" => entry.version = json.string_or_skip()?,
            "resolved" => entry.resolved = json.string_or_skip()?,
            "integrity" => entry.integrity = json.string_or_skip()?,
            "bundled" => entry.bundled = json.flag()?,
            "dev" => entry.flags.dev = json.flag()?,
            "optional" => entry.flags.optional = json.flag()?,
            "devOptional" => entry.flags.dev_optional = json.flag()?,
            "peer" => entry.flags.peer = json.flag()?,
            // `requires: true` says nothing.
            "requires" if json.shape()? == Shape::Object => {
                let mut requires = Vec::new();
                json.object(|json, key| {
                    limits.more_edges(key.at, self.requests)?;
                    self.requests += 1;
                    let request = |range| Request { at: key.at, kind: EdgeKind::Prod, name: key.name, range };
                    requires.extend(json.string_or_skip()?.map(request));
                    Ok(())
                })?;
                entry.requires = Some(requires);
            }
            _ => json.skip()?,
        }
        Ok(())
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.list.iter()
    }

    /// The graph of a lockfile that has nothing else.
    pub(super) fn finish(self, text: &str, name: &str, version: &str, manifests: &Manifests, limits: &Limits) -> Result<Graph> {
        let mut b = Builder::new(limits);
        let mut by_path = HashMap::new();
        let root = root_of(&mut b, &mut by_path, manifests, name, version)?;
        let mut ids: Vec<Option<InstanceId>> = Vec::with_capacity(self.list.len());
        for entry in &self.list {
            ids.push(entry.add(&mut b)?);
        }
        for (entry, id) in self.list.iter().zip(&ids) {
            if let Some(id) = id {
                for r in entry.requires.iter().flatten() {
                    b.edge(r.at, *id, None, r.kind, &r.name, &r.range)?;
                }
            }
            // Shrinkwraps before npm 5 say no more than who lies inside whom.
            let parent = entry.parent.filter(|p| self.list.get(*p).is_some_and(|p| p.requires.is_none()));
            if let (Some(Some(parent)), Some(id)) = (parent.and_then(|p| ids.get(p)), id) {
                b.edge(entry.key.at, *parent, Some(*id), EdgeKind::Prod, &entry.key.name, "*")?;
            }
        }
        let paths: Vec<Arc<str>> = b.drafts().iter().map(|d| Arc::clone(&d.path)).collect();
        let paths: Vec<&str> = paths.iter().map(|p| &**p).collect();
        let tree = Tree::new(b.ids(), &paths, |name| b.intern(name));
        b.resolve(|edge, _| tree.find(edge.from, &edge.name));
        // `requires` does not say what may be missing, but where only such edges lead, the package says so.
        b.rank(|edge, drafts| {
            let optional = |id: InstanceId| drafts[id.index()].flags.optional;
            if edge.kind == EdgeKind::Prod && edge.to.is_some_and(optional) && !optional(edge.from) {
                EdgeKind::Optional
            } else {
                edge.kind
            }
        });
        match root {
            // Who peers belong to is not in the file.
            Some(root) => {
                b.root(root);
                b.trust_flags(Trust::Unreached);
            }
            None => {
                b.trust_flags(Trust::Always);
                b.note(
                    None,
                    NoteKind::NoManifest,
                    "the project's package.json is not there: which packages it asks for itself is not known",
                );
            }
        }
        Ok(b.finish(text))
    }
}

impl Entry<'_> {
    /// An entry without a version is of an optional package that is not installed.
    fn add(&self, b: &mut Builder<'_>) -> Result<Option<InstanceId>> {
        let Some(written) = self.version.as_deref() else { return Ok(None) };
        let own: &str = &self.key.name;
        let (name, version, source) = match Spec::parse(written) {
            Spec::Range(version) => (own, version, Source::Registry),
            Spec::Alias { name, range } => (name, range, Source::Registry),
            Spec::Elsewhere(Source::Tarball) if super::spec::is_registry_address(written) => {
                (own, version_in(written, own), Source::Registry)
            }
            Spec::Elsewhere(source) => (own, "", source),
        };
        let package = b.npm(name, version);
        let path = b.intern(&self.path);
        let mut draft = Draft::new(self.key.at, package, source, path);
        draft.alias = (name != own).then(|| b.intern(own));
        draft.resolved = self.resolved.as_deref().or((source != Source::Registry).then_some(written)).map(Arc::from);
        draft.integrity = self.integrity.as_deref().map(Arc::from);
        draft.marks.bundled = self.bundled;
        draft.flags = self.flags;
        b.add(draft).map(Some)
    }
}

/// The version in a registry's address of an archive, `.../-/name-1.0.0.tgz`.
fn version_in<'t>(address: &'t str, name: &str) -> &'t str {
    let file = address.split(['#', '?']).next().and_then(|a| a.rsplit('/').next()).unwrap_or("");
    let bare = name.rsplit('/').next().unwrap_or(name);
    file.strip_prefix(bare).and_then(|f| f.strip_prefix('-')).and_then(|f| f.strip_suffix(".tgz")).unwrap_or("")
}

/// The project itself, from its package.json, for files that do not hold it.
pub(super) fn root_of(
    b: &mut Builder<'_>,
    by_path: &mut HashMap<Arc<str>, InstanceId>,
    manifests: &Manifests,
    name: &str,
    version: &str,
) -> Result<Option<InstanceId>> {
    let Some(manifest) = &manifests.root else { return Ok(None) };
    let name = if manifest.name.is_empty() { name } else { &manifest.name };
    let version = if manifest.version.is_empty() { version } else { &manifest.version };
    let package = b.npm(name, version);
    let path = b.intern("");
    let id = b.add(Draft::new(0, package, Source::Workspace, Arc::clone(&path)))?;
    by_path.insert(path, id);
    for (kind, name, range) in &manifest.requests {
        b.edge(0, id, None, *kind, name, range)?;
    }
    Ok(Some(id))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, graph, instances, problem};
    use crate::kind::Kind;

    const TEXT: &str = r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 1, "requires": true, "dependencies": {
        "a": {"version": "1.0.0", "requires": {"b": "^2"}, "dependencies": {"b": {"version": "2.0.0", "bundled": true}}},
        "b": {"version": "1.0.0", "dev": true},
        "fsevents": {"optional": true},
        "g": {"version": "git+https://github.com/u/g.git#01", "from": "git+https://github.com/u/g.git"},
        "old": {"version": "npm:lodash@3.10.1", "optional": true},
        "t": {"version": "https://registry.example/t/-/t-1.2.3-rc.1.tgz"}}}"#;

    #[test]
    fn aliases_and_foreign_packages_are_told_apart() {
        let g = graph(
            Kind::Npm,
            TEXT,
            Some(
                r#"{"dependencies": {"a": "1", "g": "u/g", "t": "1"}, "devDependencies": {"b": "1"}, "optionalDependencies": {"old": "*"}}"#,
            ),
        );
        assert_eq!(
            instances(&g),
            [
                " = app@1.0.0 Workspace",
                "node_modules/a = a@1.0.0 Registry",
                "node_modules/a/node_modules/b = b@2.0.0 Registry",
                "node_modules/b = b@1.0.0 Registry",
                "node_modules/g = g@ Git",
                "node_modules/old = lodash@3.10.1 Registry as old",
                "node_modules/t = t@1.2.3-rc.1 Registry",
            ]
        );
        assert_eq!(edges(&g)[5..], ["node_modules/a -> node_modules/a/node_modules/b (b ^2)"]);
        let only: Vec<_> = g.instances().iter().map(|i| (i.needed.only_dev(), i.needed.only_optional())).collect();
        assert_eq!(only, [(false, false), (false, false), (false, false), (true, false), (false, false), (false, true), (false, false)]);
        assert!(g.instances()[2].marks.bundled);
    }

    #[test]
    fn without_a_manifest_the_flags_count() {
        let g = graph(Kind::Npm, TEXT, None);
        assert!(g.roots().is_empty());
        assert!(g.instances()[2].needed.only_dev());
    }

    #[test]
    fn shrinkwraps_from_before_npm_5_are_read() {
        let g = graph(
            Kind::NpmShrinkwrap,
            r#"{"name": "x", "version": "1.0.0", "dependencies": {"a": {"version": "1.0.0", "from": "a@1", "dependencies": {"b": {"version": "2.0.0"}}}}}"#,
            None,
        );
        assert_eq!(edges(&g), ["node_modules/a -> node_modules/a/node_modules/b (b *)"]);
    }

    #[test]
    fn paths_made_of_nesting_stay_bounded() {
        let long = "x".repeat(3000);
        let inside: Vec<String> = (0..2000).map(|i| format!("\"{i}\":{{}}")).collect();
        let text = format!("{{\"lockfileVersion\":1,\"dependencies\":{{\"{long}\":{{\"dependencies\":{{{}}}}}}}}}", inside.join(","));
        assert!(problem(Kind::Npm, &text).contains("too long"));
        let nested = "{\"dependencies\":{\"a\":".repeat(5000);
        assert!(problem(Kind::Npm, &nested).contains("nested deeper"));
    }
}
