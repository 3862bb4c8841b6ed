//! pnpm-lock.yaml, 5.1 to 9.0.
//!
//! Up to 6.1 `packages` holds everything; from 9.0 it holds what is true of a version, and `snapshots` who depends on whom, once
//! for each set of peers. How keys are written is in [`super::pnpm_key`]. A file may have several documents; the first is then about
//! pnpm itself and its configuration, whose packages run on developers' machines.
//!
//! The lockfile keeps ranges of projects only. Between packages an edge's range is the version that was chosen.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::pnpm_key::{self, Named};
use crate::graph::{Builder, Draft, EdgeKind, Graph, InstanceId, Source};
use crate::limits::Limits;
use crate::text::yaml::{Shape, Yaml};
use crate::text::{Result, fault, quote};

pub(super) fn parse(text: &str, limits: &Limits) -> Result<Graph> {
    let mut yaml = Yaml::new(text);
    let mut b = Builder::new(limits);
    let mut projects = HashMap::new();
    let mut any = false;
    while yaml.document()? {
        any = true;
        let document = Document::read(&mut yaml, limits)?;
        document.add(&mut b, &mut projects)?;
    }
    if !any {
        return fault(0, "the file is empty: no lockfile of pnpm");
    }
    Ok(b.finish(text))
}

type Text<'a> = Cow<'a, str>;

#[derive(Default)]
struct Document<'a> {
    importers: Vec<Importer<'a>>,
    packages: Vec<Entry<'a>>,
    snapshots: Vec<Entry<'a>>,
    patched: HashSet<Text<'a>>,
}

#[derive(Default)]
struct Importer<'a> {
    at: usize,
    folder: Text<'a>,
    requests: Vec<Asked<'a>>,
    specifiers: HashMap<Text<'a>, Text<'a>>,
}

struct Asked<'a> {
    at: usize,
    kind: EdgeKind,
    name: Text<'a>,
    specifier: Option<Text<'a>>,
    version: Text<'a>,
}

/// An entry of `packages` or `snapshots`.
#[derive(Default)]
struct Entry<'a> {
    at: usize,
    key: Text<'a>,
    name: Option<Text<'a>>,
    version: Option<Text<'a>>,
    resolution: Resolution<'a>,
    deprecated: Option<Text<'a>>,
    requires_build: bool,
    patched: bool,
    requests: Vec<(usize, EdgeKind, Text<'a>, Text<'a>)>,
    peers: HashMap<Text<'a>, bool>,
}

#[derive(Default)]
struct Resolution<'a> {
    integrity: Option<Text<'a>>,
    tarball: Option<Text<'a>>,
    repository: Option<Text<'a>>,
    folder: Option<Text<'a>>,
    kind: Option<Text<'a>>,
}

impl<'a> Document<'a> {
    fn read(yaml: &mut Yaml<'a>, limits: &Limits) -> Result<Self> {
        let mut document = Self::default();
        // A project alone is written without `importers`.
        let mut alone = Importer { folder: Cow::Borrowed("."), at: yaml.place(), ..Importer::default() };
        let (mut is_alone, mut format, mut requests) = (false, false, 0);
        yaml.mapping(|yaml, key| {
            match &*key.name {
                "lockfileVersion" => {
                    let version = yaml.scalar()?;
                    known_format(key.at, &version)?;
                    format = true;
                }
                "importers" => yaml.mapping(|yaml, key| {
                    let mut importer = Importer { at: key.at, folder: key.name, ..Importer::default() };
                    yaml.mapping(|yaml, key| importer.field(yaml, &key.name).map(drop))?;
                    document.importers.push(importer);
                    Ok(())
                })?,
                "packages" => document.packages = entries(yaml, limits, &mut requests)?,
                "snapshots" => document.snapshots = entries(yaml, limits, &mut requests)?,
                "patchedDependencies" => yaml.mapping_or_skip(|yaml, key| {
                    document.patched.insert(key.name);
                    yaml.skip()
                })?,
                field => is_alone |= alone.field(yaml, field)?,
            }
            Ok(())
        })?;
        if !format {
            return fault(yaml.place(), "`lockfileVersion` is not in it: no lockfile of pnpm");
        }
        if is_alone && document.importers.is_empty() {
            document.importers.push(alone);
        }
        Ok(document)
    }

