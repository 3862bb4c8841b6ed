//! `casque audit diff BASE [HEAD]`: what does a change do to the dependencies?

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use casque_audit::db::Database;
use casque_audit::diff::{Diff, Format, Names, Side, diff, render, summary};
use casque_audit::matching::Context;
use casque_audit::policy::{Applied, Policy};
use casque_audit::report::{Report, Scope, assess};
use casque_audit::supply::notices;
use casque_audit::{Error, Graph, Kind, Limits, Manifests, manifests_among, parse, read, split_type};
use casque_scan::render::one_line;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::gate::GateArgs;
use super::git::{Commit, InCommit};
use super::input::Trouble;
use super::{SupplyArgs, input, is_reliable};
use crate::cli::named;
use crate::exit::Exit;
use crate::output;
use crate::policy_file::PolicyFile;
use crate::printer::{self, BOLD};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque audit diff main\n  casque audit diff v1.4.0 v1.5.0 --fail-on high\n  casque audit diff old/package-lock.json package-lock.json --format markdown\n  casque audit diff origin/main --deny look-alike,changed-hash,address\n\nExit codes: 0 nothing new fails, 1 something new does, 2 it could not be compared, 3 there is no lockfile, 4 there is no database or it is too old"
)]
pub(crate) struct DiffArgs {
    /// The state before: a commit, branch or tag, or a lockfile or folder; git:NAME where a path has the same name
    #[arg(value_name = "BASE")]
    base: String,

    /// The state after, given alike [default: this folder as it is]
    #[arg(value_name = "HEAD")]
    head: Option<String>,

    /// The database: what `casque db build` wrote, or a folder of OSV records [default: advisories.db in the cache folder]
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,

    /// Leave out what is there for development only; malware is always told
    #[arg(long)]
    prod: bool,

    /// Take advisories of any age. Otherwise the exit code is 4 when they are 90 days old
    #[arg(long)]
    allow_stale: bool,

    /// The policy file, whose [audit] says what fails and what is ignored [default: casque.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The form of the report
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Format::NAMES))]
    format: Format,

    /// Write the report to a file, whole or not at all, instead of printing it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    gate: GateArgs,

    #[command(flatten)]
    supply: SupplyArgs,
}

/// A lockfile in one of the two states.
struct Read {
    kind: Kind,
    graph: Graph,
}

/// The lockfiles of a state by their paths, which are relative to what was named.
type State = BTreeMap<String, Read>;

pub(super) fn run(args: &DiffArgs) -> Result<Exit, String> {
    let limits = Limits::default();
    let now = Timestamp::now();
    let file = PolicyFile::find(args.config.as_deref())?;
    let mut policy = file.audit()?.policy;
    args.gate.over(&mut policy.gate);
    args.supply.over(&mut policy.supply);
    let (base, head) = (state(&args.base, &limits)?, state(args.head.as_deref().unwrap_or("."), &limits)?);
    if base.is_empty() && head.is_empty() {
        printer::error("neither of the two has a lockfile");
        return Ok(Exit::Nothing);
    }
    let database = match super::database(args.db.as_deref(), now) {
        Ok(database) => database,
        Err(why) => {
            printer::error(why);
            return Ok(Exit::NoDatabase);
        }
    };
    let judge = Judge { database: &database, policy: &policy, now, args };
    let mut diffs: Vec<Diff> = Vec::new();
    for (path, base, head) in pairs(&base, &head) {
        let Some(kind) = head.or(base).map(|read| read.kind) else { continue };
        let before = base.map(|read| judge.report(&path, read)).transpose()?;
        let after = head.map(|read| judge.report(&path, read)).transpose()?;
        let before = base.zip(before.as_ref()).map(|(read, report)| Side { graph: &read.graph, report });
        let after = head.zip(after.as_ref()).map(|(read, report)| Side { graph: &read.graph, report });
        diffs.push(diff(&path, kind, before, after, &policy.supply));
    }
    let names = Names { base: &args.base, head: args.head.as_deref().unwrap_or("now") };
    write(args, &render(args.format, &diffs, names, policy.gate), &diffs)?;
    let fails = diffs.iter().any(|diff| diff.fails(policy.gate)) && !args.gate.exit_zero;
    Ok(match is_reliable(&database, now, args.allow_stale) {
        false => Exit::NoDatabase,
        true if fails => Exit::Findings,
        true => Exit::Clean,
    })
}

/// What both states are held against.
struct Judge<'a> {
    database: &'a Database,
    policy: &'a Policy,
    now: Timestamp,
    args: &'a DiffArgs,
}

impl Judge<'_> {
    fn report(&self, path: &str, read: &Read) -> Result<Report, String> {
        let scope = Scope { prod: self.args.prod };
        let context = Context { now: Some(self.now), ..Context::default() };
        let report = assess(path, read.kind, &read.graph, self.database, &context, scope);
        let mut report = report.map_err(|e| one_line(&e.to_string()))?;
        let today = self.now.to_zoned(TimeZone::UTC).date();
        let lockfile = path.trim_start_matches('/');
        Applied::new(self.policy, today, self.args.gate.ignore_unfixable).apply(lockfile, &mut report, &read.graph, scope);
        report.notices = notices(&read.graph, read.kind, &self.policy.supply);
        Ok(report)
    }
}

