//! Cargo.lock, 1 to 4, and the files of 2015 that keep the project in `[root]`.
//!
//! It is TOML, but cargo writes one shape of it only: tables of strings and lists of strings. That is what is read.
//! Kinds of dependencies are not in it: everything counts as needed to run.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::cargo_lines::{Item, Items};
use crate::graph::{Builder, Draft, EdgeKind, Graph, InstanceId, Source, identity};
use crate::limits::Limits;
use crate::text::{Result, fault, quote};

pub(super) fn parse(text: &str, limits: &Limits) -> Result<Graph> {
    let mut items = Items::new(text, limits);
    let mut lock = Lock { b: Builder::new(limits), known: Known::default(), requests: Vec::new(), checksums: HashMap::new(), limits };
    let mut table = Table::Top;
    let mut entry: Option<Entry<'_>> = None;
    while let Some(item) = items.next()? {
        match item {
            Item::Table { at, name, is_list } => {
                if let Some(done) = entry.take() {
                    lock.add(done)?;
                }
                table = match (&*name, is_list) {
                    ("package", true) | ("root", false) => Table::Package,
                    ("metadata", false) => Table::Metadata,
                    _ => Table::Other,
                };
                if table == Table::Package {
                    entry = Some(Entry { at, ..Entry::default() });
                }
            }
            Item::Value { at, key, value, list } => match (table, &mut entry) {
                (Table::Top, _) if key == "version" && !matches!(&*value, "1" | "2" | "3" | "4") => {
                    return fault(at, format!("version {} of Cargo.lock is not known here; 1 to 4 are", quote(&value)));
                }
                (Table::Package, Some(entry)) => entry.field(at, &key, value, list)?,
                // Version 1: "checksum name version (source)" = "hash"
                (Table::Metadata, _) => {
                    if let Some(of) = key.strip_prefix("checksum ") {
                        limits.more_packages(at, lock.checksums.len())?;
                        lock.checksums.insert(of.to_owned(), value);
                    }
                }
                _ => {}
            },
        }
    }
    if let Some(done) = entry.take() {
        lock.add(done)?;
    }
    lock.finish(text)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Top,
    Package,
    Metadata,
    Other,
}

#[derive(Default)]
struct Entry<'a> {
    at: usize,
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    checksum: Option<Cow<'a, str>>,
    dependencies: Vec<(usize, Cow<'a, str>)>,
}

impl<'a> Entry<'a> {
    fn field(&mut self, at: usize, key: &str, value: Cow<'a, str>, list: Vec<(usize, Cow<'a, str>)>) -> Result<()> {
        let slot = match key {
            "name" => &mut self.name,
            "version" => &mut self.version,
            "source" => &mut self.source,
            "checksum" => &mut self.checksum,
            "dependencies" => {
                self.dependencies = list;
                return Ok(());
            }
            _ => return Ok(()),
        };
        if slot.replace(value).is_some() {
            return fault(at, format!("{} appears twice", quote(key)));
        }
        Ok(())
    }
}

struct Lock<'l, 'a> {
    b: Builder<'l>,
    limits: &'l Limits,
    known: Known,
    requests: Vec<(InstanceId, usize, Cow<'a, str>)>,
    checksums: HashMap<String, Cow<'a, str>>,
}

impl<'a> Lock<'_, 'a> {
    fn add(&mut self, entry: Entry<'a>) -> Result<()> {
        let (Some(name), Some(version)) = (entry.name.as_deref(), entry.version.as_deref()) else {
            return fault(entry.at, "a package without name or version");
        };
        let source = match entry.source.as_deref() {
            None => Source::Workspace,
            Some(source) => source_of(source),
        };
        let package = self.b.cargo(name, version);
        let path = self.b.intern(&format!("{name} {version}"));
        let (name, version) = (identity(&package.name), identity(&package.version));
        let mut draft = Draft::new(entry.at, package, source, path);
        draft.resolved = entry.source.as_deref().map(|s| self.b.intern(s));
        draft.integrity = entry.checksum.as_deref().map(Arc::from);
        let id = self.b.add(draft)?;
        if source == Source::Workspace {
            self.b.root(id);
        }
        for (at, dependency) in entry.dependencies {
            self.limits.more_edges(at, self.requests.len())?;
            self.requests.push((id, at, dependency));
        }
        // A git source is written without its commit by those who depend on it.
        let source = identity(&self.b.intern(entry.source.as_deref().and_then(|s| s.split('#').next()).unwrap_or("")));
        self.known.by_name.entry(name).or_insert(id);
        self.known.by_version.entry([name, version]).or_insert(id);
        if self.known.by_source.insert([name, version, source], id).is_some() {
            return fault(entry.at, "this package appears twice");
        }
        Ok(())
    }

    fn finish(mut self, text: &str) -> Result<Graph> {
        for (from, at, dependency) in std::mem::take(&mut self.requests) {
            let (name, version, source) = parts(&dependency);
            let to = self.find(name, version, source);
            let range = match to {
                Some(to) => Arc::clone(&self.b.draft(to).package.version),
                None => self.b.intern(version.unwrap_or("*")),
            };
            self.b.edge(at, from, to, EdgeKind::Prod, name, &range)?;
        }
        if !self.checksums.is_empty() {
            for id in self.b.ids() {
                let draft = self.b.draft(id);
                let source = draft.resolved.as_deref().unwrap_or("");
                let of = format!("{} {} ({source})", draft.package.name, draft.package.version);
                if let Some(checksum) = self.checksums.get(&of).filter(|c| **c != "<none>") {
                    draft.integrity = Some(checksum.as_ref().into());
                }
            }
        }
        Ok(self.b.finish(text))
    }

