//! yarn.lock of yarn 2 and later: YAML, formats 4 (yarn 2) to 10 (yarn 4.18).
//!
//! A key lists descriptors, `name@protocol:range`; `resolution` is the locator that they lead to, and has the real name. Formats
//! before 8 leave `npm:` out of ranges. Workspaces are in it, but dev dependencies are among the others: package.json tells them apart.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::spec::{Spec, split_name};
use super::yarn::Descriptors;
use crate::graph::{Builder, Draft, EdgeKind, Graph, InstanceId, NoteKind, Source};
use crate::limits::Limits;
use crate::manifest::Manifests;
use crate::text::yaml::Yaml;
use crate::text::{Key, Result, fault, percent, quote};

pub(super) fn parse(text: &str, manifests: &Manifests, limits: &Limits) -> Result<Graph> {
    let mut yaml = Yaml::new(text);
    let mut berry = Berry {
        limits,
        b: Builder::new(limits),
        known: Descriptors::default(),
        registry: HashMap::new(),
        patches: Vec::new(),
        waiting: 0,
        projects: Vec::new(),
    };
    let mut format = None;
    if yaml.document()? {
        yaml.mapping(|yaml, key| {
            if key.name != "__metadata" {
                let mut entry = Entry::default();
                yaml.mapping(|yaml, field| entry.field(yaml, &field.name))?;
                return berry.add(key, entry);
            }
            yaml.mapping(|yaml, field| {
                if field.name != "version" {
                    return yaml.skip();
                }
                let version = yaml.scalar()?;
                match version.parse::<u32>() {
                    Ok(n) if (1..=10).contains(&n) => format = Some(n),
                    _ => return fault(field.at, format!("format {} of yarn.lock is not known here; 4 to 10 are", quote(&version))),
                }
                Ok(())
            })
        })?;
        if yaml.document()? {
            return fault(yaml.place(), "a second document, which yarn.lock never has");
        }
    }
    if format.is_none() {
        return fault(0, "`__metadata` with a version is not in it: no lockfile of yarn 2 or later");
    }
    berry.finish(text, manifests)
}

#[derive(Default)]
struct Entry<'a> {
    version: Option<Cow<'a, str>>,
    resolution: Option<Cow<'a, str>>,
    checksum: Option<Cow<'a, str>>,
    requests: Vec<(usize, Cow<'a, str>, Cow<'a, str>)>,
    peers: Vec<(usize, Cow<'a, str>, Cow<'a, str>)>,
    optional: HashSet<Cow<'a, str>>,
    optional_peers: HashSet<Cow<'a, str>>,
}

impl<'a> Entry<'a> {
    fn field(&mut self, yaml: &mut Yaml<'a>, name: &str) -> Result<()> {
        let requests = |yaml: &mut Yaml<'a>, list: &mut Vec<_>| {
            yaml.mapping(|yaml, key| {
                list.push((key.at, key.name, yaml.scalar()?));
                Ok(())
            })
        };
        match name {
            "version" => self.version = Some(yaml.scalar()?),
            "resolution" => self.resolution = Some(yaml.scalar()?),
            "checksum" => self.checksum = Some(yaml.scalar()?),
            "dependencies" => requests(yaml, &mut self.requests)?,
            "peerDependencies" => requests(yaml, &mut self.peers)?,
            "dependenciesMeta" => optional(yaml, &mut self.optional)?,
            "peerDependenciesMeta" => optional(yaml, &mut self.optional_peers)?,
            _ => yaml.skip()?,
        }
        Ok(())
    }
}

fn optional<'a>(yaml: &mut Yaml<'a>, names: &mut HashSet<Cow<'a, str>>) -> Result<()> {
    yaml.mapping(|yaml, name| {
        yaml.mapping_or_skip(|yaml, key| {
            if yaml.flag()? && key.name == "optional" {
                names.insert(name.name.clone());
            }
            Ok(())
        })
    })
}

struct Berry<'l, 'a> {
    limits: &'l Limits,
    b: Builder<'l>,
    known: Descriptors,
    /// What came from the registry, by real name and version.
    registry: HashMap<(Arc<str>, Arc<str>), InstanceId>,
    /// Patched packages wait until those that they are made of are known.
    patches: Vec<(Key<'a>, Entry<'a>)>,
    /// How much those ask for.
    waiting: usize,
    /// Workspaces and their folders.
    projects: Vec<InstanceId>,
}

