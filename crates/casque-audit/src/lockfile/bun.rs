//! bun.lock, 0 to 2: JSON with comments and trailing commas. Keys are install paths with the `node_modules` left out.
//!
//! A package is a list whose first element is `name@version`, with whatever its kind needs after it: an address, what it depends on
//! (the only object), a hash (the last text).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::spec::{Spec, split_name};
use super::tree::{LONGEST, Tree};
use crate::graph::{Builder, Draft, Graph, InstanceId, Source};
use crate::limits::Limits;
use crate::manifest::Requests;
use crate::text::json::{Json, Shape};
use crate::text::{Key, Result, fault, quote};

/// How many folders a key may name; each is written out as `node_modules/...`.
const DEEPEST: usize = 64;

pub(super) fn parse(text: &str, limits: &Limits) -> Result<Graph> {
    let mut json = Json::new(text).relaxed();
    let mut bun = Bun { b: Builder::new(limits), locations: Vec::new(), members: HashMap::new(), patched: HashSet::new() };
    let mut format = false;
    json.object(|json, key| {
        match &*key.name {
            "lockfileVersion" => {
                let version = json.whole()?;
                if version > 2 {
                    return fault(key.at, format!("lockfileVersion {version} is not known here; 0, 1 and 2 are"));
                }
                format = true;
            }
            "workspaces" => json.object(|json, folder| bun.workspace(json, &folder))?,
            // Written after `workspaces`.
            "packages" => json.object(|json, key| {
                let entry = Entry::read(json, key)?;
                bun.add(entry)
            })?,
            "patchedDependencies" => json.object_or_skip(|json, key| {
                bun.patched.insert(key.name);
                json.skip()
            })?,
            _ => json.skip()?,
        }
        Ok(())
    })?;
    json.end()?;
    if !format {
        return fault(0, "`lockfileVersion` is not in it: no lockfile of bun");
    }
    bun.finish(text)
}

struct Bun<'l, 'a> {
    b: Builder<'l>,
    /// Where each instance is for lookups.
    locations: Vec<Arc<str>>,
    /// Workspaces by their folders.
    members: HashMap<String, InstanceId>,
    patched: HashSet<Cow<'a, str>>,
}

struct Entry<'a> {
    key: Key<'a>,
    package: Cow<'a, str>,
    address: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    requests: Requests<'a>,
}

impl<'a> Entry<'a> {
    fn read(json: &mut Json<'a>, key: Key<'a>) -> Result<Self> {
        let mut package = None;
        let (mut address, mut integrity) = (None, None);
        let mut requests = Requests::default();
        json.array(|json| {
            if package.is_none() {
                package = Some(json.string()?);
                return Ok(());
            }
            match json.shape()? {
                Shape::String => {
                    let text = json.string()?;
                    if is_integrity(&text) {
                        integrity = Some(text);
                    } else if !text.is_empty() {
                        address.get_or_insert(text);
                    }
                }
                Shape::Object => json.object(|json, field| if requests.read(json, &field.name)? { Ok(()) } else { json.skip() })?,
                _ => json.skip()?,
            }
            Ok(())
        })?;
        let Some(package) = package else { return fault(key.at, format!("{} is an empty list", quote(&key.name))) };
        if key.name.len() > LONGEST || key.name.matches('/').count() > DEEPEST {
            return fault(key.at, format!("a path of more than {LONGEST} bytes or {DEEPEST} folders"));
        }
        Ok(Self { key, package, address, integrity, requests })
    }
}

