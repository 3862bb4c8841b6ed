//! The command `casque`: arguments in, a command run, an exit code out.

mod cli;
mod commands;
mod env;
mod exit;
mod login_secret;
mod net;
mod output;
mod policy_file;
mod printer;
mod problems;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// A third less time in malloc than the system's, which a proxy calls for every header of every request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let exit = match Cli::parse().command {
        Command::Guard(args) => commands::guard::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Scan(args) => commands::scan::run(&args),
        Command::Audit(args) => commands::audit::run(&args),
        Command::Db(args) => commands::db::run(&args),
        Command::Limits(args) => commands::limits::run(&args),
        Command::Init(args) => commands::init::run(&args),
        Command::Demo(args) => commands::demo::run(&args),
    };
    exit.unwrap_or_else(|error| {
        printer::error(&error);
        Exit::Error
    })
    .into()
}
