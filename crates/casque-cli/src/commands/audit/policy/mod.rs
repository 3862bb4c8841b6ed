//! `casque audit policy`: what the project has decided about, and what other tools were told.

mod files;
mod import;
mod prune;

use clap::{Args, Subcommand};

use crate::exit::Exit;

pub(super) use files::hint;

#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Turn what other tools were told to ignore into entries for casque.toml
    Import(import::ImportArgs),
    /// Find entries of the policy file that are of no use any more, and take them out
    Prune(prune::PruneArgs),
}

pub(super) fn run(args: &PolicyArgs) -> Result<Exit, String> {
    match &args.command {
        PolicyCommand::Import(args) => import::run(args),
        PolicyCommand::Prune(args) => prune::run(args),
    }
}
