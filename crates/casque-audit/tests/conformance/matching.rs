//! The packages of every recorded lockfile, matched against the recorded advisories, beside what other tools found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use casque_audit::db::{Builder, Database, Verdict, load};
use casque_audit::matching::{Class, Context, Finding, check};
use casque_audit::{Instance, Kind, Limits, Package, discover, read};
use jiff::Timestamp;
use serde_json::Value;

use crate::group::{Group, audit};

/// What differs, and why.
const KNOWN: &[(&str, &str)] = &[];

#[test]
fn findings() {
    let Some(folder) = audit() else { return };
    let database = database(&folder, &["npm", "crates.io"]);
    let superseded = database_with_old_records(&folder);
    let mut group = Group::new("findings", KNOWN);
    let mut old = Group::new("findings with superseded records beside", KNOWN);
    for name in names(&folder.join("lockfiles")) {
        for lockfile in discover(&folder.join("lockfiles").join(&name)).unwrap() {
            let graph = read(&lockfile, &Limits::default()).unwrap();
            let start = last_document(&lockfile.path);
            let packages: BTreeSet<&Package> = graph
                .instances()
                .iter()
                .filter(|instance| instance.is_from_registry() && instance.place.offset as usize >= start)
                .map(|instance: &Instance| &instance.package)
                .collect();
            let case = Case { name: &name, packages: packages.into_iter().collect(), expected: &folder.join("expected").join(&name) };
            let findings = check(case.packages.iter().copied(), &database, &Context::default()).unwrap();
            if lockfile.kind == Kind::Cargo {
                case.cargo_audit(&mut group, &findings);
            } else {
                case.direct_hits(&mut group, &findings);
                case.npm_audit(&mut group, &findings);
                case.pnpm_audit(&mut group, &findings);
                case.bun_audit(&mut group, &findings);
                case.yarn_audit(&mut group, &findings);
                let grouped = check(case.packages.iter().copied(), &superseded, &Context::default()).unwrap();
                old.case(&name, &case.grouped(&grouped), &case.grouped(&findings));
            }
        }
    }
}

