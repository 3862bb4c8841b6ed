//! `casque audit supply`: what does the lockfile alone show?

use std::path::PathBuf;

use casque_audit::ask::Form;
use casque_audit::supply::{Check, Settings, notices, render};
use clap::Args;

use super::project::ProjectArgs;
use crate::cli::named;
use crate::exit::Exit;
use crate::policy_file::PolicyFile;
use crate::printer;

/// What is made of notices.
#[derive(Debug, Args)]
#[command(next_help_heading = "What fails")]
pub(crate) struct SupplyArgs {
    /// Make the exit code 1 if this check has something to tell; may be repeated
    #[arg(long, value_name = "CHECK", value_delimiter = ',', value_parser = named(&Check::NAMES))]
    deny: Vec<Check>,

    /// A package that may run scripts when it is installed; may be repeated
    #[arg(long, value_name = "PKG", value_delimiter = ',')]
    allow_script: Vec<String>,
}

impl SupplyArgs {
    /// Adds to what the policy file says.
    pub(super) fn over(&self, settings: &mut Settings) {
        settings.deny.extend(&self.deny);
        settings.allow_scripts.extend(self.allow_script.iter().cloned());
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque audit supply\n  casque audit supply --deny look-alike,address,install-script --allow-script esbuild,sharp\n\nExit codes: 0, 1 if a denied check has something to tell, 2 a lockfile could not be read"
)]
pub(crate) struct SupplyVerbArgs {
    #[command(flatten)]
    project: ProjectArgs,

    #[command(flatten)]
    supply: SupplyArgs,

    /// The policy file, whose [audit] says what is denied [default: casque.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The form of the answer
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Form::NAMES))]
    format: Form,
}

pub(super) fn run(args: &SupplyVerbArgs) -> Result<Exit, String> {
    let mut settings = PolicyFile::find(args.config.as_deref())?.audit()?.policy.supply;
    args.supply.over(&mut settings);
    let (projects, failed) = args.project.read();
    let all: Vec<_> = projects.iter().map(|p| (p.path.clone(), p.kind(), notices(&p.graph, p.kind(), &settings))).collect();
    if !all.is_empty() {
        printer::tell(render(&all, args.format).trim_end_matches('\n'));
    }
    let denied = all.iter().any(|(_, _, notices)| notices.iter().any(|notice| notice.denied));
    Ok(match (failed, denied) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}
