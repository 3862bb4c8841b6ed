//! package.json: what a project asks for, where its lockfile does not say (npm 1, yarn), and which folders belong to it.

mod glob;

use std::borrow::Cow;

use crate::error::Error;
use crate::graph::EdgeKind;
use crate::text::json::{Json, Shape};
use crate::text::{self, Result, fault};

pub(crate) use glob::Patterns;

/// The most that one package may ask for. Those that ask for whole registries stop at some thousands.
const MOST: usize = 100_000;

/// The most patterns of workspaces. Each costs a walk through folders.
const MOST_PATTERNS: usize = 1000;
const LONGEST_PATTERN: usize = 4096;

/// One package.json.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// Its name; empty when it has none.
    pub name: String,
    /// Its version; empty when it has none.
    pub version: String,
    /// What it asks for: how, the name, the range.
    pub requests: Vec<(EdgeKind, String, String)>,
    /// The patterns of its workspaces' folders.
    pub workspaces: Vec<String>,
}

/// The package.json files that belong to a lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifests {
    /// The one beside the lockfile.
    pub root: Option<Manifest>,
    /// Those of workspaces, by folder, with `/` between its parts, as `packages/api`.
    pub members: Vec<(String, Manifest)>,
}

impl Manifest {
    /// Reads a package.json. Doubled keys count as they do for npm: the last one.
    ///
    /// # Errors
    /// No text, or no JSON object.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Self, Error> {
        let text = text::decode(bytes)?;
        let mut json = Json::new(text).doubles();
        Self::read(&mut json).and_then(|m| json.end().map(|()| m)).map_err(|f| text::locate(text, f))
    }

    fn read(json: &mut Json<'_>) -> Result<Self> {
        let mut manifest = Self::default();
        let mut requests = Requests::default();
        json.object(|json, key| {
            match &*key.name {
                "name" => manifest.name = json.string_or_skip()?.unwrap_or_default().into_owned(),
                "version" => manifest.version = json.string_or_skip()?.unwrap_or_default().into_owned(),
                "workspaces" => manifest.workspaces = workspaces(json)?,
                field => {
                    if !requests.read(json, field)? {
                        json.skip()?;
                    }
                }
            }
            Ok(())
        })?;
        manifest.requests = requests.finish().map(|r| (r.kind, r.name.into_owned(), r.range.into_owned())).collect();
        Ok(manifest)
    }
}

/// `["packages/*"]`, or `{"packages": [...]}` as yarn 1 has it too.
pub(crate) fn workspaces(json: &mut Json<'_>) -> Result<Vec<String>> {
    let mut patterns = Vec::new();
    let mut list = |json: &mut Json<'_>| {
        json.array_or_skip(|json| {
            let at = json.place()?;
            if patterns.len() >= MOST_PATTERNS {
                return fault(at, format!("more than {MOST_PATTERNS} patterns of workspaces"));
            }
            let pattern = json.string_or_skip()?.map(Cow::into_owned);
            // What is longer than a path can be means no folder.
            patterns.extend(pattern.filter(|p| p.len() <= LONGEST_PATTERN));
            Ok(())
        })
    };
    if json.shape()? == Shape::Object {
        json.object(|json, key| if key.name == "packages" { list(json) } else { json.skip() })?;
    } else {
        list(json)?;
    }
    Ok(patterns)
}

/// Somebody's request, as it is read.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) at: usize,
    pub(crate) kind: EdgeKind,
    pub(crate) name: Cow<'a, str>,
    pub(crate) range: Cow<'a, str>,
}

/// The fields of package.json by which others are asked for; package-lock.json and bun.lock have them too.
#[derive(Debug, Default)]
pub(crate) struct Requests<'a> {
    list: Vec<Request<'a>>,
    optional_peers: Vec<Cow<'a, str>>,
}

