//! Who asks for whom, as a tree: every package with what it asks for once, where it is nearest to a project, and with a mark
//! everywhere else.
//!
//! A tree of a graph can be larger than any memory. Marks keep this one to a row for each edge; beyond 100,000 rows and 48 levels
//! nothing is drawn, and the answer says so.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{Form, SCHEMA, finish};
use crate::graph::{Edge, EdgeKind, Graph, InstanceId};
use crate::kind::Kind;
use crate::report::clean::plain;
use crate::report::{BOLD, DIM, counted};

const MAX_ROWS: usize = 100_000;
/// Readers of JSON stop at 128, and each level has two.
const MAX_LEVELS: usize = 48;

/// How much of a tree is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TreeOptions {
    /// Levels below the projects; nothing: all of them. Direct dependencies are the first.
    pub depth: Option<usize>,
    /// Leave out what projects ask for to be worked on.
    pub prod: bool,
}

/// The tree of one lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The lockfile's path as it was found.
    pub path: String,
    /// What wrote it.
    pub kind: Kind,
    /// The projects; or, where the lockfile knows none, what nobody asks for.
    pub roots: Vec<Node>,
    /// Packages that no project reaches.
    pub unreached: usize,
    /// The tree was too large to be drawn whole.
    pub cut: bool,
}

/// A package in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is: `name@version`.
    pub label: String,
    /// How it was asked for; nothing for projects.
    pub asked: Option<(EdgeKind, String)>,
    /// What it asks for is drawn elsewhere.
    pub again: bool,
    /// What it asks for is below the last level that was wanted: so many.
    pub below: usize,
    /// It is asked for, but the lockfile does not have it.
    pub missing: bool,
    /// What it asks for.
    pub nodes: Vec<Self>,
}

/// Draws a lockfile as a tree.
#[must_use]
pub fn tree(path: &str, kind: Kind, graph: &Graph, options: TreeOptions) -> Tree {
    let mut starts = graph.roots().to_vec();
    if starts.is_empty() {
        starts = graph.iter().map(|(id, _)| id).filter(|id| graph.dependents(*id).next().is_none()).collect();
    }
    let mut drawing = Drawing::new(graph, options, &starts);
    let unreached = match options.prod {
        // What only development needs is not reached either.
        true => 0,
        false => graph.iter().filter(|(id, _)| !drawing.reached[id.index()] && !graph.is_followed_link(*id)).count(),
    };
    let roots = starts.iter().map(|id| drawing.node(*id, None, 0)).collect();
    Tree { path: path.to_owned(), kind, roots, unreached, cut: drawing.cut }
}

struct Drawing<'g> {
    graph: &'g Graph,
    options: TreeOptions,
    reached: Vec<bool>,
    /// Below whom each instance is drawn whole.
    above: Vec<Option<InstanceId>>,
    drawn: Vec<bool>,
    rows: usize,
    cut: bool,
}

impl<'g> Drawing<'g> {
    fn new(graph: &'g Graph, options: TreeOptions, starts: &[InstanceId]) -> Self {
        let count = graph.instances().len();
        let mut drawing =
            Self { graph, options, reached: vec![false; count], above: vec![None; count], drawn: vec![false; count], rows: 0, cut: false };
        let mut queue: VecDeque<InstanceId> = starts.iter().copied().collect();
        for start in starts {
            drawing.reached[start.index()] = true;
        }
        while let Some(at) = queue.pop_front() {
            for edge in drawing.requests(at) {
                let Some(to) = edge.to.map(|to| drawing.follow(to)) else { continue };
                if !std::mem::replace(&mut drawing.reached[to.index()], true) {
                    drawing.above[to.index()] = Some(at);
                    queue.push_back(to);
                }
            }
        }
        drawing
    }

