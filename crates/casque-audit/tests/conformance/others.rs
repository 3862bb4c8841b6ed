//! What pnpm, bun, yarn and cargo-audit say besides names and ids: severities, installed versions, counts and exit codes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use casque_audit::matching::{Class, Context, Finding, check};
use casque_audit::{Limits, Package, discover, read};
use serde_json::Value;

use crate::group::{Group, audit};
use crate::matching::{database, id_of, last_document, names};

/// What differs, and why.
const KNOWN: &[(&str, &str)] = &[];

/// An advisory about a package: its severity, and the installed versions that it is about.
type Told = BTreeMap<(String, String), (String, BTreeSet<String>)>;

#[test]
fn others() {
    let Some(folder) = audit() else { return };
    let database = database(&folder, &["npm", "crates.io"]);
    let mut told = Group::new("severities and versions of pnpm, bun and yarn", KNOWN);
    let mut exit = Group::new("exit codes of pnpm, bun, yarn and cargo-audit", KNOWN);
    let mut counts = Group::new("counts of cargo-audit", KNOWN);
    for name in names(&folder.join("lockfiles")) {
        let expected = folder.join("expected").join(&name);
        for lockfile in discover(&folder.join("lockfiles").join(&name)).unwrap() {
            let graph = read(&lockfile, &Limits::default()).unwrap();
            let start = last_document(&lockfile.path);
            let instances = graph.instances().iter();
            let checked = instances.filter(|instance| instance.is_from_registry() && instance.place.offset as usize >= start);
            let packages: BTreeSet<&Package> = checked.map(|instance| &instance.package).collect();
            let packages: Vec<&Package> = packages.into_iter().collect();
            let findings = check(packages.iter().copied(), &database, &Context::default()).unwrap();
            for tool in ["pnpm-audit", "bun-audit", "yarn-audit", "cargo-audit"] {
                let Ok(code) = std::fs::read_to_string(expected.join(format!("{tool}.exit"))) else { continue };
                let fails = findings.iter().any(|finding| !finding.class.is_warning());
                exit.case(&format!("{name} {tool}"), &i32::from(fails), &code.trim().parse().unwrap());
            }
            let ours = ours(&packages, &findings);
            for (tool, theirs) in [("pnpm", pnpm(&expected)), ("yarn", yarn(&expected))] {
                if let Some(theirs) = theirs {
                    told.case(&format!("{name} {tool}"), &ours, &theirs);
                }
            }
            if let Some(theirs) = bun(&expected) {
                // bun does not tell the versions.
                let ours: BTreeMap<_, _> = ours.into_iter().map(|(about, (severity, _))| (about, severity)).collect();
                told.case(&format!("{name} bun"), &ours, &theirs);
            }
            if let Some(theirs) = json(&expected.join("cargo-audit.json")) {
                let vulnerable = findings.iter().filter(|finding| finding.class == Class::Vulnerability).count() as u64;
                counts.case(&name, &vulnerable, &theirs["vulnerabilities"]["count"].as_u64().unwrap());
                counts.case(&format!("{name} found"), &(vulnerable > 0), &theirs["vulnerabilities"]["found"].as_bool().unwrap());
            }
        }
    }
}

fn json(path: &Path) -> Option<Value> {
    Some(serde_json::from_slice(&std::fs::read(path).ok()?).unwrap())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn ours(packages: &[&Package], findings: &[Finding]) -> Told {
    let mut all = Told::new();
    for finding in findings {
        let package = packages[finding.package];
        let severity = finding.severity.map_or("", |severity| severity.word()).to_owned();
        let told = all.entry((package.name.to_string(), finding.id.clone())).or_insert_with(|| (severity, BTreeSet::new()));
        told.1.insert(package.version.to_string());
    }
    all
}

fn pnpm(expected: &Path) -> Option<Told> {
    let mut all = Told::new();
    for advisory in json(&expected.join("pnpm-audit.json"))?["advisories"].as_object().unwrap().values() {
        let about = (text(&advisory["module_name"]), id_of(&advisory["url"]).to_owned());
        let told = all.entry(about).or_insert_with(|| (text(&advisory["severity"]), BTreeSet::new()));
        told.1.extend(advisory["findings"].as_array().unwrap().iter().map(|finding| text(&finding["version"])));
    }
    Some(all)
}

fn yarn(expected: &Path) -> Option<Told> {
    let mut all = Told::new();
    for line in std::fs::read_to_string(expected.join("yarn-audit.ndjson")).ok()?.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        // Deprecations have no address of an advisory.
        let Some(url) = line["children"]["URL"].as_str() else { continue };
        let about = (text(&line["value"]), id_of(&url.into()).to_owned());
        let told = all.entry(about).or_insert_with(|| (text(&line["children"]["Severity"]), BTreeSet::new()));
        told.1.extend(line["children"]["Tree Versions"].as_array().unwrap().iter().map(text));
    }
    Some(all)
}

fn bun(expected: &Path) -> Option<BTreeMap<(String, String), String>> {
    let recorded = json(&expected.join("bun-audit.json"))?;
    let lists = recorded.as_object().unwrap().iter();
    let advisories = lists.flat_map(|(name, list)| list.as_array().unwrap().iter().map(move |advisory| (name, advisory)));
    Some(advisories.map(|(name, a)| ((name.clone(), id_of(&a["url"]).to_owned()), text(&a["severity"]))).collect())
}
