//! `casque audit [PATH...]`: which dependencies are known to be vulnerable or malicious, and what mends them? Asks no network.

mod input;
mod npm;

use casque_audit::db::{Age, Database, Staleness};
use casque_audit::matching::Context;
use casque_audit::npm_view::{Packuments, Setting, View};
use casque_audit::report::{Format, Given, Report, Scope, assess, hint, npm_json, render, summary};
use casque_audit::{Graph, Limits, Lockfile, read};
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
    let database = database(args, now)?;
    let context = Context { now: Some(now), ..Context::default() };
    let (mut reports, mut graphs) = (Vec::new(), Vec::new());
    for lockfile in &lockfiles {
        match one(lockfile, &limits, &database, &context, args) {
            Ok((report, graph)) => {
                reports.push(report);
                graphs.push(graph);
            }
            Err(why) => {
                failed = true;
                printer::error(why);
            }
        }
    }
    if !reports.is_empty() {
        write(args, &reports, &graphs, now)?;
    }
    let fails = reports.iter().any(|report| report.fails(args.fail_on.unwrap_or_default()));
    Ok(match (failed, fails) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

fn one(
    lockfile: &Lockfile,
    limits: &Limits,
    database: &Database,
    context: &Context<'_>,
    args: &AuditArgs,
) -> Result<(Report, Graph), String> {
    let graph = read(lockfile, limits).map_err(|e| one_line(&e.to_string()))?;
    let path = lockfile.path.display().to_string();
    let scope = Scope { prod: args.prod };
    let report = assess(&path, lockfile.kind, &graph, database, context, scope).map_err(|e| one_line(&e.to_string()))?;
    Ok((report, graph))
}

/// The database that was named, or the one of `casque db build`.
fn database(args: &AuditArgs, now: Timestamp) -> Result<Database, String> {
    let path = db::place(args.db.as_deref())?;
    if args.db.is_none() && !path.exists() {
        return Err(format!(
            "there is no database of advisories yet: `{}` is missing\n\
             Download {BOLD}https://storage.googleapis.com/osv-vulnerabilities/npm/all.zip{BOLD:#}\n\
             and {BOLD}https://storage.googleapis.com/osv-vulnerabilities/crates.io/all.zip{BOLD:#} under two names, then run\n\
             {BOLD}casque db build NPM.zip CRATES.zip{BOLD:#}; or give a folder of OSV records: {BOLD}casque audit --db FOLDER{BOLD:#}",
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

fn text(args: &AuditArgs, reports: &[Report], graphs: &[Graph], now: Timestamp) -> Result<String, String> {
    let setting = Setting { scope: Scope { prod: args.prod }, node: args.node.clone() };
    if args.format == Format::NpmJson {
        let (report, graph) = npm::only_one(reports, graphs)?;
        let packuments = npm::packuments(args.packuments.as_deref(), graph)?;
        let view = View::new(graph, report, &packuments, &setting);
        npm::remark(&view, args.packuments.is_some());
        return Ok(npm_json(&view));
    }
    let bar = args.fail_on.unwrap_or_default();
    Ok(render(args.format, reports, &Given { bar, now, graphs, packuments: &Packuments::default(), setting: &setting }))
}

fn write(args: &AuditArgs, reports: &[Report], graphs: &[Graph], now: Timestamp) -> Result<(), String> {
    let text = text(args, reports, graphs, now)?;
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
