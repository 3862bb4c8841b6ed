//! Which lockfiles lie in a folder and below it, and what wrote them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::kind::{FILE_NAMES, HEAD, Kind};
use crate::limits::Limits;

/// A lockfile, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// What wrote it.
    pub kind: Kind,
    /// Where it is.
    pub path: PathBuf,
}

/// What came of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The lockfiles, by path; within a folder in the order of [`discover`].
    pub lockfiles: Vec<Lockfile>,
    /// What should be said of them.
    pub remarks: Vec<Remark>,
}

/// What a search came across.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Several package managers have written into this folder; all of their files are given, as the wrong one may be the one in use.
    Several {
        /// The folder.
        folder: PathBuf,
        /// What wrote there.
        kinds: Vec<Kind>,
    },
    /// Nothing was there or below; this folder above it has some.
    Above(PathBuf),
    /// bun's binary lockfile, which is not read: `bun install --save-text-lockfile` writes the other one.
    BinaryBun(PathBuf),
    /// A folder that could not be looked into, and why.
    Closed(PathBuf, String),
    /// The limits were met; what lies further was not looked at.
    Limit,
}

/// The lockfiles in one folder, not below it. Several kinds side by side are all given: a project that changed its package
/// manager and kept the old file is audited by the wrong one otherwise.
///
/// # Errors
/// A file is there but cannot be read.
pub fn discover(folder: &Path) -> io::Result<Vec<Lockfile>> {
    let mut found = Vec::new();
    for (name, kind) in FILE_NAMES {
        let path = folder.join(name);
        if !path.is_file() {
            continue;
        }
        let kind = if kind == Kind::YarnClassic { Kind::yarn(&head(&path)?) } else { kind };
        found.push(Lockfile { kind, path });
    }
    Ok(found)
}

/// The lockfiles that a path stands for: the file itself; or those in the folder and below it; or, where there are none, those of
/// the nearest folder above, up to the repository's root. Links are not followed, and `node_modules`, `target` and hidden folders
/// are not looked into: what lies there is another project's.
///
/// # Errors
/// The path is not there, or is a file of no known kind.
pub fn search(path: &Path, limits: &Limits) -> Result<Found, Error> {
    let problem = |e: io::Error| Error::whole(e.to_string()).in_file(path);
    if !fs::metadata(path).map_err(problem)?.is_dir() {
        return Ok(Found { lockfiles: vec![identify(path)?], remarks: Vec::new() });
    }
    let mut found = Found::default();
    found.look(path).map_err(problem)?;
    found.below(path, limits);
    if found.lockfiles.is_empty() {
        found.above(path).map_err(problem)?;
    }
    Ok(found)
}

/// A file that was named, as the lockfile that it is.
///
/// # Errors
/// It cannot be read, or nothing shows what wrote it.
pub fn identify(path: &Path) -> Result<Lockfile, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name == "bun.lockb" {
        return Err(Error::whole("bun's binary lockfile is not read; `bun install --save-text-lockfile` writes bun.lock").in_file(path));
    }
    let head = head(path).map_err(|e| Error::whole(e.to_string()).in_file(path))?;
    let kind = shown(&name, &head).map_err(|e| e.in_file(path))?;
    Ok(Lockfile { kind, path: path.to_owned() })
}

/// The kind that a file's name and first bytes show.
pub(crate) fn shown(name: &str, head: &[u8]) -> Result<Kind, Error> {
    let types: Vec<&str> = Kind::TYPES.iter().map(|(name, _)| *name).collect();
    let unknown =
        || Error::whole(format!("nothing shows what kind of lockfile this is; say so as TYPE:PATH, with one of {}", types.join(", ")));
    Kind::guess(name, head).ok_or_else(unknown)
}

/// `TYPE:PATH` taken apart; what does not begin with a type is a path. One letter is no type but a drive.
pub fn split_type(argument: &str) -> (Option<&str>, &str) {
    match argument.split_once(':') {
        Some((name, path)) if name.len() > 1 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') => (Some(name), path),
        _ => (None, argument),
    }
}

