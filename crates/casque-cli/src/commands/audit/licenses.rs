//! `casque audit licenses`: under which licences are the packages?

use casque_audit::Installed;
use casque_audit::ask::{Form, Licenses, licenses};
use casque_audit::report::Scope;
use clap::Args;

use super::project::ProjectArgs;
use crate::cli::named;
use crate::exit::Exit;
use crate::printer;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque audit licenses\n  casque audit licenses apps/web --prod --format json\n\npackage-lock.json 2 and 3 and bills of materials have licences. For other lockfiles they are read from node_modules,\nwhere that is there; for crates they are unknown."
)]
pub(crate) struct LicensesArgs {
    #[command(flatten)]
    project: ProjectArgs,

    /// Leave out what is there for development only
    #[arg(long)]
    prod: bool,

    /// The form of the answer
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Form::NAMES))]
    format: Form,
}

pub(super) fn run(args: &LicensesArgs) -> Exit {
    let (projects, failed) = args.project.read();
    let scope = Scope { prod: args.prod };
    let mut all = Vec::new();
    for project in projects {
        let (kind, installed) = (project.kind(), Installed::beside(&project.file.path, project.kind()));
        let graph = project.graph.with_licenses(|instance| installed.license(instance));
        all.push(licenses(&project.path, kind, &graph, scope));
    }
    if !all.is_empty() {
        printer::tell(Licenses::render(&all, args.format).trim_end_matches('\n'));
    }
    if failed { Exit::Error } else { Exit::Clean }
}