impl<'a> Berry<'_, 'a> {
    fn add(&mut self, key: Key<'a>, entry: Entry<'a>) -> Result<()> {
        let Some(resolution) = entry.resolution.as_deref() else { return fault(key.at, "an entry without `resolution`") };
        let Some((name, reference)) = split_name(resolution) else {
            return fault(key.at, format!("the resolution {} has no version", quote(resolution)));
        };
        // Packages with peers get a copy for each set of them; this is the package itself.
        let reference = match reference.strip_prefix("virtual:") {
            Some(rest) => rest.split_once('#').map_or(rest, |(_, inner)| inner),
            None => reference,
        };
        if reference.starts_with("patch:") {
            self.limits.more_packages(key.at, self.patches.len())?;
            self.waiting += entry.requests.len() + entry.peers.len();
            self.limits.more_edges(key.at, self.waiting)?;
            self.patches.push((key, entry));
            return Ok(());
        }
        let (source, version) = match Spec::parse(reference) {
            Spec::Range(exact) => (Source::Registry, without_parameters(exact)),
            Spec::Alias { range, .. } => (Source::Registry, without_parameters(range)),
            Spec::Elsewhere(source) => (source, entry.version.as_deref().unwrap_or("")),
        };
        let version = match source {
            Source::Workspace if version == "0.0.0-use.local" => "",
            _ => version,
        };
        let path = match (source, reference.strip_prefix("workspace:")) {
            (Source::Workspace, Some(".")) => "",
            (Source::Workspace, Some(folder)) => folder,
            _ => resolution,
        };
        let id = self.instance(&key, &entry, name, version, source, path)?;
        match source {
            Source::Registry => {
                let package = &self.b.draft(id).package;
                let locator = (Arc::clone(&package.name), Arc::clone(&package.version));
                self.registry.insert(locator, id);
            }
            Source::Workspace => self.projects.push(id),
            _ => self.b.draft(id).resolved = Some(reference.into()),
        }
        Ok(())
    }

    fn instance(&mut self, key: &Key<'_>, entry: &Entry<'_>, name: &str, version: &str, source: Source, path: &str) -> Result<InstanceId> {
        let package = self.b.npm(name, version);
        let path = self.b.intern(path);
        let mut draft = Draft::new(key.at, package, source, path);
        draft.integrity = entry.checksum.as_deref().map(Arc::from);
        let id = self.b.add(draft)?;
        let mut own_name = false;
        let mut called = None;
        for descriptor in descriptors(key) {
            let (own, range) = descriptor?;
            own_name |= own == name;
            called = Some(own);
            self.describe(key.at, own, range, id)?;
        }
        self.b.draft(id).alias = called.filter(|_| !own_name).map(Arc::from);
        for (at, name, range) in &entry.requests {
            let kind = if entry.optional.contains(name) { EdgeKind::Optional } else { EdgeKind::Prod };
            self.b.edge(*at, id, None, kind, name, range)?;
        }
        let asked: HashSet<&str> = entry.requests.iter().map(|(_, name, _)| &**name).collect();
        for (at, name, range) in entry.peers.iter().filter(|(_, name, _)| !asked.contains(&**name)) {
            let kind = if entry.optional_peers.contains(name) { EdgeKind::PeerOptional } else { EdgeKind::Peer };
            self.b.edge(*at, id, None, kind, name, range)?;
        }
        Ok(id)
    }

    /// Ranges are written with `npm:` or without, and some are bound to who asks (`::locator=`), which requests do not repeat.
    fn describe(&mut self, at: usize, name: &str, range: &str, id: InstanceId) -> Result<()> {
        self.known.add(&mut self.b, at, name, range, id)?;
        if let Some(bare) = range.strip_prefix("npm:") {
            self.known.or_add(&mut self.b, name, bare, id);
        } else if let Some((bare, _)) = range.split_once("::") {
            self.known.or_add(&mut self.b, name, bare, id);
        }
        Ok(())
    }

    /// A patched package is the one that it is made of: requests for either are answered by one instance, or the same package would
    /// be there twice.
    fn patch(&mut self, key: &Key<'a>, entry: &Entry<'a>) -> Result<()> {
        let resolution = entry.resolution.as_deref().unwrap_or("");
        let (name, reference) = split_name(resolution).unwrap_or(("", ""));
        let inner = reference.split_once("patch:").map_or("", |(_, inner)| inner);
        let inner = percent::decode(inner.split('#').next().unwrap_or(""));
        let (real, range) = split_name(&inner).unwrap_or((name, ""));
        let (source, real) = match Spec::parse(range) {
            Spec::Elsewhere(source) => (source, real),
            Spec::Alias { name, .. } => (Source::Registry, name),
            Spec::Range(_) => (Source::Registry, real),
        };
        let version = entry.version.as_deref().unwrap_or("");
        let base = self.registry.get(&(Arc::from(real), Arc::from(version))).copied();
        let id = match base {
            Some(base) => {
                for descriptor in descriptors(key) {
                    let (own, range) = descriptor?;
                    self.describe(key.at, own, range, base)?;
                }
                base
            }
            None => self.instance(key, entry, real, version, source, resolution)?,
        };
        self.b.draft(id).marks.patched = true;
        // Yarn patches some packages by itself (typescript, fsevents, resolve); whoever asks for those does not know.
        for descriptor in descriptors(key) {
            let (own, range) = descriptor?;
            let inner = range.strip_prefix("patch:").and_then(|r| r.split('#').next()).map(percent::decode);
            if let Some((_, range)) = inner.as_deref().and_then(split_name) {
                self.known.or_add(&mut self.b, own, range, id);
                self.known.or_add(&mut self.b, own, range.strip_prefix("npm:").unwrap_or(range), id);
            }
        }
        Ok(())
    }

    fn finish(mut self, text: &str, manifests: &Manifests) -> Result<Graph> {
        for (key, entry) in std::mem::take(&mut self.patches) {
            self.patch(&key, &entry)?;
        }
        let dev = self.dev_requests(manifests);
        self.b.rank(|edge, drafts| {
            let from = &drafts[edge.from.index()];
            match dev.get(&*from.path) {
                Some(dev) if from.source == Source::Workspace && edge.kind == EdgeKind::Prod && dev.contains(&*edge.name) => EdgeKind::Dev,
                _ => edge.kind,
            }
        });
        let known = &self.known;
        // Who answers a peer is decided where the package is used; here it can only be the one there is.
        self.b.resolve(|edge, _| known.find(&edge.name, &edge.range).or_else(|| known.only(&edge.name)));
        for id in std::mem::take(&mut self.projects) {
            self.b.root(id);
        }
        if manifests.root.is_none() {
            self.b.note(
                None,
                NoteKind::NoManifest,
                "package.json is not there: dev dependencies cannot be told apart and count as needed to run",
            );
        }
        Ok(self.b.finish(text))
    }

    /// By folder, what projects ask for to develop only.
    fn dev_requests<'m>(&self, manifests: &'m Manifests) -> HashMap<&'m str, HashSet<&'m str>> {
        let all = manifests.root.iter().map(|m| ("", m)).chain(manifests.members.iter().map(|(folder, m)| (folder.as_str(), m)));
        all.map(|(folder, m)| {
            let asked =
                |kinds: &'static [EdgeKind]| m.requests.iter().filter(|(k, ..)| kinds.contains(k)).map(|(_, name, _)| name.as_str());
            let to_run: HashSet<&str> = asked(&[EdgeKind::Prod, EdgeKind::Optional]).collect();
            (folder, asked(&[EdgeKind::Dev]).filter(|name| !to_run.contains(name)).collect())
        })
        .collect()
    }
}

