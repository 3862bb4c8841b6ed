//! CycloneDX in JSON, 1.2 to 1.7: `components`, within each other too, and `dependencies` between their `bom-ref`s.

use std::borrow::Cow;
use std::collections::HashMap;

use super::purl::Purl;
use crate::graph::{Builder, Draft, EdgeKind, Graph, InstanceId, Source, Trust};
use crate::limits::Limits;
use crate::package::Package;
use crate::text::json::Json;
use crate::text::{Result, fault};

type Text<'a> = Cow<'a, str>;

pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Graph> {
    let mut json = Json::new(text);
    let mut bom = Bom { limits, components: Vec::new(), dependencies: Vec::new(), edges: 0, left_out: 0 };
    let (mut project, mut is_bom) = (None, false);
    json.object(|json, key| match &*key.name {
        "bomFormat" => {
            is_bom = json.string()? == "CycloneDX";
            Ok(())
        }
        "metadata" => json.object_or_skip(|json, key| {
            if key.name != "component" {
                return json.skip();
            }
            project = Some(bom.component(json)?);
            Ok(())
        }),
        "components" => bom.components(json),
        "dependencies" => bom.dependencies(json),
        _ => json.skip(),
    })?;
    json.end()?;
    if !is_bom {
        return fault(0, "`bomFormat` is not `CycloneDX`: no bill of materials of that kind");
    }
    bom.finish(text, &project.unwrap_or_default())
}

#[derive(Default)]
struct Component<'a> {
    at: usize,
    reference: Option<Text<'a>>,
    name: Option<Text<'a>>,
    version: Option<Text<'a>>,
    purl: Option<Text<'a>>,
    hash: Option<String>,
    license: Option<Text<'a>>,
    optional: bool,
    dev: bool,
}

struct Bom<'l, 'a> {
    limits: &'l Limits,
    components: Vec<Component<'a>>,
    /// Who depends on whom.
    dependencies: Vec<(Text<'a>, Vec<(usize, Text<'a>)>)>,
    edges: usize,
    left_out: usize,
}

impl<'a> Bom<'_, 'a> {
    fn components(&mut self, json: &mut Json<'a>) -> Result<()> {
        json.array(|json| {
            let at = json.place()?;
            self.limits.more_packages(at, self.components.len())?;
            let component = self.component(json)?;
            if component.purl.as_deref().and_then(Purl::parse).is_some() {
                self.components.push(component);
            } else {
                self.left_out += 1;
            }
            Ok(())
        })
    }

    fn component(&mut self, json: &mut Json<'a>) -> Result<Component<'a>> {
        let mut c = Component { at: json.place()?, ..Component::default() };
        json.object(|json, key| {
            match &*key.name {
                "bom-ref" => c.reference = json.string_or_skip()?,
                "name" => c.name = json.string_or_skip()?,
                "version" => c.version = json.string_or_skip()?,
                "purl" => c.purl = json.string_or_skip()?,
                "scope" => c.optional = json.string_or_skip()?.is_some_and(|s| s == "optional"),
                "hashes" => json.array_or_skip(|json| {
                    let (mut algorithm, mut content) = (None, None);
                    json.object_or_skip(|json, key| {
                        match &*key.name {
                            "alg" => algorithm = json.string_or_skip()?,
                            "content" => content = json.string_or_skip()?,
                            _ => json.skip()?,
                        }
                        Ok(())
                    })?;
                    if let (Some(algorithm), Some(content)) = (algorithm, content) {
                        c.hash = Some(format!("{}:{content}", algorithm.to_ascii_lowercase().replace('-', "")));
                    }
                    Ok(())
                })?,
                "licenses" => json.array_or_skip(|json| license(json, &mut c.license))?,
                "properties" => json.array_or_skip(|json| {
                    let (mut name, mut value) = (None, None);
                    json.object_or_skip(|json, key| {
                        match &*key.name {
                            "name" => name = json.string_or_skip()?,
                            "value" => value = json.string_or_skip()?,
                            _ => json.skip()?,
                        }
                        Ok(())
                    })?;
                    c.dev |= name.as_deref() == Some("cdx:npm:package:development") && value.as_deref() == Some("true");
                    Ok(())
                })?,
                "components" => self.components(json)?,
                _ => json.skip()?,
            }
            Ok(())
        })?;
        Ok(c)
    }

    fn dependencies(&mut self, json: &mut Json<'a>) -> Result<()> {
        json.array(|json| {
            let mut from = None;
            let mut to = Vec::new();
            json.object(|json, key| {
                match &*key.name {
                    "ref" => from = json.string_or_skip()?,
                    "dependsOn" => json.array_or_skip(|json| {
                        let at = json.place()?;
                        self.limits.more_edges(at, self.edges)?;
                        self.edges += 1;
                        to.extend(json.string_or_skip()?.map(|to| (at, to)));
                        Ok(())
                    })?,
                    _ => json.skip()?,
                }
                Ok(())
            })?;
            if let Some(from) = from.filter(|_| !to.is_empty()) {
                self.dependencies.push((from, to));
            }
            Ok(())
        })
    }

    fn finish(self, text: &str, project: &Component<'_>) -> Result<Graph> {
        let mut b = Builder::new(self.limits);
        let mut ids: HashMap<&str, InstanceId> = HashMap::new();
        let package = b.npm(project.name.as_deref().unwrap_or(""), project.version.as_deref().unwrap_or(""));
        let path = b.intern("");
        let root = b.add(Draft::new(project.at, package, Source::Workspace, path))?;
        b.root(root);
        ids.extend(project.reference.as_deref().map(|r| (r, root)));
        for c in &self.components {
            let Some(purl) = c.purl.as_deref().and_then(Purl::parse) else { continue };
            let version = if purl.version.is_empty() { c.version.as_deref().unwrap_or("") } else { &purl.version };
            let package = Package { ecosystem: purl.ecosystem, name: b.intern(&purl.name), version: b.intern(version) };
            let reference = c.reference.as_deref().or(c.purl.as_deref()).unwrap_or("");
            let mut draft = Draft::new(c.at, package, purl.source, reference.into());
            draft.integrity = c.hash.as_deref().map(Into::into);
            draft.license = c.license.as_deref().map(Into::into);
            draft.flags.optional = c.optional;
            draft.flags.dev = c.dev;
            let id = b.add(draft)?;
            ids.insert(reference, id);
        }
        for (from, list) in &self.dependencies {
            let Some(from) = ids.get(&**from) else { continue };
            for (at, to) in list {
                let Some(to) = ids.get(&**to) else { continue };
                let package = b.draft(*to).package.clone();
                b.edge(*at, *from, Some(*to), EdgeKind::Prod, &package.name, &package.version)?;
            }
        }
        b.trust_flags(Trust::Always);
        super::left_out(&mut b, self.left_out);
        Ok(b.finish(text))
    }
}