    fn add(self, b: &mut Builder<'_>, projects: &mut HashMap<Arc<str>, InstanceId>) -> Result<()> {
        let has_snapshots = !self.snapshots.is_empty();
        let about: HashMap<&str, &Entry<'a>> = self.packages.iter().map(|p| (&*p.key, p)).collect();
        let mut ids: HashMap<&str, InstanceId> = HashMap::with_capacity(self.packages.len());
        let mut made = Vec::with_capacity(self.packages.len());
        let mut described: HashSet<&str> = HashSet::new();
        for entry in if has_snapshots { &self.snapshots } else { &self.packages } {
            let base = if has_snapshots { pnpm_key::without_peers(&entry.key) } else { &entry.key };
            let about = about.get(base).copied().unwrap_or(entry);
            described.insert(base);
            let id = add_entry(b, entry, about, &self.patched)?;
            ids.insert(&entry.key, id);
            made.push((id, entry, about));
        }
        // Nothing that is listed may be missed, even where nobody depends on it.
        for entry in self.packages.iter().filter(|p| has_snapshots && !described.contains(&*p.key)) {
            ids.insert(&entry.key, add_entry(b, entry, entry, &self.patched)?);
        }
        for (id, entry, about) in made {
            for (at, kind, name, reference) in &entry.requests {
                let peer = about.peers.get(name).map(|optional| if *optional { EdgeKind::PeerOptional } else { EdgeKind::Peer });
                let to = pnpm_key::keys(name, reference).find_map(|key| ids.get(&*key).copied());
                b.edge(*at, id, to, peer.unwrap_or(*kind), name, reference)?;
            }
        }
        self.add_importers(b, projects, &ids)
    }

    fn add_importers(
        &self,
        b: &mut Builder<'_>,
        projects: &mut HashMap<Arc<str>, InstanceId>,
        ids: &HashMap<&str, InstanceId>,
    ) -> Result<()> {
        for importer in &self.importers {
            let folder = if importer.folder == "." { "" } else { &*importer.folder };
            if !projects.contains_key(folder) {
                let package = b.npm("", "");
                let path = b.intern(folder);
                let id = b.add(Draft::new(importer.at, package, Source::Workspace, Arc::clone(&path)))?;
                b.root(id);
                projects.insert(path, id);
            }
        }
        for importer in &self.importers {
            let folder = if importer.folder == "." { "" } else { &*importer.folder };
            let Some(from) = projects.get(folder).copied() else { continue };
            for asked in &importer.requests {
                let range = asked.specifier.as_ref().or_else(|| importer.specifiers.get(&asked.name)).unwrap_or(&asked.version);
                let to = match asked.version.strip_prefix("link:") {
                    Some(link) => pnpm_key::join(folder, link).and_then(|f| projects.get(&*f).copied()),
                    None => pnpm_key::keys(&asked.name, &asked.version).find_map(|key| ids.get(&*key).copied()),
                };
                b.edge(asked.at, from, to, asked.kind, &asked.name, range)?;
            }
        }
        Ok(())
    }
}

fn known_format(at: usize, version: &str) -> Result<()> {
    // `5.4-inlineSpecifiers` was an experiment of pnpm 7.
    let number = version.split('-').next().unwrap_or("");
    let major = number.split('.').next().and_then(|m| m.parse::<u32>().ok());
    if matches!(major, Some(5 | 6 | 7 | 9)) {
        return Ok(());
    }
    fault(at, format!("lockfileVersion {} is not known here; 5.1 to 9.0 are", quote(version)))
}

