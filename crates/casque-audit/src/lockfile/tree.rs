//! Who is found by a name, where modules are looked up folder by folder towards the root (npm, bun).

use std::collections::HashMap;
use std::sync::Arc;

use crate::graph::{InstanceId, identity};

/// The longest location that is taken: what Linux takes as a path. It also bounds how deep folders nest.
pub(super) const LONGEST: usize = 4096;

#[derive(Debug)]
pub(super) struct Tree {
    parents: Vec<Option<InstanceId>>,
    /// By parent and name, which is looked up once for every folder on the way. Nobody is the parent at the top of a project that
    /// is not there itself.
    children: HashMap<(Option<InstanceId>, *const u8), InstanceId>,
}

/// The name under which the folder of a module is found: what follows the last `node_modules`.
pub(super) fn module_name(location: &str) -> Option<&str> {
    let (before, name) = location.rsplit_once("node_modules/")?;
    (before.is_empty() || before.ends_with('/')).then_some(name)
}

impl Tree {
    /// A tree of all instances by their locations, as `packages/a/node_modules/b`; `""` is the root's. Names are interned by `name`.
    /// An instance's parent is the nearest one whose folder holds its own.
    pub(super) fn new<'a>(ids: impl Iterator<Item = InstanceId>, locations: &[&'a str], mut name: impl FnMut(&'a str) -> Arc<str>) -> Self {
        let mut order: Vec<(InstanceId, &'a str)> = ids.zip(locations.iter().copied()).collect();
        // What lies outside comes last, for it is not in the root.
        let outside = |path: &str| path.starts_with("../");
        order.sort_by(|(_, a), (_, b)| outside(a).cmp(&outside(b)).then_with(|| folders_first(a).cmp(folders_first(b))));
        let mut tree = Self { parents: vec![None; locations.len()], children: HashMap::with_capacity(locations.len()) };
        let mut above: Vec<(InstanceId, &str)> = Vec::new();
        for (id, location) in order {
            while above.last().is_some_and(|(_, folder)| !holds(folder, location)) {
                above.pop();
            }
            let parent = above.last().map(|(parent, _)| *parent);
            if let Some(slot) = tree.parents.get_mut(id.index()) {
                *slot = parent;
            }
            if let Some(module) = module_name(location).filter(|_| parent.is_some() || location.starts_with("node_modules/")) {
                tree.children.insert((parent, identity(&name(module))), id);
            }
            above.push((id, location));
        }
        tree
    }

    /// Whom `from` gets when it imports this name, which is interned where those of the tree are.
    pub(super) fn find(&self, from: InstanceId, name: &Arc<str>) -> Option<InstanceId> {
        let mut at = Some(from);
        loop {
            if let Some(found) = self.children.get(&(at, identity(name))) {
                return Some(*found);
            }
            at = self.parents.get(at?.index()).copied().flatten();
        }
    }
}

/// The bytes of a path such that a folder comes right before all that it holds.
fn folders_first(path: &str) -> impl Iterator<Item = u8> {
    path.bytes().map(|b| if b == b'/' { 0 } else { b })
}

fn holds(folder: &str, location: &str) -> bool {
    match location.strip_prefix(folder) {
        Some(rest) if folder.is_empty() => !rest.is_empty() && !rest.starts_with("../"),
        Some(rest) => rest.starts_with('/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Builder;
    use crate::limits::Limits;

    #[test]
    fn names_are_found_towards_the_root() {
        let locations = [
            "",
            "node_modules/a",
            "node_modules/a/node_modules/b",
            "node_modules/b",
            "packages/w",
            "packages/w/node_modules/b",
            "../out",
            "node_modules/a-b",
        ];
        let ids = || (0..locations.len()).map(|i| InstanceId(i as u32));
        let limits = Limits::default();
        let mut b = Builder::new(&limits);
        let tree = Tree::new(ids(), &locations, |name| b.intern(name));
        let mut find = |from: u32, name: &str| tree.find(InstanceId(from), &b.intern(name)).map(|id| locations[id.index()]);
        assert_eq!(find(0, "b"), Some("node_modules/b"));
        assert_eq!(find(1, "b"), Some("node_modules/a/node_modules/b"));
        assert_eq!(find(2, "b"), Some("node_modules/a/node_modules/b"));
        assert_eq!(find(3, "a"), Some("node_modules/a"));
        assert_eq!(find(5, "b"), Some("packages/w/node_modules/b"));
        assert_eq!(find(4, "a-b"), Some("node_modules/a-b"));
        assert_eq!(find(6, "a"), None);
    }
}
