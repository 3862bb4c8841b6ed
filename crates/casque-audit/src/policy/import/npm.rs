//! The wrappers around npm audit: better-npm-audit's `.nsprc` and audit-ci's configuration.

use super::draft::{Draft, Drafts};
use super::tree::{Node, Value};
use crate::policy::DependencyPath;
use crate::text::quote;

/// `{ID: {active, notes, expiry}}` or `{ID: "notes"}`; older files say `ignore` and `reason`.
pub(super) fn nsprc(file: &Node, drafts: &mut Drafts<'_>) {
    for entry in file.entries() {
        if entry.key == "exceptions" {
            drafts.note(entry.at, "these are numbers of nodesecurity.io, which is gone; write the GHSA or CVE ids of the same advisories");
        } else {
            record(entry.at, &entry.key, &entry.node, None, drafts);
        }
    }
}

/// One exception, for an advisory on a path.
fn record(at: usize, id: &str, of: &Node, path: Option<DependencyPath>, drafts: &mut Drafts<'_>) {
    let is_off = |key: &str| of.text_of(key) == Some("false");
    if is_off("active") || is_off("ignore") {
        return drafts.note(at, format!("{} is not carried over: it is not active", quote(id)));
    }
    let reason = of.text().or_else(|| of.text_of("notes")).or_else(|| of.text_of("reason"));
    drafts.add(Draft { at, id, reason, expires: of.text_of("expiry"), path, ..Draft::default() });
}

/// `{allowlist: ["GHSA-...", "GHSA-...|a>b>c", "module", {...}]}` and the levels that fail.
pub(super) fn audit_ci(file: &Node, drafts: &mut Drafts<'_>) {
    for entry in file.entries() {
        match entry.key.as_str() {
            "allowlist" => entry.node.list().iter().for_each(|item| allowed(item, drafts)),
            "advisories" | "whitelist" | "path-whitelist" => {
                drafts.note(entry.at, format!("{} is of audit-ci before 6 and is not carried over", quote(&entry.key)));
            }
            "low" | "moderate" | "high" | "critical" if entry.node.text() == Some("true") => {
                drafts.note(entry.at, format!("the level is not carried over: in [audit] it is `fail-on = \"{}\"`", entry.key));
            }
            _ => {}
        }
    }
}

fn allowed(item: &Node, drafts: &mut Drafts<'_>) {
    const NOTHING: Node = Node { at: 0, value: Value::Nothing };
    let plain = item.text().map(|text| (text, item.at, &NOTHING));
    for (key, at, of) in plain.into_iter().chain(item.entries().iter().map(|entry| (entry.key.as_str(), entry.at, &entry.node))) {
        let (id, path) = key.split_once('|').map_or((key, None), |(id, path)| (id, Some(path)));
        if id == "*" || id.contains('>') {
            drafts.note(at, format!("{} is not carried over: an entry is about one advisory", quote(key)));
            continue;
        }
        match path.map(|text| parsed(text, at, drafts)) {
            None => record(at, id, of, None, drafts),
            Some(Some(path)) => record(at, id, of, Some(path), drafts),
            Some(None) => {}
        }
    }
}

/// audit-ci compares the whole path as text, in which `*` is any text; casque's `*` is any number of packages.
fn parsed(text: &str, at: usize, drafts: &mut Drafts<'_>) -> Option<DependencyPath> {
    match DependencyPath::parse(text) {
        Ok(path) => {
            if text.starts_with("*>") {
                drafts.note(at, format!("the path {} now holds too where the project itself asks for the package", quote(text)));
            }
            Some(path)
        }
        Err(why) => {
            drafts.note(at, format!("the path {} is not carried over: {why}", quote(text)));
            None
        }
    }
}