impl<'a> Bun<'_, 'a> {
    fn workspace(&mut self, json: &mut Json<'a>, folder: &Key<'a>) -> Result<()> {
        let (mut name, mut version) = (Cow::default(), Cow::default());
        let mut requests = Requests::default();
        json.object(|json, key| {
            match &*key.name {
                "name" => name = json.string_or_skip()?.unwrap_or_default(),
                "version" => version = json.string_or_skip()?.unwrap_or_default(),
                field => {
                    if !requests.read(json, field)? {
                        json.skip()?;
                    }
                }
            }
            Ok(())
        })?;
        let package = self.b.npm(&name, &version);
        let path = self.b.intern(&folder.name);
        let id = self.b.add(Draft::new(folder.at, package, Source::Workspace, path))?;
        self.b.root(id);
        // Workspaces are found by their names, like modules.
        let by_name = if folder.name.is_empty() || name.is_empty() { folder.name.to_string() } else { location(&name) };
        self.locations.push(by_name.into());
        self.members.insert(folder.name.clone().into_owned(), id);
        for r in requests.finish() {
            self.b.edge(r.at, id, None, r.kind, &r.name, &r.range)?;
        }
        Ok(())
    }

    fn add(&mut self, entry: Entry<'a>) -> Result<()> {
        let Some((name, reference)) = split_name(&entry.package) else {
            return fault(entry.key.at, format!("{} has no version", quote(&entry.package)));
        };
        let own = last_name(&entry.key.name);
        if reference.strip_prefix("workspace:").is_some_and(|folder| self.members.contains_key(folder)) {
            // It is there already, with what it asks for.
            return Ok(());
        }
        let (source, version) = match Spec::parse(reference) {
            Spec::Range(version) | Spec::Alias { range: version, .. } => (Source::Registry, version),
            Spec::Elsewhere(source) => (source, ""),
        };
        let source = if reference == "root:" { Source::Link } else { source };
        let b = &mut self.b;
        let package = b.npm(name, if source == Source::Link { "" } else { version });
        let path = b.intern(&location(&entry.key.name));
        let mut draft = Draft::new(entry.key.at, package, source, Arc::clone(&path));
        draft.alias = (own != name).then(|| b.intern(own));
        draft.integrity = entry.integrity.as_deref().map(Arc::from);
        draft.resolved = if source == Source::Registry { entry.address.as_deref() } else { Some(reference) }.map(Arc::from);
        let id = b.add(draft)?;
        self.locations.push(path);
        for r in entry.requests.finish() {
            self.b.edge(r.at, id, None, r.kind, &r.name, &r.range)?;
        }
        Ok(())
    }

    fn finish(mut self, text: &str) -> Result<Graph> {
        let locations: Vec<&str> = self.locations.iter().map(|l| &**l).collect();
        let b = &mut self.b;
        let tree = Tree::new(b.ids(), &locations, |name| b.intern(name));
        b.resolve(|edge, _| tree.find(edge.from, &edge.name));
        if !self.patched.is_empty() {
            for id in b.ids() {
                let draft = b.draft(id);
                let exact = format!("{}@{}", draft.package.name, draft.package.version);
                draft.marks.patched = self.patched.contains(&*exact);
            }
        }
        Ok(self.b.finish(text))
    }
}

fn is_integrity(text: &str) -> bool {
    ["sha512-", "sha384-", "sha256-", "sha1-"].iter().any(|p| text.starts_with(p))
}

/// A key with the folders written out: `a/@s/b` is `node_modules/a/node_modules/@s/b`.
fn location(key: &str) -> String {
    let mut path = String::with_capacity(key.len() + 32);
    let mut in_scope = false;
    for part in key.split('/') {
        if !path.is_empty() {
            path.push('/');
        }
        if !in_scope {
            path.push_str("node_modules/");
        }
        path.push_str(part);
        in_scope = part.starts_with('@') && !in_scope;
    }
    path
}

