//! Putting a database in place.

#[cfg(any(unix, test))]
use std::fs::File;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Error;

/// Writes a file whole or not at all: beside its place first, onto the disk, then over the old one. Who has the old one open goes
/// on reading it.
///
/// # Errors
/// The folder is missing or not writable, or the disk is full. The old file is then untouched.
pub fn store(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let beside = beside(path);
    let written = write_new(&beside, bytes).and_then(|()| fs::rename(&beside, path)).and_then(|()| sync_folder(path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.map_err(|error| Error::from(error).in_file(path))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a process of this id left behind when it was killed.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = std::env::temp_dir().join(format!("casque-store-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.db");
        store(&path, b"one").unwrap();
        let old = File::open(&path).unwrap();
        store(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(io::read_to_string(old).unwrap(), "one");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(store(&folder.join("missing/a.db"), b"x").unwrap_err().to_string().contains("missing/a.db: "));
        fs::remove_dir_all(&folder).unwrap();
    }
}
