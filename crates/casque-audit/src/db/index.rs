//! The tables at the end of the file: packages by name, records by id.
//!
//! A row begins with the first bytes of its key, padded with zeros, and rows are sorted by the whole key. A search is a binary one
//! over rows; only keys that are alike for that long are looked up themselves. No hash means no collisions to be afraid of.

use super::error::{Corrupt, Error};
use super::pages::Pages;
use crate::package::Ecosystem;

/// How much of a package's key stands in its row; most names are shorter. Then: where its posting is, and how long that is.
const PACKAGE_PREFIX: usize = 24;
pub(super) const PACKAGE_ROW: usize = PACKAGE_PREFIX + 8;

/// How much of an id stands in its row; enough for all of GHSA, RUSTSEC, MAL and CVE. Then: the number of its record.
const ID_PREFIX: usize = 24;
pub(super) const ID_ROW: usize = ID_PREFIX + 4;

/// Where a record is, and how long it is.
pub(super) const RECORD_ROW: usize = 8;

/// The key of a package.
pub(super) fn package_key(ecosystem: Ecosystem, name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + name.len());
    key.push(ecosystem_code(ecosystem));
    key.extend_from_slice(name.as_bytes());
    key
}

pub(super) const fn ecosystem_code(ecosystem: Ecosystem) -> u8 {
    match ecosystem {
        Ecosystem::Npm => 1,
        Ecosystem::Cargo => 2,
    }
}

pub(super) fn ecosystem_of(code: u8) -> Result<Ecosystem, Corrupt> {
    Ecosystem::ALL.into_iter().find(|e| ecosystem_code(*e) == code).ok_or(Corrupt("there is no such ecosystem"))
}

fn prefix<const N: usize>(key: &[u8]) -> [u8; N] {
    let mut prefix = [0; N];
    for (to, from) in prefix.iter_mut().zip(key) {
        *to = *from;
    }
    prefix
}

pub(super) fn write_package_row(key: &[u8], at: u32, length: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&prefix::<PACKAGE_PREFIX>(key));
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
}

pub(super) fn write_id_row(id: &str, record: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&prefix::<ID_PREFIX>(id.as_bytes()));
    out.extend_from_slice(&record.to_le_bytes());
}

fn word(row: &[u8], at: usize) -> Result<u32, Corrupt> {
    let bytes = row.get(at..at + 4).and_then(|b| b.try_into().ok()).ok_or(Corrupt("a row is short"))?;
    Ok(u32::from_le_bytes(bytes))
}

/// A table of rows of one size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) pages: &'a Pages,
    pub(super) at: usize,
    pub(super) count: usize,
}

impl Table<'_> {
    fn row(&self, number: usize, size: usize) -> Result<std::borrow::Cow<'_, [u8]>, Error> {
        if number >= self.count {
            return Err(Corrupt("a row is beyond its table").into());
        }
        let at = number.checked_mul(size).and_then(|n| n.checked_add(self.at)).ok_or(Corrupt("a table is too long"))?;
        self.pages.read(at, size)
    }

    /// Where the posting of the package of a row is, and its length.
    pub(super) fn package(&self, number: usize) -> Result<(usize, usize), Error> {
        let row = self.row(number, PACKAGE_ROW)?;
        Ok((word(&row, PACKAGE_PREFIX)? as usize, word(&row, PACKAGE_PREFIX + 4)? as usize))
    }

    /// Finds a package. `name_at` gives the key of the posting at a place, up to the key's length and a byte more.
    pub(super) fn find_package(
        &self,
        key: &[u8],
        mut compare: impl FnMut(usize, usize) -> Result<std::cmp::Ordering, Error>,
    ) -> Result<Option<usize>, Error> {
        let wanted = prefix::<PACKAGE_PREFIX>(key);
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.row(middle, PACKAGE_ROW)?;
            let mut order = row.get(..PACKAGE_PREFIX).unwrap_or_default().cmp(&wanted[..]);
            if order.is_eq() {
                let (at, length) = (word(&row, PACKAGE_PREFIX)? as usize, word(&row, PACKAGE_PREFIX + 4)? as usize);
                order = compare(at, length)?;
            }
            match order {
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// The numbers of the records whose ids begin like this one, ascending rows.
    pub(super) fn find_id(&self, id: &str) -> Result<Vec<u32>, Error> {
        let wanted = prefix::<ID_PREFIX>(id.as_bytes());
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.row(middle, ID_ROW)?.get(..ID_PREFIX).unwrap_or_default() < &wanted[..] {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut found = Vec::new();
        while low < self.count {
            let row = self.row(low, ID_ROW)?;
            if row.get(..ID_PREFIX) != Some(&wanted[..]) {
                break;
            }
            found.push(word(&row, ID_PREFIX)?);
            low += 1;
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Where a record is, and its length.
    pub(super) fn record(&self, number: u32) -> Result<(usize, usize), Error> {
        let row = self.row(number as usize, RECORD_ROW)?;
        Ok((word(&row, 0)? as usize, word(&row, 4)? as usize))
    }
}