impl<'a> Requests<'a> {
    /// Reads a field if it is one of them.
    pub(crate) fn read(&mut self, json: &mut Json<'a>, field: &str) -> Result<bool> {
        let kind = match field {
            "dependencies" => EdgeKind::Prod,
            "devDependencies" => EdgeKind::Dev,
            "optionalDependencies" => EdgeKind::Optional,
            "peerDependencies" => EdgeKind::Peer,
            "peerDependenciesMeta" => {
                json.object_or_skip(|json, name| {
                    let mut optional = false;
                    json.object_or_skip(|json, key| {
                        let flag = json.flag()?;
                        optional |= flag && key.name == "optional";
                        Ok(())
                    })?;
                    if optional {
                        self.optional_peers.push(name.name);
                    }
                    Ok(())
                })?;
                return Ok(true);
            }
            // bun's way of saying the same.
            "optionalPeers" => {
                json.array_or_skip(|json| {
                    let at = json.place()?;
                    if self.optional_peers.len() >= MOST {
                        return fault(at, format!("one package has more than {MOST} optional peers"));
                    }
                    self.optional_peers.extend(json.string_or_skip()?);
                    Ok(())
                })?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        json.object_or_skip(|json, name| {
            if self.list.len() >= MOST {
                return fault(name.at, format!("one package asks for more than {MOST} others"));
            }
            if let Some(range) = json.string_or_skip()? {
                self.list.push(Request { at: name.at, kind, name: name.name, range });
            }
            Ok(())
        })?;
        Ok(true)
    }

    /// The requests, each name once as npm takes it: optional wins over prod, both and dev over peer. Only what is asked for both to
    /// run and to develop stays twice, so that it counts as running.
    pub(crate) fn finish(mut self) -> impl Iterator<Item = Request<'a>> {
        let rank = |kind| match kind {
            EdgeKind::Optional => 0,
            EdgeKind::Prod | EdgeKind::Link => 1,
            EdgeKind::Dev => 2,
            EdgeKind::Peer | EdgeKind::PeerOptional => 3,
        };
        self.optional_peers.sort_unstable();
        for request in &mut self.list {
            if request.kind == EdgeKind::Peer && self.optional_peers.binary_search(&request.name).is_ok() {
                request.kind = EdgeKind::PeerOptional;
            }
        }
        self.list.sort_by(|a, b| a.name.cmp(&b.name).then(rank(a.kind).cmp(&rank(b.kind))));
        self.list.dedup_by(|later, kept| later.name == kept.name && (later.kind != EdgeKind::Dev || kept.kind == EdgeKind::Dev));
        self.list.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(text: &str) -> Vec<(EdgeKind, String, String)> {
        Manifest::parse(text.as_bytes()).unwrap().requests
    }

    #[test]
    fn a_name_asked_for_twice_counts_once() {
        let of = |k, n: &str, r: &str| (k, n.to_owned(), r.to_owned());
        assert_eq!(
            requests(
                r#"{"dependencies": {"a": "1", "b": "1", "c": "1"}, "devDependencies": {"b": "2", "p": "2"}, "optionalDependencies": {"a": "3"},
                "peerDependencies": {"p": "4", "q": "4", "r": "4"}, "peerDependenciesMeta": {"q": {"optional": true}, "r": {}}}"#
            ),
            [
                of(EdgeKind::Optional, "a", "3"),
                of(EdgeKind::Prod, "b", "1"),
                of(EdgeKind::Dev, "b", "2"),
                of(EdgeKind::Prod, "c", "1"),
                of(EdgeKind::Dev, "p", "2"),
                of(EdgeKind::PeerOptional, "q", "4"),
                of(EdgeKind::Peer, "r", "4"),
            ]
        );
    }

    #[test]
    fn odd_manifests_are_read_as_far_as_they_go() {
        let m =
            Manifest::parse(br#"{"name": 1, "version": "2", "version": "3", "dependencies": [], "workspaces": {"packages": ["a/*", 1]}}"#)
                .unwrap();
        assert_eq!((m.name.as_str(), m.version.as_str(), m.workspaces), ("", "3", vec!["a/*".to_owned()]));
        assert_eq!(
            Manifest::parse(b"{\n \"name\": \n").unwrap_err().to_string(),
            "3:1: the file ends too early: expected a value, found the end of the file"
        );
        assert!(Manifest::parse(b"[]").is_err());
    }
}
