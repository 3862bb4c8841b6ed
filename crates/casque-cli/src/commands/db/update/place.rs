//! The folder in which an update works: beside the database, of this user alone, and locked, so that no two write at once.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// The folder, for as long as it is locked.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    /// The system unlocks it when the process ends, however it ends.
    _lock: File,
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum Taken {
    /// Another update is at work.
    ByAnother,
    /// It is not this user's alone: what stands in it could be anybody's.
    NotOurs(PathBuf),
    Io(io::Error),
}

impl From<io::Error> for Taken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Place {
    /// Makes and locks the folder for the database at a path.
    pub(super) fn take(database: &Path) -> Result<Self, Taken> {
        let mut name = std::ffi::OsString::from(".");
        name.push(database.file_name().unwrap_or_default());
        name.push(".update");
        let folder = database.with_file_name(name);
        // A folder that another update removes between our opening and our locking it is not the one that the next will lock.
        for _ in 0..10 {
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
                _ => {}
            }
            let found = match fs::symlink_metadata(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found?,
            };
            if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() || found.mode() & 0o022 != 0 {
                return Err(Taken::NotOurs(folder));
            }
            let lock = match File::open(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                lock => lock?,
            };
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(Taken::ByAnother),
                locked => locked.map_err(io::Error::from)?,
            }
            let same = |now: fs::Metadata| lock.metadata().map(|locked| (now.dev(), now.ino()) == (locked.dev(), locked.ino()));
            if fs::symlink_metadata(&folder).and_then(same).unwrap_or(false) {
                return Ok(Self { folder, _lock: lock });
            }
        }
        Err(Taken::ByAnother)
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Removes it with all that is in it: nothing is left to go on with.
    pub(super) fn clear(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// Removes it if nothing is in it.
    pub(super) fn leave(self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn empty(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("casque-place-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn one_at_a_time() {
        let folder = empty("one");
        let database = folder.join("a.db");
        let place = Place::take(&database).unwrap();
        assert!(matches!(Place::take(&database), Err(Taken::ByAnother)));
        fs::write(place.file("npm.zip"), "x").unwrap();
        drop(place);
        // What one left, the next goes on with.
        let place = Place::take(&database).unwrap();
        assert_eq!(fs::read(place.file("npm.zip")).unwrap(), b"x");
        place.clear();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        Place::take(&database).unwrap().leave();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let folder = empty("theirs");
        let database = folder.join("a.db");
        let at = folder.join(".a.db.update");
        fs::create_dir(&at).unwrap();
        fs::set_permissions(&at, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Place::take(&database), Err(Taken::NotOurs(path)) if path == at));
        fs::remove_dir(&at).unwrap();
        symlink(std::env::temp_dir(), &at).unwrap();
        assert!(matches!(Place::take(&database), Err(Taken::NotOurs(_))));
        fs::remove_dir_all(&folder).unwrap();
    }
}
