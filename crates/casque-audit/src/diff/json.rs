//! The change as JSON. Its form stands in docs/reference/audit.md.

use serde_json::{Value, json as value};

use super::{Change, Diff, Names, Only, Origin};
use crate::report::{Gate, clean, ignored_json, package_json};
use crate::supply;

const SCHEMA: u32 = 1;

pub(super) fn json(diffs: &[Diff], names: Names<'_>, gate: Gate) -> String {
    let file = value!({
        "schema": SCHEMA,
        "tool": {"name": "casque", "version": env!("CARGO_PKG_VERSION")},
        "base": names.base,
        "head": names.head,
        "fails": diffs.iter().any(|diff| diff.fails(gate)),
        "lockfiles": diffs.iter().map(|diff| lockfile(diff, gate)).collect::<Vec<_>>(),
    });
    clean::json(&format!("{file:#}")) + "\n"
}

fn lockfile(diff: &Diff, gate: Gate) -> Value {
    let status = match diff.only {
        Some(Only::Head) => "added",
        Some(Only::Base) => "removed",
        None if diff.is_empty() => "same",
        None => "changed",
    };
    let licenses = diff.licenses.as_ref().map(|licenses| {
        let new = |(license, packages): &(String, Vec<String>)| value!({"license": license, "packages": packages});
        let changed = |c: &super::LicenseChange| value!({"name": c.name, "before": c.before, "after": c.after});
        value!({
            "new": licenses.new.iter().map(new).collect::<Vec<_>>(),
            "gone": licenses.gone,
            "changed": licenses.changed.iter().map(changed).collect::<Vec<_>>(),
        })
    });
    value!({
        "path": diff.new.path,
        "kind": diff.new.kind.to_string(),
        "status": status,
        "new": diff.new.hits.iter().map(|hit| package_json(hit, gate)).collect::<Vec<_>>(),
        "fixed": diff.fixed.iter().map(|hit| package_json(hit, gate)).collect::<Vec<_>>(),
        "ignored": diff.new.ignored.iter().map(ignored_json).collect::<Vec<_>>(),
        "kept": diff.kept,
        "notices": {"new": supply::json(&diff.new.notices), "gone": supply::json(&diff.settled)},
        "packages": diff.packages.iter().map(change).collect::<Vec<_>>(),
        "sources": {
            "new": diff.origins_new.iter().map(origin).collect::<Vec<_>>(),
            "gone": diff.origins_gone.iter().map(origin).collect::<Vec<_>>(),
        },
        "licenses": licenses,
    })
}

fn change(change: &Change) -> Value {
    let what = match (change.is_added(), change.is_removed()) {
        (true, _) => "added",
        (_, true) => "removed",
        _ => "changed",
    };
    value!({
        "ecosystem": change.ecosystem.osv(),
        "name": change.name,
        "change": what,
        "before": change.before,
        "after": change.after,
        "others": change.others,
        "step": change.step().map(super::Step::word),
        "direct": change.direct,
        "dev": change.dev,
    })
}

fn origin(origin: &Origin) -> Value {
    value!({"source": origin.source.word(), "host": origin.host, "count": origin.count, "packages": origin.packages})
}
