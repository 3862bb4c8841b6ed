//! Every recorded lockfile is read, and has what the package managers' own parsers and audits found in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use casque_audit::{Graph, Instance, Kind, Limits, Source, discover, read};
use serde_json::Value;

use crate::group::{Group, audit};

struct Case {
    name: String,
    kind: Kind,
    graph: Graph,
    expected: PathBuf,
}

impl Case {
    fn recorded(&self, file: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.expected.join(file)).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn from_registry(&self) -> impl Iterator<Item = &Instance> {
        self.graph.instances().iter().filter(|i| i.is_from_registry())
    }
}

fn cases(group: &mut Group, folder: &Path) -> Vec<Case> {
    let mut names: Vec<_> = std::fs::read_dir(folder.join("lockfiles")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut cases = Vec::new();
    for name in names {
        for lockfile in discover(&folder.join("lockfiles").join(&name)).unwrap() {
            let graph = read(&lockfile, &Limits::default());
            group.case(&format!("{name} is read"), &graph.as_ref().err().map(ToString::to_string), &None);
            let Ok(graph) = graph else { continue };
            group.case(&format!("{name} has packages"), &graph.instances().iter().any(Instance::is_from_registry), &true);
            cases.push(Case { name: name.clone(), kind: lockfile.kind, graph, expected: folder.join("expected").join(&name) });
        }
    }
    cases
}

const NONE: &[(&str, &str)] = &[];

#[test]
fn lockfiles() {
    let Some(folder) = audit() else { return };
    let mut group = Group::new("lockfiles", NONE);
    for case in cases(&mut group, &folder) {
        own_parsers(&mut group, &case);
        npm_audit(&mut group, &case);
        other_audits(&mut group, &case);
        cargo_audit(&mut group, &case);
        flags(&mut group, &case);
    }
}

/// What the managers' own parsers made of it: how many names and versions, and each that an advisory speaks of.
fn own_parsers(group: &mut Group, case: &Case) {
    let Some(recorded) = case.recorded("direct-hits.json") else { return };
    let versions: BTreeSet<(&str, &str)> = case.from_registry().map(|i| (&*i.package.name, &*i.package.version)).collect();
    let names: BTreeSet<&str> = versions.iter().map(|(name, _)| *name).collect();
    let id = |what: &str| format!("{} {what}", case.name);
    group.case(&id("names"), &(names.len() as u64), &recorded["packages"].as_u64().unwrap());
    group.case(&id("versions"), &(versions.len() as u64), &recorded["package_versions"].as_u64().unwrap());
    for hit in recorded["hits"].as_array().unwrap() {
        let (name, version) = (hit["name"].as_str().unwrap(), hit["version"].as_str().unwrap());
        group.case(&id(&format!("{name}@{version}")), &versions.contains(&(name, version)), &true);
    }
    for skipped in recorded["skipped_non_registry"].as_array().unwrap() {
        let skipped = skipped.as_str().unwrap();
        let name = skipped.rsplit_once('@').map(|(name, _)| name).unwrap_or(skipped);
        let name = name.split("@http").next().unwrap();
        let matched = case.from_registry().any(|i| &*i.package.name == name);
        group.case(&id(&format!("{skipped} is not taken for the registry's")), &matched, &false);
    }
}

/// npm's places of vulnerable packages, which packages are direct, and its counts of dependencies by kind.
fn npm_audit(group: &mut Group, case: &Case) {
    let Some(recorded) = case.recorded("npm-audit.json") else { return };
    let id = |what: &str| format!("{} npm: {what}", case.name);
    let by_path: BTreeMap<&str, usize> = case.graph.instances().iter().enumerate().map(|(n, i)| (&*i.path, n)).collect();
    for (name, entry) in recorded["vulnerabilities"].as_object().unwrap() {
        let mut direct = false;
        for node in entry["nodes"].as_array().unwrap() {
            let node = node.as_str().unwrap();
            let found = by_path.get(node).map(|n| &*case.graph.instances()[*n].package.name);
            group.case(&id(node), &found, &Some(name.as_str()));
            direct |= case.graph.iter().any(|(i, instance)| &*instance.path == node && case.graph.is_direct(i));
        }
        group.case(&id(&format!("{name} is direct")), &direct, &entry["isDirect"].as_bool().unwrap());
    }
}

/// pnpm, bun and yarn name what they found.
fn other_audits(group: &mut Group, case: &Case) {
    let versions: BTreeSet<(&str, &str)> = case.from_registry().map(|i| (&*i.package.name, &*i.package.version)).collect();
    if let Some(recorded) = case.recorded("pnpm-audit.json") {
        for advisory in recorded["advisories"].as_object().unwrap().values() {
            let name = advisory["module_name"].as_str().unwrap();
            for finding in advisory["findings"].as_array().unwrap() {
                let version = finding["version"].as_str().unwrap();
                group.case(&format!("{} pnpm: {name}@{version}", case.name), &versions.contains(&(name, version)), &true);
            }
        }
    }
    if let Some(recorded) = case.recorded("bun-audit.json") {
        for name in recorded.as_object().unwrap().keys() {
            group.case(&format!("{} bun: {name}", case.name), &versions.iter().any(|(n, _)| n == name), &true);
        }
    }
    let yarn = std::fs::read_to_string(case.expected.join("yarn-audit.ndjson")).unwrap_or_default();
    for line in yarn.lines() {
        let recorded: Value = serde_json::from_str(line).unwrap();
        let name = recorded["value"].as_str().unwrap();
        for version in recorded["children"]["Tree Versions"].as_array().unwrap() {
            let version = version.as_str().unwrap();
            group.case(&format!("{} yarn: {name}@{version}", case.name), &versions.contains(&(name, version)), &true);
        }
    }
}

/// cargo-audit counts everything that is locked, and names what it found with its source, hash and dependencies.
fn cargo_audit(group: &mut Group, case: &Case) {
    let Some(recorded) = case.recorded("cargo-audit.json") else { return };
    let id = |what: &str| format!("{} cargo: {what}", case.name);
    let count = recorded["lockfile"]["dependency-count"].as_u64().unwrap();
    group.case(&id("count"), &(case.graph.instances().len() as u64), &count);
    let warnings = recorded["warnings"].as_object().unwrap().values().flat_map(|w| w.as_array().unwrap());
    for finding in recorded["vulnerabilities"]["list"].as_array().unwrap().iter().chain(warnings) {
        let package = &finding["package"];
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let theirs = (text(&package["source"]), text(&package["checksum"]), dependencies(package));
        let ours = case.graph.iter().find(|(_, i)| *i.package.name == *text(&package["name"]) && *i.package.version == *text(&package["version"]));
        let ours = ours.map(|(id, i)| {
            let requests = case.graph.requests(id).iter();
            let names = requests.map(|e| (e.name.to_string(), e.range.to_string())).collect::<BTreeSet<_>>();
            (i.resolved.as_deref().unwrap_or_default().to_owned(), i.integrity.as_deref().unwrap_or_default().to_owned(), names)
        });
        group.case(&id(&format!("{}@{}", text(&package["name"]), text(&package["version"]))), &ours, &Some(theirs));
    }
}

fn dependencies(package: &Value) -> BTreeSet<(String, String)> {
    let list = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|d| (d["name"].as_str().unwrap().to_owned(), d["version"].as_str().unwrap().to_owned())).collect()
}

