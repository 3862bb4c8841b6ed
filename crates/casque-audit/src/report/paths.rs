//! Shortest ways from a project to a package.

use crate::graph::{Graph, InstanceId};

/// Longer chains are shown by their ends.
const LONGEST: usize = 8;
/// How many of the last packages of such a chain are shown.
const TAIL: usize = 4;

/// For every instance the way to it, in memory that grows with the instances only.
#[derive(Debug)]
pub(crate) struct Paths<'g> {
    graph: &'g Graph,
    nearest: Vec<Option<usize>>,
    /// How many steps it is from a project, and the first of them.
    known: Vec<Option<(usize, InstanceId)>>,
}

impl<'g> Paths<'g> {
    pub(crate) fn new(graph: &'g Graph) -> Self {
        let mut paths = Self { graph, nearest: graph.nearest(), known: vec![None; graph.instances().len()] };
        for (id, _) in graph.iter() {
            paths.find(id);
        }
        paths
    }

    /// Each instance is passed twice at most: what is known ends the walk.
    fn find(&mut self, id: InstanceId) {
        let mut open = vec![id];
        let mut at = id;
        while let Some(before) = self.before(at).filter(|_| self.known[at.index()].is_none()) {
            open.push(before);
            at = before;
        }
        let mut so_far = self.known[at.index()];
        for id in open.into_iter().rev() {
            // The project itself is no step; the first after it is.
            let (steps, first) = match so_far {
                Some(known) if self.known[id.index()] == Some(known) => known,
                Some((0, _)) => (1, id),
                Some((steps, first)) => (steps + 1, first),
                None => (0, id),
            };
            self.known[id.index()] = Some((steps, first));
            so_far = self.known[id.index()];
        }
    }

    fn before(&self, id: InstanceId) -> Option<InstanceId> {
        self.nearest[id.index()].map(|edge| self.graph.edges()[edge].from)
    }

    /// How far it is from a project.
    pub(crate) fn steps(&self, id: InstanceId) -> usize {
        self.known[id.index()].map_or(0, |(steps, _)| steps)
    }

    /// The way to it, and how many were left out after the second.
    pub(crate) fn chain(&self, id: InstanceId) -> (Vec<String>, usize) {
        let mut back = vec![id];
        let mut at = id;
        let mut left_out = 0;
        while let Some(before) = self.before(at) {
            if back.len() == TAIL && self.steps(id) >= LONGEST {
                let (_, first) = self.known[id.index()].unwrap_or((0, id));
                left_out = self.steps(id) - TAIL - 1;
                back.push(first);
                back.extend(self.before(first));
                break;
            }
            back.push(before);
            at = before;
        }
        (back.iter().rev().filter(|id| !self.graph.is_followed_link(**id)).map(|id| self.graph.label(*id)).collect(), left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Limits, Manifests, parse};

    /// A chain of packages, each of which needs the next: `p1` to `pN`.
    fn chain_of(n: usize) -> Graph {
        let mut text = r#"{"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app", "dependencies": {"p1": "1"}}"#.to_owned();
        for i in 1..=n {
            text.push_str(&format!(r#", "node_modules/p{i}": {{"version": "1.0.0", "dependencies": {{"p{}": "1"}}}}"#, i + 1));
        }
        parse(Kind::Npm, (text + "}}").as_bytes(), &Manifests::default(), &Limits::default()).unwrap()
    }

    fn last(n: usize) -> (String, usize) {
        let graph = chain_of(n);
        let id = graph.iter().find(|(_, i)| *i.package.name == *format!("p{n}")).unwrap().0;
        let paths = Paths::new(&graph);
        assert_eq!(paths.steps(id), n);
        let (chain, left_out) = paths.chain(id);
        (chain.join(" "), left_out)
    }

    #[test]
    fn a_chain_is_whole_when_short_and_its_ends_when_long() {
        assert_eq!(last(3), ("app p1@1.0.0 p2@1.0.0 p3@1.0.0".to_owned(), 0));
        assert_eq!(last(7).0.split(' ').count(), 8);
        assert_eq!(last(8), ("app p1@1.0.0 p5@1.0.0 p6@1.0.0 p7@1.0.0 p8@1.0.0".to_owned(), 3));
        assert_eq!(last(20_000).1, 20_000 - 5);
    }
}
