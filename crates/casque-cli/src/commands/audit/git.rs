//! The lockfiles of a commit, as git has them.
//!
//! **Attacks and answers.** The repository may be a stranger's. Only commands that read objects are used: they run no hook, filter,
//! text conversion or watcher, whatever the repository's settings say. Files are asked for by the ids of their contents, never by
//! name, and what is no id is not passed on; a ref that could be an option is refused. Nothing is fetched, not even what a partial
//! clone lacks, and nothing is replaced. No more is read than a lockfile may have.

use std::io::Read;
use std::process::{Command, Stdio};

use casque_audit::{Kind, Limits};
use casque_scan::render::one_line;

/// How long the list of a commit's files may be.
const MAX_LIST: u64 = 256 << 20;

/// A commit, and the files in it that matter here.
pub(super) struct Commit {
    /// Lockfiles and package.json files by their paths from the top of the repository, with the ids of their contents.
    files: Vec<(String, String)>,
    /// The folder that was asked from, from the top: empty, or ending in `/`.
    prefix: String,
}

/// A lockfile of a commit.
pub(super) struct InCommit<'c> {
    /// Its path from the folder that was asked from; for one above it from the top, with a `/` in front.
    pub(super) path: String,
    /// Its folder from the top: empty, or ending in `/`.
    pub(super) folder: &'c str,
    pub(super) id: &'c str,
    name: &'c str,
}

impl InCommit<'_> {
    /// What wrote it.
    pub(super) fn kind(&self, bytes: &[u8]) -> Option<Kind> {
        Kind::guess(self.name, bytes.get(..4096).unwrap_or(bytes))
    }
}

impl Commit {
    /// Looks up a ref and lists the commit's files.
    pub(super) fn open(name: &str) -> Result<Self, String> {
        let shown = one_line(name);
        if name.starts_with('-') || name.contains(|c: char| c.is_control()) {
            return Err(format!("`{shown}` is neither a path nor the name of a commit"));
        }
        let prefix = git(&["rev-parse", "--show-prefix"], 1 << 16)?.ok_or_else(|| {
            format!("there is no `{shown}` on the disk, and this folder is in no git repository that git trusts; `git status` tells more")
        })?;
        let commit = git(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")], 1 << 10)?;
        let commit = commit.as_deref().map(|id| String::from_utf8_lossy(id).trim().to_owned()).filter(|id| is_id(id));
        let commit = commit.ok_or_else(|| format!("`{shown}` is neither a path nor a commit of this repository"))?;
        let list = git(&["ls-tree", "-r", "-z", "--full-tree", &commit], MAX_LIST)?
            .ok_or_else(|| format!("the files of `{shown}` cannot be listed: is this a shallow or partial clone?"))?;
        let files = list.split(|byte| *byte == 0).filter_map(entry).collect();
        let prefix = String::from_utf8_lossy(&prefix).trim_end_matches(['\n', '\r']).to_owned();
        Ok(Self { files, prefix })
    }

    /// The lockfiles in and below the folder that was asked from; or, where there are none, those of the nearest folder above.
    pub(super) fn lockfiles(&self) -> Vec<InCommit<'_>> {
        let all = || {
            self.files.iter().filter_map(|(path, id)| {
                let (folder, name) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
                is_lockfile(name).then_some(InCommit { path: path.clone(), folder, id, name })
            })
        };
        let mut found: Vec<InCommit<'_>> = all()
            .filter_map(|file| file.path.strip_prefix(&self.prefix).map(str::to_owned).map(|path| InCommit { path, ..file }))
            .collect();
        let mut above = self.prefix.as_str();
        while found.is_empty() && !above.is_empty() {
            above = &above[..above.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1)];
            found = all().filter(|file| file.folder == above).map(|file| InCommit { path: format!("/{}", file.path), ..file }).collect();
        }
        found
    }

    /// The folders with a package.json in and below a folder, relative to it, each with the id of that.
    pub(super) fn manifests<'c>(&'c self, folder: &str) -> Vec<(&'c str, &'c str)> {
        let inside = |(path, id): &'c (String, String)| {
            let below = path.strip_prefix(folder)?.strip_suffix("package.json")?;
            (below.is_empty() || below.ends_with('/')).then(|| (below.trim_end_matches('/'), id.as_str()))
        };
        self.files.iter().filter_map(inside).collect()
    }

    /// The contents of one of the files.
    pub(super) fn read(&self, id: &str, limits: &Limits) -> Result<Vec<u8>, String> {
        match git(&["cat-file", "blob", id], limits.bytes)? {
            Some(bytes) => Ok(bytes),
            None => Err("git does not have its contents, or they are too large; is this a partial clone?".to_owned()),
        }
    }
}

