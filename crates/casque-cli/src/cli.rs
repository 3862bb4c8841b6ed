//! The whole command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use casque_gateway::config::{Upstream, parse_listen};
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Hardens web apps: security headers, rate limits and safe cookies, in front of any app.
#[derive(Debug, Parser)]
#[command(name = "casque", version, styles = STYLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Stand in front of an app and protect it, with no change to its code
    Guard(GuardArgs),
    /// Check a policy file: errors with their place, and settings that protect less than they could
    Check(CheckArgs),
    /// Write a commented casque.toml for the project in this folder
    Init(InitArgs),
    /// Show what casque does, on a small app that is built in
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque guard -- node server.js\n  casque guard --upstream http://127.0.0.1:3000 --listen 0.0.0.0:8080\n  casque guard --upstream unix:/run/app.sock --config casque.toml"
)]
pub(crate) struct GuardArgs {
    /// Where the app is: http://host:port or unix:/path/to/socket
    #[arg(long, value_name = "URL", value_parser = Upstream::parse, conflicts_with = "app")]
    pub(crate) upstream: Option<Upstream>,

    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_listen)]
    pub(crate) listen: Option<SocketAddr>,

    /// The policy file [default: casque.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// A command that starts the app; it is given a free port in the variable PORT
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) app: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque check\n  casque check --explain /login\n  casque check --explain /embed/map --host shop.example --status 404\n  casque check --explain /logo.svg --type image/svg+xml --scheme http"
)]
pub(crate) struct CheckArgs {
    /// The policy file
    #[arg(value_name = "FILE", default_value = "casque.toml")]
    pub(crate) file: PathBuf,

    /// Print the headers that a request for this path would get, and which rule gave each
    #[arg(long, value_name = "PATH", value_parser = request_path)]
    pub(crate) explain: Option<String>,

    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

/// The request and the response to explain.
#[derive(Debug, Args)]
#[command(next_help_heading = "The request to explain")]
pub(crate) struct RequestArgs {
    /// The request's method
    #[arg(long, default_value = "GET", requires = "explain")]
    pub(crate) method: http::Method,

    /// The request's host
    #[arg(long, default_value = "app.example", requires = "explain")]
    pub(crate) host: String,

    /// How the browser comes: http or https
    #[arg(long, default_value = "https", value_parser = ["http", "https"], requires = "explain")]
    pub(crate) scheme: String,

    /// The response's status
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(200..=599), requires = "explain")]
    pub(crate) status: u16,

    /// The response's Content-Type
    #[arg(long = "type", value_name = "CONTENT-TYPE", default_value = "text/html", requires = "explain")]
    pub(crate) content_type: String,
}

fn request_path(text: &str) -> Result<String, String> {
    let path = text.split(['?', '#']).next().unwrap_or("");
    if path.starts_with('/') { Ok(path.to_owned()) } else { Err("a path starts with `/`".to_owned()) }
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The project's folder
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Print the comparison and end, instead of going on serving both
    #[arg(long)]
    pub(crate) once: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
