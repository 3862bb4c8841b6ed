//! Why a package is there: who asks for it with which range, the shortest ways to it, and which direct dependencies bring it.

mod render;
mod ways;

use std::collections::BTreeSet;

use super::Query;
use crate::graph::{Edge, EdgeKind, Graph, InstanceId, Source};
use crate::kind::Kind;
use crate::place::Place;
use ways::Ways;

/// How many instances are told in full; a project with more copies of one package has other worries.
const MAX_INSTANCES: usize = 50;
/// How many of those who ask for it are named.
const MAX_ASKED: usize = 50;

/// What came of asking one lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The lockfile's path as it was found.
    pub path: String,
    /// What wrote it.
    pub kind: Kind,
    /// The instances that were meant, the nearest to a project first; at most 50.
    pub reasons: Vec<Reason>,
    /// How many more there are.
    pub left_out: usize,
}

/// Why one instance is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What it is: `name@version`.
    pub label: String,
    /// The name it is imported by, where that is not its own.
    pub alias: Option<String>,
    /// Where its files come from.
    pub source: Source,
    /// Where it is installed; the lockfile's own key for those that have a store.
    pub at: String,
    /// Where it stands in the lockfile.
    pub place: Place,
    /// It is there for development only.
    pub dev: bool,
    /// It may be missing.
    pub optional: bool,
    /// Who asks for it, each once, at most 50.
    pub asked: Vec<Asked>,
    /// How many more do.
    pub asked_more: usize,
    /// Shortest ways to it from a project, at most 10. None: no project of the lockfile reaches it.
    pub ways: Vec<Vec<Step>>,
    /// How many shortest ways there are.
    pub ways_total: u64,
    /// The direct dependencies that bring it, by name.
    pub through: Vec<String>,
}

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Who.
    pub by: String,
    /// For what: a range, an address, or the exact version where the lockfile keeps only that.
    pub range: String,
    /// How.
    pub kind: EdgeKind,
}

/// One package on a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is called. Empty: so many packages were left out here.
    pub label: String,
    /// How many packages this step stands for, where it stands for those that were left out.
    pub left_out: usize,
    /// What the one before it asked for; nothing for the first.
    pub range: Option<String>,
}

/// Asks a lockfile why a package is there.
#[must_use]
pub fn why(path: &str, kind: Kind, graph: &Graph, query: &Query) -> Why {
    let ways = Ways::new(graph);
    let mut meant: Vec<InstanceId> =
        graph.iter().filter(|(id, i)| query.matches(i) && !graph.is_followed_link(*id)).map(|(id, _)| id).collect();
    meant.sort_by_key(|id| (ways.steps[id.index()].unwrap_or(u32::MAX), graph.instance(*id).place));
    let left_out = meant.len().saturating_sub(MAX_INSTANCES);
    let reasons = meant.into_iter().take(MAX_INSTANCES).map(|id| reason(graph, &ways, id)).collect();
    Why { path: path.to_owned(), kind, reasons, left_out }
}

fn reason(graph: &Graph, ways: &Ways<'_>, id: InstanceId) -> Reason {
    let instance = graph.instance(id);
    let asked = |edge: &Edge| Asked { by: graph.label(edge.from), range: edge.range.to_string(), kind: edge.kind };
    // Copies of one package ask alike.
    let mut asks: Vec<Asked> = graph.dependents(id).filter(|edge| edge.kind != EdgeKind::Link).map(asked).collect();
    asks.sort_unstable();
    asks.dedup();
    let asked_more = asks.len().saturating_sub(MAX_ASKED);
    asks.truncate(MAX_ASKED);
    Reason {
        label: graph.label(id),
        alias: instance.alias.as_deref().map(str::to_owned),
        source: instance.source,
        at: instance.path.to_string(),
        place: instance.place,
        dev: instance.needed.only_dev(),
        optional: instance.needed.only_optional(),
        asked: asks,
        asked_more,
        ways: ways.to(id),
        ways_total: ways.counts[id.index()],
        through: through(graph, id),
    }
}

