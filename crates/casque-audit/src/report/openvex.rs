//! OpenVEX 0.2.0 (openvex/spec, OPENVEX-SPEC.md): a statement for each vulnerability of each project.
//!
//! What an advisory says of a version is taken for the truth: such a project is `affected`, and the statement says what to do. Where
//! a version or a range could not be read it is `under_investigation`. What the policy ignores is what its entry says it is: with a
//! word of VEX, that word; without one the project stays `affected`, since a risk that somebody takes is still there. Unmaintained
//! and unsound packages and notices are no vulnerabilities and make no statements. The format has no way to say that there is
//! nothing: the list is then empty, which its schema does not take, but its readers do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::address::uri;
use super::{IgnoredBy, Report, clean, cyclonedx, identity, reference, remedy, title, why};
use crate::db::Verdict;
use crate::graph::Graph;
use crate::matching::Finding;
use crate::package::Package;
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

/// A vulnerability of a package, and what took it out of the report, if something did.
type Case<'r> = (&'r Package, &'r Finding, Option<&'r IgnoredBy>);

/// What is said of it: a status, the justification and the reason.
type Status = (&'static str, Option<&'static str>, Option<String>);

fn statements(report: &Report, product: &str) -> Vec<Value> {
    let open = report.findings().map(|(hit, finding)| (&hit.package, finding, None));
    let ignored = report.ignored.iter().map(|ignored| (&ignored.package, &ignored.finding, Some(&ignored.by)));
    let mut groups: BTreeMap<(&str, Status), Vec<Case<'_>>> = BTreeMap::new();
    for case in open.chain(ignored).filter(|(_, finding, _)| !finding.class.is_warning()) {
        groups.entry((&case.1.id, status(case))).or_default().push(case);
    }
    groups.into_iter().filter_map(|((_, status), cases)| statement(product, status, &cases)).collect()
}

fn status((_, finding, by): Case<'_>) -> Status {
    match by {
        None if finding.verdict == Verdict::Affected => ("affected", None, None),
        None => ("under_investigation", None, Some("a version or a range could not be read".to_owned())),
        Some(IgnoredBy::Entry { vex: Some(vex), .. }) => {
            let (status, justification) = vex.openvex();
            (status, justification, by.map(why))
        }
        Some(_) => ("affected", None, by.map(why)),
    }
}

fn statement(product: &str, (status, justification, reason): Status, cases: &[Case<'_>]) -> Option<Value> {
    let (_, finding, _) = cases.first()?;
    let aliases: Vec<&str> = finding.ids().into_iter().filter(|id| *id != finding.id).collect();
    let mut vulnerability = json!({"name": finding.id, "description": title(finding)});
    if let Some(url) = reference(finding) {
        vulnerability["@id"] = json!(uri(url));
    }
    if !aliases.is_empty() {
        vulnerability["aliases"] = json!(aliases);
    }
    let mut packages: Vec<String> = cases.iter().map(|(package, ..)| package.purl()).collect();
    packages.sort();
    packages.dedup();
    let packages: Vec<Value> = packages.into_iter().map(|purl| json!({"@id": purl})).collect();
    let mut statement = json!({
        "vulnerability": vulnerability,
        "products": [{"@id": product, "subcomponents": packages}],
        "status": status,
    });
    if let Some(justification) = justification {
        statement["justification"] = json!(justification);
    }
    if status == "affected" {
        let mut actions: Vec<String> = cases.iter().map(|(package, finding, _)| format!("{package}: {}", remedy(finding))).collect();
        actions.dedup();
        statement["action_statement"] = json!(actions.join("\n"));
    }
    if let Some(reason) = reason {
        let key = if status == "not_affected" { "impact_statement" } else { "status_notes" };
        statement[key] = json!(reason);
    }
    Some(statement)
}
