//! Every recorded lockfile is read, and has what the package managers' own parsers and audits found in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use casque_audit::{Graph, Instance, Limits, Needed, discover, read};
use serde_json::Value;

use crate::group::{Group, audit};

struct Case {
    name: String,
    folder: PathBuf,
    text: String,
    graph: Graph,
    expected: PathBuf,
}

impl Case {
    fn recorded(&self, file: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.expected.join(file)).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn registry_packages(&self) -> impl Iterator<Item = &Instance> {
        self.graph.instances().iter().filter(|i| i.is_from_registry())
    }
}

fn cases(group: &mut Group, folder: &Path) -> Vec<Case> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder.join("lockfiles")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut cases = Vec::new();
    for name in names {
        for lockfile in discover(&folder.join("lockfiles").join(&name)).unwrap() {
            let graph = read(&lockfile, &Limits::default());
            group.case(&format!("{name} is read"), &graph.as_ref().err().map(ToString::to_string), &None);
            let Ok(graph) = graph else { continue };
            group.case(&format!("{name} has packages"), &graph.instances().iter().any(Instance::is_from_registry), &true);
            let text = std::fs::read_to_string(&lockfile.path).unwrap();
            let (folder, expected) = (folder.join("lockfiles").join(&name), folder.join("expected").join(&name));
            cases.push(Case { name: name.clone(), folder, text, graph, expected });
        }
    }
    cases
}

/// What differs, and why.
const KNOWN: &[(&str, &str)] = &[];

#[test]
fn lockfiles() {
    let Some(folder) = audit() else { return };
    let mut group = Group::new("lockfiles", KNOWN);
    for case in cases(&mut group, &folder) {
        own_parsers(&mut group, &case);
        npm_audit(&mut group, &case);
        other_audits(&mut group, &case);
        cargo_audit(&mut group, &case);
        own_flags(&mut group, &case);
        npm_counts(&mut group, &case);
    }
}

/// What the managers' own parsers made of it: how many names and versions, and each that an advisory speaks of.
fn own_parsers(group: &mut Group, case: &Case) {
    let Some(recorded) = case.recorded("direct-hits.json") else { return };
    // Of several documents of pnpm's, they took the last.
    let start = case.text.rfind("\n---\n").unwrap_or(0);
    let last = case.registry_packages().filter(|i| i.place.offset as usize >= start);
    let versions: BTreeSet<(&str, &str)> = last.map(|i| (&*i.package.name, &*i.package.version)).collect();
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
        let matched = case.registry_packages().any(|i| &*i.package.name == name);
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
    let versions: BTreeSet<(&str, &str)> = case.registry_packages().map(|i| (&*i.package.name, &*i.package.version)).collect();
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
    // The project is not counted where it stands in [root], as in 2015.
    let ours = case.graph.instances().len() - usize::from(case.text.starts_with("[root]"));
    group.case(&id("count"), &(ours as u64), &count);
    let warnings = recorded["warnings"].as_object().unwrap().values().flat_map(|w| w.as_array().unwrap());
    for finding in recorded["vulnerabilities"]["list"].as_array().unwrap().iter().chain(warnings) {
        let package = &finding["package"];
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let theirs = (text(&package["source"]), text(&package["checksum"]), dependencies(package));
        let ours =
            case.graph.iter().find(|(_, i)| *i.package.name == *text(&package["name"]) && *i.package.version == *text(&package["version"]));
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

/// The flags that npm wrote into its lockfile, and which we find by walking from the roots.
fn own_flags(group: &mut Group, case: &Case) {
    let Ok(text) = serde_json::from_str::<Value>(&case.text) else { return };
    let mut written = BTreeMap::new();
    match (&text["packages"], &text["dependencies"]) {
        (Value::Object(packages), _) if text["lockfileVersion"].as_u64() > Some(1) => {
            written.extend(packages.iter().map(|(path, entry)| (path.clone(), flags(entry))));
        }
        (_, Value::Object(dependencies)) => nested("", dependencies, &mut written),
        _ => return,
    }
    for instance in case.graph.instances() {
        let needed = instance.needed;
        let ours = [needed.only_dev(), needed.only_optional(), needed.only_dev_or_optional(), needed.only_peer()];
        let mut theirs = written.get(&*instance.path).copied().unwrap_or_default();
        // npm 6 had no word for what may be left out with dev and optional together, and did not write `optional` on all that
        // only optional packages ask for; how many those are, npm_counts compares.
        for flag in [1, 2] {
            theirs[flag] |= text["lockfileVersion"] == 1 && ours[flag];
        }
        group.case(&format!("{} flags of {}", case.name, instance.path), &ours, &theirs);
    }
}

fn flags(entry: &Value) -> [bool; 4] {
    ["dev", "optional", "devOptional", "peer"].map(|flag| entry[flag] == true)
}

/// The paths that `dependencies` within `dependencies` stand for.
fn nested(above: &str, dependencies: &serde_json::Map<String, Value>, written: &mut BTreeMap<String, [bool; 4]>) {
    for (name, entry) in dependencies {
        let path = format!("{above}node_modules/{name}");
        if let Value::Object(inside) = &entry["dependencies"] {
            nested(&format!("{path}/"), inside, written);
        }
        written.insert(path, flags(entry));
    }
}

/// How many npm counts of each kind. The peers that lockfile 1 does not have it asks the registry for, and workspaces whose folders
/// are not there it takes for strangers; neither is in the file.
fn npm_counts(group: &mut Group, case: &Case) {
    let Some(recorded) = case.recorded("npm-audit.json") else { return };
    let is_old = serde_json::from_str::<Value>(&case.text).unwrap()["lockfileVersion"] == 1;
    let lacks_peers = is_old && case.graph.instances().iter().any(|i| i.needed.only_peer());
    let complete = case.graph.roots().iter().all(|r| case.folder.join(&*case.graph.instance(*r).path).is_dir());
    if lacks_peers || !complete {
        return;
    }
    let count = |is: fn(&Needed) -> bool| case.graph.instances().iter().filter(|i| is(&i.needed)).count() as u64;
    let ours = [
        ("total", case.graph.instances().len() as u64 - 1),
        ("dev", count(|n| n.only_dev())),
        ("optional", count(|n| n.only_optional())),
        ("peer", count(|n| n.only_peer())),
        ("prod", count(|n| !n.only_dev() && !n.only_optional() && !n.only_peer())),
    ];
    for (kind, ours) in ours {
        let theirs = recorded["metadata"]["dependencies"][kind].as_u64().unwrap();
        group.case(&format!("{} npm counts {kind}", case.name), &ours, &theirs);
    }
}
