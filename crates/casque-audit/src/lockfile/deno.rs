//! deno.lock, 2 to 5.
//!
//! | | npm packages | what was asked for |
//! |---|---|---|
//! | 2 | `npm.packages` | `npm.specifiers`, without `npm:` |
//! | 3 | `packages.npm` | `packages.specifiers` |
//! | 4, 5 | `npm` | `specifiers`, to versions; dependencies are a list, without a version where there is only one |
//!
//! Keys are `name@1.0.0`, with peers behind `_`. A folder's own requests are in `workspace`; without one, whatever was imported and
//! no package of jsr.io asked for counts as the project's.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::spec::split_name;
use crate::graph::{Builder, Draft, EdgeKind, Graph, InstanceId, Source};
use crate::limits::Limits;
use crate::text::json::{Json, Shape};
use crate::text::{Key, Result, fault, quote};

pub(super) fn parse(text: &str, limits: &Limits) -> Result<Graph> {
    let mut json = Json::new(text).relaxed();
    let mut deno = Deno { limits, npm: Vec::new(), jsr: Vec::new(), specifiers: Vec::new(), asked: HashSet::new(), requests: 0 };
    let mut format = None;
    json.object(|json, key| match &*key.name {
        "version" => {
            let version = json.whole()?;
            if !(2..=5).contains(&version) {
                return fault(key.at, format!("version {version} of deno.lock is not known here; 2 to 5 are"));
            }
            format = Some(version);
            Ok(())
        }
        "npm" => deno.npm(json),
        "packages" => json.object_or_skip(|json, key| deno.section(json, &key)),
        "specifiers" | "jsr" => deno.section(json, &key),
        "workspace" => deno.workspace(json, 0),
        _ => json.skip(),
    })?;
    json.end()?;
    if format.is_none() {
        return fault(0, "`version` is not in it: no lockfile of deno");
    }
    deno.finish(text)
}

type Text<'a> = Cow<'a, str>;

struct Deno<'l, 'a> {
    limits: &'l Limits,
    npm: Vec<Entry<'a>>,
    jsr: Vec<Entry<'a>>,
    /// What was asked for, and the version or key that answers.
    specifiers: Vec<(usize, Text<'a>, Text<'a>)>,
    /// What the folder's own configuration asks for.
    asked: HashSet<Text<'a>>,
    requests: usize,
}

#[derive(Default)]
struct Entry<'a> {
    at: usize,
    key: Text<'a>,
    is_jsr: bool,
    integrity: Option<Text<'a>>,
    tarball: Option<Text<'a>>,
    deprecated: bool,
    scripts: bool,
    requests: Vec<(usize, EdgeKind, Option<Text<'a>>, Text<'a>)>,
}

