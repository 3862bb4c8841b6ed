//! What changed between two databases.

use super::{Database, Error};
use crate::osv::Record;

/// Ids by what became of them, each list sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Only the newer database has them.
    pub added: Vec<String>,
    /// Both have them, with other contents.
    pub changed: Vec<String>,
    /// The newer one says that they are taken back.
    pub withdrawn: Vec<String>,
    /// Only the older one has them.
    pub removed: Vec<String>,
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
    loop {
        // Both are sorted by id.
        let order = match (&left, &right) {
            (None, None) => return Ok(difference),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => left.id.cmp(&right.id),
        };
        if order.is_eq()
            && let (Some(before), Some(after)) = (&left, &right)
            && before != after
        {
            let list = if newly_withdrawn(before, after) { &mut difference.withdrawn } else { &mut difference.changed };
            list.push(after.id.clone());
        }
        if order.is_lt() {
            difference.removed.extend(left.take().map(|record| record.id));
        }
        if order.is_gt() {
            difference.added.extend(right.take().map(|record| record.id));
        }
        if order.is_le() {
            left = old.next().transpose()?;
        }
        if order.is_ge() {
            right = new.next().transpose()?;
        }
    }
}

fn newly_withdrawn(before: &Record, after: &Record) -> bool {
    before.withdrawn.is_none() && after.withdrawn.is_some()
}
