//! The JSON of `npm audit --json`: audit report version 2, for tools that read it. What it says is [`crate::npm_view`]'s.

use serde_json::{Map, Value, json};

use super::clean;
use crate::cvss::Severity;
use crate::npm_view::{Advisory, Fix, Via, View, Vulnerability};

/// Renders npm's view. What npm's report has no place for, that not all was known, stands under `casque`.
#[must_use]
pub fn npm_json(view: &View) -> String {
    let mut counts: Map<String, Value> = Severity::ALL.into_iter().map(|s| (s.word().to_owned(), view.count(s).into())).collect();
    counts.insert("info".to_owned(), 0.into());
    counts.insert("total".to_owned(), view.vulnerabilities.len().into());
    let vulnerabilities: Map<String, Value> = view.vulnerabilities.iter().map(|v| (v.name.clone(), vulnerability(v))).collect();
    let dependencies = view.dependencies;
    let mut report = json!({
        "auditReportVersion": 2,
        "vulnerabilities": vulnerabilities,
        "metadata": {
            "vulnerabilities": counts,
            "dependencies": {
                "prod": dependencies.prod,
                "dev": dependencies.dev,
                "optional": dependencies.optional,
                "peer": dependencies.peer,
                "peerOptional": 0,
                "total": dependencies.total,
            },
        },
    });
    if view.cut || !view.unknown.is_empty() {
        report["casque"] = json!({"cut": view.cut, "withoutPackument": view.unknown});
    }
    clean::json(&format!("{report:#}")) + "\n"
}

fn vulnerability(vulnerability: &Vulnerability) -> Value {
    let via = |via: &Via| match via {
        Via::Advisory(found) => advisory(&vulnerability.name, found),
        Via::Dependency(name) => json!(name),
    };
    json!({
        "name": vulnerability.name,
        "severity": vulnerability.severity.word(),
        "isDirect": vulnerability.direct,
        "via": vulnerability.via.iter().map(via).collect::<Vec<_>>(),
        "effects": vulnerability.effects,
        "range": vulnerability.range,
        "nodes": vulnerability.nodes,
        "fixAvailable": fix(&vulnerability.fix),
    })
}

fn advisory(name: &str, advisory: &Advisory) -> Value {
    let cvss = match &advisory.cvss {
        Some(cvss) => json!({"score": cvss.score.value(), "vectorString": cvss.vector}),
        None => json!({"score": 0, "vectorString": null}),
    };
    json!({
        "source": advisory.source,
        "name": name,
        "dependency": name,
        "title": advisory.title,
        "url": Some(&advisory.url).filter(|url| !url.is_empty()),
        "severity": advisory.severity.word(),
        "cwe": advisory.cwes.iter().map(|cwe| format!("CWE-{cwe}")).collect::<Vec<_>>(),
        "cvss": cvss,
        "range": advisory.range,
    })
}

fn fix(fix: &Fix) -> Value {
    match fix {
        Fix::InRange => json!(true),
        Fix::None => json!(false),
        Fix::Change { name, version, major } => {
            let mut value = json!({"name": name, "version": version});
            if let Some(major) = major {
                value["isSemVerMajor"] = json!(major);
            }
            value
        }
    }
}
