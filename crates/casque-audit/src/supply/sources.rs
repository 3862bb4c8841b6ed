//! Packages that come from a repository or an address of the web instead of a registry. Nobody's advisories are about them, their
//! files can be replaced by whoever owns the place, and a repository that is not held to a commit is another one tomorrow.

use super::{Check, Found, Notice, host};
use crate::graph::Source;
use crate::report::address::without_secrets;

pub(super) fn check(packages: &[Found<'_>], out: &mut Vec<Notice>) {
    for instance in packages.iter().map(|found| found.instance) {
        let address = instance.resolved.as_deref().unwrap_or("");
        let message = match instance.source {
            Source::Git if is_held(address) => format!("comes from a git repository{}", at(address)),
            Source::Git => format!("comes from a git repository{}, and is not held to a commit", at(address)),
            Source::Tarball => format!("comes from an address of the web{}", at(address)),
            Source::Registry if address.starts_with("http://") && !is_local(address) => "is fetched without encryption".to_owned(),
            _ => continue,
        };
        out.push(Notice::new(Check::Source, instance, message));
    }
}

/// Whether somewhere in the address there is a whole commit.
fn is_held(address: &str) -> bool {
    address.split(|c: char| !c.is_ascii_hexdigit()).any(|part| part.len() == 40 || part.len() == 64)
}

fn is_local(address: &str) -> bool {
    matches!(host(address), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Where, as far as it shows.
fn at(address: &str) -> String {
    let public = without_secrets(address);
    let bare = public.split(['#', '?']).next().unwrap_or("");
    let bare = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    if bare.is_empty() { String::new() } else { format!(", {bare}") }
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;

    #[test]
    fn repositories_archives_and_plain_addresses_are_told() {
        let commit = "0123456789012345678901234567890123456789";
        let text = format!(
            r#""": {{"dependencies": {{"g": "u/g", "h": "u/h", "t": "https://h.example/t.tgz"}}}},
            "node_modules/g": {{"version": "1.0.0", "resolved": "git+ssh://git@github.com/u/g.git#{commit}"}},
            "node_modules/h": {{"version": "1.0.0", "resolved": "git+https://user:secret@git.example/u/h.git#main"}},
            "node_modules/t": {{"version": "1.0.0", "integrity": "sha512-x", "resolved": "https://h.example/t.tgz"}},
            "node_modules/p": {{"version": "1.0.0", "integrity": "sha512-x", "resolved": "http://registry.example/p/-/p-1.0.0.tgz"}},
            "node_modules/l": {{"version": "1.0.0", "integrity": "sha512-x", "resolved": "file:../l.tgz"}}"#
        );
        assert_eq!(
            told(&text),
            [
                "source g@1.0.0 comes from a git repository, github.com/u/g.git",
                "source h@1.0.0 comes from a git repository, git.example/u/h.git, and is not held to a commit",
                "source t@1.0.0 comes from an address of the web, h.example/t.tgz",
                "source p@1.0.0 is fetched without encryption",
            ]
        );
    }
}
