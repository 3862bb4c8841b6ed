//! Which lockfiles lie in a folder, and what wrote them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A lockfile, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// What wrote it.
    pub kind: Kind,
    /// Where it is.
    pub path: PathBuf,
}

/// The writers of lockfiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `npm-shrinkwrap.json`, which npm prefers to `package-lock.json`.
    NpmShrinkwrap,
    /// `package-lock.json`.
    Npm,
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
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NpmShrinkwrap | Self::Npm => "npm",
            Self::YarnClassic => "yarn 1",
            Self::YarnBerry => "yarn",
            Self::Pnpm => "pnpm",
            Self::Bun => "bun",
            Self::Deno => "deno",
            Self::Cargo => "cargo",
        })
    }
}

const NAMES: [(&str, Kind); 7] = [
    ("npm-shrinkwrap.json", Kind::NpmShrinkwrap),
    ("package-lock.json", Kind::Npm),
    ("yarn.lock", Kind::YarnClassic),
    ("pnpm-lock.yaml", Kind::Pnpm),
    ("bun.lock", Kind::Bun),
    ("deno.lock", Kind::Deno),
    ("Cargo.lock", Kind::Cargo),
];

/// The lockfiles in one folder, not below it. Several kinds side by side are all given: a project that changed its package
/// manager and kept the old file is audited by the wrong one otherwise.
///
/// # Errors
/// A file is there but cannot be read.
pub fn discover(folder: &Path) -> io::Result<Vec<Lockfile>> {
    let mut found = Vec::new();
    for (name, kind) in NAMES {
        let path = folder.join(name);
        if !path.is_file() {
            continue;
        }
        let kind = if kind == Kind::YarnClassic { yarn_kind(&path)? } else { kind };
        found.push(Lockfile { kind, path });
    }
    Ok(found)
}

/// Both yarns write `yarn.lock`. Berry's is YAML with a `__metadata` entry near its top; classic says so in its second line.
fn yarn_kind(path: &Path) -> io::Result<Kind> {
    let mut head = Vec::new();
    File::open(path)?.take(4096).read_to_end(&mut head)?;
    let berry = head.windows(11).any(|w| w == b"__metadata:");
    Ok(if berry { Kind::YarnBerry } else { Kind::YarnClassic })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("casque-discover-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn kinds(&self) -> Vec<Kind> {
            discover(&self.0).unwrap().into_iter().map(|l| l.kind).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn all_kinds_in_a_folder_are_found() {
        let folder = Folder::new("all");
        for (name, _) in NAMES {
            fs::write(folder.0.join(name), "# yarn lockfile v1\n").unwrap();
        }
        assert_eq!(folder.kinds(), NAMES.map(|(_, k)| k));
    }

    #[test]
    fn the_two_yarns_are_told_apart() {
        let folder = Folder::new("yarn");
        fs::write(folder.0.join("yarn.lock"), "# This file is generated\n\n__metadata:\n  version: 8\n").unwrap();
        assert_eq!(folder.kinds(), [Kind::YarnBerry]);
    }

    #[test]
    fn a_folder_of_that_name_is_no_lockfile() {
        let folder = Folder::new("dir");
        fs::create_dir(folder.0.join("Cargo.lock")).unwrap();
        assert_eq!(folder.kinds(), []);
    }
}
