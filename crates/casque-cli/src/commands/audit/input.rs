//! Which lockfiles are meant.

use std::path::{Path, PathBuf};

use casque_audit::{Limits, Lockfile, Remark, named, search};
use casque_scan::render::one_line;

use crate::printer;

/// The lockfiles in the order of the command line, each once, and whether one that was named could not be had.
pub(super) fn lockfiles(given: &[PathBuf], by_type: &[String], limits: &Limits) -> (Vec<Lockfile>, bool) {
    let mut all: Vec<Lockfile> = Vec::new();
    let mut failed = false;
    for argument in by_type {
        match named(argument) {
            Ok(lockfile) => all.push(lockfile),
            Err(error) => {
                failed = true;
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
                    failed = true;
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
                failed = true;
                complain(&error);
            }
        }
    }
    (all, failed)
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
