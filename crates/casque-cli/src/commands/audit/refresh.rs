//! `--update`: what `casque db update` does, when the database needs it.

use std::path::Path;

use casque_audit::Ecosystem;
use casque_audit::db::{Age, Database, Staleness};
use casque_scan::render::one_line;
use jiff::Timestamp;

use crate::commands::db::{self, Plan};
use crate::printer;

/// Brings the database up to date if it is missing, damaged, a week old, or without one of the ecosystems. If that fails and there is
/// one, the audit goes on with it and says how old it is.
///
/// # Errors
/// There is none, and none was to be had.
pub(super) fn refresh(named: Option<&Path>, now: Timestamp) -> Result<(), String> {
    let path = db::place(named)?;
    if path.is_dir() {
        let path = one_line(&path.display().to_string());
        return Err(format!("--update needs a database that is a file, and `{path}` is a folder of records: leave one of the two out"));
    }
    let there = is_usable(&path, now);
    if there == Some(true) {
        return Ok(());
    }
    match db::update(&path, named.is_none(), &Plan::usual()?) {
        Err(why) if there.is_some() => {
            printer::warning(format_args!("the advisories could not be updated: {why}"));
            Ok(())
        }
        updated => updated,
    }
}

/// Whether the database is young and complete; `None` if it cannot be used at all.
fn is_usable(path: &Path, now: Timestamp) -> Option<bool> {
    let database = Database::open(path, now).ok()?;
    let fresh = matches!(database.info().staleness(now, Age::default()), Staleness::Fresh(_));
    Some(fresh && Ecosystem::ALL.into_iter().all(|ecosystem| database.info().packages_of(ecosystem) > 0))
}
