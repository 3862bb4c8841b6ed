//! Compiling records.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Database;
use super::codec::{read_ids, write_affected, write_record};
use super::error::{Error, Problem};
use super::groups::{Member, groups, preference};
use super::header::{self, Info, MAX_NOTES, Sections};
use super::index::{package_key, write_id_row, write_package_row};
use super::pages::sums;
use super::wire::{Reader, Writer};
use crate::osv::Record;
use crate::package::Ecosystem;

/// Gathers records. Each is compiled at once, so that memory is about that of the file.
#[derive(Debug, Default)]
pub struct Builder {
    fetched: Option<Timestamp>,
    notes: Vec<u8>,
    records: Vec<Compiled>,
    by_id: HashMap<String, usize>,
    packages: HashMap<Vec<u8>, u32>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Compiled {
    modified: Timestamp,
    withdrawn: bool,
    malware: bool,
    /// Where its bytes are.
    at: std::ops::Range<usize>,
    /// The number of each of its packages, and where the entry's bytes are.
    entries: Vec<(u32, std::ops::Range<usize>)>,
}

impl Builder {
    /// Says when the source of the records was fetched, from which their age is counted.
    #[must_use]
    pub const fn fetched(mut self, at: Timestamp) -> Self {
        self.fetched = Some(at);
        self
    }

    /// What to find again in [`Info::notes`]: at most [`MAX_NOTES`] bytes, none if there are more.
    #[must_use]
    pub fn notes(mut self, notes: Vec<u8>) -> Self {
        self.notes = if notes.len() > MAX_NOTES { Vec::new() } else { notes };
        self
    }

    /// Adds those records of an older database that `wanted` is true of.
    ///
    /// # Errors
    /// The older database is damaged.
    pub fn keep(&mut self, older: &Database, mut wanted: impl FnMut(&Record) -> bool) -> Result<(), Error> {
        for record in older.records() {
            let record = record?;
            if wanted(&record) {
                self.add(&record);
            }
        }
        Ok(())
    }

