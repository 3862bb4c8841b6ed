//! Whether paths are all the ways to a package.

use std::collections::{HashMap, HashSet};

use super::DependencyPath;
use crate::graph::{EdgeKind, Graph, InstanceId, Source};

/// How many places of the search are looked at, each once for every path, before it gives up. The largest lockfiles of public
/// monorepos have some thousands of packages.
const BUDGET: usize = 200_000;

/// A way to one of the instances that is none of the paths, or nothing where every way is one of them.
///
/// All ways are looked at together: how far each path has been followed is kept for every place, so that their number, which grows
/// exponentially in real lockfiles, does not matter. When a lockfile was made to exceed even that, some way is said to be open.
pub(in crate::policy) fn open_way(graph: &Graph, to: &[InstanceId], paths: &[&DependencyPath], prod: bool) -> Option<Vec<InstanceId>> {
    let search = Search { graph, to: to.iter().copied().collect(), paths, prod };
    let way = search.wide()?;
    // One that goes in a circle is no way by which anything is asked for; then they are looked at one by one.
    if is_simple(&way) { Some(way) } else { search.deep(way) }
}

struct Search<'s> {
    graph: &'s Graph,
    to: HashSet<InstanceId>,
    paths: &'s [&'s DependencyPath],
    prod: bool,
}

/// How far each path has been followed.
type States = Vec<u64>;

impl Search<'_> {
    fn start(&self) -> States {
        self.paths.iter().map(|path| path.start()).collect()
    }

    /// Projects and links are no steps.
    fn enter(&self, states: &States, id: InstanceId) -> States {
        let instance = self.graph.instance(id);
        if matches!(instance.source, Source::Workspace | Source::Link) || self.graph.is_root(id) {
            return states.clone();
        }
        self.paths.iter().zip(states).map(|(path, states)| path.next(*states, instance)).collect()
    }

    fn is_open(&self, id: InstanceId, states: &States) -> bool {
        self.to.contains(&id) && !self.paths.iter().zip(states).any(|(path, states)| path.ends(*states))
    }

    fn next(&self, id: InstanceId) -> impl Iterator<Item = InstanceId> {
        let left_out = |kind| self.prod && kind == EdgeKind::Dev;
        self.graph.requests(id).iter().filter(move |edge| !left_out(edge.kind)).filter_map(|edge| edge.to)
    }

    /// Projects, and what is looked for and no project reaches: its own name is the only way to it.
    fn starts(&self) -> Vec<InstanceId> {
        let mut reached: HashSet<InstanceId> = self.graph.roots().iter().copied().collect();
        let mut open: Vec<InstanceId> = self.graph.roots().to_vec();
        while let Some(id) = open.pop() {
            open.extend(self.next(id).filter(|to| reached.insert(*to)));
        }
        let lost = self.to.iter().copied().filter(|id| !reached.contains(id));
        self.graph.roots().iter().copied().chain(lost).collect()
    }

    fn wide(&self) -> Option<Vec<InstanceId>> {
        let mut places: Vec<(InstanceId, States, Option<usize>)> = Vec::new();
        let mut seen: HashMap<InstanceId, HashSet<States>> = HashMap::new();
        let mut add = |id: InstanceId, states: States, from: Option<usize>, places: &mut Vec<_>| {
            if seen.entry(id).or_default().insert(states.clone()) {
                places.push((id, states, from));
            }
        };
        for id in self.starts() {
            add(id, self.enter(&self.start(), id), None, &mut places);
        }
        let mut at = 0;
        while let Some((id, states, _)) = places.get(at).cloned() {
            if self.is_open(id, &states) || at * self.paths.len() >= BUDGET {
                return Some(back(&places, at));
            }
            // What comes after the place that is looked for is no way to it.
            if !self.to.contains(&id) {
                for to in self.next(id) {
                    add(to, self.enter(&states, to), Some(at), &mut places);
                }
            }
            at += 1;
        }
        None
    }

    /// Every way without a circle, one by one; `fallback` when there are too many.
    fn deep(&self, fallback: Vec<InstanceId>) -> Option<Vec<InstanceId>> {
        let leads = self.leading_there();
        let mut left = BUDGET / self.paths.len().max(1);
        for start in self.starts() {
            let mut way = vec![start];
            let mut stack = vec![(self.enter(&self.start(), start), self.next(start).collect::<Vec<_>>())];
            if self.is_open(start, &stack[0].0) {
                return Some(way);
            }
            while let Some((states, next)) = stack.last_mut() {
                let Some(to) = next.pop() else {
                    stack.pop();
                    way.pop();
                    continue;
                };
                if way.contains(&to) || !leads.contains(&to) {
                    continue;
                }
                let states = states.clone();
                let entered = self.enter(&states, to);
                way.push(to);
                left = left.saturating_sub(1);
                if self.is_open(to, &entered) {
                    return Some(way);
                }
                if left == 0 {
                    return Some(fallback);
                }
                let further = if self.to.contains(&to) { Vec::new() } else { self.next(to).collect() };
                stack.push((entered, further));
            }
        }
        None
    }

    fn leading_there(&self) -> HashSet<InstanceId> {
        let mut leads = self.to.clone();
        let mut open: Vec<InstanceId> = self.to.iter().copied().collect();
        while let Some(id) = open.pop() {
            open.extend(self.graph.dependents(id).map(|edge| edge.from).filter(|from| leads.insert(*from)));
        }
        leads
    }
}

fn is_simple(way: &[InstanceId]) -> bool {
    way.iter().collect::<HashSet<_>>().len() == way.len()
}

fn back(places: &[(InstanceId, States, Option<usize>)], at: usize) -> Vec<InstanceId> {
    let mut way = Vec::new();
    let mut at = Some(at);
    while let Some((id, _, from)) = at.and_then(|at| places.get(at)) {
        way.push(*id);
        at = *from;
    }
    way.reverse();
    way
}
