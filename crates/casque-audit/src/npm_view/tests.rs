use jiff::Timestamp;

use super::*;
use crate::db::{Builder, Database};
use crate::matching::Context;
use crate::osv::Record;
use crate::report::assess;
use crate::{Limits, Manifests, parse};

/// `a` is affected below 1.0.1. `b` needs it, `c` needs `b`; `tool` is for development and has an `a` of its own.
const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
  "": {"name": "app", "dependencies": {"c": "^1.0.0", "also": "npm:a@1.0.0"}, "devDependencies": {"tool": "^1.0.0"}},
  "node_modules/a": {"version": "1.0.0"},
  "node_modules/also": {"name": "a", "version": "1.0.0"},
  "node_modules/b": {"version": "1.0.0", "dependencies": {"a": "1.0.0"}},
  "node_modules/c": {"version": "1.0.0", "dependencies": {"b": "^1.0.0"}},
  "node_modules/tool": {"version": "1.0.0", "dev": true, "dependencies": {"a": "^0.9.0"}},
  "node_modules/tool/node_modules/a": {"version": "0.9.0", "dev": true}}}"#;

fn record(id: &str, package: &str, fixed: &str, severity: &str) -> String {
    format!(
        r#"{{"id": "{id}", "modified": "2026-01-01T00:00:00Z", "summary": "bad", "database_specific": {{"severity": "{severity}"}}, "affected": [
            {{"package": {{"ecosystem": "npm", "name": "{package}"}}, "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
    )
}

fn view(kind: Kind, lock: &str, records: &[String], packuments: &str, prod: bool) -> View {
    view_within(calculator::BUDGET, kind, lock, records, packuments, prod)
}

fn view_within(budget: u64, kind: Kind, lock: &str, records: &[String], packuments: &str, prod: bool) -> View {
    let graph = parse(kind, lock.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    let mut builder = Builder::default();
    records.iter().for_each(|json| builder.add(&Record::read(json.as_bytes()).unwrap()));
    let database = Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    let setting = Setting { scope: Scope { prod }, node: None };
    let report = assess("lock", kind, &graph, &database, &Context::default(), setting.scope).unwrap();
    let mut known = Packuments::default();
    known.add(packuments.as_bytes(), |_| true).unwrap();
    vulnerable::find(&graph, &report, &known, &setting, budget)
}

fn advisory() -> Vec<String> {
    vec![record("GHSA-aaaa-aaaa-aaaa", "a", "1.0.1", "LOW")]
}

/// Name, what it is affected through, and whom it affects.
fn ways(view: &View) -> Vec<String> {
    let via = |via: &Via| match via {
        Via::Advisory(advisory) => advisory.id.clone(),
        Via::Dependency(name) => name.clone(),
    };
    let line = |v: &Vulnerability| {
        let via: Vec<String> = v.via.iter().map(via).collect();
        format!("{} <- {} -> {}", v.name, via.join(" "), v.effects.join(" "))
    };
    view.vulnerabilities.iter().map(line).collect()
}

const A: &str = r#"{"name": "a", "dist-tags": {"latest": "2.0.0"}, "versions": {"0.9.0": {}, "1.0.0": {}, "1.0.1": {}, "2.0.0": {}}}"#;
const TOOL: &str = r#"{"name": "tool", "versions": {"1.0.0": {"dependencies": {"a": "^0.9.0"}}, "1.1.0": {"dependencies": {"a": "^1"}}}}"#;
const C: &str = r#"{"name": "c", "versions": {"1.0.0": {"dependencies": {"b": "^1.0.0"}}}}"#;

#[test]
fn what_cannot_avoid_it_is_affected_too() {
    let b = r#"{"name": "b", "versions": {"1.0.0": {"dependencies": {"a": "1.0.0"}}, "1.1.0": {"dependencies": {"a": "^1.0.0"}}}}"#;
    let view = view(Kind::Npm, LOCK, &advisory(), &[A, b, C, TOOL].join("\n"), false);
    // A newer b in the range of c is not affected.
    assert_eq!(ways(&view), ["a <- GHSA-aaaa-aaaa-aaaa -> b tool", "b <- a -> ", "tool <- a -> "]);
    let [a, b, tool] = &view.vulnerabilities[..] else { panic!() };
    assert_eq!(a.nodes, ["node_modules/a", "node_modules/also", "node_modules/tool/node_modules/a"]);
    assert_eq!((a.severity, a.direct, a.range.as_str()), (Severity::Low, true, "<1.0.1"));
    assert_eq!(a.fix, Fix::Change { name: "a".to_owned(), version: "1.0.1".to_owned(), major: Some(false) });
    assert_eq!((b.direct, b.range.as_str(), &b.fix), (false, "1.0.0", &Fix::InRange));
    assert_eq!((tool.direct, tool.range.as_str(), &tool.fix), (true, "1.0.0", &Fix::InRange));
    assert_eq!(view.unknown, Vec::<String>::new());
}

#[test]
fn what_brings_in_only_affected_versions_goes_up_to_the_project() {
    let b = r#"{"name": "b", "versions": {"1.0.0": {"dependencies": {"a": "1.0.0"}}, "2.0.0": {}}}"#;
    let c = r#"{"name": "c", "versions": {"1.0.0": {"dependencies": {"b": "^1.0.0"}}, "2.0.0": {"dependencies": {"b": "^2"}}}}"#;
    let view = view(Kind::Npm, LOCK, &advisory(), &[A, b, c, TOOL].join("\n"), true);
    assert_eq!(ways(&view), ["a <- GHSA-aaaa-aaaa-aaaa -> b", "b <- a -> c", "c <- b -> "]);
    let change = Fix::Change { name: "c".to_owned(), version: "2.0.0".to_owned(), major: Some(true) };
    // What c needs, all that is below it needs.
    assert_eq!(view.vulnerabilities.iter().map(|v| v.fix == change).collect::<Vec<_>>(), [true; 3]);
}

#[test]
fn bundled_versions_count_as_soon_as_one_could_be_affected() {
    let b = |bundled: &str| {
        format!(r#"{{"name": "b", "versions": {{"1.0.0": {{"dependencies": {{"a": "^1.0.0"}}, "bundleDependencies": {bundled}}}}}}}"#)
    };
    for (bundled, is) in [("[]", false), ("[\"a\"]", true), ("true", true), ("false", false)] {
        let view = view(Kind::Npm, LOCK, &advisory(), &[A, &b(bundled), C, TOOL].join("\n"), true);
        assert_eq!(view.vulnerabilities.iter().any(|v| v.name == "b"), is, "{bundled}");
    }
}

#[test]
fn without_packuments_what_is_not_certain_is_said() {
    let view = view(Kind::Npm, LOCK, &advisory(), "", false);
    // Only installed versions and the fixed one are known: nothing in reach of b, c or tool is free of it.
    assert_eq!(ways(&view), ["a <- GHSA-aaaa-aaaa-aaaa -> b tool", "b <- a -> c", "c <- b -> ", "tool <- a -> "]);
    assert_eq!(view.vulnerabilities[0].fix, Fix::None);
    assert_eq!(view.unknown, ["a", "b", "c", "tool"]);
}

#[test]
fn a_version_that_only_an_advisory_names_is_no_way_out_for_others() {
    let lock = LOCK
        .replace(r#""b": "^1.0.0""#, r#""b": ">0.9.0 <2""#)
        .replace(r#""a": "^0.9.0""#, r#""b": "0.9.0""#)
        .replace("node_modules/tool/node_modules/a", "node_modules/tool/node_modules/b");
    // That b is mended in 0.9.5 says nothing about what b 0.9.5 needs.
    let records = [advisory(), vec![record("GHSA-bbbb-bbbb-bbbb", "b", "0.9.5", "LOW")]].concat();
    let ways = ways(&view(Kind::Npm, &lock, &records, "", false));
    assert_eq!(ways[1..], ["b <- GHSA-bbbb-bbbb-bbbb a -> c tool", "c <- b -> ", "tool <- b -> "].map(str::to_owned), "{ways:?}");
}

#[test]
fn a_lockfile_without_ranges_accuses_nobody() {
    let lock = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      b: {specifier: ^1.0.0, version: 1.0.0}\npackages:\n  a@1.0.0: {resolution: {integrity: x}}\n  b@1.0.0: {resolution: {integrity: x}}\nsnapshots:\n  a@1.0.0: {}\n  b@1.0.0:\n    dependencies:\n      a: 1.0.0\n";
    assert_eq!(ways(&view(Kind::Pnpm, lock, &advisory(), "", false)), ["a <- GHSA-aaaa-aaaa-aaaa -> "]);
    let b = r#"{"name": "b", "versions": {"1.0.0": {"dependencies": {"a": "~1.0.0"}}}}"#;
    assert_eq!(ways(&view(Kind::Pnpm, lock, &advisory(), &[A, b].join("\n"), false)), ["a <- GHSA-aaaa-aaaa-aaaa -> "]);
    let b = r#"{"name": "b", "versions": {"1.0.0": {"dependencies": {"a": "1.0.0"}}}}"#;
    let affected = view(Kind::Pnpm, lock, &advisory(), &[A, b].join("\n"), false);
    assert_eq!(ways(&affected), ["a <- GHSA-aaaa-aaaa-aaaa -> b", "b <- a -> "]);
}

#[test]
fn malware_is_not_left_out_with_what_is_for_development() {
    let records = [record("MAL-2026-1", "tool", "9.0.0", "CRITICAL"), record("GHSA-aaaa-aaaa-aaaa", "a", "1.0.0", "LOW")];
    let view = view(Kind::Npm, LOCK, &records, "", true);
    assert_eq!(ways(&view), ["tool <- MAL-2026-1 -> "]);
}

#[test]
fn circles_come_to_an_end() {
    let lock = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "1", "a": "1"}},
        "node_modules/b": {"version": "1.0.0", "dependencies": {"a": "1"}}}}"#;
    let view = view(Kind::Npm, lock, &[record("GHSA-aaaa-aaaa-aaaa", "a", "2.0.0", "LOW")], "", false);
    assert_eq!(view.vulnerabilities.len(), 2);
    assert!(!view.cut);
}

#[test]
fn a_deep_lockfile_costs_no_stack() {
    let mut lock = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"p0": "1"}}"#.to_owned();
    for n in 0..10_000 {
        lock.push_str(&format!(r#", "node_modules/p{n}": {{"version": "1.0.0", "dependencies": {{"p{}": "1.0.0"}}}}"#, n + 1));
    }
    let view = view(Kind::Npm, &(lock + "}}"), &[record("GHSA-aaaa-aaaa-aaaa", "p9999", "2.0.0", "LOW")], "", false);
    assert_eq!((view.vulnerabilities.len(), view.cut), (10_000, false));
}

#[test]
fn a_tangle_is_cut_and_that_is_said() {
    // Every version of every package needs all others, and all are affected by several advisories.
    let names: Vec<String> = (0..30).map(|n| format!("p{n}")).collect();
    let mut lock = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"p0": "*"}}"#.to_owned();
    let mut packuments = String::new();
    for name in &names {
        let needs: Vec<String> = names.iter().map(|other| format!(r#""{other}": "*""#)).collect();
        let needs = needs.join(",");
        lock.push_str(&format!(r#", "node_modules/{name}": {{"version": "1.0.0", "dependencies": {{{needs}}}}}"#));
        let versions: Vec<String> = (0..150).map(|n| format!(r#""1.0.{n}-{n}": {{"dependencies": {{"p0": "<1.0.{n}"}}}}"#)).collect();
        packuments.push_str(&format!(r#"{{"name": "{name}", "versions": {{{}}}}}"#, versions.join(",")));
    }
    let records: Vec<String> = (0..30).map(|n| record(&format!("GHSA-{n:04}-aaaa-aaaa"), &format!("p{n}"), "2.0.0", "LOW")).collect();
    let view = view_within(20_000, Kind::Npm, &(lock + "}}"), &records, &packuments, false);
    // What advisories name is there all the same.
    assert_eq!((view.vulnerabilities.len(), view.cut), (30, true));
}