impl<'a> Deno<'_, 'a> {
    /// Versions 4 and 5 have the packages right here, version 2 one level down.
    fn npm(&mut self, json: &mut Json<'a>) -> Result<()> {
        json.object(|json, key| match &*key.name {
            "specifiers" => self.section(json, &key),
            "packages" => json.object(|json, key| self.package(json, key, true)),
            _ => self.package(json, key, true),
        })
    }

    fn section(&mut self, json: &mut Json<'a>, key: &Key<'a>) -> Result<()> {
        match &*key.name {
            "specifiers" => json.object(|json, key| {
                self.limits.more_edges(key.at, self.specifiers.len())?;
                let answer = json.string()?;
                self.specifiers.push((key.at, key.name, answer));
                Ok(())
            }),
            "npm" => json.object(|json, key| self.package(json, key, true)),
            "jsr" => json.object(|json, key| self.package(json, key, false)),
            _ => json.skip(),
        }
    }

    fn package(&mut self, json: &mut Json<'a>, key: Key<'a>, is_npm: bool) -> Result<()> {
        self.limits.more_packages(key.at, self.npm.len() + self.jsr.len())?;
        let mut entry = Entry { at: key.at, key: key.name, is_jsr: !is_npm, ..Entry::default() };
        json.object(|json, field| {
            match &*field.name {
                "integrity" => entry.integrity = json.string_or_skip()?,
                "tarball" => entry.tarball = json.string_or_skip()?,
                "deprecated" => entry.deprecated = json.flag()?,
                "scripts" => entry.scripts = json.flag()?,
                "dependencies" => self.requests(json, &mut entry, EdgeKind::Prod)?,
                "optionalDependencies" => self.requests(json, &mut entry, EdgeKind::Optional)?,
                _ => json.skip()?,
            }
            Ok(())
        })?;
        if is_npm { &mut self.npm } else { &mut self.jsr }.push(entry);
        Ok(())
    }

    fn requests(&mut self, json: &mut Json<'a>, entry: &mut Entry<'a>, kind: EdgeKind) -> Result<()> {
        let mut add = |at, name, key| {
            self.limits.more_edges(at, self.requests)?;
            self.requests += 1;
            entry.requests.push((at, kind, name, key));
            Ok(())
        };
        match json.shape()? {
            Shape::Object => json.object(|json, name| {
                let key = json.string()?;
                add(name.at, Some(name.name), key)
            }),
            Shape::Array => json.array(|json| {
                let at = json.place()?;
                add(at, None, json.string()?)
            }),
            _ => json.skip(),
        }
    }

    /// Every list called `dependencies`, of the folder, its package.json and its members.
    fn workspace(&mut self, json: &mut Json<'a>, depth: u32) -> Result<()> {
        json.object_or_skip(|json, key| match &*key.name {
            "dependencies" => json.array_or_skip(|json| {
                if let Some(asked) = json.string_or_skip()? {
                    self.limits.more_edges(key.at, self.asked.len())?;
                    self.asked.insert(asked);
                }
                Ok(())
            }),
            "packageJson" => self.workspace(json, depth),
            "members" if depth == 0 => json.object_or_skip(|json, _| self.workspace(json, 1)),
            _ => json.skip(),
        })
    }

    fn finish(self, text: &str) -> Result<Graph> {
        let mut b = Builder::new(self.limits);
        let package = b.npm("", "");
        let path = b.intern("");
        let root = b.add(Draft::new(0, package, Source::Workspace, path))?;
        b.root(root);
        let mut known = Known::default();
        for entry in &self.npm {
            let (id, name) = entry.add_npm(&mut b)?;
            known.add("npm:", &entry.key, name, id);
        }
        for entry in &self.jsr {
            let Some((name, version)) = split_name(&entry.key) else { return entry.odd() };
            let package = b.npm(name, version);
            let path = b.intern(&entry.key);
            let mut draft = Draft::new(entry.at, package, Source::Jsr, path);
            draft.integrity = entry.integrity.as_deref().map(Into::into);
            let id = b.add(draft)?;
            known.add("jsr:", &entry.key, name, id);
        }
        let found: Vec<_> = self.specifiers.iter().map(|(_, asked, answer)| (&**asked, known.answered(asked, answer))).collect();
        known.answers.extend(found);
        for (entry, id) in self.npm.iter().chain(&self.jsr).zip(b.ids().skip(1)) {
            for (at, kind, name, key) in &entry.requests {
                let (to, asked) = known.answer(key, if entry.is_jsr { "jsr:" } else { "npm:" });
                b.edge(*at, id, to, *kind, name.as_deref().unwrap_or(asked), key)?;
            }
        }
        // What packages of jsr.io import stands among the specifiers too.
        let indirect: HashSet<&str> = self.jsr.iter().flat_map(|e| &e.requests).map(|(_, _, _, key)| &**key).collect();
        for (at, asked, _) in &self.specifiers {
            if self.asked.contains(asked) || !indirect.contains(&**asked) {
                let (to, name) = known.answer(asked, "npm:");
                let range =
                    asked.rsplit_once('@').filter(|(before, _)| !before.is_empty() && !before.ends_with(':')).map_or("*", |(_, r)| r);
                b.edge(*at, root, to, EdgeKind::Prod, name, range)?;
            }
        }
        Ok(b.finish(text))
    }
}

impl<'a> Entry<'a> {
    fn add_npm(&self, b: &mut Builder<'_>) -> Result<(InstanceId, &str)> {
        let Some((name, version)) = split_name(&self.key) else { return self.odd() };
        // Peers follow an underscore, which versions do not have.
        let version = version.split('_').next().unwrap_or(version);
        let package = b.npm(name, version);
        let path = b.intern(&self.key);
        let mut draft = Draft::new(self.at, package, Source::Registry, path);
        draft.integrity = self.integrity.as_deref().map(Into::into);
        draft.resolved = self.tarball.as_deref().map(Into::into);
        draft.deprecated = self.deprecated.then(|| "".into());
        draft.marks.install_script = self.scripts;
        Ok((b.add(draft)?, name))
    }

    fn odd<T>(&self) -> Result<T> {
        fault(self.at, format!("the key {} has no version", quote(&self.key)))
    }
}

/// Who answers what, by protocol and key, and by protocol and name where there is one version only.
#[derive(Default)]
struct Known<'k> {
    by_key: HashMap<(&'static str, &'k str), InstanceId>,
    by_name: HashMap<(&'static str, &'k str), Option<InstanceId>>,
    /// By specifier. Looked up once for each, as what answers may be long and asked for often.
    answers: HashMap<&'k str, Option<InstanceId>>,
}

impl<'k> Known<'k> {
    fn add(&mut self, protocol: &'static str, key: &'k str, name: &'k str, id: InstanceId) {
        self.by_key.insert((protocol, key), id);
        self.by_name.entry((protocol, name)).and_modify(|only| *only = None).or_insert(Some(id));
    }

    /// Who is meant by the answer to a specifier: a key, or the version alone from version 4 on.
    fn answered(&self, specifier: &str, answer: &str) -> Option<InstanceId> {
        let (protocol, bare) = split_protocol(specifier, "npm:");
        let name = split_name(bare).map_or(bare, |(name, _)| name);
        let (protocol, key) = split_protocol(answer, protocol);
        let whole = self.by_key.get(&(protocol, key)).copied();
        whole.or_else(|| self.by_key.get(&(protocol, format!("{name}@{key}").as_str())).copied())
    }

