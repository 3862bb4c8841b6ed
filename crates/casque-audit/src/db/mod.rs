//! The advisory database: OSV records compiled into one file.
//!
//! ```text
//! header | records, sorted by id | postings, one per package | table of packages | table of ids | table of records
//! ```
//! A posting has, for each record about the package, the affected versions as comparable keys: most packages of a lockfile are
//! settled by a binary search that finds nothing, and the others by comparing bytes. Opening reads the header alone; a page of
//! the rest is read when it is needed and checked against its sum ([`Database::verify`] checks all).
//!
//! **What a hostile file may try**: sums find damage, not malice, so every place, length and count in the file is checked where it
//! is used. Nothing is allocated by a count that was merely read, searches are binary, and what is printed is made fit for a
//! terminal once more. A hostile file can still leave advisories out; whoever may write the database decides what it says.
//!
//! **What a hostile record may try**: see [`crate::osv`]. One that cannot be read is left out and reported; the others still count.

mod age;
mod build;
mod changes;
mod codec;
mod compare;
mod error;
mod groups;
mod header;
mod index;
mod load;
mod pages;
mod store;
mod wire;
mod zip;

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use jiff::Timestamp;

pub use age::{Age, Staleness};
pub use build::Builder;
pub use changes::{Change, Outdated, outdated, read_changes};
pub use codec::Verdict;
pub use compare::{Difference, Differing, compare};
pub use error::{Error, Problem};
pub(crate) use groups::preference;
pub use header::{FORMAT, Info, MAX_NOTES};
pub use load::{Loaded, load};
pub use store::store;

use crate::osv::{Affected, Record};
use crate::package::Ecosystem;
use crate::version::Version;
use error::Corrupt;
use header::Sections;
use index::{Table, ecosystem_of, package_key};
use pages::{Pages, Source};
use wire::Reader;

/// A database, open.
#[derive(Debug)]
pub struct Database {
    info: Info,
    sections: Sections,
    pages: Pages,
}

