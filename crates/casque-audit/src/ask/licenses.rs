//! Under which licences the packages are, as their authors wrote it. Nothing is interpreted: `MIT OR Apache-2.0` is one group, and
//! what nobody says is unknown rather than free.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Form, SCHEMA, finish};
use crate::graph::{Graph, Source};
use crate::kind::Kind;
use crate::package::Package;
use crate::report::clean::plain;
use crate::report::{BOLD, DIM, Scope, counted};

/// How many packages of unknown licence the text names, and how many of a rare one.
const NAMED: usize = 20;
/// Licences that no more packages have are rare: their packages are named.
const RARE: usize = 3;

/// The licences in one lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licenses {
    /// The lockfile's path as it was found.
    pub path: String,
    /// What wrote it.
    pub kind: Kind,
    /// By licence, the most frequent first; the unknown last, with no licence.
    pub groups: Vec<(Option<String>, Vec<Package>)>,
}

/// Collects licences. Most lockfiles have none: see [`Graph::with_licenses`].
#[must_use]
pub fn licenses(path: &str, kind: Kind, graph: &Graph, scope: Scope) -> Licenses {
    let mut known: BTreeMap<&Package, Option<String>> = BTreeMap::new();
    for instance in graph.instances() {
        if matches!(instance.source, Source::Workspace | Source::Link) || (scope.prod && instance.needed.only_dev()) {
            continue;
        }
        let entry = known.entry(&instance.package).or_default();
        if entry.is_none() {
            *entry = instance.license.as_deref().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        }
    }
    let mut by_license: BTreeMap<Option<String>, Vec<Package>> = BTreeMap::new();
    for (package, license) in known {
        by_license.entry(license).or_default().push(package.clone());
    }
    let mut groups: Vec<(Option<String>, Vec<Package>)> = by_license.into_iter().collect();
    groups.sort_by_key(|(license, packages)| (license.is_none(), std::cmp::Reverse(packages.len())));
    Licenses { path: path.to_owned(), kind, groups }
}

impl Licenses {
    /// The licences of all lockfiles in a form.
    #[must_use]
    pub fn render(all: &[Self], form: Form) -> String {
        match form {
            Form::Text => all.iter().map(text).collect(),
            Form::Json => {
                let lockfiles: Vec<Value> = all.iter().map(value).collect();
                finish(&json!({"schema": SCHEMA, "lockfiles": lockfiles}))
            }
        }
    }
}

fn text(licenses: &Licenses) -> String {
    let total: usize = licenses.groups.iter().map(|(_, packages)| packages.len()).sum();
    let mut out =
        format!("\n{BOLD}{}{BOLD:#}{DIM} · {} · {}{DIM:#}\n", plain(&licenses.path), licenses.kind, counted(total, "package", "packages"));
    let width = total.to_string().len();
    for (license, packages) in &licenses.groups {
        let name = license.as_deref().map_or_else(|| "unknown".to_owned(), plain);
        let named = match license {
            None => NAMED,
            Some(_) if packages.len() <= RARE => RARE,
            Some(_) => 0,
        };
        let mut list: Vec<String> = packages.iter().take(named).map(ToString::to_string).collect();
        if named > 0 && packages.len() > named {
            list.push(format!("and {} more", packages.len() - named));
        }
        out.push_str(&format!("  {:>width$}  {BOLD}{name}{BOLD:#}{DIM}  {}{DIM:#}\n", packages.len(), list.join(", ")));
    }
    out
}

fn value(licenses: &Licenses) -> Value {
    let package = |p: &Package| json!({"ecosystem": p.ecosystem.osv(), "name": &*p.name, "version": &*p.version});
    let group = |(license, packages): &(Option<String>, Vec<Package>)| json!({"license": license, "count": packages.len(), "packages": packages.iter().map(package).collect::<Vec<_>>()});
    json!({
        "path": licenses.path,
        "kind": licenses.kind.to_string(),
        "licenses": licenses.groups.iter().map(group).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Manifests, parse};

    #[test]
    fn licences_are_counted_as_they_are_written() {
        let text = r#"{"lockfileVersion": 3, "packages": {"": {"name": "app", "license": "UNLICENSED", "dependencies": {"a": "1", "b": "1", "c": "1", "e": "1"}, "devDependencies": {"d": "1"}},
            "node_modules/a": {"version": "1.0.0", "license": "MIT"}, "node_modules/b/node_modules/a": {"version": "1.0.0", "license": "MIT"},
            "node_modules/b": {"version": "1.0.0", "license": "MIT"}, "node_modules/c": {"version": "1.0.0", "license": "(MIT OR GPL-3.0)\u001b[2J"},
            "node_modules/d": {"version": "1.0.0", "dev": true, "license": "ISC"}, "node_modules/e": {"version": "1.0.0"}}}"#;
        let graph = parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
        let of = |graph: &Graph, scope| {
            let found = licenses("l", Kind::Npm, graph, scope);
            found.groups.iter().map(|(license, p)| (license.clone().unwrap_or_default(), p.len())).collect::<Vec<_>>()
        };
        let named = |pairs: &[(&str, usize)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
        let odd = "(MIT OR GPL-3.0)\u{1b}[2J";
        assert_eq!(of(&graph, Scope::default()), named(&[("MIT", 2), (odd, 1), ("ISC", 1), ("", 1)]));
        let found = [licenses("l", Kind::Npm, &graph, Scope::default())];
        let installed = graph.with_licenses(|_| Some("0BSD".to_owned()));
        assert_eq!(of(&installed, Scope { prod: true }), named(&[("MIT", 2), (odd, 1), ("0BSD", 1)]));
        let text = Licenses::render(&found, Form::Text);
        assert!(text.contains("unknown") && text.contains("e@1.0.0") && !text.contains("\u{1b}[2J"), "{text}");
        serde_json::from_str::<Value>(&Licenses::render(&found, Form::Json)).unwrap();
    }
}