/// The descriptors of a key, `a@npm:^1, a@npm:^2`.
fn descriptors<'k>(key: &'k Key<'_>) -> impl Iterator<Item = Result<(&'k str, &'k str)>> {
    key.name.split(", ").map(|d| split_name(d).map_or_else(|| fault(key.at, format!("{} has no range", quote(d))), Ok))
}

/// A reference without what follows it as `::name=value`.
fn without_parameters(reference: &str) -> &str {
    reference.split("::").next().unwrap_or(reference)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, graph, instances, problem};
    use crate::kind::Kind;

    const TEXT: &str = r#"# This file is generated by running "yarn install" inside your project.

__metadata:
  version: 8
  cacheKey: 10c0

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  dependencies:
    dev-tool: "npm:^1.0.0"
    mine: "patch:mine@npm%3A1.0.0#~/.yarn/patches/mine.patch"
    old: "npm:lodash@^3.0.0"
    typescript: "npm:^4.2.0"
    w: "workspace:*"
  languageName: unknown
  linkType: soft

"dev-tool@npm:^1.0.0":
  version: 1.0.0
  resolution: "dev-tool@npm:1.0.0"
  dependencies:
    forked: "https://github.com/u/forked.git#commit=01"
    maybe: "npm:^1"
  peerDependencies:
    typescript: "*"
    absent: "*"
  dependenciesMeta:
    maybe:
      optional: true
  peerDependenciesMeta:
    absent:
      optional: true
  checksum: 10c0/0123
  languageName: node
  linkType: hard

