//! `casque init`: a policy file to start from, made for what lies in the folder.

mod project;
mod template;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use crate::cli::InitArgs;
use crate::exit::Exit;
use crate::policy_file::DEFAULT_NAME;
use crate::printer::{self, BOLD};

pub(crate) fn run(args: &InitArgs) -> Result<Exit, String> {
    let folder = &args.folder;
    if !folder.is_dir() {
        return Err(format!("`{}` is no folder", folder.display()));
    }
    let found = project::look(folder)?;
    for line in &found.said {
        printer::say(format_args!("found {line}"));
    }
    for lockfile in casque_audit::discover(folder).map_err(|e| format!("cannot look for lockfiles: {e}"))? {
        let name = lockfile.path.file_name().unwrap_or_default().to_string_lossy();
        printer::say(format_args!("found `{name}` ({})", lockfile.kind));
    }
    if found.framework.is_none() {
        printer::say("found no project of a kind that is known here; the defaults suit any app");
    }

    let path = folder.join(DEFAULT_NAME);
    let text = template::render(&found);
    // Made whole or not at all, and never over a file that somebody wrote.
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => format!("`{}` is there already and was left as it is", path.display()),
        _ => format!("cannot write `{}`: {e}", path.display()),
    })?;
    if let Err(e) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
        let _ = std::fs::remove_file(&path);
        return Err(format!("cannot write `{}`: {e}", path.display()));
    }
    printer::say(format_args!("wrote {BOLD}{}{BOLD:#}", path.display()));
    let hint = found
        .start_command()
        .map_or_else(|| "casque guard --upstream http://127.0.0.1:3000".to_owned(), |c| format!("casque guard -- {c}"));
    printer::hint(format_args!("start with `{hint}`"));
    Ok(Exit::Clean)
}
