//! `casque audit [PATH...]`: which dependencies are known to be vulnerable or malicious, and what mends them? Asks no network
//! but with `--update`, and then for the database alone.

mod diff;
mod explain;
pub(crate) mod gate;
mod git;
mod input;
mod licenses;
pub(crate) mod lists;
mod npm;
mod policy;
mod project;
mod refresh;
mod sbom;
pub(crate) mod section;
mod supply;
mod tree;
mod why;

use std::path::Path;

use casque_audit::db::{Age, Database, Staleness};
use casque_audit::matching::Context;
use casque_audit::npm_view::{Packuments, Setting, View};
use casque_audit::policy::{Applied, Remark};
use casque_audit::report::{Format, Given, Judgement, Report, Scope, assess, hint, npm_json, render, summary};
use casque_audit::supply::{Settings, notices};
use casque_audit::{Graph, nearest};
use casque_scan::render::one_line;
use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::input::Trouble;
use self::lists::Order;
use self::project::Project;
use crate::cli::AuditArgs;
use crate::commands::db;
use crate::exit::Exit;
use crate::output;
use crate::policy_file::PolicyFile;
use crate::printer::{self, BOLD};

pub(crate) use supply::SupplyArgs;

/// What can be done besides an audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Tell why a package is there: who asks for it, and the shortest ways to it
    Why(why::WhyArgs),
    /// Tell what an advisory says, and whether the project has what it is about
    Explain(explain::ExplainArgs),
    /// Compare two states of the lockfiles, commits or files: what a change brings, and what it mends
    Diff(diff::DiffArgs),
    /// Show who asks for whom, each package with what it asks for once
    Tree(tree::TreeArgs),
    /// Count the licences of the packages, as the lockfile or node_modules has them
    Licenses(licenses::LicensesArgs),
    /// Write a bill of materials, in CycloneDX or SPDX
    Sbom(sbom::SbomArgs),
    /// List what the lockfile alone shows: install scripts, odd sources, look-alike names, missing hashes
    Supply(supply::SupplyVerbArgs),
    /// Carry over what other tools were told to ignore
    Policy(policy::PolicyArgs),
}

impl Verb {
    /// The verb that a path which is not there could have been meant to be.
    fn meant(word: &str) -> Option<String> {
        let all = Self::augment_subcommands(clap::Command::new("audit"));
        nearest(word, all.get_subcommands().map(|verb| verb.get_name().to_owned()))
    }

    fn run(&self) -> Result<Exit, String> {
        match self {
            Self::Why(args) => why::run(args),
            Self::Explain(args) => explain::run(args),
            Self::Diff(args) => diff::run(args),
            Self::Tree(args) => Ok(tree::run(args)),
            Self::Licenses(args) => Ok(licenses::run(args)),
            Self::Sbom(args) => sbom::run(args),
            Self::Supply(args) => supply::run(args),
            Self::Policy(args) => policy::run(args),
        }
    }
}

