//! The project that a question is about: its lockfiles, read.

use std::path::PathBuf;

use casque_audit::{Graph, Kind, Limits, Lockfile, read};
use casque_scan::render::one_line;
use clap::Args;

use super::input;
use crate::printer;

/// Which lockfiles a question is about.
#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    /// Lockfiles, or folders in and below which they are looked for [default: this folder]
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
        let limits = Limits::default();
        let (files, mut failed) = input::lockfiles(&self.paths, &self.lockfile, &limits);
        let mut projects = Vec::new();
        for file in files {
            match read(&file, &limits) {
                Ok(graph) => projects.push(Project { path: file.path.display().to_string(), file, graph }),
                Err(error) => {
                    failed = true;
                    printer::error(one_line(&error.to_string()));
                }
            }
        }
        (projects, failed)
    }
}
