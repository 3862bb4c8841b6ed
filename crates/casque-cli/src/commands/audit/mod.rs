//! `casque audit [PATH...]`: which dependencies are known to be vulnerable or malicious, and what mends them? Asks no network
//! but with `--update`, and then for the database alone.

mod input;
mod refresh;

use casque_audit::db::{Age, Database, Staleness};
use casque_audit::matching::Context;
use casque_audit::report::{Format, Report, Scope, assess, hint, render, summary};
use casque_audit::{Limits, Lockfile, read};
use casque_scan::render::one_line;
use jiff::Timestamp;

use crate::cli::AuditArgs;
use crate::commands::db;
use crate::exit::Exit;
use crate::output;
use crate::printer::{self, BOLD};

pub(crate) fn run(args: &AuditArgs) -> Result<Exit, String> {
    let now = Timestamp::now();
    let limits = Limits::default();
    let (lockfiles, mut failed) = input::lockfiles(args, &limits);
    if args.update {
        refresh::refresh(args, now)?;
    }
    let database = database(args, now)?;
    let context = Context { now: Some(now), ..Context::default() };
    let mut reports = Vec::new();
    for lockfile in &lockfiles {
        match one(lockfile, &limits, &database, &context, args) {
            Ok(report) => reports.push(report),
            Err(why) => {
                failed = true;
                printer::error(why);
            }
        }
    }
    if !reports.is_empty() {
        write(args, &reports)?;
    }
    let fails = reports.iter().any(|report| report.fails(args.fail_on.unwrap_or_default()));
    Ok(match (failed, fails) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

fn one(lockfile: &Lockfile, limits: &Limits, database: &Database, context: &Context<'_>, args: &AuditArgs) -> Result<Report, String> {
    let graph = read(lockfile, limits).map_err(|e| one_line(&e.to_string()))?;
    let path = lockfile.path.display().to_string();
    let scope = Scope { prod: args.prod };
    assess(&path, lockfile.kind, &graph, database, context, scope).map_err(|e| one_line(&e.to_string()))
}

/// The database that was named, or the one of `casque db update`.
fn database(args: &AuditArgs, now: Timestamp) -> Result<Database, String> {
    let path = db::place(args.db.as_deref())?;
    if args.db.is_none() && !path.exists() {
        return Err(format!(
            "there is no database of advisories yet: `{}` is missing\n\
             {BOLD}casque db update{BOLD:#} downloads it from OSV (some 210 MB the first time), and so does {BOLD}casque audit --update{BOLD:#}.\n\
             On a machine without a network: {BOLD}casque db build npm.zip crates.zip{BOLD:#} makes it of the archives\n\
             https://storage.googleapis.com/osv-vulnerabilities/npm/all.zip and .../crates.io/all.zip, and\n\
             {BOLD}casque audit --db FOLDER{BOLD:#} asks a folder of OSV records",
            one_line(&path.display().to_string())
        ));
    }
    let database = Database::open(&path, now).map_err(|e| one_line(&e.to_string()))?;
    let old = |days: u32| format!("the advisories are {days} days old");
    match database.info().staleness(now, Age::default()) {
        Staleness::Fresh(_) => {}
        Staleness::Stale(days) => printer::warning(format_args!("{}: what was found since is not known here", old(days))),
        Staleness::Expired(days) => printer::warning(format_args!("{}: do not rely on a clean result", old(days))),
        Staleness::Unknown => printer::warning("the advisories have no date: whether they are old cannot be told"),
    }
    Ok(database)
}

fn write(args: &AuditArgs, reports: &[Report]) -> Result<(), String> {
    let text = render(args.format, reports, args.fail_on.unwrap_or_default());
    match &args.output {
        Some(path) => {
            output::replace(path, &anstream::adapter::strip_str(&text).to_string())?;
            printer::say(summary(reports));
            printer::say(format_args!("wrote {BOLD}{}{BOLD:#}", path.display()));
        }
        None => printer::tell(text.trim_end_matches('\n')),
    }
    if args.format == Format::Text
        && let Some(hint) = hint(reports)
    {
        printer::hint(hint);
    }
    Ok(())
}
