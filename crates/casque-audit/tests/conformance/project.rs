//! What can be asked of every recorded lockfile, and what must hold of the answers whatever is in it.

use std::collections::BTreeSet;
use std::path::Path;

use casque_audit::ask::{Form, Query, Tree, TreeOptions, tree, why};
use casque_audit::db::{Builder, Database, load};
use casque_audit::diff::{Side, diff};
use casque_audit::matching::Context;
use casque_audit::report::{Scope, assess, cyclonedx, spdx};
use casque_audit::supply::{Check, Settings, notices};
use casque_audit::{Graph, Instance, Kind, Limits, Manifests, Source, discover, parse, read};
use jiff::Timestamp;

use crate::group::{Group, audit};

fn graphs(folder: &Path) -> Vec<(String, Kind, Graph)> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder.join("lockfiles")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut all = Vec::new();
    for name in names {
        for lockfile in discover(&folder.join("lockfiles").join(&name)).unwrap() {
            // What cannot be read is for the group of lockfiles to tell.
            if let Ok(graph) = read(&lockfile, &Limits::default()) {
                all.push((name.clone(), lockfile.kind, graph));
            }
        }
    }
    all
}

fn database(folder: &Path) -> Database {
    let mut builder = Builder::default();
    for part in ["npm", "crates.io"] {
        load(&folder.join("osv").join(part), &mut builder).unwrap();
    }
    Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap()
}

/// The ways that `why` tells are as short as those of a walk from the projects, and lead from a project to the package.
#[test]
fn ways() {
    let Some(folder) = audit() else { return };
    let mut group = Group::new("ways", &[]);
    for (name, kind, graph) in graphs(&folder) {
        let nearest = graph.nearest();
        for (id, instance) in graph.iter().step_by(40).filter(|(_, i)| i.is_from_registry()) {
            let mut steps = 0;
            let mut at = id;
            while let Some(edge) = nearest[at.index()] {
                at = graph.edges()[edge].from;
                steps += 1;
            }
            let Ok(query) = Query::parse(&instance.package.to_string()) else { continue };
            let found = why("", kind, &graph, &query);
            let reason = found.reasons.iter().find(|reason| reason.place == instance.place);
            let case = format!("{name} {}", instance.package);
            // Links are no step in what is told.
            let told = reason.map(|r| r.ways.iter().all(|w| w.iter().map(|s| s.left_out.max(1)).sum::<usize>() <= steps + 1));
            group.case(&format!("{case} is as near"), &told, &Some(true));
            let reached = steps > 0 || graph.is_root(id);
            group.case(&format!("{case} is reached"), &reason.map(|r| !r.ways.is_empty() && r.ways_total > 0), &Some(reached));
        }
    }
}

/// A tree has each package that a project reaches, and at most a row for each request and each project.
#[test]
fn trees() {
    let Some(folder) = audit() else { return };
    let mut group = Group::new("trees", &[]);
    for (name, kind, graph) in graphs(&folder) {
        let drawn = tree(&name, kind, &graph, TreeOptions::default());
        let text = Tree::render(&[drawn], Form::Text);
        let rows = text.lines().filter(|line| line.contains("── ")).count();
        group.case(&format!("{name} is bounded"), &(rows <= graph.edges().len()), &true);
        let shown: BTreeSet<&str> =
            text.split(|c: char| c.is_whitespace() || c == '\u{1b}').map(|word| word.trim_start_matches("[0m")).collect();
        let nearest = graph.nearest();
        let missing =
            graph.iter().find(|(id, i)| i.is_from_registry() && nearest[id.index()].is_some() && !shown.contains(&*i.package.to_string()));
        group.case(&format!("{name} is whole"), &missing.map(|(_, i)| i.package.to_string()), &None);
    }
}

/// A bill of materials that is read back has the same packages, with as many requests between them.
#[test]
fn bills() {
    let Some(folder) = audit() else { return };
    let mut group = Group::new("bills", &[]);
    for (name, _, graph) in graphs(&folder) {
        let packages = |graph: &Graph| -> BTreeSet<String> {
            // A bill's reader takes what has an address for a package of a registry too: nothing may hide behind one.
            let counts = |i: &&Instance| matches!(i.source, Source::Registry | Source::Tarball) && !i.package.version.is_empty();
            graph.instances().iter().filter(counts).map(|i| i.package.to_string()).collect()
        };
        let lockfiles = [(name.as_str(), &graph)];
        for (kind, text) in [
            (Kind::CycloneDx, cyclonedx::sbom(&lockfiles, Timestamp::UNIX_EPOCH)),
            (Kind::Spdx, spdx::sbom(&lockfiles, Timestamp::UNIX_EPOCH)),
        ] {
            let back = parse(kind, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
            group.case(&format!("{name} as {kind}"), &packages(&back), &packages(&graph));
        }
    }
}

/// Between a lockfile and itself there is nothing; between it and nothing there is all of it, and what is found is new.
#[test]
fn changes() {
    let Some(folder) = audit() else { return };
    let database = database(&folder);
    let mut group = Group::new("changes", &[]);
    let settings = Settings::default();
    for (name, kind, graph) in graphs(&folder) {
        let mut report = assess(&name, kind, &graph, &database, &Context::default(), Scope::default()).unwrap();
        report.notices = notices(&graph, kind, &settings);
        let side = Side { graph: &graph, report: &report };
        group.case(&format!("{name} and itself"), &diff(&name, kind, Some(side), Some(side), &settings).is_empty(), &true);
        let added = diff(&name, kind, None, Some(side), &settings);
        group.case(&format!("{name} is new"), &(&added.new.hits, &added.new.notices), &(&report.hits, &report.notices));
        let removed = diff(&name, kind, Some(side), None, &settings);
        group.case(&format!("{name} is gone"), &(&removed.fixed, removed.new.hits.len()), &(&report.hits, 0));
    }
}

/// Real projects have few notices of the kinds that are told one by one: at most one package in 500 looks like another, or has an
/// address of another.
#[test]
fn quiet() {
    let Some(folder) = audit() else { return };
    let mut group = Group::new("quiet", &[]);
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut told: BTreeSet<(Check, String)> = BTreeSet::new();
    for (_, kind, graph) in graphs(&folder) {
        names.extend(graph.instances().iter().map(|i| i.package.to_string()));
        told.extend(notices(&graph, kind, &Settings::default()).into_iter().map(|n| (n.check, n.package.to_string())));
    }
    for (word, check) in Check::NAMES {
        let count = told.iter().filter(|(of, _)| *of == check).count();
        say!("  {word}: {count} of {}", names.len());
        if matches!(check, Check::LookAlike | Check::Address) {
            group.case(word, &(count * 500 <= names.len()), &true);
        }
    }
}