#[test]
fn a_folder_is_as_good_as_its_compiled_file() {
    let Some(folder) = audit() else { return };
    let mut group = Group::new("records after compiling", &[]);
    let database = Database::open(&folder.join("osv"), Timestamp::UNIX_EPOCH).unwrap();
    database.verify().unwrap();
    for ecosystem in ["npm", "crates.io", "npm-superseded"] {
        for file in names(&folder.join("osv").join(ecosystem)) {
            let json = std::fs::read(folder.join("osv").join(ecosystem).join(&file)).unwrap();
            let mut record = casque_audit::osv::Record::read(&json).unwrap();
            if record.withdrawn.is_some() {
                record.affected.clear();
            }
            let found = database.find(&record.id).unwrap().into_iter().next();
            // Files keep seconds.
            for time in [Some(&mut record.modified), record.published.as_mut(), record.withdrawn.as_mut()].into_iter().flatten() {
                *time = Timestamp::from_second(time.as_second()).unwrap();
            }
            group.case(&file, &found, &Some(record));
        }
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn database(folder: &Path, ecosystems: &[&str]) -> Database {
    let mut builder = Builder::default();
    for ecosystem in ecosystems {
        let loaded = load(&folder.join("osv").join(ecosystem), &mut builder).unwrap();
        assert_eq!(loaded.reasons, []);
    }
    Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap()
}

fn database_with_old_records(folder: &Path) -> Database {
    database(folder, &["npm", "crates.io", "npm-superseded"])
}

/// Of several documents of pnpm's, the recorded answers are about the last.
pub(crate) fn last_document(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap().rfind("\n---\n").unwrap_or(0)
}

struct Case<'a> {
    name: &'a str,
    packages: Vec<&'a Package>,
    expected: &'a Path,
}

impl Case<'_> {
    fn recorded(&self, file: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.expected.join(file)).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn id(&self, what: &str) -> String {
        format!("{} {what}", self.name)
    }

    /// The records that speak of each package.
    fn by_package<'f>(&self, findings: &'f [Finding]) -> BTreeMap<(&str, &str), BTreeSet<&'f str>> {
        let mut all: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for finding in findings {
            let package = self.packages[finding.package];
            all.entry((&*package.name, &*package.version)).or_default().extend(finding.said_by().map(|record| record.id.as_str()));
        }
        all
    }

    fn by_name<'f>(&self, findings: &'f [Finding]) -> BTreeMap<&str, BTreeSet<&'f str>> {
        let mut all: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for ((name, _), ids) in self.by_package(findings) {
            all.entry(name).or_default().extend(ids);
        }
        all
    }

    /// Everything about a finding that is shown first.
    fn grouped(&self, findings: &[Finding]) -> Vec<String> {
        let line = |f: &Finding| {
            let package = self.packages[f.package];
            format!("{package} {} {:?} {:?} {:?} {:?} {}", f.id, f.class, f.verdict, f.severity, f.score, f.vulnerable)
        };
        findings.iter().map(line).collect()
    }

    /// What each manager's own parser and npm's semver make of it.
    fn direct_hits(&self, group: &mut Group, findings: &[Finding]) {
        let Some(recorded) = self.recorded("direct-hits.json") else { return };
        let hits = recorded["hits"].as_array().unwrap();
        let theirs: BTreeMap<(&str, &str), BTreeSet<&str>> = hits
            .iter()
            .map(|hit| {
                let ids = hit["advisories"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
                ((hit["name"].as_str().unwrap(), hit["version"].as_str().unwrap()), ids)
            })
            .collect();
        let ours = self.by_package(findings);
        for package in &self.packages {
            let key = (&*package.name, &*package.version);
            group.case(&self.id(&package.to_string()), &ours.get(&key), &theirs.get(&key));
        }
        let read: BTreeSet<(&str, &str)> = self.packages.iter().map(|package| (&*package.name, &*package.version)).collect();
        let missing: Vec<_> = theirs.keys().filter(|key| !read.contains(key)).collect();
        group.case(&self.id("has every package that was hit"), &missing, &vec![]);
        group.case(&self.id("has nothing unclear"), &findings.iter().all(|f| f.verdict == Verdict::Affected), &true);
    }

    /// npm's advisories with severity and score.
    fn npm_audit(&self, group: &mut Group, findings: &[Finding]) {
        let Some(recorded) = self.recorded("npm-audit.json") else { return };
        let ours = self.by_name(findings);
        for (name, entry) in recorded["vulnerabilities"].as_object().unwrap() {
            let advisories: Vec<&Value> = entry["via"].as_array().unwrap().iter().filter(|via| via.is_object()).collect();
            let theirs: BTreeSet<&str> = advisories.iter().map(|via| id_of(&via["url"])).collect();
            let mine = ours.get(name.as_str()).cloned().unwrap_or_default();
            group.case(&self.id(&format!("npm {name}")), &mine, &theirs);
            for via in advisories {
                let id = id_of(&via["url"]);
                let finding = findings.iter().find(|f| *self.packages[f.package].name == **name && f.id == id);
                let severity = finding.and_then(|f| f.severity).map(|severity| severity.word());
                group.case(&self.id(&format!("npm {name} {id} severity")), &severity, &via["severity"].as_str());
                if let Some(vector) = via["cvss"]["vectorString"].as_str() {
                    let ours = finding.and_then(|f| f.vector.as_ref()).map(|v| (v.vector.as_str(), v.score.to_string()));
                    let theirs = Some((vector, format!("{:.1}", via["cvss"]["score"].as_f64().unwrap())));
                    group.case(&self.id(&format!("npm {name} {id} score")), &ours, &theirs);
                }
            }
        }
    }

    fn pnpm_audit(&self, group: &mut Group, findings: &[Finding]) {
        let Some(recorded) = self.recorded("pnpm-audit.json") else { return };
        let mut theirs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for advisory in recorded["advisories"].as_object().unwrap().values() {
            theirs.entry(advisory["module_name"].as_str().unwrap()).or_default().insert(id_of(&advisory["url"]));
        }
        group.case(&self.id("pnpm"), &self.by_name(findings), &theirs);
    }

    fn bun_audit(&self, group: &mut Group, findings: &[Finding]) {
        let Some(recorded) = self.recorded("bun-audit.json") else { return };
        let ids = |list: &Value| list.as_array().unwrap().iter().map(|advisory| id_of(&advisory["url"]).to_owned()).collect();
        let theirs: BTreeMap<&str, BTreeSet<String>> =
            recorded.as_object().unwrap().iter().map(|(name, list)| (name.as_str(), ids(list))).collect();
        let ours = self.by_name(findings);
        let ours: BTreeMap<_, BTreeSet<String>> =
            ours.into_iter().map(|(name, ids)| (name, ids.into_iter().map(str::to_owned).collect())).collect();
        group.case(&self.id("bun"), &ours, &theirs);
    }

    fn yarn_audit(&self, group: &mut Group, findings: &[Finding]) {
        let Ok(text) = std::fs::read_to_string(self.expected.join("yarn-audit.ndjson")) else { return };
        let mut theirs: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            for version in line["children"]["Tree Versions"].as_array().unwrap() {
                let key = (line["value"].as_str().unwrap().to_owned(), version.as_str().unwrap().to_owned());
                // Deprecations have no address of an advisory.
                if let Some(url) = line["children"]["URL"].as_str() {
                    theirs.entry(key).or_default().insert(id_of(&Value::from(url)).to_owned());
                }
            }
        }
        let ours: BTreeMap<_, BTreeSet<String>> = self
            .by_package(findings)
            .into_iter()
            .map(|((name, version), ids)| ((name.to_owned(), version.to_owned()), ids.into_iter().map(str::to_owned).collect()))
            .collect();
        group.case(&self.id("yarn"), &ours, &theirs);
    }

    /// cargo-audit's vulnerabilities, and its warnings by kind.
    fn cargo_audit(&self, group: &mut Group, findings: &[Finding]) {
        let Some(recorded) = self.recorded("cargo-audit.json") else { return };
        let mut theirs: BTreeSet<(&str, &str, &str, &str)> = BTreeSet::new();
        let mut add = |kind, entry: &'_ Value| {
            let entry: &Value = entry;
            let text = |value: &Value| value.as_str().unwrap().to_owned().leak() as &'static str;
            theirs.insert((kind, text(&entry["package"]["name"]), text(&entry["package"]["version"]), text(&entry["advisory"]["id"])));
        };
        for entry in recorded["vulnerabilities"]["list"].as_array().unwrap() {
            add("vulnerability", entry);
        }
        for (kind, list) in recorded["warnings"].as_object().unwrap() {
            list.as_array().unwrap().iter().for_each(|entry| add(kind, entry));
        }
        let ours: BTreeSet<(&str, &str, &str, &str)> = findings
            .iter()
            .map(|finding| {
                let package = self.packages[finding.package];
                let kind = match finding.class {
                    Class::Vulnerability | Class::Malware => "vulnerability",
                    Class::Unsound => "unsound",
                    Class::Unmaintained => "unmaintained",
                    Class::Notice => "notice",
                };
                (kind, &*package.name, &*package.version, finding.id.as_str())
            })
            .collect();
        for entry in ours.union(&theirs) {
            group.case(&self.id(&format!("{entry:?}")), &ours.contains(entry), &theirs.contains(entry));
        }
        group.case(&self.id("cargo-audit's findings"), &ours.len(), &theirs.len());
    }
}

/// Addresses of advisories end in their ids.
pub(crate) fn id_of(url: &Value) -> &str {
    url.as_str().unwrap().rsplit('/').next().unwrap()
}
