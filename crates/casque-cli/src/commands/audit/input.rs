//! Which lockfiles are meant.

use std::path::{Path, PathBuf};

use casque_audit::{Kind, Limits, Lockfile, Remark, kind_named, named, search, split_type};
use casque_scan::render::one_line;

use super::Verb;
use crate::exit::Exit;
use crate::printer;

/// Why not all that was named could be had. The worst is greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// A folder has no lockfile.
    Nothing,
    /// Something is not there, or cannot be read.
    Failed,
}

impl Trouble {
    pub(super) const fn exit(self) -> Exit {
        match self {
            Self::Nothing => Exit::Nothing,
            Self::Failed => Exit::Error,
        }
    }
}

/// The lockfiles in the order of the command line, each once.
pub(super) fn lockfiles(given: &[PathBuf], by_type: &[String], limits: &Limits) -> (Vec<Lockfile>, Option<Trouble>) {
    let mut all: Vec<Lockfile> = Vec::new();
    let mut trouble = None;
    for argument in by_type {
        match named(argument) {
            Ok(lockfile) => all.push(lockfile),
            Err(error) => {
                trouble = Some(Trouble::Failed);
                complain(&error);
            }
        }
    }
    let here = [PathBuf::from(".")];
    let paths = if given.is_empty() && by_type.is_empty() { &here[..] } else { given };
    for path in paths {
        match search(path, limits) {
            Ok(found) => {
                found.remarks.iter().for_each(tell);
                if found.lockfiles.is_empty() {
                    trouble = trouble.max(Some(Trouble::Nothing));
                    printer::error(format_args!("there is no lockfile in `{}`, below or above it", shown(path)));
                    printer::hint("give its path, or TYPE:PATH after --lockfile if it has a name of its own");
                }
                for lockfile in found.lockfiles {
                    if !all.contains(&lockfile) {
                        all.push(lockfile);
                    }
                }
            }
            Err(error) => {
                trouble = Some(Trouble::Failed);
                complain(&error);
                if let Some(verb) = path.to_str().filter(|_| !path.exists()).and_then(Verb::meant) {
                    printer::hint(format_args!("there is the command `casque audit {verb}`"));
                }
            }
        }
    }
    (all, trouble)
}

/// The lockfile that comes on stdin, if `-` or `TYPE:-` says that one does: its kind as it was named.
///
/// # Errors
/// No such type, or it is to be read twice.
pub(super) fn stdin(given: &[PathBuf], by_type: &[String]) -> Result<Option<Option<Kind>>, String> {
    let mut kinds =
        given.iter().filter(|path| is_stdin(path)).map(|_| Ok(None)).collect::<Vec<Result<Option<Kind>, casque_audit::Error>>>();
    kinds.extend(by_type.iter().filter_map(|argument| match split_type(argument) {
        (name, "-") => Some(name.map(kind_named).transpose()),
        _ => None,
    }));
    match kinds.len() {
        0 | 1 => kinds.pop().transpose().map_err(|error| one_line(&error.to_string())),
        _ => Err("stdin has one lockfile only: give `-` once".to_owned()),
    }
}

pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn complain(error: &casque_audit::Error) {
    printer::error(one_line(&error.to_string()));
}

fn shown(path: &Path) -> String {
    one_line(&path.display().to_string())
}

fn tell(remark: &Remark) {
    match remark {
        Remark::Several { folder, kinds } => {
            let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
            printer::warning(format_args!("`{}` has lockfiles of {}; all are audited", shown(folder), kinds.join(", ")));
        }
        Remark::Above(folder) => printer::say(format_args!("no lockfile here; auditing `{}`", shown(folder))),
        Remark::BinaryBun(path) => {
            printer::warning(format_args!("`{}` is bun's binary lockfile and is not read", shown(path)));
            printer::hint("`bun install --save-text-lockfile` writes the one that is");
        }
        Remark::Closed(folder, why) => printer::warning(format_args!("`{}` was not looked into: {why}", shown(folder))),
        Remark::Limit => printer::warning("there are too many or too deep folders; not all were looked into"),
    }
}