    /// The answer to a request as any version writes it, and the name asked for.
    fn answer<'r>(&self, request: &'r str, usual: &'static str) -> (Option<InstanceId>, &'r str) {
        let (protocol, bare) = split_protocol(request, usual);
        // `alias@npm:real@1.0.0`
        let (called, bare) = match bare.split_once("@npm:") {
            Some((alias, real)) => (Some(alias), real),
            None => (None, bare),
        };
        let name = split_name(bare).map_or(bare, |(name, _)| name);
        let exact = self.by_key.get(&(protocol, bare)).copied();
        let answered = || self.answers.get(request).copied().flatten();
        let only = || self.by_name.get(&(protocol, bare)).copied().flatten();
        (exact.or_else(answered).or_else(only), called.unwrap_or(name))
    }
}

/// `npm:name` taken apart; without a protocol it is the usual one.
fn split_protocol<'t>(text: &'t str, usual: &'static str) -> (&'static str, &'t str) {
    let (protocol, bare) = match (text.strip_prefix("npm:"), text.strip_prefix("jsr:")) {
        (Some(bare), _) => ("npm:", bare),
        (_, Some(bare)) => ("jsr:", bare),
        _ => (usual, text),
    };
    (protocol, bare.strip_prefix('/').unwrap_or(bare))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, graph, instances, problem};
    use crate::kind::Kind;

    #[test]
    fn every_format_gives_the_same_graph() {
        let two = r#"{"version": "2", "remote": {}, "npm": {"specifiers": {"a@^1": "a@1.0.0_p@2.0.0"},
            "packages": {"a@1.0.0_p@2.0.0": {"integrity": "sha512-a", "dependencies": {"p": "p@2.0.0"}}, "p@2.0.0": {"integrity": "sha512-p", "dependencies": {}}}}}"#;
        let three = r#"{"version": "3", "packages": {"specifiers": {"npm:a@^1": "npm:a@1.0.0_p@2.0.0"},
            "npm": {"a@1.0.0_p@2.0.0": {"integrity": "sha512-a", "dependencies": {"p": "p@2.0.0"}}, "p@2.0.0": {"integrity": "sha512-p", "dependencies": {}}}}}"#;
        let four = r#"{"version": "4", "specifiers": {"npm:a@^1": "1.0.0_p@2.0.0"},
            "npm": {"a@1.0.0_p@2.0.0": {"integrity": "sha512-a", "dependencies": ["p"]}, "p@2.0.0": {"integrity": "sha512-p"}}}"#;
        for text in [two, three, four, &four.replace("\"4\"", "\"5\"")] {
            let g = graph(Kind::Deno, text, None);
            assert_eq!(instances(&g), [" = @ Workspace", "a@1.0.0_p@2.0.0 = a@1.0.0 Registry", "p@2.0.0 = p@2.0.0 Registry"]);
            let to: Vec<String> = edges(&g).iter().map(|e| e.split(" (").next().unwrap().to_owned()).collect();
            assert_eq!(to, [" -> a@1.0.0_p@2.0.0", "a@1.0.0_p@2.0.0 -> p@2.0.0"], "{text}");
        }
    }

    #[test]
    fn aliases_and_packages_of_jsr_are_told_apart() {
        let g = graph(
            Kind::Deno,
            r#"{"version": "5", "specifiers": {"jsr:@std/a@1": "1.0.1", "npm:x@1": "1.0.0", "npm:y@2": "2.0.0"},
              "jsr": {"@std/a@1.0.1": {"integrity": "00", "dependencies": ["npm:x@1"]}},
              "npm": {"old@1.0.0": {"deprecated": true, "scripts": true}, "x@1.0.0": {"optionalDependencies": ["called@npm:old@1.0.0"]}, "y@2.0.0": {"dependencies": ["old"]}},
              "workspace": {"dependencies": ["jsr:@std/a@1"], "packageJson": {"dependencies": ["npm:y@2"]}}}"#,
            None,
        );
        assert_eq!(
            edges(&g),
            [
                " -> @std/a@1.0.1 (@std/a 1)",
                " -> y@2.0.0 (y 2)",
                "x@1.0.0 -> old@1.0.0 (Optional called called@npm:old@1.0.0)",
                "y@2.0.0 -> old@1.0.0 (old old)",
                "@std/a@1.0.1 -> x@1.0.0 (x npm:x@1)",
            ]
        );
        assert_eq!(instances(&g)[4], "@std/a@1.0.1 = @std/a@1.0.1 Jsr");
        assert!(g.instances()[1].marks.install_script && g.instances()[1].deprecated.is_some());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("{\"version\": \"6\"}", "1:2: version 6 of deno.lock is not known here"),
            ("{\"version\": \"x\"}", "1:13: expected a whole number"),
            ("{\"version\": \"5\", \"npm\": {\"a\": {}}}", "1:26: the key `a` has no version"),
            ("{}", "`version` is not in it"),
        ] {
            assert!(problem(Kind::Deno, text).contains(said), "{text}: {}", problem(Kind::Deno, text));
        }
    }
}
