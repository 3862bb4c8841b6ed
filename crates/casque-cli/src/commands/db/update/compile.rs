//! What was fetched and what is kept of the older database, compiled.

use std::collections::{BTreeMap, HashSet};

use casque_audit::Ecosystem;
use casque_audit::db::{Builder, Database, Error, load};
use casque_audit::osv::Record;
use jiff::Timestamp;

use super::download::forget;
use super::fetch::{Fetched, archive_name};
use super::notes::{self, Notes};
use super::place::Place;
use crate::printer;

/// The bytes of the new database. The older one is let go before they are put together, for both are large.
pub(super) fn compile(
    older: Option<Database>,
    fetched: BTreeMap<Ecosystem, Fetched>,
    notes: &BTreeMap<Ecosystem, Notes>,
    source: &str,
    place: &Place,
    now: Timestamp,
) -> Result<Vec<u8>, String> {
    let failed = |e: Error| e.to_string();
    let dated = oldest(older.as_ref(), &fetched, notes, now);
    let noted = notes::write(source, notes);
    if let Some(older) = &older
        && fetched.values().all(|fetched| matches!(fetched, Fetched::Same))
    {
        return older.dated(dated, noted).map_err(failed);
    }
    let mut builder = Builder::default().fetched(dated).notes(noted);
    let (mut replaced, mut gone, mut newer) = (BTreeMap::new(), HashSet::new(), Vec::new());
    for (ecosystem, fetched) in fetched {
        match fetched {
            Fetched::Same => {}
            Fetched::Some(records, its_gone) => {
                newer.extend(records);
                gone.extend(its_gone);
            }
            Fetched::All(name) => drop(replaced.insert(ecosystem, archive(ecosystem, &name, &mut builder, place)?)),
        }
    }
    let mut before: BTreeMap<Ecosystem, usize> = BTreeMap::new();
    if let Some(older) = older {
        let keep = |record: &Record| {
            for ecosystem in replaced.keys().filter(|ecosystem| is_about(record, **ecosystem)) {
                *before.entry(*ecosystem).or_default() += 1;
            }
            // One that was taken back has no packages, and is known for what it is.
            let kept = record.affected.is_empty() || record.affected.iter().any(|affected| !replaced.contains_key(&affected.ecosystem));
            kept && !gone.contains(&record.id)
        };
        builder.keep(&older, keep).map_err(failed)?;
    }
    for (ecosystem, now) in &replaced {
        let before = before.get(ecosystem).copied().unwrap_or_default();
        if before > now.saturating_mul(2) {
            forget(place, &archive_name(*ecosystem));
            return Err(format!(
                "the export of {ecosystem} has {now} records where there were {before}: so many do not vanish, and nothing was changed; \
                 remove the database first if that is right"
            ));
        }
    }
    newer.iter().for_each(|record| builder.add(record));
    builder.finish(now).map_err(failed)
}

/// Loads an archive. Returns how many records it has.
fn archive(ecosystem: Ecosystem, name: &str, builder: &mut Builder, place: &Place) -> Result<usize, String> {
    let lost = |why: String| {
        // What is no good is not gone on with.
        forget(place, name);
        format!("the archive of {ecosystem} that was downloaded cannot be used: {why}; try again")
    };
    let loaded = load(&place.file(name), builder).map_err(|e| lost(Error { path: None, ..e }.to_string()))?;
    if loaded.damaged > 0 {
        return Err(lost(format!("{} of its files are damaged", loaded.damaged)));
    }
    if loaded.records == 0 {
        return Err(lost("it has no record of this ecosystem".to_owned()));
    }
    if loaded.unreadable > 0 {
        let first = loaded.reasons.first().map(|(file, why)| format!(", first {file}: {why}")).unwrap_or_default();
        let first = casque_scan::render::one_line(&first);
        printer::warning(format_args!("{} records of {ecosystem} cannot be read and are left out{first}", loaded.unreadable));
    }
    Ok(loaded.records)
}

fn is_about(record: &Record, ecosystem: Ecosystem) -> bool {
    record.affected.iter().any(|affected| affected.ecosystem == ecosystem)
}

/// When the part that was fetched longest ago was fetched: a database is as old as that.
fn oldest(
    older: Option<&Database>,
    fetched: &BTreeMap<Ecosystem, Fetched>,
    notes: &BTreeMap<Ecosystem, Notes>,
    now: Timestamp,
) -> Timestamp {
    let kept = Ecosystem::ALL.into_iter().filter(|ecosystem| !fetched.contains_key(ecosystem)).filter_map(|ecosystem| {
        let info = older.map(Database::info).filter(|info| info.packages_of(ecosystem) > 0)?;
        notes.get(&ecosystem).and_then(|notes| notes.fetched).or(info.fetched).or(info.newest)
    });
    kept.fold(now, Timestamp::min)
}
