//! npm's view of every recorded lockfile of npm, beside what npm 11 itself reported of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use casque_audit::cvss::Severity;
use casque_audit::db::Database;
use casque_audit::matching::Context;
use casque_audit::npm_view::{Fix, Packuments, Setting, Via, View, Vulnerability};
use casque_audit::report::{Bar, Dev, Gate, Report, Scope, assess};
use casque_audit::version::Version;
use casque_audit::{Graph, Limits, Lockfile, discover, read};
use serde_json::Value;

use crate::group::{Group, Tally, audit};
use crate::matching::{database, id_of, names};

/// What differs, and why.
const KNOWN: &[(&str, &str)] = &[];
const ORDER: &str = "of several equally good ones npm keeps the one whose packument came last";
const ALONE: &str = "whether another version of a dependent would do stands in its packument";

#[test]
fn npm() {
    let Some(folder) = audit() else { return };
    let database = database(&folder, &["npm"]);
    let packuments = Packuments::open(&folder.join("packuments.jsonl.gz"), |_| true).unwrap();
    let mut groups = Groups::new();
    let mut alone = Tally::new("npm: names without packuments that npm has too", ALONE);
    for name in names(&folder.join("lockfiles")) {
        for (file, prod) in [("npm-audit", false), ("npm-audit.omit-dev", true)] {
            let expected = folder.join("expected").join(&name);
            let Ok(text) = std::fs::read_to_string(expected.join(format!("{file}.json"))) else { continue };
            let exit = std::fs::read_to_string(expected.join(format!("{file}.exit"))).unwrap();
            let recorded: Value = serde_json::from_str(&text).unwrap();
            let id = if prod { format!("{name} without dev") } else { name.clone() };
            let case = Case::new(&folder.join("lockfiles").join(&name), &database, Scope { prod });
            groups.exit.case(&id, &i32::from(case.report.fails(ALL)), &exit.trim().parse().unwrap());
            let view = case.view(&packuments);
            assert!(!view.cut);
            groups.compare(&id, &view, &recorded, case.has_all_that_npm_counts());
            let theirs = recorded["vulnerabilities"].as_object().unwrap();
            for ours in &case.alone.vulnerabilities {
                alone.case(theirs.contains_key(&ours.name));
            }
            for (name, theirs) in theirs {
                // Whatever an advisory names is found with nothing but the lockfile.
                let found = case.alone.vulnerabilities.iter().any(|ours| ours.name == *name);
                let has_advisory = theirs["via"].as_array().unwrap().iter().any(Value::is_object);
                assert!(found || !has_advisory, "{id}: {name}");
            }
        }
    }
}

/// What npm fails on: any vulnerability, of development too.
const ALL: Gate = Gate { bar: Bar::At(Severity::Low), dev: Dev::Fail, fixable_only: false };

struct Case {
    folder: PathBuf,
    lockfile: Lockfile,
    graph: Graph,
    report: Report,
    setting: Setting,
    alone: View,
}

impl Case {
    fn new(folder: &Path, database: &Database, scope: Scope) -> Self {
        let lockfile = discover(folder).unwrap().remove(0);
        let graph = read(&lockfile, &Limits::default()).unwrap();
        let report = assess("lock", lockfile.kind, &graph, database, &Context::default(), scope).unwrap();
        // What the recorded answers were made with.
        let setting = Setting { scope, node: Some(Version::new(20, 20, 2)) };
        let alone = View::new(&graph, &report, &Packuments::default(), &setting);
        Self { folder: folder.to_owned(), lockfile, graph, report, setting, alone }
    }

    fn view(&self, packuments: &Packuments) -> View {
        View::new(&self.graph, &self.report, packuments, &self.setting)
    }

    /// The peers that lockfile 1 does not have npm asks the registry for, and workspaces whose folders are not there it takes for
    /// strangers; neither is in the file.
    fn has_all_that_npm_counts(&self) -> bool {
        let text: Value = serde_json::from_slice(&std::fs::read(&self.lockfile.path).unwrap()).unwrap();
        let lacks_peers = text["lockfileVersion"] == 1 && self.graph.instances().iter().any(|i| i.needed.only_peer());
        !lacks_peers && self.graph.roots().iter().all(|root| self.folder.join(&*self.graph.instance(*root).path).is_dir())
    }
}