"forked@https://github.com/u/forked.git#commit=01":
  version: 1.0.0
  resolution: "forked@https://github.com/u/forked.git#commit=01"

"mine@npm:1.0.0":
  version: 1.0.0
  resolution: "mine@npm:1.0.0"

"mine@patch:mine@npm%3A1.0.0#~/.yarn/patches/mine.patch":
  version: 1.0.0
  resolution: "mine@patch:mine@npm%3A1.0.0#~/.yarn/patches/mine.patch::version=1.0.0&hash=01"

"old@npm:lodash@^3.0.0":
  version: 3.10.1
  resolution: "lodash@npm:3.10.1"

"typescript@patch:typescript@npm%3A^4.2.0#optional!builtin<compat/typescript>":
  version: 4.2.4
  resolution: "typescript@patch:typescript@npm%3A4.2.4#optional!builtin<compat/typescript>::version=4.2.4&hash=d1"

"w@workspace:*, w@workspace:packages/w":
  version: 0.0.0-use.local
  resolution: "w@workspace:packages/w"
"#;

    #[test]
    fn locators_become_instances() {
        let g = graph(Kind::YarnBerry, TEXT, Some(r#"{"name": "app", "devDependencies": {"dev-tool": "^1.0.0"}}"#));
        assert_eq!(
            instances(&g),
            [
                " = app@ Workspace",
                "dev-tool@npm:1.0.0 = dev-tool@1.0.0 Registry",
                "forked@https://github.com/u/forked.git#commit=01 = forked@1.0.0 Git",
                "mine@npm:1.0.0 = mine@1.0.0 Registry",
                "lodash@npm:3.10.1 = lodash@3.10.1 Registry as old",
                "packages/w = w@ Workspace",
                "typescript@patch:typescript@npm%3A4.2.4#optional!builtin<compat/typescript>::version=4.2.4&hash=d1 = typescript@4.2.4 Registry",
            ]
        );
        let short: Vec<String> =
            edges(&g).iter().map(|e| e.split(" (").next().unwrap().split("@patch").next().unwrap().to_owned()).collect();
        assert_eq!(
            short,
            [
                " -> dev-tool@npm:1.0.0",
                " -> mine@npm:1.0.0",
                " -> lodash@npm:3.10.1",
                " -> typescript",
                " -> packages/w",
                "dev-tool@npm:1.0.0 -> forked@https://github.com/u/forked.git#commit=01",
                "dev-tool@npm:1.0.0 -> nobody",
                "dev-tool@npm:1.0.0 -> typescript",
                "dev-tool@npm:1.0.0 -> nobody",
            ]
        );
        let dev: Vec<bool> = g.instances().iter().map(|i| i.needed.only_dev()).collect();
        assert_eq!(dev, [false, true, true, false, false, false, false]);
        let patched: Vec<bool> = g.instances().iter().map(|i| i.marks.patched).collect();
        assert_eq!(patched, [false, false, false, true, false, false, true]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let with = |entry: &str| format!("__metadata:\n  version: 8\n\n{entry}");
        for (text, said) in [
            ("__metadata:\n  version: 11\n".to_owned(), "2:3: format `11` of yarn.lock is not known here"),
            ("a: 1\n".to_owned(), "1:4: expected a mapping, found a scalar"),
            (with("\"a@npm:1\":\n  version: 1\n"), "4:1: an entry without `resolution`"),
            (with("\"a@npm:1, a\":\n  resolution: \"a@npm:1\"\n"), "4:1: `a` has no range"),
            (with("\"a@npm:1\":\n  resolution: *x\n"), "5:15: an alias"),
            ("# nothing\n".to_owned(), "no lockfile of yarn 2"),
        ] {
            assert!(problem(Kind::YarnBerry, &text).contains(said), "{text}: {}", problem(Kind::YarnBerry, &text));
        }
    }
}