    /// Adds a record. Of two with one id, the one that was changed last stays, whichever comes first.
    pub fn add(&mut self, record: &Record) {
        let next = self.records.len();
        let place = match self.by_id.get(&record.id) {
            Some(place) if self.records[*place].modified > record.modified => return,
            Some(place) => *place,
            None => next,
        };
        let compiled = self.compile(record);
        if place == next {
            self.by_id.insert(record.id.clone(), place);
            self.records.push(compiled);
        } else {
            self.records[place] = compiled;
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn compile(&mut self, record: &Record) -> Compiled {
        let at = self.append(|out| write_record(record, out));
        let mut entries = Vec::with_capacity(record.affected.len());
        for affected in record.affected.iter().filter(|_| record.withdrawn.is_none()) {
            let number = self.packages.len() as u32;
            let number = *self.packages.entry(package_key(affected.ecosystem, &affected.name)).or_insert(number);
            entries.push((number, self.append(|out| write_affected(affected, out))));
        }
        Compiled { modified: record.modified, withdrawn: record.withdrawn.is_some(), malware: record.is_malware(), at, entries }
    }

    fn append(&mut self, write: impl FnOnce(&mut Writer)) -> std::ops::Range<usize> {
        let start = self.bytes.len();
        let mut out = Writer(std::mem::take(&mut self.bytes));
        write(&mut out);
        self.bytes = out.0;
        start..self.bytes.len()
    }

    /// The bytes of the database's file.
    ///
    /// # Errors
    /// There would be more than 4 GiB of them.
    pub fn finish(self, built: Timestamp) -> Result<Vec<u8>, Error> {
        let mut info = self.info(built);
        let mut order: Vec<(&str, &Compiled)> = self.by_id.iter().map(|(id, place)| (id.as_str(), &self.records[*place])).collect();
        order.sort_unstable_by_key(|(id, _)| *id);

        // Packages that are left, in the order of their keys; where each stands in it, by the number it was given.
        let mut packages: Vec<(&[u8], u32)> = self.packages.iter().map(|(key, number)| (&key[..], *number)).collect();
        packages.sort_unstable();
        let mut entries: Vec<Vec<(u32, &std::ops::Range<usize>)>> = vec![Vec::new(); packages.len()];
        for (record, (_, compiled)) in order.iter().enumerate() {
            for (package, at) in &compiled.entries {
                entries[*package as usize].push((record as u32, at));
            }
        }
        packages.retain(|(_, number)| !entries[*number as usize].is_empty());
        let mut place_of = vec![0; entries.len()];
        for (place, (key, number)) in packages.iter().enumerate() {
            place_of[*number as usize] = place as u32;
            info.packages[usize::from(key[0] != super::index::ecosystem_code(Ecosystem::Npm))] += 1;
        }

        let mut data = Writer(Vec::with_capacity(self.bytes.len() + self.bytes.len() / 4));
        let mut record_rows = Vec::new();
        let mut id_rows: Vec<(&str, u32)> = Vec::new();
        for (number, (id, compiled)) in order.iter().enumerate() {
            let start = data.0.len();
            let bytes = self.bytes.get(compiled.at.clone()).unwrap_or_default();
            data.0.extend_from_slice(bytes);
            let mut places: Vec<u32> = compiled.entries.iter().map(|(package, _)| place_of[*package as usize]).collect();
            places.sort_unstable();
            places.dedup();
            data.length(places.len());
            for place in places {
                data.number(place.into());
            }
            row(start, data.0.len(), &mut record_rows)?;
            id_rows.push((id, number as u32));
            id_rows.extend(self.ids(compiled).1.into_iter().map(|alias| (alias, number as u32)));
        }
        let mut package_rows = Vec::new();
        for (key, number) in &packages {
            let start = data.0.len();
            self.posting(key, &entries[*number as usize], &order, &mut data);
            let length = data.0.len() - start;
            write_package_row(key, narrow(start)?, narrow(length)?, &mut package_rows);
        }
        id_rows.sort_unstable();
        let mut sections = Sections { packages: data.0.len(), package_count: packages.len(), ..Sections::default() };
        data.0.append(&mut package_rows);
        (sections.ids, sections.id_count) = (data.0.len(), id_rows.len());
        for (id, record) in id_rows {
            write_id_row(id, record, &mut data.0);
        }
        (sections.records, sections.record_count) = (data.0.len(), order.len());
        data.0.append(&mut record_rows);
        sections.end = data.0.len();
        narrow(sections.end)?;

        // The sums in the header are known last, but stand first.
        let header = header::write(&info, &sections, &sums(&data.0));
        drop(self);
        let mut file = data.0;
        file.resize(sections.end + header.len(), 0);
        file.copy_within(..sections.end, header.len());
        file[..header.len()].copy_from_slice(&header);
        Ok(file)
    }

    fn info(&self, built: Timestamp) -> Info {
        let count = |what: fn(&Compiled) -> bool| self.records.iter().filter(|record| what(record)).count() as u32;
        Info {
            built,
            fetched: self.fetched,
            // A date in the future would make a database look fresh for ever.
            newest: self.records.iter().map(|record| record.modified).filter(|modified| *modified <= built).max(),
            records: self.records.len() as u32,
            withdrawn: count(|record| record.withdrawn),
            malware: count(|record| record.malware && !record.withdrawn),
            packages: [0; 2],
            size: 0,
            notes: self.notes.clone(),
        }
    }

    /// The id and aliases of a record, from the bytes that were written for it here.
    fn ids(&self, compiled: &Compiled) -> (&str, Vec<&str>) {
        read_ids(&mut Reader(self.bytes.get(compiled.at.clone()).unwrap_or_default())).unwrap_or_default()
    }

    fn posting(&self, key: &[u8], entries: &[(u32, &std::ops::Range<usize>)], order: &[(&str, &Compiled)], out: &mut Writer) {
        let ecosystem = super::index::ecosystem_of(key[0]).unwrap_or(Ecosystem::Npm);
        let mut members: Vec<(u32, &std::ops::Range<usize>, &str, Vec<&str>)> = entries
            .iter()
            .map(|(record, at)| {
                let (id, aliases) = self.ids(order[*record as usize].1);
                (*record, *at, id, aliases)
            })
            .collect();
        members.sort_unstable_by(|a, b| preference(ecosystem, a.2).cmp(&preference(ecosystem, b.2)));
        let plain: Vec<Member<'_>> = members.iter().map(|(_, _, id, aliases)| Member { id, aliases }).collect();
        out.byte(key[0]);
        out.bytes(&key[1..]);
        out.length(members.len());
        let mut entry = Writer::default();
        for ((record, at, _, _), groups) in members.iter().zip(groups(&plain)) {
            entry.0.clear();
            entry.number((*record).into());
            entry.length(groups.len());
            for group in groups {
                entry.number(group.into());
            }
            entry.0.extend_from_slice(self.bytes.get((*at).clone()).unwrap_or_default());
            out.bytes(&entry.0);
        }
    }
}

fn narrow(place: usize) -> Result<u32, Error> {
    u32::try_from(place).map_err(|_| Problem::TooLarge.into())
}

fn row(start: usize, end: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(&narrow(start)?.to_le_bytes());
    out.extend_from_slice(&narrow(end - start)?.to_le_bytes());
    Ok(())
}
