//! The project that a question is about: its lockfiles, read.

use std::path::{Path, PathBuf};

use casque_audit::{Graph, Kind, Limits, Lockfile, read, read_stream, split_type};
use casque_scan::render::one_line;
use clap::Args;

use super::input::{self, Trouble};
use crate::printer;

/// Which lockfiles a question is about.
#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    /// Lockfiles, or folders in and below which they are looked for; `-` is stdin [default: this folder]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// A lockfile whose name does not tell its kind, such as npm:old-lock.json; may be repeated
    #[arg(long, value_name = "TYPE:PATH")]
    pub(crate) lockfile: Vec<String>,
}

/// One lockfile, read.
pub(super) struct Project {
    /// Its path as it was found.
    pub(super) path: String,
    pub(super) file: Lockfile,
    pub(super) graph: Graph,
}

impl Project {
    pub(super) const fn kind(&self) -> Kind {
        self.file.kind
    }
}

impl ProjectArgs {
    /// Every lockfile that could be read, and whether one could not.
    pub(super) fn read(&self) -> (Vec<Project>, bool) {
        let (projects, trouble) = read_all(&self.paths, &self.lockfile);
        (projects, trouble.is_some())
    }
}

/// Every lockfile that could be read, and why others could not. `-` is stdin.
pub(super) fn read_all(paths: &[PathBuf], lockfile: &[String]) -> (Vec<Project>, Option<Trouble>) {
    let limits = Limits::default();
    let mut projects = Vec::new();
    let mut trouble = None;
    let mut add = |read: Result<Project, String>, trouble: &mut Option<Trouble>| match read {
        Ok(project) => projects.push(project),
        Err(why) => {
            *trouble = Some(Trouble::Failed);
            printer::error(why);
        }
    };
    let stdin = input::stdin(paths, lockfile);
    let paths: Vec<PathBuf> = paths.iter().filter(|path| !input::is_stdin(path)).cloned().collect();
    let lockfile: Vec<String> = lockfile.iter().filter(|argument| split_type(argument).1 != "-").cloned().collect();
    let nothing_else = paths.is_empty() && lockfile.is_empty();
    let is_named = !matches!(stdin, Ok(None));
    if let Some(read) = stdin.transpose() {
        add(read.and_then(|kind| from_stdin(kind, &limits)), &mut trouble);
    }
    if !(is_named && nothing_else) {
        let (files, missing) = input::lockfiles(&paths, &lockfile, &limits);
        trouble = trouble.max(missing);
        files.into_iter().for_each(|file| add(from_file(file, &limits), &mut trouble));
    }
    (projects, trouble)
}

fn from_file(file: Lockfile, limits: &Limits) -> Result<Project, String> {
    let graph = read(&file, limits).map_err(|error| one_line(&error.to_string()))?;
    Ok(Project { path: file.path.display().to_string(), file, graph })
}

fn from_stdin(kind: Option<Kind>, limits: &Limits) -> Result<Project, String> {
    let name = "stdin".to_owned();
    let read = read_stream(kind, std::io::stdin().lock(), limits);
    let (kind, graph) = read.map_err(|error| one_line(&error.in_file(Path::new(&name)).to_string()))?;
    Ok(Project { file: Lockfile { kind, path: PathBuf::from(&name) }, path: name, graph })
}
