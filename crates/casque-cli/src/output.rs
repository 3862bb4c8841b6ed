//! A report into a file: whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file in one step: who reads it sees the old text or the new, and a full disk leaves the old. A pipe or device is
/// written to as it is.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), String> {
    let failed = |e: io::Error| format!("cannot write `{}`: {e}", path.display());
    // Behind a symbolic link it is the file that is replaced, not the link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return OpenOptions::new().write(true).open(path).and_then(|mut f| f.write_all(text.as_bytes())).map_err(failed);
    }
    let beside = beside(path).ok_or_else(|| format!("cannot write `{}`: it names no file", path.display()))?;
    write_new(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(|e| {
        let _ = fs::remove_file(&beside);
        failed(e)
    })
}

fn beside(path: &Path) -> Option<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name()?);
    name.push(format!(".{}.part", std::process::id()));
    Some(path.with_file_name(name))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
