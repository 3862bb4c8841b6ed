//! Trivy's `.trivyignore`, a line for each id, and `.trivyignore.yaml` (aquasecurity/trivy, docs/configuration/filtering).

use super::draft::{Draft, Drafts};
use super::tree::Node;
use crate::policy::Versions;
use crate::sbom::Purl;
use crate::text::quote;

/// `ID [exp:DATE]`.
pub(super) fn lines(text: &str, drafts: &mut Drafts<'_>) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let mut fields = line.split_whitespace().take_while(|field| !field.starts_with('#'));
        if let Some(id) = fields.next() {
            drafts.add(Draft { at: start, id, expires: fields.find_map(|field| field.strip_prefix("exp:")), ..Draft::default() });
        }
    }
}

pub(super) fn yaml(file: &Node, drafts: &mut Drafts<'_>) {
    for entry in file.entries() {
        match entry.key.as_str() {
            "vulnerabilities" => entry.node.list().iter().for_each(|item| vulnerability(item, drafts)),
            "misconfigurations" | "secrets" | "licenses" if !entry.node.list().is_empty() => {
                drafts.note(entry.at, format!("{} are not carried over: `casque audit` looks for vulnerabilities and malware", entry.key));
            }
            _ => {}
        }
    }
}

/// One entry for every package and every file that it names.
fn vulnerability(item: &Node, drafts: &mut Drafts<'_>) {
    let id = item.text_of("id").unwrap_or_default();
    let lockfiles = each(item, "paths", drafts, |path| match path.contains(['*', '?', '[']) {
        true => Err(format!("the path {} of {} is not carried over: patterns are not read", quote(path), quote(id))),
        false => Ok(Some(path.to_owned())),
    });
    let packages = each(item, "purls", drafts, |purl| match Purl::parse(purl) {
        Some(purl) => Ok(Some(purl)),
        None => Err(format!("{} of {} is not carried over: it is no package of npm or crates.io", quote(purl), quote(id))),
    });
    for purl in &packages {
        for lockfile in &lockfiles {
            let versions = purl.as_ref().filter(|purl| !purl.version.is_empty()).map(|purl| Versions::parse(&format!("={}", purl.version)));
            let Ok(versions) = versions.transpose() else {
                drafts.note(item.at, format!("{} is not carried over: the version that it names does not parse", quote(id)));
                continue;
            };
            drafts.add(Draft {
                at: item.at,
                id,
                reason: item.text_of("statement"),
                expires: item.text_of("expired_at"),
                package: purl.as_ref().map(|purl| purl.name.clone()),
                versions,
                lockfile: lockfile.clone(),
                ..Draft::default()
            });
        }
    }
}

/// What a list says; nothing at all, for no bound, where there is no list.
fn each<T>(item: &Node, key: &str, drafts: &mut Drafts<'_>, read: impl Fn(&str) -> Result<Option<T>, String>) -> Vec<Option<T>> {
    let Some(list) = item.get(key).map(Node::list).filter(|list| !list.is_empty()) else { return vec![None] };
    let mut all = Vec::new();
    for node in list {
        match read(node.text().unwrap_or_default()) {
            Ok(one) => all.push(one),
            Err(why) => drafts.note(node.at, why),
        }
    }
    all
}
