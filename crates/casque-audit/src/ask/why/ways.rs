//! All shortest ways from projects to packages, counted without being walked.

use super::Step;
use crate::graph::{Edge, Graph, InstanceId};

/// How many of the shortest ways to one instance are shown.
pub(super) const MAX_WAYS: usize = 10;
/// Longer ways are shown by their ends.
pub(super) const LONGEST: usize = 16;

/// All shortest ways from projects, as the steps that each instance is away and the number of ways to it.
pub(super) struct Ways<'g> {
    graph: &'g Graph,
    pub(super) steps: Vec<Option<u32>>,
    pub(super) counts: Vec<u64>,
}

impl<'g> Ways<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        let count = graph.instances().len();
        let mut ways = Self { graph, steps: vec![None; count], counts: vec![0; count] };
        let mut queue: Vec<InstanceId> = graph.roots().to_vec();
        for root in &queue {
            ways.steps[root.index()] = Some(0);
            ways.counts[root.index()] = 1;
        }
        let mut next = 0;
        while let Some(at) = queue.get(next).copied() {
            next += 1;
            let here = ways.steps[at.index()].unwrap_or(0);
            for edge in graph.requests(at) {
                if let Some(to) = edge.to
                    && ways.steps[to.index()].is_none()
                {
                    ways.steps[to.index()] = Some(here + 1);
                    queue.push(to);
                }
            }
        }
        // In the order of their steps, so that what is before is counted already.
        for at in queue {
            if ways.steps[at.index()] != Some(0) {
                let before = ways.before(at);
                ways.counts[at.index()] = before.iter().fold(0, |sum: u64, edge| sum.saturating_add(ways.counts[edge.from.index()]));
            }
        }
        ways
    }

    /// The last edges of the shortest ways to an instance, one from each who asks.
    fn before(&self, id: InstanceId) -> Vec<&'g Edge> {
        let Some(steps) = self.steps[id.index()].filter(|steps| *steps > 0) else { return Vec::new() };
        let mut edges: Vec<&Edge> = self.graph.dependents(id).filter(|e| self.steps[e.from.index()] == Some(steps - 1)).collect();
        edges.sort_by_key(|edge| edge.from);
        edges.dedup_by_key(|edge| edge.from);
        edges
    }

    /// Some of the ways to an instance. Each step back leads nearer to a project, so none is in vain.
    pub(super) fn to(&self, id: InstanceId) -> Vec<Vec<Step>> {
        if self.steps[id.index()].is_none() {
            return Vec::new();
        }
        let mut found = Vec::new();
        // For each instance on the way back the edges that lead on; the first is the one that was taken.
        let mut back: Vec<Vec<&Edge>> = Vec::new();
        let mut at = id;
        loop {
            let before = self.before(at);
            if let Some(edge) = before.first() {
                at = edge.from;
                back.push(before);
                continue;
            }
            found.push(self.way(id, &back));
            if found.len() == MAX_WAYS {
                return found;
            }
            // Back to the last fork.
            loop {
                let Some(taken) = back.last_mut() else { return found };
                taken.remove(0);
                if let Some(edge) = taken.first() {
                    at = edge.from;
                    break;
                }
                back.pop();
            }
        }
    }

    fn way(&self, id: InstanceId, back: &[Vec<&Edge>]) -> Vec<Step> {
        let edges: Vec<&Edge> = back.iter().rev().filter_map(|taken| taken.first().copied()).collect();
        let first = edges.first().map_or(id, |edge| edge.from);
        let start = Step { label: self.graph.label(first), left_out: 0, range: None };
        let step = |edge: &&Edge| {
            let to = edge.to.filter(|to| !self.graph.is_followed_link(*to))?;
            Some(Step { label: self.graph.label(to), left_out: 0, range: Some(edge.range.to_string()) })
        };
        let ends = LONGEST / 2;
        if edges.len() <= LONGEST {
            return std::iter::once(start).chain(edges.iter().filter_map(step)).collect();
        }
        let gap = Step { label: String::new(), left_out: edges.len() - 2 * ends, range: None };
        let head = edges.iter().take(ends).filter_map(step);
        let tail = edges.iter().skip(edges.len() - ends).filter_map(step);
        std::iter::once(start).chain(head).chain([gap]).chain(tail).collect()
    }
}
