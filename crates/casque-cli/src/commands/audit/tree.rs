//! `casque audit tree`: who asks for whom?

use casque_audit::ask::{Form, Tree, TreeOptions, tree};
use clap::Args;

use super::project::ProjectArgs;
use crate::cli::named;
use crate::exit::Exit;
use crate::printer;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  casque audit tree --depth 1\n  casque audit tree apps/web --prod\n  casque audit tree --format json")]
pub(crate) struct TreeArgs {
    #[command(flatten)]
    project: ProjectArgs,

    /// How many levels below the project; 1: what it asks for itself [default: all, at most 48]
    #[arg(long, value_name = "N")]
    depth: Option<usize>,

    /// Leave out what the project asks for to be worked on
    #[arg(long)]
    prod: bool,

    /// The form of the answer
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Form::NAMES))]
    format: Form,
}

pub(super) fn run(args: &TreeArgs) -> Exit {
    let (projects, failed) = args.project.read();
    let options = TreeOptions { depth: args.depth, prod: args.prod };
    let trees: Vec<Tree> = projects.iter().map(|p| tree(&p.path, p.kind(), &p.graph, options)).collect();
    if !trees.is_empty() {
        printer::tell(Tree::render(&trees, args.format).trim_end_matches('\n'));
    }
    if failed { Exit::Error } else { Exit::Clean }
}