fn entries<'a>(yaml: &mut Yaml<'a>, limits: &Limits, requests: &mut usize) -> Result<Vec<Entry<'a>>> {
    let mut entries = Vec::new();
    yaml.mapping(|yaml, key| {
        limits.more_packages(key.at, entries.len())?;
        let mut entry = Entry { at: key.at, key: key.name, ..Entry::default() };
        yaml.mapping(|yaml, key| entry.field(yaml, &key.name))?;
        *requests += entry.requests.len() + entry.peers.len();
        limits.more_edges(entry.at, *requests)?;
        entries.push(entry);
        Ok(())
    })?;
    Ok(entries)
}

impl<'a> Importer<'a> {
    fn field(&mut self, yaml: &mut Yaml<'a>, name: &str) -> Result<bool> {
        let kind = match name {
            "dependencies" => EdgeKind::Prod,
            // What pnpm itself and its hooks are made of runs where the project is worked on.
            "devDependencies" | "configDependencies" | "packageManagerDependencies" => EdgeKind::Dev,
            "optionalDependencies" => EdgeKind::Optional,
            "specifiers" => {
                yaml.mapping(|yaml, key| {
                    let range = yaml.scalar()?;
                    self.specifiers.insert(key.name, range);
                    Ok(())
                })?;
                return Ok(true);
            }
            _ => return yaml.skip().map(|()| false),
        };
        yaml.mapping(|yaml, key| {
            let (mut specifier, mut version) = (None, None);
            if yaml.shape()? == Shape::Mapping {
                yaml.mapping(|yaml, key| {
                    match &*key.name {
                        "specifier" => specifier = Some(yaml.scalar()?),
                        "version" => version = Some(yaml.scalar()?),
                        _ => yaml.skip()?,
                    }
                    Ok(())
                })?;
            } else {
                version = Some(yaml.scalar()?);
            }
            let Some(version) = version else { return fault(key.at, format!("{} has no version", quote(&key.name))) };
            self.requests.push(Asked { at: key.at, kind, name: key.name, specifier, version });
            Ok(())
        })?;
        Ok(true)
    }
}

impl<'a> Entry<'a> {
    fn field(&mut self, yaml: &mut Yaml<'a>, name: &str) -> Result<()> {
        match name {
            "name" => self.name = Some(yaml.scalar()?),
            "version" => self.version = Some(yaml.scalar()?),
            "deprecated" => self.deprecated = yaml.scalar_or_skip()?,
            "requiresBuild" => self.requires_build = yaml.flag()?,
            "patched" => self.patched = yaml.flag()?,
            "resolution" => yaml.mapping(|yaml, key| {
                let r = &mut self.resolution;
                match &*key.name {
                    "integrity" => r.integrity = yaml.scalar_or_skip()?,
                    "tarball" => r.tarball = yaml.scalar_or_skip()?,
                    "repo" => r.repository = yaml.scalar_or_skip()?,
                    "directory" => r.folder = yaml.scalar_or_skip()?,
                    "type" => r.kind = yaml.scalar_or_skip()?,
                    _ => yaml.skip()?,
                }
                Ok(())
            })?,
            "dependencies" | "optionalDependencies" => {
                let kind = if name == "dependencies" { EdgeKind::Prod } else { EdgeKind::Optional };
                yaml.mapping(|yaml, key| {
                    let reference = yaml.scalar()?;
                    self.requests.push((key.at, kind, key.name, reference));
                    Ok(())
                })?;
            }
            "peerDependencies" => yaml.mapping(|yaml, key| {
                self.peers.entry(key.name).or_default();
                yaml.skip()
            })?,
            "peerDependenciesMeta" => yaml.mapping(|yaml, name| {
                yaml.mapping_or_skip(|yaml, key| {
                    if yaml.flag()? && key.name == "optional" {
                        self.peers.insert(name.name.clone(), true);
                    }
                    Ok(())
                })
            })?,
            _ => yaml.skip()?,
        }
        Ok(())
    }
}

