//! The two halves of a package-lock.json of version 2. The reader has compared them; see `lockfile/npm.rs`.

use super::{Check, Notice};
use crate::graph::{Graph, NoteKind};
use crate::package::{Ecosystem, Package};
use crate::place::Place;

pub(super) fn check(graph: &Graph, out: &mut Vec<Notice>) {
    for note in graph.notes().iter().filter(|note| note.kind == NoteKind::Disagreement) {
        let package = Package::new(Ecosystem::Npm, "", "");
        let place = note.place.unwrap_or(Place::START);
        out.push(Notice { check: Check::Halves, package, place, message: note.message.clone(), denied: false });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::told_of;

    fn lock(old: &str) -> Vec<String> {
        told_of(&format!(
            r#"{{"lockfileVersion": 2, "packages": {{"": {{"dependencies": {{"a": "1"}}}}, "node_modules/a": {{"version": "1.0.0", "integrity": "sha512-AAAA"}}}},
                "dependencies": {{"a": {{"version": "1.0.0", "integrity": "{old}"}}}}}}"#
        ))
    }

    #[test]
    fn another_hash_in_the_other_half_is_told() {
        assert_eq!(lock("sha512-AAAA"), Vec::<String>::new());
        assert_eq!(lock("sha1-BBBB"), Vec::<String>::new());
        assert!(lock("sha512-BBBB")[0].contains("`node_modules/a` has another hash for npm 6"));
    }
}
