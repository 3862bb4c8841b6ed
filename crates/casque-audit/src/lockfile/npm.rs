//! package-lock.json, npm-shrinkwrap.json and node_modules/.package-lock.json, versions 2 and 3: a flat list of folders.
//!
//! Version 2 also holds what npm 6 reads. npm 7 and later install from `packages`, so that counts; where the other half says
//! something else, a merge went wrong or somebody hides a package from one of the readers, and a note says so.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::npm_old;
use super::spec::{Spec, is_registry_address};
use super::tree::{LONGEST, Tree, module_name};
use crate::graph::{Builder, Draft, EdgeKind, Flags, Graph, InstanceId, NoteKind, Source, Trust};
use crate::limits::Limits;
use crate::manifest::{self, Manifests, Patterns, Requests};
use crate::text::json::Json;
use crate::text::{Result, fault, quote};

/// Reads any package-lock.json.
pub(super) fn parse(text: &str, manifests: &Manifests, limits: &Limits) -> Result<Graph> {
    let mut json = Json::new(text);
    let mut packages: Option<Packages<'_>> = None;
    let mut old: Option<npm_old::Entries<'_>> = None;
    let (mut name, mut version, mut format) = (Cow::default(), Cow::default(), None);
    json.object(|json, key| {
        match &*key.name {
            "name" => name = json.string_or_skip()?.unwrap_or_default(),
            "version" => version = json.string_or_skip()?.unwrap_or_default(),
            "lockfileVersion" => {
                let number = json.whole()?;
                if !(1..=3).contains(&number) {
                    return fault(key.at, format!("lockfileVersion {number} is not known here; 1, 2 and 3 are"));
                }
                format = Some(number);
            }
            "packages" => packages = Some(Packages::read(json, limits)?),
            "dependencies" => old = Some(npm_old::Entries::read(json, text.len(), limits)?),
            _ => json.skip()?,
        }
        Ok(())
    })?;
    json.end()?;
    match (packages, old) {
        (Some(packages), old) => packages.finish(text, manifests, old),
        (None, Some(old)) => old.finish(text, &name, &version, manifests, limits),
        (None, None) if format.is_some() => npm_old::Entries::default().finish(text, &name, &version, manifests, limits),
        (None, None) => fault(0, "neither `packages` nor `dependencies` nor `lockfileVersion` is in it: no lockfile of npm"),
    }
}

struct Packages<'a> {
    builder: Builder<'a>,
    by_path: HashMap<Arc<str>, InstanceId>,
    links: Vec<(InstanceId, Cow<'a, str>)>,
    /// Archives, of which only their edges tell whether a registry has them.
    unsure: Vec<InstanceId>,
    patterns: Vec<String>,
}

/// One entry as it is read.
#[derive(Default)]
struct Entry<'a> {
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    resolved: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    deprecated: Option<Cow<'a, str>>,
    license: Option<Cow<'a, str>>,
    link: bool,
    bundled: bool,
    install_script: bool,
    shrinkwrap: bool,
    flags: Flags,
    requests: Requests<'a>,
}

impl<'a> Packages<'a> {
    fn read(json: &mut Json<'a>, limits: &'a Limits) -> Result<Self> {
        let mut packages =
            Self { builder: Builder::new(limits), by_path: HashMap::new(), links: Vec::new(), unsure: Vec::new(), patterns: Vec::new() };
        json.object(|json, path| {
            if path.name.len() > LONGEST {
                return fault(path.at, format!("a path of more than {LONGEST} bytes"));
            }
            let is_root = path.name.is_empty();
            let mut entry = Entry::default();
            json.object(|json, key| {
                if is_root && key.name == "workspaces" {
                    packages.patterns = manifest::workspaces(json)?;
                    return Ok(());
                }
                entry.field(json, &key.name)
            })?;
            packages.add(path.at, &path.name, entry)
        })?;
        Ok(packages)
    }

