//! How tests of the formats look at a graph.

use crate::graph::{EdgeKind, Graph, InstanceId};
use crate::kind::Kind;
use crate::limits::Limits;
use crate::manifest::{Manifest, Manifests};

/// Reads a lockfile beside a package.json.
pub(super) fn graph(kind: Kind, text: &str, manifest: Option<&str>) -> Graph {
    let manifests = Manifests { root: manifest.map(|m| Manifest::parse(m.as_bytes()).unwrap()), members: Vec::new() };
    super::parse(kind, text.as_bytes(), &manifests, &Limits::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// What is wrong with a lockfile: `line:column: message`.
pub(super) fn problem(kind: Kind, text: &str) -> String {
    super::parse(kind, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap_err().to_string()
}

/// Every instance as `path = name@version Source`, with ` as alias` where it has one.
pub(super) fn instances(graph: &Graph) -> Vec<String> {
    let show = |i: &crate::Instance| {
        let alias = i.alias.as_deref().map(|a| format!(" as {a}")).unwrap_or_default();
        format!("{} = {} {:?}{alias}", i.path, i.package, i.source)
    };
    graph.instances().iter().map(show).collect()
}

/// Every edge as `from -> to`, with its kind unless it is to run, its name and range.
pub(super) fn edges(graph: &Graph) -> Vec<String> {
    let path = |id: InstanceId| graph.instance(id).path.to_string();
    let show = |e: &crate::Edge| {
        let kind = if e.kind == EdgeKind::Prod { String::new() } else { format!("{:?} ", e.kind) };
        format!("{} -> {} ({kind}{} {})", path(e.from), e.to.map_or_else(|| "nobody".to_owned(), path), e.name, e.range)
    };
    graph.edges().iter().map(show).collect()
}
