//! Lockfiles from the disk, with the package.json files that belong to them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::discover::{Lockfile, folders_in, shown};
use crate::error::Error;
use crate::graph::Graph;
use crate::kind::{HEAD, Kind};
use crate::limits::Limits;
use crate::lockfile;
use crate::manifest::{Manifest, Manifests, Patterns};

/// Reads a lockfile, and the package.json files of the project where the lockfile does not say what projects ask for.
///
/// # Errors
/// As [`crate::parse`], with the file's path; and whatever keeps it from being read.
pub fn read(lockfile: &Lockfile, limits: &Limits) -> Result<Graph, Error> {
    let bytes = bytes(&lockfile.path, limits)?;
    let folder = lockfile.path.parent().unwrap_or(Path::new(""));
    let manifests = match lockfile.kind {
        // Only its oldest format needs it; a package.json that is broken is npm's to complain about.
        Kind::Npm | Kind::NpmShrinkwrap => Manifests { root: manifest(folder, limits).ok().flatten(), members: Vec::new() },
        Kind::NpmInstalled => {
            let above = folder.parent().unwrap_or(Path::new(""));
            Manifests { root: manifest(above, limits).ok().flatten(), members: Vec::new() }
        }
        Kind::YarnClassic | Kind::YarnBerry => manifests(folder, limits)?,
        Kind::Pnpm | Kind::Bun | Kind::Deno | Kind::Cargo | Kind::CycloneDx | Kind::Spdx => Manifests::default(),
    };
    lockfile::parse(lockfile.kind, &bytes, &manifests, limits).map_err(|e| e.in_file(&lockfile.path))
}

/// Reads a lockfile that comes as a stream, without the package.json files that would lie beside it. Without a kind, its first bytes
/// must show it; which of the two yarns it is, they always do.
///
/// # Errors
/// As [`crate::parse`]; nothing shows what kind it is; it is longer than the limit, or cannot be read to its end.
pub fn read_stream(kind: Option<Kind>, stream: impl Read, limits: &Limits) -> Result<(Kind, Graph), Error> {
    let mut bytes = Vec::new();
    stream.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| Error::whole(e.to_string()))?;
    if bytes.len() as u64 > limits.bytes {
        return Err(lockfile::too_large(bytes.len() as u64, limits));
    }
    let head = bytes.get(..HEAD as usize).unwrap_or(&bytes);
    let kind = match kind {
        Some(Kind::YarnClassic) => Kind::yarn(head),
        Some(kind) => kind,
        None => shown("", head)?,
    };
    Ok((kind, lockfile::parse(kind, &bytes, &Manifests::default(), limits)?))
}

/// The package.json in a folder and those of the workspaces that it names. Patterns that lead out of the folder are left alone.
///
/// # Errors
/// One of them is there, but cannot be read or is no JSON.
pub fn manifests(folder: &Path, limits: &Limits) -> Result<Manifests, Error> {
    let root = manifest(folder, limits)?;
    let mut members = BTreeMap::new();
    let patterns = root.as_ref().map(|m| m.workspaces.as_slice()).unwrap_or_default();
    let mut left = limits.folders;
    let too_many = || Error::whole("the workspaces have too many folders; raise the limit if they are yours").in_file(folder);
    let mut patterns = Patterns::new(patterns);
    let texts: Vec<&str> = patterns.texts().collect();
    for pattern in texts {
        let parts: Vec<&str> = pattern.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
        if pattern.starts_with('/') || parts.contains(&"..") {
            continue;
        }
        let fixed = parts.iter().take_while(|p| !p.contains(['*', '?', '{'])).count();
        let (start, rest) = parts.split_at(fixed);
        let levels = if rest.contains(&"**") { limits.levels } else { rest.len() };
        let mut open = vec![(start.join("/"), levels)];
        while let Some((below, levels)) = open.pop() {
            if left == 0 {
                return Err(too_many());
            }
            left -= 1;
            let path = folder.join(&below);
            if patterns.matches(&below).map_err(|_| too_many())?
                && !members.contains_key(&below)
                && let Some(manifest) = manifest(&path, limits)?
            {
                members.insert(below.clone(), manifest);
            }
            if levels > 0 {
                // A folder that cannot be looked into is no workspace.
                let names = folders_in(&path).unwrap_or_default();
                open.extend(
                    names
                        .iter()
                        .filter_map(|n| n.to_str())
                        .map(|n| (if below.is_empty() { n.to_owned() } else { format!("{below}/{n}") }, levels - 1)),
                );
            }
        }
    }
    Ok(Manifests { root, members: members.into_iter().collect() })
}

