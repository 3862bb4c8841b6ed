//! OpenVEX 0.2.0 (openvex/spec, OPENVEX-SPEC.md): a statement for each vulnerability of each project.
//!
//! What an advisory says of a version is taken for the truth: such a project is `affected`, and the statement says what to do. Where
//! a version or a range could not be read it is `under_investigation`. Unmaintained and unsound packages and notices are no
//! vulnerabilities and make no statements. The format has no way to say that there is nothing: the list is then empty, which its
//! schema does not take, but its readers do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::address::uri;
use super::{Hit, Report, clean, cyclonedx, identity, reference, remedy, title};
use crate::db::Verdict;
use crate::graph::Graph;
use crate::matching::Finding;
use crate::text::percent;

/// The schema's address, which the format has as its context.
const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

/// Renders findings as OpenVEX. `graphs` are those of the reports, in the same order. The document's id is computed from its
/// content, and the time, which is passed in.
#[must_use]
pub fn openvex(reports: &[Report], graphs: &[Graph], now: Timestamp) -> String {
    let projects = reports.iter().zip(graphs).map(|(report, graph)| (report, product(report, graph)));
    let statements: Vec<Value> = projects.flat_map(|(report, product)| statements(report, &product)).collect();
    let mut document = json!({
        "@context": CONTEXT,
        "author": "casque",
        "role": "Document Creator",
        "timestamp": now.to_string(),
        "version": 1,
        "tooling": concat!("casque ", env!("CARGO_PKG_VERSION")),
        "statements": statements,
    });
    document["@id"] = json!(identity::urn(document.to_string().as_bytes()));
    clean::json(&format!("{document:#}")) + "\n"
}

/// The project: by its package URL if it has a name, else by its lockfile's path. Products are IRIs, which no bare path is.
fn product(report: &Report, graph: &Graph) -> String {
    match cyclonedx::project(graph) {
        Some(project) => project.package.purl(),
        None => format!("pkg:generic/{}", percent::encode(report.path.trim_start_matches("./"))),
    }
}

fn statements(report: &Report, product: &str) -> Vec<Value> {
    let mut by_id: BTreeMap<(&str, bool), Vec<(&Hit, &Finding)>> = BTreeMap::new();
    for (hit, finding) in report.findings().filter(|(_, finding)| !finding.class.is_warning()) {
        by_id.entry((&finding.id, finding.verdict == Verdict::Affected)).or_default().push((hit, finding));
    }
    by_id.into_iter().filter_map(|((_, certain), found)| statement(product, certain, &found)).collect()
}

fn statement(product: &str, certain: bool, found: &[(&Hit, &Finding)]) -> Option<Value> {
    let (_, finding) = found.first()?;
    let aliases: Vec<&str> = finding.ids().into_iter().filter(|id| *id != finding.id).collect();
    let mut vulnerability = json!({"name": finding.id, "description": title(finding)});
    if let Some(url) = reference(finding) {
        vulnerability["@id"] = json!(uri(url));
    }
    if !aliases.is_empty() {
        vulnerability["aliases"] = json!(aliases);
    }
    let mut packages: Vec<String> = found.iter().map(|(hit, _)| hit.package.purl()).collect();
    packages.sort();
    packages.dedup();
    let packages: Vec<Value> = packages.into_iter().map(|purl| json!({"@id": purl})).collect();
    let mut statement = json!({
        "vulnerability": vulnerability,
        "products": [{"@id": product, "subcomponents": packages}],
        "status": if certain { "affected" } else { "under_investigation" },
    });
    if certain {
        let actions: Vec<String> = found.iter().map(|(hit, finding)| format!("{}: {}", hit.package, remedy(finding))).collect();
        statement["action_statement"] = json!(actions.join("\n"));
    } else {
        statement["status_notes"] = json!("A version or a range could not be read.");
    }
    Some(statement)
}
