//! The package managers' own lists: pnpm's `auditConfig`, yarn's `npmAuditIgnoreAdvisories`. They have no reasons and no ends.

use super::draft::{Draft, Drafts};
use super::tree::Node;
use crate::text::quote;

pub(super) fn pnpm(file: &Node, drafts: &mut Drafts<'_>) {
    let Some(config) = file.get("auditConfig") else { return };
    for key in ["ignoreGhsas", "ignoreCves"] {
        ids(config.get(key), drafts);
    }
}

pub(super) fn package_json(file: &Node, drafts: &mut Drafts<'_>) {
    if let Some(own) = file.get("pnpm") {
        pnpm(own, drafts);
    }
}

pub(super) fn yarn(file: &Node, drafts: &mut Drafts<'_>) {
    ids(file.get("npmAuditIgnoreAdvisories"), drafts);
    for package in file.get("npmAuditExcludePackages").map(Node::list).unwrap_or_default() {
        let name = quote(package.text().unwrap_or_default());
        drafts.note(package.at, format!("{name} is not carried over: an entry is about one advisory, not about a package"));
    }
}

fn ids(list: Option<&Node>, drafts: &mut Drafts<'_>) {
    for item in list.map(Node::list).unwrap_or_default() {
        drafts.add(Draft { at: item.at, id: item.text().unwrap_or_default(), ..Draft::default() });
    }
}