fn add_entry(b: &mut Builder<'_>, entry: &Entry<'_>, about: &Entry<'_>, patched: &HashSet<Text<'_>>) -> Result<InstanceId> {
    let Some(Named { name, version, rest }) = pnpm_key::split(&entry.key) else {
        return fault(entry.at, format!("the key {} is none of a package", quote(&entry.key)));
    };
    let r = &about.resolution;
    let source = match () {
        () if r.repository.is_some() || r.kind.as_deref() == Some("git") => Source::Git,
        () if r.folder.is_some() || r.kind.as_deref() == Some("directory") => Source::File,
        () => pnpm_key::source(version, r.tarball.as_deref()),
    };
    let name = about.name.as_deref().unwrap_or(name);
    let version = match (&about.version, source) {
        (Some(version), _) => version,
        (None, Source::Registry) => version,
        (None, Source::Runtime) => version.strip_prefix("runtime:").unwrap_or(version),
        (None, _) => "",
    };
    let package = b.npm(name, version);
    let path = b.intern(&entry.key);
    let mut draft = Draft::new(about.at, package, source, path);
    let address = r.tarball.as_deref().or(r.repository.as_deref()).or(r.folder.as_deref());
    draft.resolved = address.map(Arc::from);
    draft.integrity = r.integrity.as_deref().map(Arc::from);
    draft.deprecated = about.deprecated.as_deref().map(Arc::from);
    draft.marks.install_script = about.requires_build;
    let exact = format!("{name}@{version}");
    draft.marks.patched = entry.patched || rest.contains("patch_hash=") || patched.contains(&*exact) || patched.contains(name);
    b.add(draft)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, graph, instances, problem};
    use crate::kind::Kind;

    #[test]
    fn format_5_is_read() {
        let g = graph(
            Kind::Pnpm,
            "lockfileVersion: 5.3\n\nspecifiers:\n  a: ^1.0.0\n  g: github:u/g\n  old: npm:lodash@^3\n\ndependencies:\n  a: 1.0.0_react@17.0.1\n  old: /lodash/3.10.1\n\ndevDependencies:\n  \
             g: github.com/u/g/0123\n\npackages:\n\n  /@s/b/2.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n    optional: true\n    requiresBuild: true\n\n  /a/1.0.0_react@17.0.1:\n    \
             resolution: {integrity: sha512-y}\n    peerDependencies:\n      react: '*'\n    dependencies:\n      react: 17.0.1\n    optionalDependencies:\n      '@s/b': 2.0.0\n    dev: false\n\n  \
             /lodash/3.10.1:\n    resolution: {integrity: sha1-z}\n    deprecated: >-\n      too\n      old\n    dev: false\n\n  /react/17.0.1:\n    resolution: {integrity: sha512-w}\n\n  \
             github.com/u/g/0123:\n    resolution: {tarball: https://codeload.github.com/u/g/tar.gz/0123}\n    name: g\n    version: 0.1.0\n    dev: true\n",
            None,
        );
        assert_eq!(
            instances(&g),
            [
                "/@s/b/2.0.0 = @s/b@2.0.0 Registry",
                "/a/1.0.0_react@17.0.1 = a@1.0.0 Registry",
                "/lodash/3.10.1 = lodash@3.10.1 Registry",
                "/react/17.0.1 = react@17.0.1 Registry",
                "github.com/u/g/0123 = g@0.1.0 Git",
                " = @ Workspace",
            ]
        );
        assert_eq!(
            edges(&g),
            [
                "/a/1.0.0_react@17.0.1 -> /react/17.0.1 (Peer react 17.0.1)",
                "/a/1.0.0_react@17.0.1 -> /@s/b/2.0.0 (Optional @s/b 2.0.0)",
                " -> /a/1.0.0_react@17.0.1 (a ^1.0.0)",
                " -> /lodash/3.10.1 (old npm:lodash@^3)",
                " -> github.com/u/g/0123 (Dev g github:u/g)",
            ]
        );
        assert_eq!(g.instances()[2].deprecated.as_deref(), Some("too old"));
        assert!(g.instances()[0].marks.install_script && g.instances()[0].needed.only_optional());
        assert!(g.instances()[4].needed.only_dev());
    }

    #[test]
    fn format_9_is_read_with_all_its_documents() {
        let g = graph(
            Kind::Pnpm,
            "---\nlockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    packageManagerDependencies:\n      pnpm:\n        specifier: 12.0.0\n        version: 12.0.0\n\npackages:\n\n  pnpm@12.0.0:\n    \
             resolution: {integrity: sha512-p}\n\nsnapshots:\n\n  pnpm@12.0.0: {}\n\n---\nlockfileVersion: '9.0'\n\npatchedDependencies:\n  b@2.0.0:\n    hash: ff\n    path: p.patch\n\nimporters:\n\n  .:\n    \
             dependencies:\n      al:\n        specifier: npm:b@2.0.0\n        version: b@2.0.0(patch_hash=ff)(c@1.0.0)\n      w:\n        specifier: workspace:*\n        version: link:packages/w\n\n  \
             packages/w:\n    devDependencies:\n      node:\n        specifier: runtime:^26\n        version: runtime:26.7.0\n      t:\n        specifier: https://h.example/t.tgz\n        version: \
             https://h.example/t.tgz\n\npackages:\n\n  b@2.0.0:\n    resolution: {integrity: sha512-b}\n    peerDependencies:\n      c: '*'\n    peerDependenciesMeta:\n      c:\n        optional: true\n\n  \
             c@1.0.0:\n    resolution: {integrity: sha512-c}\n\n  lost@6.6.6:\n    resolution: {integrity: sha512-l}\n\n  node@runtime:26.7.0:\n    resolution:\n      type: variations\n      variants:\n      \
             - targets:\n        - cpu: arm64\n        resolution: {type: binary}\n    version: 26.7.0\n\n  t@https://h.example/t.tgz:\n    resolution: {tarball: https://h.example/t.tgz}\n    version: 3.0.0\n\nsnapshots:\n\n  \
             b@2.0.0(patch_hash=ff)(c@1.0.0):\n    dependencies:\n      c: 1.0.0\n\n  c@1.0.0: {}\n\n  node@runtime:26.7.0: {}\n\n  t@https://h.example/t.tgz: {}\n",
            None,
        );
        assert_eq!(
            instances(&g),
            [
                "pnpm@12.0.0 = pnpm@12.0.0 Registry",
                " = @ Workspace",
                "b@2.0.0(patch_hash=ff)(c@1.0.0) = b@2.0.0 Registry",
                "c@1.0.0 = c@1.0.0 Registry",
                "node@runtime:26.7.0 = node@26.7.0 Runtime",
                "t@https://h.example/t.tgz = t@3.0.0 Tarball",
                "lost@6.6.6 = lost@6.6.6 Registry",
                "packages/w = @ Workspace",
            ]
        );
        assert_eq!(
            edges(&g),
            [
                " -> pnpm@12.0.0 (Dev pnpm 12.0.0)",
                " -> b@2.0.0(patch_hash=ff)(c@1.0.0) (al npm:b@2.0.0)",
                " -> packages/w (w workspace:*)",
                "b@2.0.0(patch_hash=ff)(c@1.0.0) -> c@1.0.0 (PeerOptional c 1.0.0)",
                "packages/w -> node@runtime:26.7.0 (Dev node runtime:^26)",
                "packages/w -> t@https://h.example/t.tgz (Dev t https://h.example/t.tgz)",
            ]
        );
        assert!(g.instances()[0].needed.only_dev() && g.instances()[2].marks.patched);
        // What nobody asks for counts as needed to run.
        assert!(!g.instances()[6].needed.only_dev());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("lockfileVersion: '10.0'\n", "1:1: lockfileVersion `10.0` is not known here"),
            ("packages: {}\n", "`lockfileVersion` is not in it"),
            ("", "the file is empty"),
            ("lockfileVersion: 6.0\npackages:\n  /:\n    dev: true\n", "3:3: the key `/` is none of a package"),
            ("lockfileVersion: 6.0\npackages:\n  /a@1.0.0:\n    dependencies: [b]\n", "4:19: expected a mapping, found a sequence"),
            ("lockfileVersion: 6.0\ndependencies:\n  a:\n    specifier: 1\n", "3:3: `a` has no version"),
        ] {
            assert!(problem(Kind::Pnpm, text).contains(said), "{text}: {}", problem(Kind::Pnpm, text));
        }
    }
}