/// `MODE TYPE ID<tab>PATH`, of files that matter. What lies in `node_modules`, `target` and hidden folders is another project's, and
/// links are not followed.
fn entry(line: &[u8]) -> Option<(String, String)> {
    let line = std::str::from_utf8(line).ok()?;
    let (head, path) = line.split_once('\t')?;
    let mut head = head.split(' ');
    let (mode, kind, id) = (head.next()?, head.next()?, head.next()?);
    let (folder, name) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
    let foreign = |part: &str| matches!(part, "node_modules" | "target") || part.starts_with('.');
    let counts = kind == "blob" && mode != "120000" && is_id(id) && !folder.split('/').any(foreign);
    (counts && (is_lockfile(name) || name == "package.json")).then(|| (path.to_owned(), id.to_owned()))
}

/// By name alone: what has another name is given by its path.
fn is_lockfile(name: &str) -> bool {
    !name.starts_with('.') && Kind::guess(name, &[]).is_some()
}

/// The id of an object: SHA-1 or SHA-256 in hexadecimal.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Runs git and takes what it prints. Nothing: git failed, or printed more than `most` bytes.
fn git(args: &[&str], most: u64) -> Result<Option<Vec<u8>>, String> {
    let mut command = Command::new("git");
    command.args(["--no-pager", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"]).args(args);
    for (name, value) in
        [("GIT_NO_LAZY_FETCH", "1"), ("GIT_NO_REPLACE_OBJECTS", "1"), ("GIT_OPTIONAL_LOCKS", "0"), ("GIT_TERMINAL_PROMPT", "0")]
    {
        command.env(name, value);
    }
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|e| {
            format!("git cannot be run: {e}; commits can only be compared where git is installed, files by their paths always")
        })?;
    let failed = |e: std::io::Error| format!("git cannot be read: {e}");
    let mut bytes = Vec::new();
    if let Some(out) = child.stdout.take() {
        out.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 > most {
        child.kill().and_then(|()| child.wait()).map_err(failed)?;
        return Ok(None);
    }
    Ok(child.wait().map_err(failed)?.success().then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    fn commit(prefix: &str, paths: &[&str]) -> Commit {
        let lines = paths.iter().map(|path| format!("100644 blob {ID}\t{path}"));
        Commit { files: lines.filter_map(|line| entry(line.as_bytes())).collect(), prefix: prefix.to_owned() }
    }

    fn found(commit: &Commit) -> Vec<(String, &str)> {
        commit.lockfiles().into_iter().map(|file| (file.path, file.folder)).collect()
    }

    #[test]
    fn files_of_a_commit_are_those_of_the_project() {
        let paths = [
            "Cargo.lock",
            "a/b/yarn.lock",
            "a/b/package.json",
            "a/node_modules/x/yarn.lock",
            ".x/Cargo.lock",
            "a/target/Cargo.lock",
            "a/other",
        ];
        assert_eq!(found(&commit("", &paths)), [("Cargo.lock".to_owned(), ""), ("a/b/yarn.lock".to_owned(), "a/b/")]);
        assert_eq!(found(&commit("a/", &paths)), [("b/yarn.lock".to_owned(), "a/b/")]);
        assert_eq!(found(&commit("c/d/", &paths)), [("/Cargo.lock".to_owned(), "")]);
        assert_eq!(commit("", &paths).manifests("a/"), [("b", ID)]);
        assert_eq!(commit("", &paths).manifests("a/b/"), [("", ID)]);
        for line in [
            format!("120000 blob {ID}\tCargo.lock"),
            "100644 blob --help\tCargo.lock".to_owned(),
            format!("160000 commit {ID}\tCargo.lock"),
        ] {
            assert_eq!(entry(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_ref_is_no_option() {
        for name in ["--output=x", "-c", "a\nb"] {
            assert!(Commit::open(name).is_err());
        }
    }
}
