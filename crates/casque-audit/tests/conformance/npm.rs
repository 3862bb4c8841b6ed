//! npm's view of every recorded lockfile of npm, beside what npm 11 itself reported of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use casque_audit::cvss::Severity;
use casque_audit::db::Database;
use casque_audit::matching::Context;
use casque_audit::npm_view::{Fix, Packuments, Setting, Via, View, Vulnerability};
use casque_audit::report::{Bar, Scope, assess};
use casque_audit::version::Version;
use casque_audit::{Limits, discover, read};
use serde_json::Value;

use crate::group::{Group, audit};
use crate::matching::{database, id_of, names};

/// What differs, and why.
const KNOWN: &[(&str, &str)] = &[];

#[test]
fn npm() {
    let Some(folder) = audit() else { return };
    let database = database(&folder, &["npm"]);
    let packuments = Packuments::open(&folder.join("packuments.jsonl.gz"), |_| true).unwrap();
    let mut group = Groups::new();
    for name in names(&folder.join("lockfiles")) {
        for (file, prod) in [("npm-audit", false), ("npm-audit.omit-dev", true)] {
            let expected = folder.join("expected").join(&name);
            let Ok(text) = std::fs::read_to_string(expected.join(format!("{file}.json"))) else { continue };
            let exit = std::fs::read_to_string(expected.join(format!("{file}.exit"))).unwrap();
            let (view, fails) = view(&folder.join("lockfiles").join(&name), &database, &packuments, Scope { prod });
            let recorded: Value = serde_json::from_str(&text).unwrap();
            let id = if prod { format!("{name} without dev") } else { name.clone() };
            group.exit.case(&id, &i32::from(fails), &exit.trim().parse().unwrap());
            group.compare(&id, &view, &recorded);
        }
    }
}

fn view(folder: &Path, database: &Database, packuments: &Packuments, scope: Scope) -> (View, bool) {
    let lockfile = discover(folder).unwrap().remove(0);
    let graph = read(&lockfile, &Limits::default()).unwrap();
    let report = assess("lock", lockfile.kind, &graph, database, &Context::default(), scope).unwrap();
    let view = View::new(&graph, &report, packuments, &Setting { scope, node: Some(Version::new(20, 20, 2)) });
    assert!(!view.cut);
    (view, report.fails(Bar::Any))
}

struct Groups {
    names: Group,
    nodes: Group,
    advisories: Group,
    via: Group,
    severity: Group,
    direct: Group,
    effects: Group,
    range: Group,
    fix: Group,
    counts: Group,
    exit: Group,
}

impl Groups {
    fn new() -> Self {
        let group = |name| Group::new(name, KNOWN);
        Self {
            names: group("npm: names"),
            nodes: group("npm: nodes"),
            advisories: group("npm: via, advisories"),
            via: group("npm: via, packages"),
            severity: group("npm: severity"),
            direct: group("npm: isDirect"),
            effects: group("npm: effects"),
            range: group("npm: range"),
            fix: group("npm: fixAvailable"),
            counts: group("npm: counts"),
            exit: group("npm: exit code"),
        }
    }

    fn compare(&mut self, id: &str, view: &View, recorded: &Value) {
        let ours: BTreeMap<&str, &Vulnerability> = view.vulnerabilities.iter().map(|v| (v.name.as_str(), v)).collect();
        let theirs = recorded["vulnerabilities"].as_object().unwrap();
        let all: BTreeSet<&str> = ours.keys().copied().chain(theirs.keys().map(String::as_str)).collect();
        for name in all {
            let at = format!("{id}: {name}");
            self.names.case(&at, &ours.contains_key(name), &theirs.contains_key(name));
            let (Some(ours), Some(theirs)) = (ours.get(name), theirs.get(name)) else { continue };
            self.vulnerability(&at, ours, theirs);
        }
        for severity in Severity::ALL {
            let theirs = recorded["metadata"]["vulnerabilities"][severity.word()].as_u64().unwrap();
            self.counts.case(&format!("{id}: {severity}"), &(view.count(severity) as u64), &theirs);
        }
        let total = recorded["metadata"]["vulnerabilities"]["total"].as_u64().unwrap();
        self.counts.case(&format!("{id}: vulnerabilities"), &(view.vulnerabilities.len() as u64), &total);
        let counts = view.dependencies;
        for (kind, ours) in
            [("prod", counts.prod), ("dev", counts.dev), ("optional", counts.optional), ("peer", counts.peer), ("total", counts.total)]
        {
            let theirs = recorded["metadata"]["dependencies"][kind].as_u64().unwrap();
            self.counts.case(&format!("{id}: {kind}"), &(ours as u64), &theirs);
        }
    }

    fn vulnerability(&mut self, at: &str, ours: &Vulnerability, theirs: &Value) {
        let texts = |list: &Value| -> Vec<String> { list.as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect() };
        self.nodes.case(at, &ours.nodes, &texts(&theirs["nodes"]));
        self.effects.case(at, &ours.effects, &texts(&theirs["effects"]));
        self.severity.case(at, &ours.severity.word(), &theirs["severity"].as_str().unwrap());
        self.direct.case(at, &ours.direct, &theirs["isDirect"].as_bool().unwrap());
        self.range.case(at, &ours.range.as_str(), &theirs["range"].as_str().unwrap());
        let (mut advisories, mut packages) = (BTreeSet::new(), BTreeSet::new());
        for via in &ours.via {
            match via {
                Via::Advisory(advisory) => {
                    let score = advisory.cvss.as_ref().map(|cvss| (cvss.vector.clone(), cvss.score.to_string()));
                    advisories.insert((advisory.id.clone(), advisory.range.clone(), advisory.severity.word().to_owned(), score));
                }
                Via::Dependency(name) => {
                    packages.insert(name.clone());
                }
            }
        }
        let (mut their_advisories, mut their_packages) = (BTreeSet::new(), BTreeSet::new());
        for via in theirs["via"].as_array().unwrap() {
            match via {
                Value::String(name) => {
                    their_packages.insert(name.clone());
                }
                via => {
                    let vector = via["cvss"]["vectorString"].as_str().map(str::to_owned);
                    let score = vector.map(|vector| (vector, format!("{:.1}", via["cvss"]["score"].as_f64().unwrap())));
                    let text = |key: &str| via[key].as_str().unwrap().to_owned();
                    their_advisories.insert((id_of(&via["url"]).to_owned(), text("range"), text("severity"), score));
                }
            }
        }
        self.advisories.case(at, &advisories, &their_advisories);
        self.via.case(at, &packages, &their_packages);
        let fix = match &ours.fix {
            Fix::InRange => Value::from(true),
            Fix::None => Value::from(false),
            Fix::Change { name, version, major } => {
                let mut value = serde_json::json!({"name": name, "version": version});
                if let Some(major) = major {
                    value["isSemVerMajor"] = Value::from(*major);
                }
                value
            }
        };
        self.fix.case(at, &fix, &theirs["fixAvailable"]);
    }
}
