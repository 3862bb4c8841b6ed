//! Bringing a database up to date with a part of the export: OSV publishes, beside the whole of an ecosystem, a list of when each
//! record last changed (`modified_id.csv`), and each record by itself.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Database;
use super::error::{Error, Problem};
use crate::package::Ecosystem;

/// A line of the list of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When the record last changed.
    pub modified: Timestamp,
    /// The record's id.
    pub id: String,
}

/// Reads `modified_id.csv`: lines of a time, a comma and an id. The list of all ecosystems has `npm/` or the like before ids.
///
/// # Errors
/// A line is of another form; which one.
pub fn read_changes(csv: &str) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    for (number, line) in csv.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let change = line.split_once(',').and_then(|(time, id)| {
            let id = id.trim().rsplit('/').next()?;
            // Ids become parts of addresses and of file names.
            let plain = !id.is_empty()
                && id.len() <= 128
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b))
                && !id.starts_with('.');
            Some(Change { modified: time.trim().parse().ok()?, id: plain.then(|| id.to_owned())? })
        });
        changes.push(change.ok_or(Problem::ChangeList(number + 1))?);
    }
    Ok(changes)
}

/// What a database of an ecosystem lacks, by the list of changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outdated {
    /// Records to fetch: new ones, and those that changed. Sorted.
    pub fetch: Vec<String>,
    /// Records that are no longer listed. Sorted.
    pub gone: Vec<String>,
}

/// Compares a database with the list of one ecosystem.
///
/// # Errors
/// The database is damaged.
pub fn outdated(database: &Database, ecosystem: Ecosystem, changes: &[Change]) -> Result<Outdated, Error> {
    let mut listed: HashMap<&str, Timestamp> = HashMap::with_capacity(changes.len());
    for change in changes {
        let modified = listed.entry(&change.id).or_insert(change.modified);
        *modified = change.modified.max(*modified);
    }
    let mut outdated = Outdated::default();
    for record in database.records() {
        let record = record?;
        match listed.get(record.id.as_str()) {
            // Files keep seconds.
            Some(modified) if modified.as_second() <= record.modified.as_second() => {
                listed.remove(record.id.as_str());
            }
            Some(_) => {}
            // One that is about another ecosystem too stands in that one's list.
            None if !record.affected.is_empty() && record.affected.iter().all(|a| a.ecosystem == ecosystem) => {
                outdated.gone.push(record.id)
            }
            None => {}
        }
    }
    outdated.fetch = listed.into_keys().map(str::to_owned).collect();
    outdated.fetch.sort_unstable();
    Ok(outdated)
}