/// The lockfile that `TYPE:PATH` or a plain path names.
///
/// # Errors
/// No such type; or as [`identify`].
pub fn named(argument: &str) -> Result<Lockfile, Error> {
    let (name, path) = split_type(argument);
    let Some(name) = name else { return identify(Path::new(path)) };
    let path = PathBuf::from(path);
    let kind = match kind_named(name)? {
        Kind::YarnClassic => Kind::yarn(&head(&path).map_err(|e| Error::whole(e.to_string()).in_file(&path))?),
        kind => kind,
    };
    Ok(Lockfile { kind, path })
}

/// The kind that a type's name stands for; of the two yarns the first.
///
/// # Errors
/// There is no such type.
pub fn kind_named(name: &str) -> Result<Kind, Error> {
    let types: Vec<&str> = Kind::TYPES.iter().map(|(name, _)| *name).collect();
    let unknown = || Error::whole(format!("there is no type of lockfile `{name}`; there are {}", types.join(", ")));
    Kind::TYPES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind).ok_or_else(unknown)
}

impl Found {
    /// What is in one folder.
    fn look(&mut self, folder: &Path) -> io::Result<()> {
        let mut here = discover(folder)?;
        let installed = folder.join("node_modules/.package-lock.json");
        if here.is_empty() && installed.is_file() {
            here.push(Lockfile { kind: Kind::NpmInstalled, path: installed });
        }
        let binary = folder.join("bun.lockb");
        if binary.is_file() && !here.iter().any(|l| l.kind == Kind::Bun) {
            self.remarks.push(Remark::BinaryBun(binary));
        }
        if here.iter().filter(|l| l.kind != Kind::Cargo).count() > 1 {
            self.remarks.push(Remark::Several { folder: folder.to_owned(), kinds: here.iter().map(|l| l.kind).collect() });
        }
        self.lockfiles.append(&mut here);
        Ok(())
    }

    /// What is in the folders below, each level's in the order of their names.
    fn below(&mut self, top: &Path, limits: &Limits) {
        let mut open: Vec<(PathBuf, usize)> = vec![(top.to_owned(), 0)];
        let mut looked = 0;
        while let Some((folder, level)) = open.pop() {
            looked += 1;
            if level == limits.levels || looked > limits.folders {
                if !self.remarks.contains(&Remark::Limit) {
                    self.remarks.push(Remark::Limit);
                }
                continue;
            }
            let inside = match folders_in(&folder) {
                Ok(inside) => inside,
                Err(e) => {
                    self.remarks.push(Remark::Closed(folder, e.to_string()));
                    continue;
                }
            };
            for name in inside.into_iter().rev() {
                let path = folder.join(name);
                open.push((path, level + 1));
            }
            if level > 0
                && let Err(e) = self.look(&folder)
            {
                self.remarks.push(Remark::Closed(folder, e.to_string()));
            }
        }
    }