/// The last name of a key, with its scope.
fn last_name(key: &str) -> &str {
    let mut starts = key.rmatch_indices('/').map(|(at, _)| at + 1).chain([0]);
    let last = starts.next().unwrap_or(0);
    match starts.next() {
        Some(before) if last > 0 && key[before..].starts_with('@') => &key[before..],
        _ => &key[last..],
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, graph, instances, problem};
    use super::*;
    use crate::kind::Kind;

    #[test]
    fn keys_are_paths() {
        assert_eq!(location("a/@s/b/c"), "node_modules/a/node_modules/@s/b/node_modules/c");
        for (key, name) in [("a", "a"), ("@s/a", "@s/a"), ("a/b", "b"), ("a/@s/b", "@s/b"), ("@s/a/b", "b")] {
            assert_eq!(last_name(key), name);
        }
    }

    #[test]
    fn lists_of_every_kind_are_read() {
        let g = graph(
            Kind::Bun,
            r#"{
              // a comment
              "lockfileVersion": 1,
              "workspaces": {
                "": {"name": "app", "dependencies": {"a": "^1", "w": "workspace:*", "old": "npm:lodash@3"}, "devDependencies": {"g": "github:u/g"},},
                "packages/w": {"name": "w", "version": "1.0.0", "dependencies": {"b": "2"}, "peerDependencies": {"p": "*"}, "optionalPeers": ["p"]},
              },
              "patchedDependencies": {"b@2.0.0": "patches/b.patch"},
              "packages": {
                "a": ["a@1.0.0", "https://registry.example/a/-/a-1.0.0.tgz", {"dependencies": {"b": "^1"}, "os": "linux"}, "sha512-a"],
                "b": ["b@1.0.0", "", {}, "sha512-b"],
                "f": ["f@file:../f", {}],
                "g": ["g@github:u/g#0123", {}, "u-g-0123"],
                "old": ["lodash@3.10.1", "", {}, "sha512-l"],
                "t": ["t@https://h.example/t.tgz", {}, "sha512-t"],
                "w": ["w@workspace:packages/w"],
                "w/b": ["b@2.0.0", "", {}, "sha512-b2"],
              },
            }"#,
            None,
        );
        assert_eq!(
            instances(&g),
            [
                " = app@ Workspace",
                "packages/w = w@1.0.0 Workspace",
                "node_modules/a = a@1.0.0 Registry",
                "node_modules/b = b@1.0.0 Registry",
                "node_modules/f = f@ File",
                "node_modules/g = g@ Git",
                "node_modules/old = lodash@3.10.1 Registry as old",
                "node_modules/t = t@ Tarball",
                "node_modules/w/node_modules/b = b@2.0.0 Registry",
            ]
        );
        assert_eq!(
            edges(&g),
            [
                " -> node_modules/a (a ^1)",
                " -> node_modules/g (Dev g github:u/g)",
                " -> node_modules/old (old npm:lodash@3)",
                " -> packages/w (w workspace:*)",
                "packages/w -> node_modules/w/node_modules/b (b 2)",
                "packages/w -> nobody (PeerOptional p *)",
                "node_modules/a -> node_modules/b (b ^1)",
            ]
        );
        assert!(g.instances()[8].marks.patched && g.instances()[5].needed.only_dev());
        assert_eq!(g.instances()[2].integrity.as_deref(), Some("sha512-a"));
        assert_eq!(g.instances()[5].resolved.as_deref(), Some("github:u/g#0123"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let with = |packages: &str| format!("{{\"lockfileVersion\": 1,\n\"packages\": {{{packages}}}}}");
        for (text, said) in [
            ("{\"lockfileVersion\": 3}".to_owned(), "1:2: lockfileVersion 3 is not known here"),
            ("{}".to_owned(), "`lockfileVersion` is not in it"),
            (with("\"a\": []"), "2:14: `a` is an empty list"),
            (with("\"a\": [\"a\"]"), "2:14: `a` has no version"),
            (with("\"a\": [1]"), "2:20: expected a string"),
            (with("\"a\": [\"a@1\"], \"a\": [\"a@2\"]"), "2:28: the key `a` appears twice"),
            (with(&format!("\"{}\": [\"a@1\"]", "a/".repeat(100))), "2:14: a path of more than"),
        ] {
            assert!(problem(Kind::Bun, &text).contains(said), "{text}: {}", problem(Kind::Bun, &text));
        }
    }
}
