//! CycloneDX 1.6 in JSON (cyclonedx.org, bom-1.6.schema.json; ECMA-424): what lockfiles install, who needs whom, and what is known
//! against it.
//!
//! The same lockfile gives the same bytes but for the time, which is passed in; the serial number is computed from the rest.

mod components;
mod hashes;
mod licenses;
mod vulnerabilities;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use components::{Components, components};

use super::{Report, clean, identity};
use crate::graph::{Graph, Instance};

/// A bill of materials of lockfiles, each with its path, without findings. One lockfile's project is what the bill is about; the
/// projects of several are parts of it.
#[must_use]
pub fn sbom(lockfiles: &[(&str, &Graph)], now: Timestamp) -> String {
    print(document(components(lockfiles), now))
}

/// The same with what is known against it: a vulnerability disclosure report (VDR). `graphs` are those of the reports, in the same
/// order.
#[must_use]
pub fn cyclonedx(reports: &[Report], graphs: &[Graph], now: Timestamp) -> String {
    let lockfiles: Vec<(&str, &Graph)> = reports.iter().map(|report| report.path.as_str()).zip(graphs).collect();
    let mut document = document(components(&lockfiles), now);
    document["vulnerabilities"] = vulnerabilities::vulnerabilities(reports).into();
    print(document)
}

/// The project of a lockfile, if it has a name.
pub(super) fn project(graph: &Graph) -> Option<&Instance> {
    let root = components::root(graph).map(|root| graph.instance(root))?;
    (!root.package.name.is_empty()).then_some(root)
}

fn document(parts: Components, now: Timestamp) -> Value {
    let mut metadata = json!({
        "timestamp": now.to_string(),
        "tools": {"components": [{"type": "application", "name": "casque", "version": env!("CARGO_PKG_VERSION")}]},
    });
    if let Some(project) = parts.project {
        metadata["component"] = project;
    }
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": parts.components,
        "dependencies": parts.dependencies,
    })
}

fn print(mut document: Value) -> String {
    document["serialNumber"] = identity::urn(document.to_string().as_bytes()).into();
    clean::json(&format!("{document:#}")) + "\n"
}