    /// What counts of an instance's requests. Parts of a project stand beside it, not below it.
    fn requests(&self, id: InstanceId) -> Vec<&'g Edge> {
        let counts = |edge: &&Edge| match edge.kind {
            EdgeKind::Link => false,
            EdgeKind::Dev => !self.options.prod,
            EdgeKind::Optional | EdgeKind::Peer | EdgeKind::PeerOptional => edge.to.is_some(),
            EdgeKind::Prod => true,
        };
        self.graph.requests(id).iter().filter(counts).collect()
    }

    /// A link is the folder that it leads to.
    fn follow(&self, id: InstanceId) -> InstanceId {
        let link = || self.graph.requests(id).iter().find(|edge| edge.kind == EdgeKind::Link)?.to;
        if self.graph.is_followed_link(id) { link().unwrap_or(id) } else { id }
    }

    fn node(&mut self, id: InstanceId, asked: Option<(&Edge, InstanceId)>, level: usize) -> Node {
        self.rows += 1;
        let requests = self.requests(id);
        let mut node = Node {
            label: self.graph.label(id),
            asked: asked.map(|(edge, _)| (edge.kind, edge.range.to_string())),
            again: false,
            below: 0,
            missing: false,
            nodes: Vec::new(),
        };
        let is_here = self.above[id.index()] == asked.map(|(_, by)| by);
        if requests.is_empty() {
            return node;
        }
        if !is_here || std::mem::replace(&mut self.drawn[id.index()], true) {
            node.again = true;
            return node;
        }
        if level == MAX_LEVELS || self.options.depth == Some(level) {
            self.cut |= self.options.depth != Some(level);
            node.below = requests.len();
            return node;
        }
        for edge in requests {
            if self.rows == MAX_ROWS {
                self.cut = true;
                break;
            }
            match edge.to.map(|to| self.follow(to)) {
                Some(to) => node.nodes.push(self.node(to, Some((edge, id)), level + 1)),
                None => {
                    self.rows += 1;
                    node.nodes.push(missing(edge));
                }
            }
        }
        node
    }
}

fn missing(edge: &Edge) -> Node {
    let asked = Some((edge.kind, edge.range.to_string()));
    Node { label: edge.name.to_string(), asked, again: false, below: 0, missing: true, nodes: Vec::new() }
}

impl Tree {
    /// The trees of all lockfiles in a form.
    #[must_use]
    pub fn render(trees: &[Self], form: Form) -> String {
        match form {
            Form::Text => trees.iter().map(text).collect(),
            Form::Json => {
                let lockfiles: Vec<Value> = trees.iter().map(value).collect();
                finish(&json!({"schema": SCHEMA, "lockfiles": lockfiles}))
            }
        }
    }
}

fn text(tree: &Tree) -> String {
    let mut out = format!("\n{BOLD}{}{BOLD:#}{DIM} · {}{DIM:#}\n", plain(&tree.path), tree.kind);
    let mut again = false;
    for root in &tree.roots {
        out.push_str(&format!("{}\n", line(root)));
        again |= root.again;
        branches(root, "", &mut again, &mut out);
    }
    if again {
        out.push_str(&format!("{DIM}(*) what it asks for stands elsewhere{DIM:#}\n"));
    }
    if tree.unreached > 0 {
        out.push_str(&format!("{DIM}{} that no project reaches{DIM:#}\n", counted(tree.unreached, "more package", "more packages")));
    }
    if tree.cut {
        out.push_str("the tree is larger than this; choose a depth, or ask why a package is there\n");
    }
    out
}

fn branches(node: &Node, before: &str, again: &mut bool, out: &mut String) {
    for (n, child) in node.nodes.iter().enumerate() {
        let (branch, trunk) = if n + 1 == node.nodes.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
        out.push_str(&format!("{DIM}{before}{branch}{DIM:#}{}\n", line(child)));
        *again |= child.again;
        branches(child, &format!("{before}{trunk}"), again, out);
    }
}

fn line(node: &Node) -> String {
    let mut marks = Vec::new();
    marks.extend(node.asked.as_ref().and_then(|(kind, _)| kind.word()).map(str::to_owned));
    if node.missing {
        marks.push("not in the lockfile".to_owned());
    }
    if node.below > 0 {
        marks.push(format!("{} below", node.below));
    }
    if node.again {
        marks.push("*".to_owned());
    }
    let range = node.asked.as_ref().filter(|_| node.missing).map(|(_, range)| format!(" {}", plain(range))).unwrap_or_default();
    let marks: String = marks.iter().map(|mark| format!(" ({mark})")).collect();
    format!("{}{range}{DIM}{marks}{DIM:#}", plain(&node.label))
}