    /// A dependency is written with as much as is needed to tell it apart.
    fn find(&mut self, name: &str, version: Option<&str>, source: Option<&str>) -> Option<InstanceId> {
        let name = identity(&self.b.intern(name));
        let Some(version) = version else { return self.known.by_name.get(&name).copied() };
        let version = identity(&self.b.intern(version));
        let Some(source) = source else { return self.known.by_version.get(&[name, version]).copied() };
        let source = identity(&self.b.intern(source.split('#').next().unwrap_or(source)));
        self.known.by_source.get(&[name, version, source]).copied()
    }
}

/// Packages by as much as dependents may write of them, interned.
#[derive(Debug, Default)]
struct Known {
    by_name: HashMap<*const u8, InstanceId>,
    by_version: HashMap<[*const u8; 2], InstanceId>,
    by_source: HashMap<[*const u8; 3], InstanceId>,
}

/// crates.io has two addresses, of its git index and of its sparse one; any other registry is another.
fn source_of(source: &str) -> Source {
    let bare = source.trim_end_matches('/');
    match source.split_once('+').map(|(kind, _)| kind) {
        Some("registry" | "sparse")
            if bare == "registry+https://github.com/rust-lang/crates.io-index" || bare == "sparse+https://index.crates.io" =>
        {
            Source::Registry
        }
        Some("git") => Source::Git,
        Some("path" | "directory" | "local-registry") => Source::File,
        _ => Source::OtherRegistry,
    }
}

/// `name`, `name version` or `name version (source)`.
fn parts(dependency: &str) -> (&str, Option<&str>, Option<&str>) {
    let mut parts = dependency.splitn(3, ' ');
    let name = parts.next().unwrap_or("");
    let version = parts.next();
    let source = parts.next().map(|s| s.trim_start_matches('(').trim_end_matches(')'));
    (name, version, source)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, graph, instances, problem};
    use crate::kind::Kind;

    #[test]
    fn sources_and_several_versions_are_told_apart() {
        let g = graph(
            Kind::Cargo,
            r#"# made by Cargo
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "a 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)",
 "a 2.0.0",
 "forked",
 "private",
]

[[package]]
name = "a"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "01"

[[package]]
name = "a"
version = "2.0.0"
source = "sparse+https://index.crates.io/"

[[package]]
name = "forked"
version = "1.0.0"
source = "git+https://github.com/u/forked?branch=x#0123"
dependencies = ["app"]

[[package]]
name = "private"
version = "1.0.0"
source = "registry+https://r.example/index"

[[patch.unused]]
name = "never"
version = "1.0.0"
"#,
            None,
        );
        assert_eq!(
            instances(&g),
            [
                "app 0.1.0 = app@0.1.0 Workspace",
                "a 1.0.0 = a@1.0.0 Registry",
                "a 2.0.0 = a@2.0.0 Registry",
                "forked 1.0.0 = forked@1.0.0 Git",
                "private 1.0.0 = private@1.0.0 OtherRegistry",
            ]
        );
        assert_eq!(
            edges(&g),
            [
                "app 0.1.0 -> a 1.0.0 (a 1.0.0)",
                "app 0.1.0 -> a 2.0.0 (a 2.0.0)",
                "app 0.1.0 -> forked 1.0.0 (forked 1.0.0)",
                "app 0.1.0 -> private 1.0.0 (private 1.0.0)",
                "forked 1.0.0 -> app 0.1.0 (app 0.1.0)",
            ]
        );
        assert_eq!(g.instances()[1].place.line, 14);
        assert_eq!(g.roots().len(), 1);
    }

    #[test]
    fn the_first_formats_are_read() {
        let g = graph(
            Kind::Cargo,
            "[root]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"a 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)\",\n]\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \
             \"registry+https://github.com/rust-lang/crates.io-index\"\n\n[metadata]\n\"checksum a 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)\" = \"01\"\n",
            None,
        );
        assert_eq!(g.instances()[1].integrity.as_deref(), Some("01"));
        assert_eq!(edges(&g), ["app 0.1.0 -> a 1.0.0 (a 1.0.0)"]);
        assert!(graph(Kind::Cargo, "version = 3\n", None).instances().is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let with = |rest: &str| format!("[[package]]\nname = \"a\"\nversion = \"1\"\n{rest}");
        for (text, said) in [
            ("version = 5\n".to_owned(), "1:1: version `5` of Cargo.lock is not known here"),
            ("[[package]]\nname = \"a\"\n\n[x]\n".to_owned(), "1:1: a package without name or version"),
            (with("version = \"2\"\n[x]\n"), "4:1: `version` appears twice"),
            (with("\n[[package]]\nname = \"a\"\nversion = \"1\"\n\n[x]\n"), "5:1: this package appears twice"),
            (with("dependencies = [\"b\" \"c\"]\n[x]\n"), "4:21: expected `,` or `]`"),
            (with("source = \"\"\"x\"\"\"\n[x]\n"), "4:10: a string over several lines"),
            (with("=======\n[x]\n"), "4:1: a merge conflict"),
            (with("checksum = \"x\n"), "the file ends too early"),
        ] {
            assert!(problem(Kind::Cargo, &text).contains(said), "{text}: {}", problem(Kind::Cargo, &text));
        }
    }
}