struct Groups {
    names: Group,
    nodes: Group,
    advisories: Group,
    via: Group,
    severity: Group,
    direct: Group,
    effects: Group,
    fix: Group,
    counts: Group,
    exit: Group,
    range: Tally,
    exact_fix: Tally,
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
            fix: group("npm: whether a fix is available, and which for direct dependencies"),
            counts: group("npm: counts"),
            exit: group("npm: exit code"),
            range: Tally::new("npm: range, to the letter", "the order of an advisory's ranges is the registry's"),
            exact_fix: Tally::new("npm: fixAvailable, to the letter", ORDER),
        }
    }

    fn compare(&mut self, id: &str, view: &View, recorded: &Value, complete: bool) {
        let ours: BTreeMap<&str, &Vulnerability> = view.vulnerabilities.iter().map(|v| (v.name.as_str(), v)).collect();
        let theirs = recorded["vulnerabilities"].as_object().unwrap();
        let all: BTreeSet<&str> = ours.keys().copied().chain(theirs.keys().map(String::as_str)).collect();
        for name in all {
            let at = format!("{id}: {name}");
            self.names.case(&at, &ours.contains_key(name), &theirs.contains_key(name));
            let (Some(ours), Some(theirs)) = (ours.get(name), theirs.get(name)) else { continue };
            self.vulnerability(&at, ours, theirs);
        }
        let mut count = |kind: &str, what: &str, ours: usize| {
            let theirs = recorded["metadata"][kind][what].as_u64().unwrap();
            self.counts.case(&format!("{id}: {kind}, {what}"), &(ours as u64), &theirs);
        };
        Severity::ALL.into_iter().for_each(|severity| count("vulnerabilities", severity.word(), view.count(severity)));
        count("vulnerabilities", "info", 0);
        count("vulnerabilities", "total", view.vulnerabilities.len());
        if complete {
            let counts = view.dependencies;
            count("dependencies", "prod", counts.prod);
            count("dependencies", "dev", counts.dev);
            count("dependencies", "optional", counts.optional);
            count("dependencies", "peer", counts.peer);
            count("dependencies", "peerOptional", 0);
            count("dependencies", "total", counts.total);
        }
    }

    fn vulnerability(&mut self, at: &str, ours: &Vulnerability, theirs: &Value) {
        let texts = |list: &Value| -> Vec<String> { list.as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect() };
        self.nodes.case(at, &ours.nodes, &texts(&theirs["nodes"]));
        self.effects.case(at, &ours.effects, &texts(&theirs["effects"]));
        self.severity.case(at, &ours.severity.word(), &theirs["severity"].as_str().unwrap());
        self.direct.case(at, &ours.direct, &theirs["isDirect"].as_bool().unwrap());
        self.range.case(ours.range == theirs["range"].as_str().unwrap());
        let (mut advisories, mut packages) = (BTreeSet::new(), BTreeSet::new());
        for via in &ours.via {
            match via {
                Via::Advisory(advisory) => {
                    let score = advisory.cvss.as_ref().map(|cvss| (cvss.vector.clone(), cvss.score.to_string()));
                    advisories.insert((advisory.id.clone(), advisory.severity.word().to_owned(), score));
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
                    their_advisories.insert((id_of(&via["url"]).to_owned(), via["severity"].as_str().unwrap().to_owned(), score));
                }
            }
        }
        self.advisories.case(at, &advisories, &their_advisories);
        self.via.case(at, &packages, &their_packages);
        let fix = match &ours.fix {
            Fix::InRange => Value::from(true),
            Fix::None => Value::from(false),
            Fix::Change { name, version, major: Some(major) } => {
                serde_json::json!({"name": name, "version": version, "isSemVerMajor": major})
            }
            Fix::Change { name, version, major: None } => serde_json::json!({"name": name, "version": version}),
        };
        self.exact_fix.case(fix == theirs["fixAvailable"]);
        if ours.direct && ours.effects.is_empty() {
            self.fix.case(at, &fix, &theirs["fixAvailable"]);
        } else {
            self.fix.case(at, &(fix != false), &(theirs["fixAvailable"] != false));
        }
    }
}
