//! What makes the exit code 1, from the command line: each flag counts before the policy file.

use casque_audit::report::{Bar, Dev, Gate};
use clap::Args;

use crate::cli::named;

#[derive(Debug, Args)]
#[command(next_help_heading = "What fails")]
pub(crate) struct GateArgs {
    /// The lowest severity that makes the exit code 1 [default: high]. Malware always does, with none too
    #[arg(long, value_name = "SEVERITY", value_parser = named(&Bar::NAMES))]
    fail_on: Option<Bar>,

    /// Whether vulnerabilities of development dependencies count, or are told only [default: warn]
    #[arg(long, value_name = "warn|fail", value_parser = named(&Dev::NAMES), hide_possible_values = true)]
    dev: Option<Dev>,

    /// Only what an update mends counts; malware always does
    #[arg(long)]
    fixable: bool,

    /// Leave vulnerabilities out that no version mends, and say how many
    #[arg(long)]
    pub(super) ignore_unfixable: bool,

    /// The exit code is 0 whatever is found
    #[arg(long)]
    pub(super) exit_zero: bool,
}

impl GateArgs {
    pub(super) fn over(&self, gate: &mut Gate) {
        gate.bar = self.fail_on.unwrap_or(gate.bar);
        gate.dev = self.dev.unwrap_or(gate.dev);
        gate.fixable_only |= self.fixable;
    }
}
