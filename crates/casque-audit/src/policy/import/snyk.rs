//! Snyk's `.snyk` (snyk/policy): `ignore: {ID: [{PATH: {reason, expires, disregardIfFixable, ...}}]}`.

use super::draft::{Draft, Drafts};
use super::tree::{Node, Value};
use crate::policy::{DependencyPath, Vex};
use crate::text::quote;

pub(super) fn read(file: &Node, drafts: &mut Drafts<'_>) {
    for entry in file.entries() {
        match entry.key.as_str() {
            "ignore" => entry.node.entries().iter().for_each(|of| advisory(&of.key, of.at, &of.node, drafts)),
            "patch" if !entry.node.entries().is_empty() => {
                drafts.note(entry.at, "patches are not carried over: what they patch is reported until an update mends it");
            }
            "exclude" if !entry.node.entries().is_empty() => {
                drafts.note(entry.at, "`exclude` is not carried over: name the folders to `casque audit` instead");
            }
            "failThreshold" | "fail_threshold" | "threshold" => {
                drafts.note(entry.at, "the threshold is not carried over: in [audit] it is `fail-on`");
            }
            _ => {}
        }
    }
}

/// Each of the advisory's rules is a table of one path.
fn advisory(id: &str, at: usize, rules: &Node, drafts: &mut Drafts<'_>) {
    if let Value::Table(_) = rules.value {
        return drafts.note(at, format!("{} is not carried over: a list of paths is expected below it", quote(id)));
    }
    for rule in rules.list().iter().flat_map(Node::entries) {
        let path = match rule.key.trim() {
            "*" => None,
            path => match DependencyPath::parse(path) {
                Ok(path) => Some(path),
                Err(why) => {
                    drafts.note(rule.at, format!("the path {} of {} is not carried over: {why}", quote(&rule.key), quote(id)));
                    continue;
                }
            },
        };
        let vex = match rule.node.text_of("reasonType") {
            Some("not-vulnerable") => Vex::named("not_affected"),
            Some("wont-fix") => Vex::named("affected"),
            _ => None,
        };
        drafts.add(Draft {
            at: rule.at,
            id,
            reason: rule.node.text_of("reason"),
            expires: rule.node.text_of("expires"),
            path,
            until_fixable: rule.node.flag("disregardIfFixable"),
            vex,
            ..Draft::default()
        });
    }
}