/// The direct dependencies from which an instance is reached, itself included.
fn through(graph: &Graph, id: InstanceId) -> Vec<String> {
    let mut seen = vec![false; graph.instances().len()];
    let mut open = vec![id];
    let mut found = BTreeSet::new();
    seen[id.index()] = true;
    while let Some(at) = open.pop() {
        for edge in graph.dependents(at) {
            if graph.is_root(edge.from) && !graph.is_root(at) && !graph.is_followed_link(at) {
                found.insert(graph.label(at));
            }
            if !std::mem::replace(&mut seen[edge.from.index()], true) {
                open.push(edge.from);
            }
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::render::step;
    use super::ways::{LONGEST, MAX_WAYS};
    use super::*;
    use crate::ask::Form;
    use crate::report::{BOLD, DIM};
    use crate::{Limits, Manifests, parse};

    fn graph(packages: &str) -> Graph {
        let text = format!("{{\"lockfileVersion\": 3, \"packages\": {{{packages}}}}}");
        parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()
    }

    fn ask(graph: &Graph, query: &str) -> Why {
        why("package-lock.json", Kind::Npm, graph, &Query::parse(query).unwrap())
    }

    const SQUARE: &str = r#""": {"name": "app", "dependencies": {"a": "1"}, "devDependencies": {"b": "2", "e": "*"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"d": "^1.0.0"}},
        "node_modules/b": {"version": "2.0.0", "dependencies": {"d": "1.x"}, "peerDependencies": {"d": "*"}},
        "node_modules/d": {"version": "1.5.0"},
        "node_modules/e": {"version": "1.0.0", "dependencies": {"f": "1"}},
        "node_modules/f": {"version": "1.0.0", "dependencies": {"d": "1"}},
        "node_modules/lost": {"version": "1.0.0", "dependencies": {"lost": "1"}}"#;

    #[test]
    fn every_shortest_way_is_told_with_who_asks() {
        let found = ask(&graph(SQUARE), "d@1");
        let reason = &found.reasons[0];
        let ways: Vec<String> = reason.ways.iter().map(|way| way.iter().map(step).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(ways, ["app a@1.0.0 d@1.5.0", "app b@2.0.0 d@1.5.0"]);
        assert_eq!((reason.ways_total, reason.dev), (2, false));
        assert_eq!(reason.through, ["a@1.0.0", "b@2.0.0", "e@1.0.0"]);
        let asked: Vec<(&str, &str, EdgeKind)> = reason.asked.iter().map(|a| (&*a.by, &*a.range, a.kind)).collect();
        assert!(asked.contains(&("a@1.0.0", "^1.0.0", EdgeKind::Prod)) && asked.contains(&("f@1.0.0", "1", EdgeKind::Prod)), "{asked:?}");
        assert_eq!(reason.ways[0][2].range.as_deref(), Some("^1.0.0"));
    }

    #[test]
    fn what_no_project_reaches_and_what_is_not_there() {
        let found = ask(&graph(SQUARE), "lost");
        assert!(found.reasons[0].ways.is_empty() && found.reasons[0].through.is_empty());
        assert!(Why::render(&[found], Form::Text).contains("no project that the lockfile knows reaches it"));
        assert!(ask(&graph(SQUARE), "d@2").reasons.is_empty());
        assert_eq!(ask(&graph(SQUARE), "app").reasons[0].ways, [[Step { label: "app".to_owned(), left_out: 0, range: None }]]);
    }

    /// Forty layers of two packages each, all of which ask for both of the next: 2^40 ways.
    #[test]
    fn ways_are_counted_without_walking_them() {
        let mut text = r#""": {"dependencies": {"a0": "1", "b0": "1"}}"#.to_owned();
        for n in 0..40 {
            for side in ["a", "b"] {
                text +=
                    &format!(r#", "node_modules/{side}{n}": {{"version": "1.0.0", "dependencies": {{"a{0}": "1", "b{0}": "1"}}}}"#, n + 1);
            }
        }
        text += r#", "node_modules/a40": {"version": "1.0.0"}"#;
        let found = ask(&graph(&text), "a40");
        let reason = &found.reasons[0];
        assert_eq!((reason.ways_total, reason.ways.len()), (1 << 40, MAX_WAYS));
        assert_eq!(reason.ways[0].iter().find(|step| step.left_out > 0).unwrap().left_out, 41 - LONGEST);
        assert_eq!(reason.ways[0].len(), LONGEST + 2);
        assert!(Why::render(std::slice::from_ref(&found), Form::Text).contains("more ways as short"));
    }

    #[test]
    fn hostile_names_are_only_read() {
        let g =
            graph("\"\": {\"dependencies\": {\"a\\u001b[2J\": \"\\u202e\"}}, \"node_modules/a\\u001b[2J\": {\"version\": \"1\\u0007\"}");
        let found = [ask(&g, "a\u{1b}[2J")];
        let mut text = Why::render(&found, Form::Text);
        for style in [format!("{BOLD}"), format!("{DIM}"), format!("{BOLD:#}")] {
            text = text.replace(&style, "");
        }
        assert!(!text.contains(|c| crate::report::clean::is_harmful(c) && c != '\n'), "{text:?}");
        let json = Why::render(&found, Form::Json);
        assert!(!json.contains(|c| crate::report::clean::is_harmful(c) && c != '\n'));
        serde_json::from_str::<Value>(&json).unwrap();
    }
}