/// The same from somewhere that is no disk. `folders` are those with a package.json, relative to the lockfile's and with `/` between
/// their parts (`""` is its own), and `read` gives the bytes of the package.json in one.
///
/// # Errors
/// One of them cannot be read or is no JSON; or there are too many to be compared with the patterns of workspaces.
pub fn manifests_among(folders: &[&str], mut read: impl FnMut(&str) -> Result<Vec<u8>, Error>) -> Result<Manifests, Error> {
    let mut one = |folder: &str| -> Result<Manifest, Error> {
        let path = Path::new(folder).join("package.json");
        read(folder).and_then(|bytes| Manifest::parse(&bytes)).map_err(|e| e.in_file(&path))
    };
    if !folders.contains(&"") {
        return Ok(Manifests::default());
    }
    let root = one("")?;
    let mut patterns = Patterns::new(&root.workspaces);
    let mut members = BTreeMap::new();
    for folder in folders.iter().filter(|folder| !folder.is_empty()) {
        let too_many = |_| Error::whole("`workspaces` and the folders here take too long to compare");
        if patterns.matches(folder).map_err(too_many)? {
            members.insert((*folder).to_owned(), one(folder)?);
        }
    }
    Ok(Manifests { root: Some(root), members: members.into_iter().collect() })
}

fn manifest(folder: &Path, limits: &Limits) -> Result<Option<Manifest>, Error> {
    let path = folder.join("package.json");
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = bytes(&path, limits)?;
    Manifest::parse(&bytes).map(Some).map_err(|e| e.in_file(&path))
}

/// A file's bytes, of which no more are read than the limit.
fn bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let problem = |e: std::io::Error| Error::whole(e.to_string()).in_file(path);
    let file = File::open(path).map_err(problem)?;
    let size = file.metadata().map_err(problem)?.len();
    if size <= limits.bytes {
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(problem)?;
        if bytes.len() as u64 <= limits.bytes {
            return Ok(bytes);
        }
    }
    Err(lockfile::too_large(size, limits).in_file(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::graph::Source;

    #[test]
    fn workspaces_are_found_where_there_is_no_disk() {
        let text = |folder: &str| match folder {
            "" => r#"{"name": "app", "workspaces": ["packages/*", "!packages/old"]}"#.to_owned(),
            folder => format!("{{\"name\": \"{folder}\"}}"),
        };
        let found = manifests_among(&["", "packages/a", "packages/old", "else"], |folder| Ok(text(folder).into_bytes())).unwrap();
        let folders: Vec<&str> = found.members.iter().map(|(folder, _)| folder.as_str()).collect();
        assert_eq!((folders, found.root.unwrap().name), (vec!["packages/a"], "app".to_owned()));
        assert_eq!(manifests_among(&["a"], |_| Ok(Vec::new())).unwrap(), Manifests::default());
        let broken = manifests_among(&[""], |_| Ok(b"{".to_vec())).unwrap_err().to_string();
        assert!(broken.starts_with("package.json:1:2:"), "{broken}");
    }

    #[test]
    fn a_stream_shows_its_kind_or_is_told_it() {
        let lock = "# yarn lockfile v1\n\nx@^1.0.0:\n  version \"1.0.0\"\n";
        let (kind, graph) = read_stream(None, lock.as_bytes(), &Limits::default()).unwrap();
        assert_eq!((kind, &*graph.instances()[0].package.name), (Kind::YarnClassic, "x"));
        let berry = read_stream(Some(Kind::YarnClassic), "__metadata:\n  version: 8\n".as_bytes(), &Limits::default()).unwrap();
        assert_eq!(berry.0, Kind::YarnBerry);
        assert!(read_stream(None, "?".as_bytes(), &Limits::default()).unwrap_err().message.contains("TYPE:PATH"));
        let short = Limits { bytes: 10, ..Limits::default() };
        assert!(read_stream(None, std::io::repeat(b'x'), &short).unwrap_err().message.contains("limit"), "an endless one is left");
    }

    #[test]
    fn workspaces_are_found_by_their_patterns() {
        let top = std::env::temp_dir().join(format!("casque-read-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = top.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("package.json", r#"{"name": "app", "workspaces": ["packages/*", "!packages/old", "deep/**", "../outside", "/etc"]}"#);
        write("packages/a/package.json", r#"{"name": "@s/a", "devDependencies": {"x": "^1.0.0"}}"#);
        write("packages/old/package.json", "{}");
        write("packages/none/README", "");
        write("deep/1/2/package.json", r#"{"name": "b", "dependencies": {"@s/a": "*"}}"#);
        write("deep/node_modules/x/package.json", "{}");
        write("yarn.lock", "# yarn lockfile v1\n\nx@^1.0.0:\n  version \"1.0.0\"\n");
        let manifests = manifests(&top, &Limits::default()).unwrap();
        let graph = read(&Lockfile { kind: Kind::YarnClassic, path: top.join("yarn.lock") }, &Limits::default());
        write("packages/a/package.json", "{");
        let broken = read(&Lockfile { kind: Kind::YarnClassic, path: top.join("yarn.lock") }, &Limits::default());
        fs::remove_dir_all(&top).unwrap();

        let folders: Vec<&str> = manifests.members.iter().map(|(folder, _)| folder.as_str()).collect();
        assert_eq!(folders, ["deep/1/2", "packages/a"]);
        let graph = graph.unwrap();
        assert!(graph.instances()[0].needed.only_dev());
        let links: Vec<_> =
            graph.edges().iter().filter(|e| e.to.is_some_and(|to| graph.instance(to).source == Source::Workspace)).collect();
        assert_eq!((links.len(), &*links[0].name), (1, "@s/a"));
        let e = broken.unwrap_err().to_string();
        assert!(e.contains("package.json:1:2: the file ends too early"), "{e}");
    }
}