pub(crate) fn run(args: &AuditArgs) -> Result<Exit, String> {
    if let Some(verb) = &args.verb {
        return verb.run();
    }
    let now = Timestamp::now();
    let file = PolicyFile::find(args.config.as_deref())?;
    let mut written = file.audit()?;
    args.gate.over(&mut written.policy.gate);
    args.supply.over(&mut written.policy.supply);
    let lists = args.lists.read()?;
    let context = lists.context(now);
    let (projects, trouble) = project::read_all(&args.paths, &args.lockfile);
    if projects.is_empty() {
        return Ok(trouble.map_or(Exit::Error, Trouble::exit));
    }
    let updated = if args.update { refresh::refresh(args.db.as_deref(), now) } else { Ok(()) };
    let database = match updated.and_then(|()| database(args.db.as_deref(), now)) {
        Ok(database) => database,
        Err(why) => {
            printer::error(why);
            return Ok(Exit::NoDatabase);
        }
    };
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut applied = Applied::new(&written.policy, today, args.gate.ignore_unfixable);
    let mut reports = Vec::new();
    for project in &projects {
        match one(project, &database, &context, args, &mut applied, &file, &written.policy.supply) {
            Ok(report) => reports.push(report),
            // Only the database can fail here, and then nothing that it says is to be relied on.
            Err(why) => {
                printer::error(why);
                return Ok(Exit::NoDatabase);
            }
        }
    }
    let whole = trouble.is_none() && args.paths.is_empty() && args.lockfile.is_empty() && !args.prod;
    let remark = |remark: Remark| {
        let place = written.places.get(remark.ignore).map(|at| file.place(at.start)).unwrap_or_default();
        format!("{place}: {}", remark.message)
    };
    let remarks = applied.remarks(whole).into_iter().map(remark).collect();
    let judgement = Judgement { gate: written.policy.gate, remarks };
    let graphs: Vec<Graph> = projects.into_iter().map(|project| project.graph).collect();
    write(args, &reports, &graphs, &judgement, now)?;
    if args.format == Format::Text {
        policy::hint(&reports, today);
    }
    let fails = reports.iter().any(|report| report.fails(judgement.gate));
    Ok(match (trouble, fails && !args.gate.exit_zero) {
        (Some(Trouble::Failed), _) => Exit::Error,
        _ if !is_reliable(&database, now, args.allow_stale) => Exit::NoDatabase,
        (Some(Trouble::Nothing), _) => Exit::Nothing,
        (None, true) => Exit::Findings,
        (None, false) => Exit::Clean,
    })
}

fn one(
    project: &Project,
    database: &Database,
    context: &Context<'_>,
    args: &AuditArgs,
    applied: &mut Applied<'_>,
    file: &PolicyFile,
    supply: &Settings,
) -> Result<Report, String> {
    let scope = Scope { prod: args.prod };
    let report = assess(&project.path, project.kind(), &project.graph, database, context, scope);
    let mut report = report.map_err(|e| one_line(&e.to_string()))?;
    applied.apply(&file.seen_from_folder(&project.file.path), &mut report, &project.graph, scope);
    report.notices = notices(&project.graph, project.kind(), supply);
    if args.lists.order == Order::Risk {
        report.order_by_risk();
    }
    Ok(report)
}

/// Whether a clean result means something; says so if not.
fn is_reliable(database: &Database, now: Timestamp, allow_stale: bool) -> bool {
    let reliable = allow_stale || !matches!(database.info().staleness(now, Age::default()), Staleness::Expired(_));
    if !reliable {
        printer::error("the advisories are too old to rely on: `casque db update` renews them, and --allow-stale takes them as they are");
    }
    reliable
}

/// The database that was named, or the one of `casque db update`.
fn database(named: Option<&Path>, now: Timestamp) -> Result<Database, String> {
    let path = db::place(named)?;
    if named.is_none() && !path.exists() {
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

fn text(args: &AuditArgs, reports: &[Report], graphs: &[Graph], judgement: &Judgement, now: Timestamp) -> Result<String, String> {
    let setting = Setting { scope: Scope { prod: args.prod }, node: args.node.clone() };
    if args.format == Format::NpmJson {
        let (report, graph) = npm::only_one(reports, graphs)?;
        let packuments = npm::packuments(args.packuments.as_deref(), graph)?;
        let view = View::new(graph, report, &packuments, &setting);
        npm::remark(&view, args.packuments.is_some());
        return Ok(npm_json(&view));
    }
    Ok(render(args.format, reports, &Given { judgement, now, graphs, packuments: &Packuments::default(), setting: &setting }))
}

fn write(args: &AuditArgs, reports: &[Report], graphs: &[Graph], judgement: &Judgement, now: Timestamp) -> Result<(), String> {
    let text = text(args, reports, graphs, judgement, now)?;
    if args.format != Format::Text || args.output.is_some() {
        judgement.remarks.iter().for_each(|remark| printer::warning(one_line(remark)));
    }
    match &args.output {
        Some(path) => {
            output::replace(path, &anstream::adapter::strip_str(&text).to_string())?;
            printer::say(summary(reports));
            printer::say(format_args!("wrote {BOLD}{}{BOLD:#}", path.display()));
        }
        None => printer::tell(text.trim_end_matches('\n')),
    }
    if args.format == Format::Text
        && let Some(hint) = hint(reports, judgement.gate)
    {
        printer::hint(hint);
    }
    Ok(())
}
