//! What changed between two databases.

use super::{Database, Error};
use crate::osv::Record;
use crate::package::Ecosystem;

/// A record that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// Its id.
    pub id: String,
    /// What it is about: ecosystem and name, sorted. One that was withdrawn or removed: what it was about.
    pub packages: Vec<(Ecosystem, String)>,
    /// Its title, which may be empty.
    pub summary: String,
}

impl Differing {
    fn of(record: Record) -> Self {
        let mut packages: Vec<_> = record.affected.into_iter().map(|affected| (affected.ecosystem, affected.name)).collect();
        packages.sort_unstable();
        packages.dedup();
        Self { id: record.id, packages, summary: record.summary }
    }

    /// Whether it is about packages of this ecosystem.
    pub fn is_about(&self, ecosystem: Ecosystem) -> bool {
        self.packages.iter().any(|(of, _)| *of == ecosystem)
    }
}

/// Records by what became of them, each list sorted by id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Only the newer database has them.
    pub added: Vec<Differing>,
    /// Both have them, with other contents.
    pub changed: Vec<Differing>,
    /// The newer one says that they are taken back.
    pub withdrawn: Vec<Differing>,
    /// Only the older one has them.
    pub removed: Vec<Differing>,
}

impl Difference {
    /// Whether the databases say the same.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares the records of two databases.
///
/// # Errors
/// One of them is damaged.
pub fn compare(older: &Database, newer: &Database) -> Result<Difference, Error> {
    let mut difference = Difference::default();
    let (mut old, mut new) = (older.records(), newer.records());
    let (mut left, mut right) = (old.next().transpose()?, new.next().transpose()?);
    // Both are sorted by id.
    loop {
        let order = match (&left, &right) {
            (None, None) => return Ok(difference),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => left.id.cmp(&right.id),
        };
        let before = if order.is_le() { std::mem::replace(&mut left, old.next().transpose()?) } else { None };
        let after = if order.is_ge() { std::mem::replace(&mut right, new.next().transpose()?) } else { None };
        match (before, after) {
            (Some(before), None) => difference.removed.push(Differing::of(before)),
            (None, Some(after)) => difference.added.push(Differing::of(after)),
            (Some(before), Some(after)) if newly_withdrawn(&before, &after) => difference.withdrawn.push(Differing::of(before)),
            (Some(before), Some(after)) if before != after => difference.changed.push(Differing::of(after)),
            _ => {}
        }
    }
}

fn newly_withdrawn(before: &Record, after: &Record) -> bool {
    before.withdrawn.is_none() && after.withdrawn.is_some()
}
