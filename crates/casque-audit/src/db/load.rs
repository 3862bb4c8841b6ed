//! Records from folders and zip files.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;

use super::error::{Error, Problem};
use super::pages::Source;
use super::{Builder, Database, zip};
use crate::osv::{MAX_RECORD, ReadError, Record};

/// How deep below a folder its records may lie.
const MAX_DEPTH: usize = 8;
/// How many records that cannot be read are named.
const MAX_NAMED: usize = 100;

/// What became of the records of a source.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Records that were added.
    pub records: usize,
    /// Records about packages of other ecosystems alone.
    pub others: usize,
    /// Files that could not be read as records, all of them.
    pub unreadable: usize,
    /// Those of them that are damaged: their bytes are not what the archive says it holds.
    pub damaged: usize,
    /// The first hundred that could not be read: where, and why.
    pub reasons: Vec<(String, String)>,
}

impl Loaded {
    fn add(&mut self, name: &str, record: Result<Record, ReadError>, builder: &mut Builder) {
        match record {
            Ok(record) if record.affected.is_empty() => self.others += 1,
            Ok(record) => {
                builder.add(&record);
                self.records += 1;
            }
            Err(error) => self.unreadable(name, error.to_string()),
        }
    }

    fn unreadable(&mut self, name: &str, why: String) {
        self.unreadable += 1;
        if self.reasons.len() < MAX_NAMED {
            self.reasons.push((name.escape_debug().to_string(), why));
        }
    }
}

/// Adds one record's file (`.json`), or every record of a zip file or of a folder and those below it. A record that cannot be read is
/// counted and left out: one bad record among many thousands must not keep the others from being known.
///
/// # Errors
/// The folder or the archive itself cannot be read.
pub fn load(path: &Path, builder: &mut Builder) -> Result<Loaded, Error> {
    let mut loaded = Loaded::default();
    let mut load = || {
        if path.is_dir() {
            return each_file(path, 0, &mut |file, record| {
                loaded.add(&file.display().to_string(), record, builder);
                Ok(())
            });
        }
        if path.extension().is_some_and(|extension| extension == "json") {
            loaded.add(&path.display().to_string(), Record::read(&record_bytes(path)?), builder);
            return Ok(());
        }
        zip::json_files(&Source::File(File::open(path)?), |name, json| match json {
            Ok(json) => loaded.add(name, Record::read(json), builder),
            Err(why) => {
                loaded.damaged += 1;
                loaded.unreadable(name, why.to_owned());
            }
        })
    };
    load().map_err(|error| error.in_file(path))?;
    Ok(loaded)
}

/// A database of a folder's records, each of which must be readable: who names a folder means all of it.
pub(super) fn folder(path: &Path, now: Timestamp) -> Result<Database, Error> {
    let mut builder = Builder::default();
    each_file(path, 0, &mut |file, record| match record {
        Ok(record) if record.affected.is_empty() => Ok(()),
        Ok(record) => {
            builder.add(&record);
            Ok(())
        }
        Err(error) => Err(Error::from(Problem::Record(error)).in_file(file)),
    })?;
    if builder.is_empty() {
        return Err(Problem::Empty.into());
    }
    Database::from_bytes(builder.finish(now)?)
}

/// A record's file, of which no more is read than a record may have.
fn record_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let mut json = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_RECORD as u64 + 1).read_to_end(&mut json));
    read.map_err(|error| Error::from(error).in_file(path))?;
    Ok(json)
}

type Each<'a> = dyn FnMut(&Path, Result<Record, ReadError>) -> Result<(), Error> + 'a;

/// Links are not followed, so there are no circles.
fn each_file(folder: &Path, depth: usize, each: &mut Each<'_>) -> Result<(), Error> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < MAX_DEPTH {
            each_file(&path, depth + 1, each)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "json") {
            each(&path, Record::read(&record_bytes(&path)?))?;
        }
    }
    Ok(())
}
