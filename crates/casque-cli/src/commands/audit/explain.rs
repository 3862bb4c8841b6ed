//! `casque audit explain ID`: what is this advisory, and does it concern this project?

use std::path::PathBuf;

use casque_audit::ask::{Explanation, Form, explain};
use casque_audit::db::{Database, Error};
use casque_audit::matching::Context;
use casque_audit::{Limits, discover, nearest, search};
use casque_scan::render::one_line;
use clap::Args;
use jiff::Timestamp;

use super::project::ProjectArgs;
use crate::cli::named;
use crate::exit::Exit;
use crate::printer;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque audit explain GHSA-jf85-cpcp-j695\n  casque audit explain CVE-2019-10744 apps/web --format json\n\nExit codes: 0 the project has none of it, 1 it has, 2 there is no such advisory or it could not be looked up, 4 there is no database"
)]
pub(crate) struct ExplainArgs {
    /// An id of the advisory or an alias, in any case of letters: GHSA-..., CVE-..., RUSTSEC-..., MAL-...
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    project: ProjectArgs,

    /// The database: what `casque db build` wrote, or a folder of OSV records [default: advisories.db in the cache folder]
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,

    /// The form of the answer
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Form::NAMES))]
    format: Form,
}

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, String> {
    let now = Timestamp::now();
    let database = match super::database(args.db.as_deref(), now) {
        Ok(database) => database,
        Err(why) => {
            printer::error(why);
            return Ok(Exit::NoDatabase);
        }
    };
    let failed = |e: Error| one_line(&e.to_string());
    let records = explain(&database, args.id.trim()).map_err(failed)?;
    if records.is_empty() {
        say_missing(&args.id, &database).map_err(failed)?;
        return Ok(Exit::Error);
    }
    let mut explanation = Explanation::new(records);
    // An advisory can be read outside of any project.
    let asked = !args.project.paths.is_empty() || !args.project.lockfile.is_empty();
    let mut incomplete = false;
    if asked || is_in_project() {
        let (projects, failures) = args.project.read();
        incomplete = failures;
        let context = Context { now: Some(now), ..Context::default() };
        for project in &projects {
            explanation.look(&project.path, &project.graph, &database, &context).map_err(failed)?;
        }
    }
    printer::tell(explanation.render(args.format).trim_end_matches('\n'));
    Ok(match (incomplete, explanation.is_held()) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

fn is_in_project() -> bool {
    let here = PathBuf::from(".");
    discover(&here).is_ok_and(|found| !found.is_empty()) || search(&here, &Limits::default()).is_ok_and(|found| !found.lockfiles.is_empty())
}

fn say_missing(id: &str, database: &Database) -> Result<(), Error> {
    printer::error(format_args!("the database has no advisory `{}`", one_line(id)));
    let ids: Vec<String> = database.ids().collect::<Result<_, _>>()?;
    match nearest(id.trim(), ids) {
        Some(near) => printer::hint(format_args!("there is `{}`", one_line(&near))),
        None => printer::hint("npm's and Snyk's own numbers are not in it; take the GHSA, CVE, RUSTSEC or MAL id"),
    }
    Ok(())
}
