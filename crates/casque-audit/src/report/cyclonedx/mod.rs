//! CycloneDX 1.6 in JSON (cyclonedx.org, bom-1.6.schema.json; ECMA-424): what lockfiles install, and who needs whom.
//!
//! It has no serial number: the same lockfile gives the same bytes, but for the time, which is passed in.

mod components;
mod hashes;
mod licenses;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use components::{Components, components};

use super::clean;
use crate::graph::Graph;

/// A bill of materials of lockfiles, each with its path, without findings. One lockfile's project is what the bill is about; the
/// projects of several are parts of it.
#[must_use]
pub fn sbom(lockfiles: &[(&str, &Graph)], now: Timestamp) -> String {
    print(&document(components(lockfiles), now))
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

fn print(document: &Value) -> String {
    clean::json(&format!("{document:#}")) + "\n"
}
