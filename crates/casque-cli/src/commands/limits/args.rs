//! The arguments of `casque limits`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::named;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Format {
    const NAMES: [(&'static str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}

#[derive(Debug, Args)]
pub(crate) struct LimitsArgs {
    #[command(subcommand)]
    pub(crate) command: LimitsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LimitsCommand {
    /// Who was refused most by the running gateway
    Top(TopArgs),
    /// How a client, or whoever has a key, stands with each limit
    Explain(ExplainArgs),
    /// Forget what a client did, so that it may go on at once
    Unblock(UnblockArgs),
    /// Run a policy's limits over an access log: who would have been refused
    Replay(ReplayArgs),
}

/// Where the running gateway is asked.
#[derive(Debug, Args)]
pub(crate) struct Running {
    /// The gateway's socket [default: `socket` under [admin] in the policy file]
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,

    /// The policy file that names the socket [default: casque.toml]
    #[arg(long, value_name = "FILE", conflicts_with = "socket")]
    pub(crate) config: Option<PathBuf>,

    /// The form of the answer
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Format::NAMES))]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  casque limits top\n  casque limits top --n 100 --format json")]
pub(crate) struct TopArgs {
    /// How many; 256 are kept
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) n: u16,

    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque limits explain 203.0.113.7\n  casque limits explain 2001:db8::1\n  casque limits explain my-api-key"
)]
pub(crate) struct ExplainArgs {
    /// An address, the value of a header or cookie that a limit counts by, or a key as `casque limits top` lists it
    #[arg(value_name = "IP|NAME")]
    pub(crate) who: String,

    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque limits unblock 203.0.113.7\n  casque limits unblock 203.0.113.7 --limit login\n  casque limits unblock --limit login"
)]
pub(crate) struct UnblockArgs {
    /// An address, a name or a key, as for `casque limits explain`
    #[arg(value_name = "IP|NAME", required_unless_present = "limit")]
    pub(crate) who: Option<String>,

    /// Of this limit only. Without an address or a name: all that `casque limits top` lists of it
    #[arg(long, value_name = "NAME")]
    pub(crate) limit: Option<String>,

    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Reads casque's own log (text and JSON) and the common and combined formats of Apache and nginx, gzipped or not.\n\nExamples:\n  casque limits replay access.log --policy new.toml\n  casque limits replay access.log.2.gz access.log.1 access.log --policy new.toml --against casque.toml\n  journalctl -u casque -o cat | casque limits replay - --format json"
)]
pub(crate) struct ReplayArgs {
    /// Access logs, the oldest first; `-` is stdin
    #[arg(value_name = "ACCESS.LOG", required = true)]
    pub(crate) logs: Vec<PathBuf>,

    /// The policy file whose limits are asked [default: casque.toml, or the standard limits]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Another policy to compare with: which requests only one of the two refuses
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,

    /// How many clients are named of each limit
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) n: u16,

    /// The form of the report
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Format::NAMES))]
    pub(crate) format: Format,
}
