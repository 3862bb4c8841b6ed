//! `casque audit why PKG[@RANGE]`: who asks for a package?

use std::collections::BTreeSet;

use casque_audit::ask::{Form, Query, Why, why};
use casque_audit::nearest;
use casque_scan::render::one_line;
use clap::Args;

use super::project::{Project, ProjectArgs};
use crate::cli::named;
use crate::exit::Exit;
use crate::printer;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque audit why lodash\n  casque audit why '@babel/core@<7.20' apps/web\n  casque audit why minimist --format json\n\nExit codes: 0 it is there, 1 it is not, 2 the question could not be asked"
)]
pub(crate) struct WhyArgs {
    /// The package, by name or alias; with a range only those of its versions
    #[arg(value_name = "PKG[@RANGE]", value_parser = Query::parse)]
    package: Query,

    #[command(flatten)]
    project: ProjectArgs,

    /// The form of the answer
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Form::NAMES))]
    format: Form,
}

pub(super) fn run(args: &WhyArgs) -> Result<Exit, String> {
    let (projects, failed) = args.project.read();
    let answers: Vec<Why> = projects.iter().map(|p| why(&p.path, p.kind(), &p.graph, &args.package)).collect();
    let found = answers.iter().any(|why| !why.reasons.is_empty());
    if found || (args.format == Form::Json && !projects.is_empty()) {
        printer::tell(Why::render(&answers, args.format).trim_end_matches('\n'));
    }
    if !found && !projects.is_empty() {
        say_missing(&args.package, &projects);
    }
    Ok(match (failed, found) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Clean,
        (false, false) => Exit::Findings,
    })
}

fn say_missing(query: &Query, projects: &[Project]) {
    let instances = || projects.iter().flat_map(|project| project.graph.instances());
    let name = one_line(&query.name);
    let versions: BTreeSet<&str> = instances().filter(|i| query.is_called(i)).map(|i| &*i.package.version).collect();
    if !versions.is_empty() {
        let versions: Vec<String> = versions.into_iter().take(20).map(one_line).collect();
        printer::error(format_args!("`{name}` is there, but not in that range: {}", versions.join(", ")));
        return;
    }
    printer::error(format_args!("`{name}` is in none of the lockfiles"));
    let names: BTreeSet<&str> = instances().map(casque_audit::Instance::name).filter(|name| !name.is_empty()).collect();
    if let Some(near) = nearest(&query.name, names) {
        printer::hint(format_args!("there is `{}`", one_line(near)));
    }
}
