//! What lockfiles install, as components and who needs whom.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value, json};

use super::{hashes, licenses};
use crate::graph::{EdgeKind, Graph, Instance, InstanceId, Source};
use crate::report::address;

/// The parts of a bill of materials that lockfiles fill.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Components {
    /// What the bill is about: the project, if there is one lockfile.
    pub project: Option<Value>,
    /// Everything else, sorted by reference.
    pub components: Vec<Value>,
    /// For each component and the project what it needs, sorted by reference.
    pub dependencies: Vec<Value>,
}

/// A component while it is put together; several instances of one package are one.
struct Part {
    value: Value,
    needed: Scope,
    dev: bool,
    needs: BTreeSet<Rc<str>>,
}

/// `scope` (1.6): the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// "Components that are not a part of the run": for development only.
    Excluded,
    Optional,
    Required,
}

/// The components of lockfiles, each with its path. A package that is in several is there once.
#[must_use]
pub fn components(lockfiles: &[(&str, &Graph)]) -> Components {
    let mut parts: BTreeMap<Rc<str>, Part> = BTreeMap::new();
    let mut project = None;
    for (path, graph) in lockfiles {
        let references: Vec<Rc<str>> = graph.instances().iter().map(|instance| reference(path, instance).into()).collect();
        for (id, instance) in graph.iter().filter(|(id, _)| target(graph, *id) == Some(*id)) {
            let Some(own) = references.get(id.index()) else { continue };
            let part = parts.entry(Rc::clone(own)).or_insert_with(|| Part::new(own, instance, path));
            part.needed = part.needed.max(scope(instance));
            part.dev &= instance.needed.only_dev();
            let needs = graph.requests(id).iter().filter_map(|edge| target(graph, edge.to?));
            part.needs.extend(needs.filter_map(|to| references.get(to.index()).cloned()).filter(|to| to != own));
        }
        project = root(graph).and_then(|root| references.get(root.index()).cloned());
    }
    let project = project.filter(|_| lockfiles.len() == 1);
    let mut out = Components::default();
    for (own, part) in parts {
        out.dependencies.push(json!({"ref": &*own, "dependsOn": part.needs.iter().map(|to| &**to).collect::<Vec<_>>()}));
        if Some(&own) == project.as_ref() {
            out.project = Some(part.value);
        } else {
            out.components.push(part.finish());
        }
    }
    out
}

/// What a lockfile is about.
pub(super) fn root(graph: &Graph) -> Option<InstanceId> {
    let top = graph.roots().iter().find(|root| graph.instance(**root).path.is_empty());
    top.or_else(|| graph.roots().first()).copied()
}

/// By what a component is called within a bill: its package URL, or for what is from no registry its lockfile and place.
fn reference(lockfile: &str, instance: &Instance) -> String {
    purl(instance).unwrap_or_else(|| format!("{lockfile}#{}", instance.path))
}

/// The package URL of what can be had from somewhere (package-url/purl-spec, known qualifiers).
fn purl(instance: &Instance) -> Option<String> {
    let with = |key: &str| {
        let from = instance.resolved.as_deref().map(address::without_secrets).filter(|from| !from.is_empty())?;
        Some(format!("{}?{key}={}", instance.package.purl(), crate::text::percent::encode(&from)))
    };
    if instance.package.name.is_empty() {
        return None;
    }
    match instance.source {
        Source::Registry => Some(instance.package.purl()),
        Source::OtherRegistry => with("repository_url"),
        Source::Git => with("vcs_url"),
        Source::Tarball => with("download_url"),
        Source::File | Source::Link | Source::Workspace | Source::Jsr | Source::Runtime => None,
    }
}

/// What a link leads to; anything else is itself. Nothing for links that lead to links.
fn target(graph: &Graph, id: InstanceId) -> Option<InstanceId> {
    match graph.requests(id).iter().find(|edge| edge.kind == EdgeKind::Link && graph.instance(id).source == Source::Link) {
        Some(link) => link.to.filter(|to| graph.instance(*to).source != Source::Link),
        None => Some(id),
    }
}

fn scope(instance: &Instance) -> Scope {
    match instance.needed {
        needed if needed.only_dev() => Scope::Excluded,
        needed if needed.only_dev_or_optional() => Scope::Optional,
        _ => Scope::Required,
    }
}

