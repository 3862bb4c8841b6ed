//! SPDX 2.2 and 2.3 in JSON: `packages` that name themselves by package URL, and `relationships` between them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::purl::Purl;
use crate::graph::{Builder, Draft, EdgeKind, Graph, InstanceId, Source};
use crate::limits::Limits;
use crate::package::Package;
use crate::text::json::Json;
use crate::text::{Result, fault, quote};

type Text<'a> = Cow<'a, str>;

pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Graph> {
    let mut json = Json::new(text);
    let mut spdx = Spdx::default();
    let mut version = None;
    json.object(|json, key| match &*key.name {
        "spdxVersion" => {
            let text = json.string()?;
            if !text.starts_with("SPDX-2.") {
                return fault(key.at, format!("{} is not read; SPDX-2.2 and SPDX-2.3 are, and CycloneDX", quote(&text)));
            }
            version = Some(text);
            Ok(())
        }
        "@graph" => fault(key.at, "SPDX 3 is not read; have the document written as SPDX 2.3 or as CycloneDX"),
        "packages" => json.array(|json| {
            let at = json.place()?;
            limits.more_packages(at, spdx.elements.len())?;
            spdx.elements.push(Element::read(json)?);
            Ok(())
        }),
        "documentDescribes" => json.array_or_skip(|json| {
            let at = json.place()?;
            limits.more_packages(at, spdx.described.len())?;
            spdx.described.extend(json.string_or_skip()?);
            Ok(())
        }),
        "relationships" => json.array(|json| {
            let at = json.place()?;
            limits.more_edges(at, spdx.relations.len())?;
            let (mut from, mut to, mut kind) = (None, None, None);
            json.object(|json, key| {
                match &*key.name {
                    "spdxElementId" => from = json.string_or_skip()?,
                    "relatedSpdxElement" => to = json.string_or_skip()?,
                    "relationshipType" => kind = json.string_or_skip()?,
                    _ => json.skip()?,
                }
                Ok(())
            })?;
            if let (Some(from), Some(to), Some(kind)) = (from, to, kind) {
                spdx.relation(at, from, to, &kind);
            }
            Ok(())
        }),
        _ => json.skip(),
    })?;
    json.end()?;
    if version.is_none() {
        return fault(0, "`spdxVersion` is not in it: no SPDX document");
    }
    spdx.finish(text, limits)
}

#[derive(Default)]
struct Element<'a> {
    at: usize,
    id: Text<'a>,
    name: Text<'a>,
    version: Text<'a>,
    license: Option<Text<'a>>,
    purl: Option<Text<'a>>,
}

impl<'a> Element<'a> {
    fn read(json: &mut Json<'a>) -> Result<Self> {
        let mut e = Self { at: json.place()?, ..Self::default() };
        json.object(|json, key| {
            match &*key.name {
                "SPDXID" => e.id = json.string()?,
                "name" => e.name = json.string_or_skip()?.unwrap_or_default(),
                "versionInfo" => e.version = json.string_or_skip()?.unwrap_or_default(),
                "licenseConcluded" => e.license = said(json.string_or_skip()?).or(e.license.take()),
                "licenseDeclared" => e.license = e.license.take().or(said(json.string_or_skip()?)),
                "externalRefs" => json.array_or_skip(|json| {
                    let (mut kind, mut locator) = (None, None);
                    json.object_or_skip(|json, key| {
                        match &*key.name {
                            "referenceType" => kind = json.string_or_skip()?,
                            "referenceLocator" => locator = json.string_or_skip()?,
                            _ => json.skip()?,
                        }
                        Ok(())
                    })?;
                    if kind.as_deref() == Some("purl") {
                        e.purl = locator;
                    }
                    Ok(())
                })?,
                _ => json.skip()?,
            }
            Ok(())
        })?;
        Ok(e)
    }
}

/// SPDX writes that it does not know in two ways.
fn said(text: Option<Text<'_>>) -> Option<Text<'_>> {
    text.filter(|t| t != "NOASSERTION" && t != "NONE")
}

#[derive(Default)]
struct Spdx<'a> {
    elements: Vec<Element<'a>>,
    described: Vec<Text<'a>>,
    /// Who depends on whom.
    relations: Vec<(usize, Text<'a>, Text<'a>, EdgeKind)>,
}

