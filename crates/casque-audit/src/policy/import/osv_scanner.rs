//! `osv-scanner.toml` (google/osv-scanner, docs/configuration.md).

use super::draft::{Draft, Drafts};
use super::tree::Node;
use crate::text::quote;

pub(super) fn read(file: &Node, drafts: &mut Drafts<'_>) {
    for ignored in file.get("IgnoredVulns").map(Node::list).unwrap_or_default() {
        drafts.add(Draft {
            at: ignored.at,
            id: ignored.text_of("id").unwrap_or_default(),
            reason: ignored.text_of("reason"),
            expires: ignored.text_of("ignoreUntil"),
            ..Draft::default()
        });
    }
    for package in file.get("PackageOverrides").map(Node::list).unwrap_or_default() {
        let name = quote(package.text_of("name").unwrap_or_default());
        drafts
            .note(package.at, format!("the override for {name} is not carried over: an entry is about one advisory, not about a package"));
    }
}