fn value(tree: &Tree) -> Value {
    json!({
        "path": tree.path,
        "kind": tree.kind.to_string(),
        "roots": tree.roots.iter().map(node).collect::<Vec<_>>(),
        "unreached": tree.unreached,
        "cut": tree.cut,
    })
}

fn node(of: &Node) -> Value {
    let mut value = json!({"package": of.label, "dependencies": of.nodes.iter().map(node).collect::<Vec<_>>()});
    if let Some((kind, range)) = &of.asked {
        value["kind"] = json!(kind.word().unwrap_or("prod"));
        value["range"] = json!(range);
    }
    for (name, is) in [("again", of.again), ("missing", of.missing)] {
        if is {
            value[name] = json!(true);
        }
    }
    if of.below > 0 {
        value["below"] = json!(of.below);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Manifests, parse};

    fn graph(packages: &str) -> Graph {
        let text = format!("{{\"lockfileVersion\": 3, \"packages\": {{{packages}}}}}");
        parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()
    }

    fn drawn(graph: &Graph, options: TreeOptions) -> String {
        let mut text = Tree::render(&[tree("l", Kind::Npm, graph, options)], Form::Text);
        for style in [format!("{BOLD}"), format!("{DIM}"), format!("{BOLD:#}")] {
            text = text.replace(&style, "");
        }
        text.trim_start().lines().skip(1).collect::<Vec<_>>().join("\n")
    }

    const PACKAGES: &str = r#""": {"name": "app", "workspaces": ["w"], "dependencies": {"a": "1", "w": "*"}, "devDependencies": {"b": "1"}},
        "w": {"name": "w", "version": "1.0.0", "dependencies": {"a": "1"}},
        "node_modules/w": {"link": true, "resolved": "w"},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"c": "1"}, "peerDependencies": {"p": "1"}},
        "node_modules/b": {"version": "1.0.0", "dependencies": {"a": "1", "gone": "^3"}},
        "node_modules/c": {"version": "1.0.0", "dependencies": {"a": "1"}},
        "node_modules/lost": {"version": "1.0.0"}"#;

    #[test]
    fn each_package_is_drawn_whole_once() {
        let wanted = "\
app
├── a@1.0.0
│   └── c@1.0.0
│       └── a@1.0.0 (*)
├── b@1.0.0 (dev)
│   ├── a@1.0.0 (*)
│   └── gone ^3 (not in the lockfile)
└── w (*)
w
└── a@1.0.0 (*)
(*) what it asks for stands elsewhere
1 more package that no project reaches";
        assert_eq!(drawn(&graph(PACKAGES), TreeOptions::default()), wanted);
        let shallow = drawn(&graph(PACKAGES), TreeOptions { depth: Some(1), prod: true });
        assert_eq!(shallow, "app\n├── a@1.0.0 (1 below)\n└── w (*)\nw\n└── a@1.0.0 (*)\n(*) what it asks for stands elsewhere");
    }

    #[test]
    fn a_chain_ends_before_the_memory_does() {
        let mut text = r#""": {"dependencies": {"p0": "1"}}"#.to_owned();
        for n in 0..5000 {
            text += &format!(r#", "node_modules/p{n}": {{"version": "1.0.0", "dependencies": {{"p{}": "1"}}}}"#, n + 1);
        }
        let tree = tree("l", Kind::Npm, &graph(&text), TreeOptions::default());
        assert!(tree.cut);
        assert!(Tree::render(std::slice::from_ref(&tree), Form::Text).len() < 20_000);
        serde_json::from_str::<Value>(&Tree::render(&[tree], Form::Json)).unwrap();
    }

    #[test]
    fn without_projects_what_nobody_asks_for_stands_at_the_top() {
        let text = r#"{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0", "dependencies": {"b": "1"}}, "node_modules/b": {"version": "1.0.0"}}}"#;
        let graph = parse(Kind::NpmInstalled, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
        assert_eq!(drawn(&graph, TreeOptions::default()), "a@1.0.0\n└── b@1.0.0");
    }
}
