//! Hashes that are missing, or that can be forged: two files with one sha1 have been made (SHAttered, 2017).

use super::{Check, Found, Notice};
use crate::graph::{Instance, Source};
use crate::kind::Kind;

pub(super) fn check(packages: &[Found<'_>], kind: Kind, out: &mut Vec<Notice>) {
    // Bills of materials need no hashes; yarn 2 and later leave out those of packages for other systems.
    let must_have = !matches!(kind, Kind::CycloneDx | Kind::Spdx | Kind::YarnBerry);
    for instance in packages.iter().map(|found| found.instance).filter(|instance| is_fetched(instance)) {
        match instance.integrity.as_deref().map(is_strong) {
            Some(true) => {}
            Some(false) => out.push(Notice::new(Check::Integrity, instance, "is held to a sha1 hash alone, which can be forged")),
            None if must_have => {
                out.push(Notice::new(Check::Integrity, instance, "has no hash: nothing holds its files to what they were"))
            }
            None => {}
        }
    }
}

/// What comes inside another package is held by that one's hash; a commit is a hash itself.
fn is_fetched(instance: &Instance) -> bool {
    matches!(instance.source, Source::Registry | Source::Tarball) && !instance.marks.bundled
}

/// Several hashes may stand side by side; the strongest is checked (W3C Subresource Integrity, 3.3.4).
fn is_strong(integrity: &str) -> bool {
    integrity.split_ascii_whitespace().any(|hash| {
        let hash = hash.to_ascii_lowercase();
        !["sha1-", "sha1:", "md5-", "md5:"].iter().any(|weak| hash.starts_with(weak))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;

    #[test]
    fn missing_and_weak_hashes_are_told() {
        let text = r#""": {}, "node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "1.0.0", "integrity": "sha1-x"},
            "node_modules/c": {"version": "1.0.0", "integrity": "sha1-x sha512-x"}, "node_modules/d": {"version": "1.0.0", "inBundle": true}"#;
        assert_eq!(
            told(text),
            [
                "integrity a@1.0.0 has no hash: nothing holds its files to what they were",
                "integrity b@1.0.0 is held to a sha1 hash alone, which can be forged",
            ]
        );
    }
}
