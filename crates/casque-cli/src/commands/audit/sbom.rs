//! `casque audit sbom`: a bill of materials of what the lockfiles install.

use std::path::PathBuf;

use casque_audit::report::{cyclonedx, spdx};
use casque_audit::{Graph, Installed};
use clap::Args;
use jiff::Timestamp;

use super::project::ProjectArgs;
use crate::cli::named;
use crate::exit::Exit;
use crate::printer::{self, BOLD};
use crate::{env, output};

/// The standards that a bill may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standard {
    CycloneDx,
    Spdx,
}

const STANDARDS: [(&str, Standard); 2] = [("cyclonedx", Standard::CycloneDx), ("spdx", Standard::Spdx)];

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque audit sbom --output bom.json\n  casque audit sbom --format spdx apps/web\n\nThe time in it is that of SOURCE_DATE_EPOCH, if that is set, so that the same lockfile gives the same bytes."
)]
pub(crate) struct SbomArgs {
    #[command(flatten)]
    project: ProjectArgs,

    /// The standard: CycloneDX 1.6 or SPDX 2.3, both in JSON
    #[arg(long, value_name = "NAME", default_value = "cyclonedx", value_parser = named(&STANDARDS))]
    format: Standard,

    /// Write the bill to a file, whole or not at all, instead of printing it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &SbomArgs) -> Result<Exit, String> {
    let now = env::source_date()?.unwrap_or_else(Timestamp::now);
    let (projects, failed) = args.project.read();
    if failed || projects.is_empty() {
        // Half a bill would pass for a whole one.
        return Ok(Exit::Error);
    }
    let graphs: Vec<(String, Graph)> = projects
        .into_iter()
        .map(|project| {
            let installed = Installed::beside(&project.file.path, project.kind());
            let path = project.path.strip_prefix("./").unwrap_or(&project.path).to_owned();
            (path, project.graph.with_licenses(|instance| installed.license(instance)))
        })
        .collect();
    let lockfiles: Vec<(&str, &Graph)> = graphs.iter().map(|(path, graph)| (path.as_str(), graph)).collect();
    let text = match args.format {
        Standard::CycloneDx => cyclonedx::sbom(&lockfiles, now),
        Standard::Spdx => spdx::sbom(&lockfiles, now),
    };
    match &args.output {
        Some(path) => {
            output::replace(path, &text)?;
            printer::say(format_args!("wrote {BOLD}{}{BOLD:#}", path.display()));
        }
        None => printer::tell(text.trim_end_matches('\n')),
    }
    Ok(Exit::Clean)
}