/// Lockfiles by their paths. One on each side are compared whatever they are called: they were named for that.
fn pairs<'s>(base: &'s State, head: &'s State) -> Vec<(String, Option<&'s Read>, Option<&'s Read>)> {
    if let ([(_, before)], [(path, after)]) = (&base.iter().collect::<Vec<_>>()[..], &head.iter().collect::<Vec<_>>()[..]) {
        return vec![((*path).clone(), Some(before), Some(after))];
    }
    let paths: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    paths.into_iter().map(|path| (path.clone(), base.get(path), head.get(path))).collect()
}

/// What an argument names: a path if there is one, else a commit.
fn state(argument: &str, limits: &Limits) -> Result<State, String> {
    if let Some(name) = argument.strip_prefix("git:") {
        return of_commit(name, limits);
    }
    let has_type = split_type(argument).0.is_some_and(|name| Kind::TYPES.iter().any(|(known, _)| *known == name));
    if has_type || Path::new(argument).exists() { on_disk(argument, has_type, limits) } else { of_commit(argument, limits) }
}

fn on_disk(argument: &str, has_type: bool, limits: &Limits) -> Result<State, String> {
    let (paths, by_type) = if has_type { (vec![], vec![argument.to_owned()]) } else { (vec![PathBuf::from(argument)], vec![]) };
    let (files, trouble) = input::lockfiles(&paths, &by_type, limits);
    if trouble == Some(Trouble::Failed) {
        return Err(format!("`{}` cannot be compared", one_line(argument)));
    }
    let top = std::fs::canonicalize(argument).unwrap_or_default();
    let mut state = State::new();
    for file in files {
        let graph = read(&file, limits).map_err(|e| one_line(&e.to_string()))?;
        state.insert(relative(&file.path, Path::new(argument), &top), Read { kind: file.kind, graph });
    }
    Ok(state)
}

/// The path below what was named. A lockfile that lies above it is called by its path from the top of the repository, as
/// [`InCommit::path`] is.
fn relative(path: &Path, named: &Path, whole: &Path) -> String {
    let repository = || whole.ancestors().find(|folder| folder.join(".git").exists()).and_then(|top| path.strip_prefix(top).ok());
    let slashes = |path: &Path| path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    match (path.strip_prefix(named), repository()) {
        (Ok(below), _) if below.as_os_str().is_empty() => slashes(path),
        (Ok(below), _) => slashes(below),
        (Err(_), Some(below)) => format!("/{}", slashes(below)),
        (Err(_), None) => slashes(path),
    }
}

fn of_commit(name: &str, limits: &Limits) -> Result<State, String> {
    let commit = Commit::open(name)?;
    let mut state = State::new();
    for file in commit.lockfiles() {
        let place = format!("{} of {}", one_line(&file.path), one_line(name));
        let read = in_commit(&commit, &file, limits).map_err(|why| format!("{place}: {}", one_line(&why)))?;
        state.insert(file.path, read);
    }
    Ok(state)
}

fn in_commit(commit: &Commit, file: &InCommit<'_>, limits: &Limits) -> Result<Read, String> {
    let bytes = commit.read(file.id, limits)?;
    let kind = file.kind(&bytes).ok_or("nothing shows what kind of lockfile this is")?;
    let manifests = match kind {
        Kind::YarnClassic | Kind::YarnBerry | Kind::Npm | Kind::NpmShrinkwrap => {
            let known: BTreeMap<&str, &str> = commit.manifests(file.folder).into_iter().collect();
            let folders: Vec<&str> = known.keys().copied().collect();
            let failed = |message| Error { path: None, place: None, message };
            let read = |folder: &str| commit.read(known.get(folder).copied().unwrap_or_default(), limits).map_err(failed);
            match manifests_among(&folders, read) {
                // npm's own newer lockfiles hold all that they need.
                Err(_) if matches!(kind, Kind::Npm | Kind::NpmShrinkwrap) => Manifests::default(),
                manifests => manifests.map_err(|e| e.to_string())?,
            }
        }
        _ => Manifests::default(),
    };
    let graph = parse(kind, &bytes, &manifests, limits).map_err(|e| e.to_string())?;
    Ok(Read { kind, graph })
}

fn write(args: &DiffArgs, text: &str, diffs: &[Diff]) -> Result<(), String> {
    match &args.output {
        Some(path) => {
            output::replace(path, &anstream::adapter::strip_str(text).to_string())?;
            printer::say(summary(diffs));
            printer::say(format_args!("wrote {BOLD}{}{BOLD:#}", path.display()));
        }
        None => printer::tell(text.trim_end_matches('\n')),
    }
    Ok(())
}