    fn add(&mut self, at: usize, path: &str, entry: Entry<'a>) -> Result<()> {
        let module = module_name(path);
        let name = entry.name.as_deref().or(module).unwrap_or("");
        let version = entry.version.as_deref().unwrap_or("");
        let resolved = entry.resolved.as_deref().unwrap_or("");
        let source = match module {
            _ if entry.link => Source::Link,
            None => Source::Workspace,
            Some(_) => match Spec::parse(resolved) {
                Spec::Elsewhere(Source::Tarball) if is_registry_address(resolved) => Source::Registry,
                Spec::Elsewhere(Source::Git) if is_registry_address(resolved) => Source::Registry,
                Spec::Elsewhere(source) => source,
                _ => Source::Registry,
            },
        };
        let b = &mut self.builder;
        let package = b.npm(name, version);
        let path = b.intern(path);
        let mut draft = Draft::new(at, package, source, Arc::clone(&path));
        draft.alias = module.filter(|m| *m != name).map(|m| b.intern(m));
        draft.integrity = entry.integrity.as_deref().map(Arc::from);
        draft.deprecated = entry.deprecated.as_deref().map(Arc::from);
        draft.license = entry.license.as_deref().map(|l| b.intern(l));
        draft.marks.bundled = entry.bundled;
        draft.marks.install_script = entry.install_script;
        draft.marks.shrinkwrapped = entry.shrinkwrap;
        draft.flags = entry.flags;
        draft.resolved = entry.resolved.as_deref().map(Arc::from);
        let id = b.add(draft)?;
        if entry.link {
            self.links.push((id, entry.resolved.unwrap_or_default()));
        } else if source == Source::Tarball {
            self.unsure.push(id);
        }
        for r in entry.requests.finish() {
            b.edge(r.at, id, None, r.kind, &r.name, &r.range)?;
        }
        self.by_path.insert(path, id);
        Ok(())
    }

    fn finish(mut self, text: &str, manifests: &Manifests, old: Option<npm_old::Entries<'_>>) -> Result<Graph> {
        let root = match self.by_path.get("") {
            Some(root) => Some(*root),
            None => npm_old::root_of(&mut self.builder, &mut self.by_path, manifests, "", "")?,
        };
        let b = &mut self.builder;
        for (id, target) in std::mem::take(&mut self.links) {
            let target = target.strip_prefix("./").unwrap_or(&target);
            let Some(folder) = self.by_path.get(target).copied() else { continue };
            if folder == id {
                continue;
            }
            b.edge(0, id, Some(folder), EdgeKind::Link, "", target)?;
            // A linked folder has no name of its own here when it is called like its link.
            let (name, version) = (Arc::clone(&b.draft(folder).package.name), Arc::clone(&b.draft(folder).package.version));
            let link = b.draft(id);
            link.package.version = version;
            let called = link.alias.take().unwrap_or_else(|| Arc::clone(&link.package.name));
            if name.is_empty() {
                b.draft(folder).package.name = called;
            } else if name != called {
                let link = b.draft(id);
                link.package.name = name;
                link.alias = Some(called);
            }
        }
        self.roots(root)?;
        self.resolve();
        self.settle();
        if let Some(old) = old {
            self.compare(&old);
        }
        Ok(self.builder.finish(text))
    }

