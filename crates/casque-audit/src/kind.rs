//! What wrote a file.

use std::fmt;

/// The writers of lockfiles, and the kinds of software bills of materials that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `npm-shrinkwrap.json`, which npm prefers to `package-lock.json`.
    NpmShrinkwrap,
    /// `package-lock.json`.
    Npm,
    /// `node_modules/.package-lock.json`: what npm has installed.
    NpmInstalled,
    /// `yarn.lock` of yarn 1.
    YarnClassic,
    /// `yarn.lock` of yarn 2 and later.
    YarnBerry,
    /// `pnpm-lock.yaml`.
    Pnpm,
    /// `bun.lock`.
    Bun,
    /// `deno.lock`.
    Deno,
    /// `Cargo.lock`.
    Cargo,
    /// A CycloneDX bill of materials in JSON.
    CycloneDx,
    /// An SPDX 2 document in JSON.
    Spdx,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NpmShrinkwrap | Self::Npm | Self::NpmInstalled => "npm",
            Self::YarnClassic => "yarn 1",
            Self::YarnBerry => "yarn",
            Self::Pnpm => "pnpm",
            Self::Bun => "bun",
            Self::Deno => "deno",
            Self::Cargo => "cargo",
            Self::CycloneDx => "CycloneDX",
            Self::Spdx => "SPDX",
        })
    }
}

/// Lockfiles by their file names, in the order in which a folder's are given.
pub(crate) const FILE_NAMES: [(&str, Kind); 7] = [
    ("npm-shrinkwrap.json", Kind::NpmShrinkwrap),
    ("package-lock.json", Kind::Npm),
    ("yarn.lock", Kind::YarnClassic),
    ("pnpm-lock.yaml", Kind::Pnpm),
    ("bun.lock", Kind::Bun),
    ("deno.lock", Kind::Deno),
    ("Cargo.lock", Kind::Cargo),
];

/// How much of a file is needed to tell what wrote it.
pub(crate) const HEAD: u64 = 4096;

impl Kind {
    /// The names by which `--lockfile TYPE:PATH` and its like call the kinds. `yarn` stands for either yarn.
    pub const TYPES: [(&str, Self); 11] = [
        ("npm", Self::Npm),
        ("npm-shrinkwrap", Self::NpmShrinkwrap),
        ("npm-installed", Self::NpmInstalled),
        ("yarn", Self::YarnClassic),
        ("yarn-berry", Self::YarnBerry),
        ("pnpm", Self::Pnpm),
        ("bun", Self::Bun),
        ("deno", Self::Deno),
        ("cargo", Self::Cargo),
        ("cyclonedx", Self::CycloneDx),
        ("spdx", Self::Spdx),
    ];

    /// The kind as far as it shows: by the file's name, then by how the file begins (its first 4 KiB are enough; nothing, if it
    /// comes without a name). Both yarns write `yarn.lock`; only the text tells them apart.
    pub fn guess(name: &str, head: &[u8]) -> Option<Self> {
        let by_name = FILE_NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        match by_name {
            Some(Self::YarnClassic) => return Some(Self::yarn(head)),
            Some(kind) => return Some(kind),
            None if name == ".package-lock.json" => return Some(Self::NpmInstalled),
            None => {}
        }
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let is_json = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start().starts_with(b"{");
        match () {
            () if is_json && has("\"bomFormat\"") => Some(Self::CycloneDx),
            () if is_json && (has("\"spdxVersion\"") || has("spdx.org/rdf/3")) => Some(Self::Spdx),
            () if is_json && has("\"lockfileVersion\"") && has("\"workspaces\": {\n") => Some(Self::Bun),
            () if is_json && has("\"lockfileVersion\"") => Some(Self::Npm),
            () if is_json && has("\"version\": \"") && (has("\"specifiers\"") || has("\"remote\"")) => Some(Self::Deno),
            () if is_json => None,
            () if has("[[package]]") => Some(Self::Cargo),
            () if has("__metadata:") || has("yarn lockfile v1") => Some(Self::yarn(head)),
            () if has("lockfileVersion:") => Some(Self::Pnpm),
            () => None,
        }
    }

    /// Berry's file is YAML with a `__metadata` entry near its top; classic says so in its second line.
    pub(crate) fn yarn(head: &[u8]) -> Self {
        let berry = memchr::memmem::find(head, b"__metadata:").is_some();
        if berry { Self::YarnBerry } else { Self::YarnClassic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_show_what_wrote_them() {
        for (name, head, kind) in [
            ("yarn.lock", "# yarn lockfile v1\n", Some(Kind::YarnClassic)),
            ("yarn.lock", "__metadata:\n  version: 8\n", Some(Kind::YarnBerry)),
            ("", "# yarn lockfile v1\n", Some(Kind::YarnClassic)),
            ("", "{\n  \"lockfileVersion\": 1,\n  \"workspaces\": {\n", Some(Kind::Bun)),
            ("", "{\"name\": \"a\", \"lockfileVersion\": 3", Some(Kind::Npm)),
            ("", "{\n  \"version\": \"5\",\n  \"specifiers\": {}", Some(Kind::Deno)),
            ("", "lockfileVersion: '9.0'\n", Some(Kind::Pnpm)),
            ("", "# made by Cargo\nversion = 3\n\n[[package]]\n", Some(Kind::Cargo)),
            ("sbom.json", "{\"bomFormat\": \"CycloneDX\"", Some(Kind::CycloneDx)),
            ("x.spdx.json", "{\"spdxVersion\": \"SPDX-2.3\"", Some(Kind::Spdx)),
            (".package-lock.json", "", Some(Kind::NpmInstalled)),
            ("", "{}", None),
            ("", "", None),
        ] {
            assert_eq!(Kind::guess(name, head.as_bytes()), kind, "{name} {head}");
        }
    }
}