impl Part {
    fn new(reference: &str, instance: &Instance, lockfile: &str) -> Self {
        let package = &instance.package;
        let (group, name) = match package.name.split_once('/') {
            Some((group, name)) if group.starts_with('@') => (Some(group), name),
            _ => (None, &*package.name),
        };
        let name = match name {
            "" if instance.path.is_empty() => lockfile,
            "" => &instance.path,
            name => name,
        };
        let kind = if instance.source == Source::Workspace { "application" } else { "library" };
        let mut value = json!({"type": kind, "bom-ref": reference, "name": name});
        let mut set = |key: &str, content: Option<Value>| {
            if let Some(content) = content {
                value[key] = content;
            }
        };
        set("group", group.map(Value::from));
        set("version", Some(&*package.version).filter(|version| !version.is_empty()).map(Value::from));
        set("purl", purl(instance).map(Value::from));
        set("licenses", instance.license.as_deref().and_then(licenses::licenses));
        set("hashes", instance.integrity.as_deref().and_then(|integrity| hashes::hashes(package.ecosystem, integrity)));
        set("externalReferences", instance.resolved.as_deref().and_then(distribution));
        Self { value, needed: Scope::Excluded, dev: true, needs: BTreeSet::new() }
    }

    fn finish(mut self) -> Value {
        if self.value["type"] == "library" {
            self.value["scope"] = Value::from(match self.needed {
                Scope::Excluded => "excluded",
                Scope::Optional => "optional",
                Scope::Required => "required",
            });
        }
        if self.dev {
            // CycloneDX/cyclonedx-property-taxonomy, cdx:npm; cargo's lockfile knows no such thing.
            self.value["properties"] = json!([{"name": "cdx:npm:package:development", "value": "true"}]);
        }
        self.value
    }
}

/// Where its files can be had, if that is on the web.
fn distribution(resolved: &str) -> Option<Value> {
    let is_web = resolved.starts_with("https://") || resolved.starts_with("http://");
    is_web.then(|| json!([{"type": "distribution", "url": address::uri(&address::without_secrets(resolved))}]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Limits, Manifests, parse};

    const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
      "": {"name": "app", "version": "1.0.0", "workspaces": ["packages/*"], "dependencies": {"@s/a": "1", "w": "*"}, "devDependencies": {"d": "1"}},
      "node_modules/@s/a": {"version": "1.0.0", "license": "MIT", "dependencies": {"d": "1"}, "resolved": "https://u:secret@r.example/a.tgz",
        "integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="},
      "node_modules/@s/a/node_modules/d": {"version": "1.0.0"},
      "node_modules/d": {"version": "1.0.0", "dev": true},
      "node_modules/g": {"version": "2.0.0", "resolved": "git+ssh://git@h.example/g.git#0123", "dev": true},
      "node_modules/w": {"resolved": "packages/w", "link": true},
      "packages/w": {"version": "0.1.0", "devDependencies": {"g": "git+ssh://git@h.example/g.git"}}}}"#;

    fn graph() -> Graph {
        parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()
    }

    #[test]
    fn instances_of_a_package_are_one_component() {
        let graph = graph();
        let parts = components(&[("package-lock.json", &graph)]);
        let project = parts.project.unwrap();
        assert_eq!((&project["name"], &project["bom-ref"]), (&json!("app"), &json!("package-lock.json#")));
        let references: Vec<&Value> = parts.components.iter().map(|part| &part["bom-ref"]).collect();
        let git = "pkg:npm/g@2.0.0?vcs_url=git%2Bssh:%2F%2Fh.example%2Fg.git%230123";
        assert_eq!(references, ["package-lock.json#packages/w", "pkg:npm/%40s/a@1.0.0", "pkg:npm/d@1.0.0", git]);
        let needs = |n: usize| (parts.dependencies[n]["ref"].clone(), parts.dependencies[n]["dependsOn"].clone());
        assert_eq!(
            needs(0),
            (json!("package-lock.json#"), json!(["package-lock.json#packages/w", "pkg:npm/%40s/a@1.0.0", "pkg:npm/d@1.0.0"]))
        );
        assert_eq!(needs(1).1, json!([git]));
        // One instance of it is there to run.
        assert_eq!(parts.components[2]["scope"], "required");
        assert_eq!(
            (&parts.components[3]["scope"], &parts.components[3]["properties"][0]["name"]),
            (&json!("excluded"), &json!("cdx:npm:package:development"))
        );
    }

    #[test]
    fn a_component_tells_all_but_secrets() {
        let graph = graph();
        let parts = components(&[("package-lock.json", &graph)]);
        let a = &parts.components[1];
        assert_eq!((&a["group"], &a["name"], &a["licenses"][0]["license"]["id"]), (&json!("@s"), &json!("a"), &json!("MIT")));
        assert_eq!(a["externalReferences"][0]["url"], "https://r.example/a.tgz");
        assert_eq!(a["hashes"][0]["alg"], "SHA-512");
    }

    #[test]
    fn projects_of_several_lockfiles_are_parts() {
        let graph = graph();
        let parts = components(&[("a/package-lock.json", &graph), ("b/package-lock.json", &graph)]);
        assert_eq!(parts.project, None);
        let named = |name: &str| parts.components.iter().filter(|part| part["name"] == name).count();
        assert_eq!((named("app"), named("w"), named("a")), (2, 2, 1));
    }
}
