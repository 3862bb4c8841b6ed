//! SPDX 2.3 in JSON (spdx.github.io/spdx-spec/v2.3): what lockfiles install, and who needs whom. It says what the CycloneDX bill
//! says, in other words.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cyclonedx::{Components, components};
use super::{clean, identity};
use crate::graph::Graph;

/// What SPDX says where nothing is known (2.3, 7.7).
const UNKNOWN: &str = "NOASSERTION";

/// A bill of materials of lockfiles, each with its path. The same lockfiles at the same time give the same bytes.
#[must_use]
pub fn sbom(lockfiles: &[(&str, &Graph)], now: Timestamp) -> String {
    let Components { project, components, dependencies } = components(lockfiles);
    let all: Vec<&Value> = project.iter().chain(&components).collect();
    let ids: HashMap<&str, String> = all.iter().enumerate().map(|(n, part)| (text(part, "bom-ref"), id(n, part))).collect();
    let mut relationships: Vec<Value> = match &project {
        Some(project) => vec![describes(&ids, project)],
        None => components.iter().filter(|part| part["type"] == "application").map(|part| describes(&ids, part)).collect(),
    };
    let needs: BTreeMap<&str, &Value> = dependencies.iter().map(|entry| (text(entry, "ref"), &entry["dependsOn"])).collect();
    for part in &all {
        let from = text(part, "bom-ref");
        let list = needs.get(from).and_then(|list| list.as_array()).map(Vec::as_slice).unwrap_or_default();
        for to in list.iter().filter_map(Value::as_str).filter_map(|to| ids.get(to)) {
            relationships.push(json!({"spdxElementId": ids[from], "relationshipType": "DEPENDS_ON", "relatedSpdxElement": to}));
        }
    }
    let name = project.as_ref().map_or("lockfiles", |project| text(project, "name"));
    let packages: Vec<Value> = all.iter().map(|part| package(&ids, part)).collect();
    let created = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "creationInfo": {"created": created, "creators": [concat!("Tool: casque-", env!("CARGO_PKG_VERSION"))]},
        "packages": packages,
        "relationships": relationships,
    });
    // A namespace belongs to one document (2.3, 6.5).
    let own = identity::urn(document.to_string().as_bytes());
    document["documentNamespace"] = json!(format!("https://spdx.org/spdxdocs/{}-{}", word(name), own.trim_start_matches("urn:uuid:")));
    clean::json(&format!("{document:#}")) + "\n"
}

fn describes(ids: &HashMap<&str, String>, part: &Value) -> Value {
    let to = &ids[text(part, "bom-ref")];
    json!({"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": to})
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or("")
}

/// An identifier may have letters, digits, dots and dashes alone (2.3, 7.2); the number keeps it apart from others.
fn id(number: usize, part: &Value) -> String {
    format!("SPDXRef-{number}-{}", word(text(part, "name")))
}

fn word(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    name.chars().take(64).map(plain).collect()
}

fn package(ids: &HashMap<&str, String>, part: &Value) -> Value {
    let name = match text(part, "group") {
        "" => text(part, "name").to_owned(),
        group => format!("{group}/{}", text(part, "name")),
    };
    let address = part["externalReferences"][0]["url"].as_str().unwrap_or(UNKNOWN);
    let license = &part["licenses"][0];
    let declared = license["license"]["id"].as_str().or_else(|| license["expression"].as_str());
    let mut package = json!({
        "SPDXID": ids[text(part, "bom-ref")],
        "name": name,
        "downloadLocation": address,
        "filesAnalyzed": false,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": declared.unwrap_or(UNKNOWN),
        "copyrightText": UNKNOWN,
        "primaryPackagePurpose": text(part, "type").to_uppercase(),
    });
    if !text(part, "version").is_empty() {
        package["versionInfo"] = part["version"].clone();
    }
    // What is no expression of SPDX cannot be declared, but it can be told.
    if let Some(name) = license["license"]["name"].as_str() {
        package["licenseComments"] = json!(format!("its package says: {name}"));
    }
    if let Some(purl) = part["purl"].as_str() {
        package["externalRefs"] = json!([{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]);
    }
    if let Some(hashes) = part["hashes"].as_array() {
        let sum = |hash: &Value| json!({"algorithm": text(hash, "alg").replace('-', ""), "checksumValue": hash["content"]});
        package["checksums"] = hashes.iter().map(sum).collect();
    }
    package
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Limits, Manifests, parse};

    const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
      "": {"name": "app", "version": "1.0.0", "dependencies": {"@s/a": "1"}, "devDependencies": {"d": "1"}},
      "node_modules/@s/a": {"version": "1.0.0", "license": "MIT", "dependencies": {"d": "1"}, "resolved": "https://u:secret@r.example/a.tgz",
        "integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
      "node_modules/d": {"version": "2.0.0", "license": "my own\u202e"}}}"#;

    fn read(text: &str, kind: Kind) -> Graph {
        parse(kind, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()
    }

    #[test]
    fn what_is_written_can_be_read_back() {
        let graph = read(LOCK, Kind::Npm);
        for (kind, text) in [
            (Kind::Spdx, sbom(&[("package-lock.json", &graph)], Timestamp::UNIX_EPOCH)),
            (Kind::CycloneDx, crate::report::cyclonedx::sbom(&[("package-lock.json", &graph)], Timestamp::UNIX_EPOCH)),
        ] {
            assert_eq!(Kind::guess("", &text.as_bytes()[..4096.min(text.len())]), Some(kind));
            let back = read(&text, kind);
            let mut names: Vec<String> = back.instances().iter().map(|i| i.package.to_string()).filter(|name| name.contains('@')).collect();
            names.sort();
            assert_eq!(names, ["@s/a@1.0.0", "app@1.0.0", "d@2.0.0"], "{kind}");
            let edges = back.edges().iter().filter(|edge| edge.to.is_some()).count();
            assert_eq!(edges, 3, "{kind}");
        }
    }

    #[test]
    fn identifiers_are_fit_and_unique_and_licences_are_no_inventions() {
        let graph = read(LOCK, Kind::Npm);
        let text = sbom(&[("package-lock.json", &graph)], Timestamp::UNIX_EPOCH);
        assert!(!text.contains("secret") && !text.contains('\u{202e}'));
        assert_eq!(text, sbom(&[("package-lock.json", &graph)], Timestamp::UNIX_EPOCH));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["creationInfo"]["created"], "1970-01-01T00:00:00Z");
        let packages = value["packages"].as_array().unwrap();
        let ids: Vec<&str> = packages.iter().map(|p| p["SPDXID"].as_str().unwrap()).collect();
        assert_eq!(ids, ["SPDXRef-0-app", "SPDXRef-1-a", "SPDXRef-2-d"]);
        assert_eq!((&packages[1]["licenseDeclared"], &packages[2]["licenseDeclared"]), (&json!("MIT"), &json!(UNKNOWN)));
        assert_eq!(packages[2]["licenseComments"], "its package says: my own\u{202e}");
        assert_eq!(packages[1]["checksums"][0]["algorithm"], "SHA1");
        assert_eq!(packages[1]["name"], "@s/a");
    }
}