    fn above(&mut self, below: &Path) -> io::Result<()> {
        let whole = fs::canonicalize(below)?;
        for folder in whole.ancestors() {
            let is_repository = folder.join(".git").exists();
            if folder != whole {
                self.look(folder)?;
                if !self.lockfiles.is_empty() {
                    self.remarks.push(Remark::Above(folder.to_owned()));
                    return Ok(());
                }
            }
            if is_repository {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The folders in a folder that may hold projects, by name.
pub(crate) fn folders_in(folder: &Path) -> io::Result<BTreeSet<std::ffi::OsString>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let skipped = matches!(name.to_str(), Some("node_modules" | "target")) || name.as_encoded_bytes().starts_with(b".");
        if !skipped && entry.file_type()?.is_dir() {
            names.insert(name);
        }
    }
    Ok(names)
}

fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("casque-discover-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn with(self, files: &[(&str, &str)]) -> Self {
            for (path, text) in files {
                let path = self.0.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            self
        }

        fn kinds(&self) -> Vec<Kind> {
            discover(&self.0).unwrap().into_iter().map(|l| l.kind).collect()
        }

        fn search(&self, from: &str) -> (Vec<String>, Vec<Remark>) {
            let found = search(&self.0.join(from), &Limits { levels: 4, ..Limits::default() }).unwrap();
            let top = fs::canonicalize(&self.0).unwrap();
            let short = |p: &Path| p.strip_prefix(&self.0).or_else(|_| p.strip_prefix(&top)).unwrap().to_string_lossy().replace('\\', "/");
            (found.lockfiles.iter().map(|l| short(&l.path)).collect(), found.remarks)
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
        for (name, _) in FILE_NAMES {
            fs::write(folder.0.join(name), "# yarn lockfile v1\n").unwrap();
        }
        assert_eq!(folder.kinds(), FILE_NAMES.map(|(_, k)| k));
    }

    #[test]
    fn the_two_yarns_are_told_apart() {
        let folder = Folder::new("yarn").with(&[("yarn.lock", "# This file is generated\n\n__metadata:\n  version: 8\n")]);
        assert_eq!(folder.kinds(), [Kind::YarnBerry]);
    }

    #[test]
    fn a_folder_of_that_name_is_no_lockfile() {
        let folder = Folder::new("dir");
        fs::create_dir(folder.0.join("Cargo.lock")).unwrap();
        assert_eq!(folder.kinds(), []);
    }

    #[test]
    fn a_search_goes_down_and_leaves_out_what_is_not_the_projects() {
        let folder = Folder::new("down").with(&[
            ("Cargo.lock", ""),
            ("web/package-lock.json", "{}"),
            ("web/yarn.lock", ""),
            ("web/node_modules/a/package-lock.json", "{}"),
            ("target/x/Cargo.lock", ""),
            (".hidden/Cargo.lock", ""),
            ("api/bun.lockb", ""),
            ("installed/node_modules/.package-lock.json", "{}"),
            ("1/2/3/4/Cargo.lock", ""),
        ]);
        let (files, remarks) = folder.search("");
        assert_eq!(files, ["Cargo.lock", "installed/node_modules/.package-lock.json", "web/package-lock.json", "web/yarn.lock"]);
        let several = Remark::Several { folder: folder.0.join("web"), kinds: vec![Kind::Npm, Kind::YarnClassic] };
        assert_eq!(remarks, [Remark::Limit, Remark::BinaryBun(folder.0.join("api/bun.lockb")), several]);
    }

    #[test]
    fn a_search_goes_up_to_the_repository() {
        let folder = Folder::new("up").with(&[
            ("Cargo.lock", ""),
            ("repo/.git/HEAD", ""),
            ("repo/pnpm-lock.yaml", ""),
            ("repo/a/b/x", ""),
            ("other/.git/HEAD", ""),
            ("other/c/x", ""),
        ]);
        let (files, remarks) = folder.search("repo/a/b");
        assert_eq!(files, ["repo/pnpm-lock.yaml"]);
        assert!(matches!(&remarks[..], [Remark::Above(_)]));
        assert_eq!(folder.search("other/c"), (vec![], vec![]));
    }

    #[test]
    fn files_are_named_with_their_type_or_show_it() {
        let folder = Folder::new("named").with(&[("old.lock", "__metadata:\n"), ("odd", "?"), ("bun.lockb", "")]);
        let path = |name: &str| folder.0.join(name).to_string_lossy().into_owned();
        assert_eq!(named(&path("old.lock")).unwrap().kind, Kind::YarnBerry);
        assert_eq!(named(&format!("yarn:{}", path("old.lock"))).unwrap().kind, Kind::YarnBerry);
        assert_eq!(named(&format!("pnpm:{}", path("odd"))).unwrap().kind, Kind::Pnpm);
        assert!(named(&path("odd")).unwrap_err().message.contains("TYPE:PATH"));
        assert!(named(&path("bun.lockb")).unwrap_err().message.contains("--save-text-lockfile"));
        assert!(named("gem:Gemfile.lock").unwrap_err().message.contains("no type"));
        assert_eq!(split_type("C:\\x"), (None, "C:\\x"));
    }
}
