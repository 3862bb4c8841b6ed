//! cargo-audit's `audit.toml` and cargo-deny's `deny.toml`.

use super::draft::{Draft, Drafts};
use super::tree::Node;
use crate::text::quote;

/// `[advisories] ignore = ["RUSTSEC-..."]`. It has no reasons and no ends.
pub(super) fn audit(file: &Node, drafts: &mut Drafts<'_>) {
    let Some(advisories) = file.get("advisories") else { return };
    for item in advisories.get("ignore").map(Node::list).unwrap_or_default() {
        drafts.add(Draft { at: item.at, id: item.text().unwrap_or_default(), ..Draft::default() });
    }
    if let Some(threshold) = advisories.get("severity_threshold") {
        drafts.note(threshold.at, "the threshold is not carried over: in [audit] it is `fail-on`");
    }
}

/// `[advisories] ignore = ["RUSTSEC-...", {id, reason}, {crate, reason}, "crate@version"]`.
pub(super) fn deny(file: &Node, drafts: &mut Drafts<'_>) {
    let Some(advisories) = file.get("advisories") else { return };
    for item in advisories.get("ignore").map(Node::list).unwrap_or_default() {
        let id = item.text().or_else(|| item.text_of("id"));
        let yanked = item.text_of("crate").or_else(|| id.filter(|id| id.contains('@')));
        match (id, yanked) {
            (_, Some(name)) => drafts.note(item.at, format!("{} is not carried over: yanked versions are not reported", quote(name))),
            (id, None) => {
                let (id, reason) = (id.unwrap_or_default(), item.text_of("reason"));
                drafts.add(Draft { at: item.at, id, reason, ..Draft::default() });
            }
        }
    }
}