impl<'a> Spdx<'a> {
    fn relation(&mut self, at: usize, a: Text<'a>, b: Text<'a>, kind: &str) {
        let (from, to, kind) = match kind {
            "DEPENDS_ON" | "CONTAINS" => (a, b, EdgeKind::Prod),
            "DEPENDENCY_OF" | "RUNTIME_DEPENDENCY_OF" | "CONTAINED_BY" => (b, a, EdgeKind::Prod),
            "DEV_DEPENDENCY_OF" | "BUILD_DEPENDENCY_OF" | "TEST_DEPENDENCY_OF" | "DEV_TOOL_OF" | "TEST_TOOL_OF" => (b, a, EdgeKind::Dev),
            "OPTIONAL_DEPENDENCY_OF" => (b, a, EdgeKind::Optional),
            "PROVIDED_DEPENDENCY_OF" => (b, a, EdgeKind::Peer),
            "DESCRIBES" => return self.described.push(b),
            "DESCRIBED_BY" => return self.described.push(a),
            _ => return,
        };
        self.relations.push((at, from, to, kind));
    }

    fn finish(self, text: &str, limits: &Limits) -> Result<Graph> {
        let mut b = Builder::new(limits);
        let mut ids: HashMap<&str, InstanceId> = HashMap::new();
        let described: std::collections::HashSet<&str> = self.described.iter().map(|d| &**d).collect();
        let mut left_out = 0;
        for e in &self.elements {
            let purl = e.purl.as_deref().and_then(Purl::parse);
            let is_project = described.contains(&*e.id);
            let draft = match purl {
                Some(purl) => {
                    let version = if purl.version.is_empty() { &*e.version } else { &purl.version };
                    let package = Package { ecosystem: purl.ecosystem, name: b.intern(&purl.name), version: b.intern(version) };
                    let mut draft = Draft::new(e.at, package, purl.source, b.intern(&e.id));
                    draft.license = e.license.as_deref().map(|l| b.intern(l));
                    draft
                }
                None if is_project => {
                    let package = b.npm(&e.name, &e.version);
                    Draft::new(e.at, package, Source::Workspace, b.intern(&e.id))
                }
                None => {
                    left_out += 1;
                    continue;
                }
            };
            let id = b.add(draft)?;
            if is_project {
                b.root(id);
            }
            if ids.insert(&e.id, id).is_some() {
                return fault(e.at, format!("the element {} appears twice", quote(&e.id)));
            }
        }
        for (at, from, to, kind) in &self.relations {
            if let (Some(from), Some(to)) = (ids.get(&**from), ids.get(&**to)) {
                let package = b.draft(*to).package.clone();
                b.edge(*at, *from, Some(*to), *kind, &package.name, &package.version)?;
            }
        }
        super::left_out(&mut b, left_out);
        Ok(b.finish(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_their_relations_are_found() {
        let text = r#"{"spdxVersion": "SPDX-2.3", "packages": [
            {"SPDXID": "SPDXRef-app", "name": "app", "versionInfo": "1"},
            {"SPDXID": "SPDXRef-a", "name": "a", "licenseConcluded": "NOASSERTION", "licenseDeclared": "MIT",
             "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:npm/%40s/a@1.0.0"}]},
            {"SPDXID": "SPDXRef-b", "name": "b", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:cargo/b@2.0.0"}]},
            {"SPDXID": "SPDXRef-c", "name": "c"}],
            "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-app", "relationshipType": "DESCRIBES"},
            {"spdxElementId": "SPDXRef-app", "relatedSpdxElement": "SPDXRef-a", "relationshipType": "DEPENDS_ON"},
            {"spdxElementId": "SPDXRef-b", "relatedSpdxElement": "SPDXRef-app", "relationshipType": "DEV_DEPENDENCY_OF"}]}"#;
        let graph = parse(text, &Limits::default()).unwrap();
        let names: Vec<String> = graph.instances().iter().map(|i| i.package.to_string()).collect();
        assert_eq!(names, ["app@1", "@s/a@1.0.0", "b@2.0.0"]);
        assert_eq!(graph.instances()[1].license.as_deref(), Some("MIT"));
        assert!(graph.instances()[2].needed.only_dev() && !graph.instances()[1].needed.only_dev());
        assert_eq!(graph.roots().len(), 1);
        assert!(parse(r#"{"@graph": []}"#, &Limits::default()).unwrap_err().message.contains("SPDX 3"));
    }
}