/// `{"license": {"id": "MIT"}}`, `{"license": {"name": "..."}}` or `{"expression": "MIT OR ISC"}`; the first counts.
fn license<'a>(json: &mut Json<'a>, license: &mut Option<Text<'a>>) -> Result<()> {
    let mut found = None;
    json.object_or_skip(|json, key| match &*key.name {
        "expression" => {
            found = json.string_or_skip()?;
            Ok(())
        }
        "license" => json.object_or_skip(|json, key| {
            match &*key.name {
                "id" | "name" => found = json.string_or_skip()?.or(found.take()),
                _ => json.skip()?,
            }
            Ok(())
        }),
        _ => json.skip(),
    })?;
    *license = license.take().or(found);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::NoteKind;

    #[test]
    fn components_within_components_are_found_with_their_edges() {
        let text = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5",
            "metadata": {"component": {"bom-ref": "app", "name": "app", "version": "1"}},
            "components": [
              {"bom-ref": "a", "name": "a", "purl": "pkg:npm/a@1.0.0", "licenses": [{"license": {"id": "MIT"}}], "hashes": [{"alg": "SHA-512", "content": "ab"}],
               "components": [{"purl": "pkg:cargo/b@2.0.0", "scope": "optional", "properties": [{"name": "cdx:npm:package:development", "value": "true"}]}]},
              {"name": "c", "purl": "pkg:maven/c/c@1"}],
            "dependencies": [{"ref": "app", "dependsOn": ["a"]}, {"ref": "a", "dependsOn": ["pkg:cargo/b@2.0.0", "gone"]}]}"#;
        let graph = parse(text, &Limits::default()).unwrap();
        let names: Vec<String> = graph.instances().iter().map(|i| i.package.to_string()).collect();
        assert_eq!(names, ["app@1", "b@2.0.0", "a@1.0.0"]);
        let (b, a) = (&graph.instances()[1], &graph.instances()[2]);
        assert!(b.needed.only_dev() && b.needed.only_optional() && !a.needed.only_dev());
        assert_eq!((a.license.as_deref(), a.integrity.as_deref()), (Some("MIT"), Some("sha512:ab")));
        assert_eq!(graph.edges().len(), 2);
        assert_eq!(graph.notes().len(), 1);
        assert_eq!(graph.notes()[0].kind, NoteKind::LeftOut);
    }
}