/// What npm counts as needed for what, which we find by walking from the roots.
fn flags(group: &mut Group, case: &Case) {
    let Some(recorded) = case.recorded("npm-audit.json") else { return };
    assert!(matches!(case.kind, Kind::Npm | Kind::NpmShrinkwrap));
    let mut counts: BTreeMap<&str, u64> = ["prod", "dev", "optional", "peer"].into_iter().map(|k| (k, 0)).collect();
    let (mut total, mut links) = (0, 0);
    for instance in case.graph.instances() {
        total += 1;
        links += u64::from(instance.source == Source::Link);
        let needed = instance.needed;
        let mut is_prod = true;
        for (name, only) in [("dev", needed.only_dev()), ("optional", needed.only_optional()), ("peer", needed.only_peer())] {
            if only {
                *counts.get_mut(name).unwrap() += 1;
                is_prod = false;
            }
        }
        *counts.get_mut("prod").unwrap() += u64::from(is_prod);
    }
    let theirs = &recorded["metadata"]["dependencies"];
    let id = |what: &str| format!("{} npm counts {what}", case.name);
    group.case(&id("total"), &(total - 1), &theirs["total"].as_u64().unwrap());
    for (kind, count) in counts {
        group.case(&id(kind), &count, &theirs[kind].as_u64().unwrap());
    }
    _ = links;
}
