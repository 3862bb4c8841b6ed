//! `casque db`: the database of advisories that `casque audit` asks.

mod diff;
mod update;

use std::fs;
use std::path::{Path, PathBuf};

use casque_audit::Ecosystem;
use casque_audit::db::{Builder, Database, load, store};
use casque_scan::render::one_line;
use jiff::Timestamp;

pub(crate) use self::update::{Plan, update};
use crate::cli::{DbArgs, DbBuildArgs, DbCommand, DbInfoArgs};
use crate::env;
use crate::exit::Exit;
use crate::printer::{self, BOLD};

/// How many records that cannot be read are named.
const NAMED: usize = 5;

pub(crate) fn run(args: &DbArgs) -> Result<Exit, String> {
    match &args.command {
        DbCommand::Update(args) => update::run(args),
        DbCommand::Build(args) => build(args),
        DbCommand::Diff(args) => diff::run(args),
        DbCommand::Info(args) => info(args),
    }
}

/// The database's file: the one that was named, or `casque/advisories.db` among the user's caches.
pub(crate) fn place(named: Option<&Path>) -> Result<PathBuf, String> {
    let own = || env::cache().map(|cache| cache.join("casque/advisories.db"));
    let path = named.map(Path::to_owned).or_else(own);
    path.ok_or_else(|| {
        "there is no place for the database, as neither XDG_CACHE_HOME nor HOME is set: name it with --db or --output".to_owned()
    })
}

fn build(args: &DbBuildArgs) -> Result<Exit, String> {
    let path = place(args.output.as_deref())?;
    let failed = |e: casque_audit::db::Error| one_line(&e.to_string());
    let mut builder = Builder::default();
    let mut unreadable = 0;
    for source in &args.sources {
        let loaded = load(source, &mut builder).map_err(failed)?;
        for (name, why) in loaded.reasons.iter().take(NAMED.saturating_sub(unreadable)) {
            printer::warning(one_line(&format!("{name}: {why}")));
        }
        unreadable += loaded.unreadable;
    }
    if builder.is_empty() {
        return Err("there is no OSV record of npm or crates.io in what was given; nothing was written".to_owned());
    }
    let bytes = builder.finish(Timestamp::now()).map_err(failed)?;
    if args.output.is_none() {
        make_folder(&path)?;
    }
    let database = Database::from_bytes(bytes.clone()).map_err(failed)?;
    store(&path, &bytes).map_err(failed)?;
    tell(&path, &database);
    if unreadable > 0 {
        printer::warning(format_args!("{unreadable} records could not be read and were left out"));
    }
    Ok(Exit::Clean)
}

/// Makes the folder of the database's own place.
fn make_folder(path: &Path) -> Result<(), String> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|e| format!("cannot make the folder `{}`: {e}", one_line(&folder.display().to_string())))
}

fn info(args: &DbInfoArgs) -> Result<Exit, String> {
    let path = place(args.db.as_deref())?;
    let failed = |e: casque_audit::db::Error| one_line(&e.to_string());
    let database = Database::open(&path, Timestamp::now()).map_err(|e| {
        let why = failed(e);
        if args.db.is_none() && !path.exists() { format!("{why}\n`casque db update` downloads it") } else { why }
    })?;
    database.verify().map_err(|e| failed(e.in_file(&path)))?;
    tell(&path, &database);
    Ok(Exit::Clean)
}

fn tell(path: &Path, database: &Database) {
    let info = database.info();
    let day = |time: Option<Timestamp>| time.map_or_else(|| "not known".to_owned(), |time| time.strftime("%Y-%m-%d").to_string());
    printer::tell(format_args!("{BOLD}{}{BOLD:#}", one_line(&path.display().to_string())));
    printer::tell(format_args!("  records   {} ({} of malware, {} withdrawn)", info.records, info.malware, info.withdrawn));
    for ecosystem in Ecosystem::ALL {
        printer::tell(format_args!("  {:<9} {} packages", ecosystem.osv(), info.packages_of(ecosystem)));
    }
    printer::tell(format_args!("  newest    {}", day(info.newest)));
    printer::tell(format_args!("  fetched   {}", day(info.fetched)));
    printer::tell(format_args!("  built     {}", day(Some(info.built))));
    printer::tell(format_args!("  size      {} KiB", info.size.div_ceil(1024)));
}