    /// The root and its workspaces. The root asks for the links to those, whatever else asks for them.
    fn roots(&mut self, root: Option<InstanceId>) -> Result<()> {
        let b = &mut self.builder;
        let Some(root) = root else {
            b.trust_flags(Trust::Always);
            b.note(None, NoteKind::NoManifest, "the project's package.json is not there: which packages it asks for itself is not known");
            return Ok(());
        };
        b.root(root);
        let mut patterns = Patterns::new(&self.patterns);
        for id in b.ids() {
            let draft = b.draft(id);
            let folder = match draft.source {
                Source::Workspace if id != root => &draft.path,
                Source::Link => draft.resolved.as_ref().unwrap_or(&draft.path),
                _ => continue,
            };
            let Ok(is_member) = patterns.matches(folder) else {
                return fault(draft.at, "`workspaces` and the folders here take too long to compare");
            };
            match draft.source {
                Source::Workspace if is_member => b.root(id),
                Source::Link if is_member => {
                    let (at, name) = (draft.at, Arc::clone(draft.alias.as_ref().unwrap_or(&draft.package.name)));
                    b.edge(at, root, Some(id), EdgeKind::Link, &name, "")?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn resolve(&mut self) {
        let paths: Vec<Arc<str>> = self.builder.drafts().iter().map(|d| Arc::clone(&d.path)).collect();
        let paths: Vec<&str> = paths.iter().map(|p| &**p).collect();
        let tree = Tree::new(self.builder.ids(), &paths, |name| self.builder.intern(name));
        self.builder.resolve(|edge, _| tree.find(edge.from, &edge.name));
    }

    /// An archive from somewhere is of the registry after all (which may have addresses of its own kind) unless it was asked for by
    /// an address.
    fn settle(&mut self) {
        if self.unsure.is_empty() {
            return;
        }
        let mut elsewhere = HashMap::new();
        for edge in self.builder.edges() {
            if let (Some(to), Spec::Elsewhere(source)) = (edge.to, Spec::parse(&edge.range)) {
                elsewhere.insert(to, source);
            }
        }
        for id in std::mem::take(&mut self.unsure) {
            self.builder.draft(id).source = elsewhere.get(&id).copied().unwrap_or(Source::Registry);
        }
    }

    /// Says where the half that npm 6 reads differs.
    fn compare(&mut self, old: &npm_old::Entries<'_>) {
        let mut differing = old.entries().filter_map(|entry| {
            let path: &str = entry.path();
            let (wanted, at) = (entry.registry_version()?, entry.at());
            match self.by_path.get(path) {
                Some(id) => {
                    let drafts = self.builder.drafts();
                    let draft = drafts.get(id.index())?;
                    let same = &*draft.package.version == wanted || draft.source != Source::Registry;
                    if same {
                        let differs = hashes_differ(entry.integrity(), draft.integrity.as_deref());
                        return differs.then(|| (at, format!("{} has another hash for npm 6", quote(path))));
                    }
                    Some((at, format!("{} is {} for npm 6 and {} for npm 7", quote(path), quote(wanted), quote(&draft.package.version))))
                }
                // Below a link the two halves name folders differently.
                None => (!entry.below_link()).then(|| (at, format!("{} is there for npm 6 only", quote(path)))),
            }
        });
        let Some((at, first)) = differing.next() else { return };
        let more = differing.count();
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        let message = format!(
            "`packages` and `dependencies` disagree: {first}{more}. What npm 7 installs was read; run `npm install` to write the file anew"
        );
        self.builder.note(Some(at), NoteKind::Disagreement, message);
    }
}

/// Whether two hashes of one kind are different; of two kinds nothing can be told.
fn hashes_differ(a: Option<&str>, b: Option<&str>) -> bool {
    let parts = |hash: Option<&'_ str>| hash.and_then(|hash| hash.split_once('-')).map(|(kind, value)| (kind.to_owned(), value.to_owned()));
    matches!((parts(a), parts(b)), (Some((a, x)), Some((b, y))) if a == b && x != y)
}

impl<'a> Entry<'a> {
    fn field(&mut self, json: &mut Json<'a>, name: &str) -> Result<()> {
        match name {
            "name" => self.name = json.string_or_skip()?,
            "version" => self.version = json.string_or_skip()?,
            "resolved" => self.resolved = json.string_or_skip()?,
            "integrity" => self.integrity = json.string_or_skip()?,
            "deprecated" => self.deprecated = json.string_or_skip()?,
            "license" => self.license = json.string_or_skip()?,
            "link" => self.link = json.flag()?,
            "inBundle" => self.bundled = json.flag()?,
            "hasInstallScript" => self.install_script = json.flag()?,
            "hasShrinkwrap" => self.shrinkwrap = json.flag()?,
            "dev" => self.flags.dev = json.flag()?,
            "optional" => self.flags.optional = json.flag()?,
            "devOptional" => self.flags.dev_optional = json.flag()?,
            "peer" => self.flags.peer = json.flag()?,
            other => {
                if !self.requests.read(json, other)? {
                    json.skip()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, graph, instances, problem};
    use crate::graph::NoteKind;
    use crate::kind::Kind;

    #[test]
    fn aliases_links_and_foreign_packages_are_told_apart() {
        let g = graph(
            Kind::Npm,
            r#"{"lockfileVersion": 3, "packages": {
              "": {"name": "app", "version": "1.0.0", "workspaces": ["packages/*"], "dependencies": {"old": "npm:lodash@^3", "g": "github:u/g", "tar": "https://h.example/t.tgz",
                   "priv": "^1", "near": "file:../near"}, "devDependencies": {"d": "1"}},
              "../near": {"name": "near", "version": "2.0.0"},
              "node_modules/d": {"version": "1.0.0", "dev": true, "hasInstallScript": true, "deprecated": "no", "license": "MIT"},
              "node_modules/g": {"version": "1.0.0", "resolved": "git+ssh://git@github.com/u/g.git#01"},
              "node_modules/near": {"resolved": "../near", "link": true},
              "node_modules/old": {"name": "lodash", "version": "3.10.1", "resolved": "https://registry.example/lodash/-/lodash-3.10.1.tgz"},
              "node_modules/priv": {"version": "1.0.0", "resolved": "https://npm.example/download/priv/1.0.0/0123"},
              "node_modules/tar": {"version": "1.0.0", "resolved": "https://h.example/t.tgz"},
              "node_modules/w": {"resolved": "packages/w", "link": true},
              "packages/w": {"version": "0.1.0", "dependencies": {"d": "^1", "absent": "1"}, "optionalDependencies": {"absent": "1"}}}}"#,
            None,
        );
        assert_eq!(
            instances(&g),
            [
                " = app@1.0.0 Workspace",
                "../near = near@2.0.0 Workspace",
                "node_modules/d = d@1.0.0 Registry",
                "node_modules/g = g@1.0.0 Git",
                "node_modules/near = near@2.0.0 Link",
                "node_modules/old = lodash@3.10.1 Registry as old",
                "node_modules/priv = priv@1.0.0 Registry",
                "node_modules/tar = tar@1.0.0 Tarball",
                "node_modules/w = w@0.1.0 Link",
                "packages/w = w@0.1.0 Workspace",
            ]
        );
        assert_eq!(
            edges(&g),
            [
                " -> node_modules/d (Dev d 1)",
                " -> node_modules/g (g github:u/g)",
                " -> node_modules/near (near file:../near)",
                " -> node_modules/old (old npm:lodash@^3)",
                " -> node_modules/priv (priv ^1)",
                " -> node_modules/tar (tar https://h.example/t.tgz)",
                " -> node_modules/w (Link w )",
                "node_modules/near -> ../near (Link  ../near)",
                "node_modules/w -> packages/w (Link  packages/w)",
                "packages/w -> nobody (Optional absent 1)",
                "packages/w -> node_modules/d (d ^1)",
            ]
        );
        // The workspace needs it to run, whatever the flag says.
        let d = &g.instances()[2];
        assert!(!d.needed.only_dev() && d.marks.install_script);
        assert_eq!((d.deprecated.as_deref(), d.license.as_deref(), d.place.line), (Some("no"), Some("MIT"), 5));
        assert_eq!(g.roots().len(), 2);
        let direct: Vec<&str> = g.iter().filter(|(id, _)| g.is_direct(*id)).map(|(_, i)| i.name()).collect();
        assert_eq!(direct, ["near", "d", "g", "near", "old", "priv", "tar"]);
    }

    #[test]
    fn the_halves_of_version_2_are_compared() {
        let text = |version: &str| {
            format!(
                r#"{{"lockfileVersion": 2, "packages": {{"": {{"dependencies": {{"a": "1"}}}}, "node_modules/a": {{"version": "1.0.1"}}}},
                    "dependencies": {{"a": {{"version": "{version}", "dependencies": {{"hidden": {{"version": "6.6.6"}}}}}}}}}}"#
            )
        };
        let g = graph(Kind::Npm, &text("1.0.0"), None);
        assert_eq!(g.notes()[0].kind, NoteKind::Disagreement);
        assert!(g.notes()[0].message.contains("`node_modules/a` is `1.0.0` for npm 6 and `1.0.1` for npm 7, and 1 more"));
        assert!(graph(Kind::Npm, &text("1.0.1"), None).notes()[0].message.contains("hidden"));
    }

    #[test]
    fn what_is_installed_takes_its_root_from_package_json() {
        let text = r#"{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "1.0.0", "dev": true}}}"#;
        let g = graph(Kind::NpmInstalled, text, Some(r#"{"name": "app", "dependencies": {"b": "1"}}"#));
        assert_eq!(edges(&g), [" -> node_modules/b (b 1)"]);
        assert!(!g.instances()[1].needed.only_dev());
        let g = graph(Kind::NpmInstalled, text, None);
        assert!(g.instances()[1].needed.only_dev());
        assert_eq!(g.notes()[0].kind, NoteKind::NoManifest);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("{\"lockfileVersion\": 4}", "1:2: lockfileVersion 4 is not known here"),
            ("{\"packages\": {\"a\": 1}}", "1:20: expected an object, found `1`"),
            ("{\"packages\": {\n\"a\": {},\n\"a\": {}}}", "3:1: the key `a` appears twice"),
            ("{\"packages\": {", "1:15: the file ends too early"),
            ("{}", "no lockfile of npm"),
            ("[]", "1:1: expected an object"),
        ] {
            assert!(problem(Kind::Npm, text).contains(said), "{text}: {}", problem(Kind::Npm, text));
        }
    }
}
