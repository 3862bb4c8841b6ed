//! The reports about every recorded lockfile, held against the published schemas of their formats.
//!
//! The schemas lie in `schemas` beside the recorded answers, under these names: `sarif-2.1.0.json` (oasis-tcs/sarif-spec),
//! `bom-1.6.schema.json` with `spdx.schema.json` and `jsf-0.82.schema.json` (CycloneDX/specification), `openvex-0.2.0.json`
//! (openvex/spec) and `osv.json` (ossf/osv-schema). One that is not there is left out, and that is said.

use std::path::{Path, PathBuf};

use casque_audit::matching::Context;
use casque_audit::policy::Vex;
use casque_audit::report::{Ignored, IgnoredBy, Report, Scope, assess, cyclonedx, openvex, osv, sarif};
use casque_audit::{Limits, discover, read};
use jiff::Timestamp;
use jiff::civil::Date;
use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use crate::group::{Group, audit};
use crate::matching::{database, names};

/// What differs, and why.
const KNOWN: &[(&str, &str)] = &[];

/// Schemas name others by addresses; all that there are lie in one folder.
struct Folder(PathBuf);

impl Retrieve for Folder {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.path().as_str().rsplit('/').next().unwrap_or_default();
        Ok(serde_json::from_slice(&std::fs::read(self.0.join(name))?)?)
    }
}

struct Schema {
    validator: Validator,
    group: Group,
}

impl Schema {
    fn new(folder: &Path, file: &str, name: &'static str) -> Option<Self> {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
            say!("left out: schemas/{file} is not there");
            return None;
        };
        // SARIF's pattern of languages has a bracket too many, which only JavaScript takes.
        let schema: Value = serde_json::from_str(&text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$")).unwrap();
        let options = jsonschema::options().should_validate_formats(true).with_retriever(Folder(folder.to_owned()));
        Some(Self { validator: options.build(&schema).unwrap(), group: Group::new(name, KNOWN) })
    }

    fn check(&mut self, id: &str, document: &Value) {
        let problem = self.validator.iter_errors(document).next().map(|e| format!("{}: {e:.300}", e.instance_path()));
        self.group.case(id, &problem, &None);
    }
}

#[test]
fn schemas() {
    let Some(folder) = audit() else { return };
    let schemas = folder.with_file_name("schemas");
    let mut sarif_schema = Schema::new(&schemas, "sarif-2.1.0.json", "SARIF 2.1.0");
    let mut bom_schema = Schema::new(&schemas, "bom-1.6.schema.json", "CycloneDX 1.6");
    let mut vex_schema = Schema::new(&schemas, "openvex-0.2.0.json", "OpenVEX 0.2.0");
    let mut osv_schema = Schema::new(&schemas, "osv.json", "OSV");
    let database = database(&folder, &["npm", "crates.io"]);
    for name in names(&folder.join("lockfiles")) {
        for lockfile in discover(&folder.join("lockfiles").join(&name)).unwrap() {
            let graph = [read(&lockfile, &Limits::default()).unwrap()];
            let report = assess("a lock", lockfile.kind, &graph[0], &database, &Context::default(), Scope::default()).unwrap();
            let (report, now) = ([report], Timestamp::UNIX_EPOCH);
            let json = |text: String| -> Value { serde_json::from_str(&text).unwrap() };
            if let Some(schema) = &mut sarif_schema {
                schema.check(&name, &json(sarif(&report)));
            }
            let ignoring = [ignoring(&report[0])];
            if let Some(schema) = &mut bom_schema {
                schema.check(&name, &json(cyclonedx(&report, &graph, now)));
                schema.check(&format!("{name} ignored"), &json(cyclonedx(&ignoring, &graph, now)));
            }
            // OpenVEX has no form for nothing.
            if let Some(schema) = vex_schema.as_mut().filter(|_| !report[0].hits.is_empty()) {
                schema.check(&name, &json(openvex(&report, &graph, now)));
                schema.check(&format!("{name} ignored"), &json(openvex(&ignoring, &graph, now)));
            }
            if let Some(schema) = &mut osv_schema {
                let results = json(osv(&report));
                let packages = results["results"].as_array().unwrap().iter().flat_map(|result| result["packages"].as_array().unwrap());
                for record in packages.flat_map(|package| package["vulnerabilities"].as_array().unwrap()) {
                    let (mut record, id) = (record.clone(), record["id"].as_str().unwrap());
                    // Old records, which no database of OSV has, are here under ids of the recorded answers.
                    if id.starts_with("NSWG-") {
                        record["id"] = format!("x_{id}").into();
                    }
                    schema.check(&format!("{name} {id}"), &record);
                }
            }
        }
    }
}

/// The report with everything ignored, for every reason that there is.
fn ignoring(report: &Report) -> Report {
    let words = Vex::ALL.into_iter().map(Some).chain([None]);
    let entry = |vex| IgnoredBy::Entry { reason: "seen".to_owned(), expires: Some(Date::constant(2027, 1, 31)), vex };
    let mut reasons = words.map(entry).chain([IgnoredBy::Unfixable]).cycle();
    let mut out = report.clone();
    for hit in out.hits.drain(..) {
        for finding in hit.findings {
            let (package, site) = (hit.package.clone(), hit.sites.first().cloned());
            out.ignored.push(Ignored { package, site, finding, by: reasons.next().unwrap() });
        }
    }
    out
}