impl Database {
    /// Opens a database file, or compiles a folder of OSV records on the spot. A folder's records must all be readable; it counts
    /// as built `now`.
    ///
    /// # Errors
    /// It is not there, something else, of another format, or damaged.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, Error> {
        let open = || {
            if path.is_dir() {
                return load::folder(path, now);
            }
            let file = File::open(path)?;
            if !file.metadata()?.is_file() {
                return Err(Problem::NotADatabase.into());
            }
            Self::from_source(Source::File(file))
        };
        open().map_err(|error: Error| error.in_file(path))
    }

    /// A database from the bytes of its file.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        Self::from_source(Source::Memory(bytes))
    }

    fn from_source(source: Source) -> Result<Self, Error> {
        let (info, sections, sums, start) = header::read(&source)?;
        let pages = Pages::new(source, start, sections.end, sums);
        Ok(Self { info, sections, pages })
    }

    /// What it says about itself.
    pub const fn info(&self) -> &Info {
        &self.info
    }

    /// The bytes of a file with the same records, fetched at another time and with other notes.
    ///
    /// # Errors
    /// This one is damaged.
    pub fn dated(&self, fetched: Timestamp, notes: Vec<u8>) -> Result<Vec<u8>, Error> {
        let notes = if notes.len() > MAX_NOTES { Vec::new() } else { notes };
        let info = Info { fetched: Some(fetched), notes, ..self.info.clone() };
        let mut file = header::write(&info, &self.sections, self.pages.sums());
        file.extend_from_slice(&self.pages.whole()?);
        Ok(file)
    }

    fn package_table(&self) -> Table<'_> {
        Table { pages: &self.pages, at: self.sections.packages, count: self.sections.package_count }
    }

    /// What is known of a package. `None`: no record in force is about it.
    pub(crate) fn posting(&self, ecosystem: Ecosystem, name: &str) -> Result<Option<Posting<'_>>, Error> {
        let key = package_key(ecosystem, name);
        let compare = |at, length| {
            let bytes = self.pages.read(at, length)?;
            let mut reader = Reader(&bytes);
            let (code, name) = (reader.byte()?, reader.bytes()?);
            Ok(code.cmp(&key[0]).then_with(|| name.cmp(&key[1..])))
        };
        let table = self.package_table();
        match table.find_package(&key, compare)? {
            Some(number) => self.posting_at(number).map(Some),
            None => Ok(None),
        }
    }

    fn posting_at(&self, number: usize) -> Result<Posting<'_>, Error> {
        let (at, length) = self.package_table().package(number)?;
        Ok(Posting(self.pages.read(at, length)?))
    }

    /// A record without its packages, and the numbers of those.
    fn record_head(&self, number: u32) -> Result<(Record, Vec<u32>), Error> {
        let table = Table { pages: &self.pages, at: self.sections.records, count: self.sections.record_count };
        let (at, length) = table.record(number)?;
        let bytes = self.pages.read(at, length)?;
        let mut reader = Reader(&bytes);
        let record = codec::read_record(&mut reader)?;
        let packages = reader.list(Reader::u32)?;
        reader.end()?;
        // So that no record makes work by naming one package many times.
        if !packages.is_sorted_by(|a, b| a < b) || packages.last().is_some_and(|last| *last as usize >= self.sections.package_count) {
            return Err(Corrupt("a record names its packages in an impossible way").into());
        }
        Ok((record, packages))
    }

    /// A record with its entry for one package alone.
    pub(crate) fn record_for(&self, entry: &Entry<'_>) -> Result<Record, Error> {
        let (mut record, _) = self.record_head(entry.record)?;
        record.affected.push(entry.affected()?);
        Ok(record)
    }

    /// A record with all its packages.
    fn record(&self, number: u32) -> Result<Record, Error> {
        let (mut record, packages) = self.record_head(number)?;
        for package in packages {
            let posting = self.posting_at(package as usize)?;
            for entry in posting.entries()? {
                if entry.record == number {
                    record.affected.push(entry.affected()?);
                }
            }
        }
        Ok(record)
    }

    /// Every record, sorted by id. Withdrawn ones have lost their packages.
    pub fn records(&self) -> impl Iterator<Item = Result<Record, Error>> + '_ {
        (0..self.sections.record_count as u32).map(|number| self.record(number))
    }

    /// The records that have this id or alias: the one of that id first.
    ///
    /// # Errors
    /// The database is damaged there.
    pub fn find(&self, id: &str) -> Result<Vec<Record>, Error> {
        let table = Table { pages: &self.pages, at: self.sections.ids, count: self.sections.id_count };
        let mut found = Vec::new();
        for number in table.find_id(id)? {
            let record = self.record(number)?;
            if record.id == id || record.aliases.iter().any(|alias| alias == id) {
                found.push(record);
            }
        }
        found.sort_by(|a, b| (a.id != id, &a.id).cmp(&(b.id != id, &b.id)));
        Ok(found)
    }

    /// Every id and alias, record by record.
    pub fn ids(&self) -> impl Iterator<Item = Result<String, Error>> + '_ {
        let of = |number| match self.record_head(number) {
            Ok((record, _)) => std::iter::once(record.id).chain(record.aliases).map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        (0..self.sections.record_count as u32).flat_map(of)
    }

    /// Checks every page, record and posting.
    ///
    /// # Errors
    /// The first that is damaged.
    pub fn verify(&self) -> Result<(), Error> {
        self.pages.verify()?;
        for number in 0..self.sections.package_count {
            let posting = self.posting_at(number)?;
            for entry in posting.entries()? {
                entry.affected()?;
            }
        }
        (0..self.sections.record_count as u32).try_for_each(|number| self.record_head(number).map(drop))
    }
}

/// What the database has about one package.
#[derive(Debug)]
pub(crate) struct Posting<'a>(Cow<'a, [u8]>);

/// One record about the package. Entries come with the best record of each group before its others.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    pub(crate) record: u32,
    /// The vulnerabilities of this package that it is about; more than one: it cannot say which.
    pub(crate) groups: Vec<u32>,
    ecosystem: Ecosystem,
    name: &'a str,
    rest: Reader<'a>,
}

impl Posting<'_> {
    pub(crate) fn entries(&self) -> Result<Vec<Entry<'_>>, Corrupt> {
        let mut reader = Reader(&self.0);
        let ecosystem = ecosystem_of(reader.byte()?)?;
        let name = reader.text()?;
        let entries = reader.list(|reader| {
            let mut rest = Reader(reader.bytes()?);
            Ok(Entry { record: rest.u32()?, groups: rest.list(Reader::u32)?, ecosystem, name, rest })
        })?;
        reader.end()?;
        Ok(entries)
    }
}

impl Entry<'_> {
    /// What it says of a version; `None` is one that does not parse.
    pub(crate) fn judge(&self, version: Option<&Version>, text: &str) -> Result<Verdict, Corrupt> {
        codec::judge(&mut self.rest.clone(), version, text)
    }

    pub(crate) fn affected(&self) -> Result<Affected, Corrupt> {
        codec::read_affected(&mut self.rest.clone(), self.ecosystem, self.name)
    }
}

#[cfg(test)]
mod tests;
