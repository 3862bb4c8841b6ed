//! The whole command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use casque_audit::version::{Grammar, Version};
use casque_audit::{Ecosystem, report};
use casque_gateway::config::{Upstream, parse_listen};
use casque_scan::render::Format;
use casque_scan::{Grade, Profile};
use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use http::{HeaderName, HeaderValue, header};

use crate::commands::audit::gate::GateArgs;
use crate::commands::audit::lists::ListArgs;
use crate::commands::audit::{SupplyArgs, Verb};
use crate::commands::limits::LimitsArgs;

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
    /// Grade how well a site defends itself: headers, cookies, redirects, what other sites may do
    Scan(ScanArgs),
    /// Find dependencies with known vulnerabilities or malware, from lockfiles alone and without the network
    Audit(Box<AuditArgs>),
    /// Download the database of advisories that `casque audit` asks, make one, and look at it
    Db(DbArgs),
    /// Who is refused by a running gateway's limits, and who would be by others
    Limits(LimitsArgs),
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

    /// Do not ask the app for its page at start to tell its grade, bare and guarded
    #[arg(long)]
    pub(crate) no_grade: bool,

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

    /// The profile that the app names in its response
    #[arg(long, value_name = "NAME", requires = "explain")]
    pub(crate) profile: Option<String>,

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
#[command(
    after_help = "Examples:\n  casque scan shop.example\n  casque scan localhost:3000 --min-grade B\n  casque scan https://shop.example/account -H 'Authorization: Bearer ...' --format sarif --output scan.sarif\n  casque scan --har recording.har --baseline scan.json\n  curl -si https://shop.example | casque scan -"
)]
pub(crate) struct ScanArgs {
    /// Addresses to look at, such as shop.example or localhost:3000; `-` reads a HAR file or what `curl -si` prints from stdin
    #[arg(value_name = "URL", required_unless_present = "har")]
    pub(crate) targets: Vec<String>,

    /// Grade the sites of a browser's recording instead of asking them
    #[arg(long, value_name = "FILE")]
    pub(crate) har: Vec<PathBuf>,

    /// The rules to grade by: strict, or mdn for the MDN HTTP Observatory's
    #[arg(long, value_name = "NAME", default_value = "strict", value_parser = named(&Profile::NAMES))]
    pub(crate) profile: Profile,

    /// The form of the report
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&Format::NAMES))]
    pub(crate) format: Format,

    /// Write the report to a file, whole or not at all, instead of printing it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// The lowest grade that is accepted: A+ to F. Below it the exit code is 1
    #[arg(long, value_name = "GRADE")]
    pub(crate) min_grade: Option<Grade>,

    /// An earlier report of `--format json`: only what is new since then makes the exit code 1
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// A header for the site, such as 'Authorization: Bearer ...'. Never sent to another origin, nor over plain http
    #[arg(long, short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) header: Vec<(HeaderName, HeaderValue)>,

    /// Cookies for the site, such as 'sid=...'. Never sent to another origin, nor over plain http
    #[arg(long, value_name = "NAME=VALUE", value_parser = cookie)]
    pub(crate) cookie: Vec<HeaderValue>,

    /// Send these over plain http too, where anybody on the way can read them
    #[arg(long)]
    pub(crate) send_credentials_over_http: bool,

    /// Look at a site although its certificate is not valid; the report says so
    #[arg(long)]
    pub(crate) accept_invalid_certs: bool,

    /// How long one site may take
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = casque::config::duration)]
    pub(crate) timeout: Duration,

    /// Chromium's HSTS preload list (transport_security_state_static.json), to tell who is on it
    #[arg(long, value_name = "FILE")]
    pub(crate) preload_list: Option<PathBuf>,
}

/// One of some names, and what it stands for.
pub(crate) fn named<T: Copy + Send + Sync + 'static>(names: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names.iter().map(|(name, _)| *name))
        .try_map(|name| names.iter().find(|(n, _)| *n == name).map(|(_, value)| *value).ok_or("unknown name"))
}

/// Reads `Name: value`. Fields that say how a message is framed are not for users to set.
fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    const FRAMING: [HeaderName; 6] =
        [header::CONNECTION, header::CONTENT_LENGTH, header::EXPECT, header::TE, header::TRANSFER_ENCODING, header::UPGRADE];
    let (name, value) = text.split_once(':').ok_or("write a name, a colon and a value: 'Authorization: Bearer ...'")?;
    let name: HeaderName = name.trim().parse().map_err(|_| format!("`{}` is no name of a header", name.trim()))?;
    if FRAMING.contains(&name) {
        return Err(format!("`{name}` cannot be set"));
    }
    let mut value: HeaderValue = value.trim().parse().map_err(|_| format!("the value of `{name}` has a byte that a header cannot have"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn cookie(text: &str) -> Result<HeaderValue, String> {
    if !text.contains('=') {
        return Err("write a name and a value: 'sid=...', or several: 'sid=...; theme=dark'".to_owned());
    }
    let mut value: HeaderValue = text.trim().parse().map_err(|_| "it has a byte that a cookie cannot have".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque audit\n  casque audit apps/web Cargo.lock --prod --fail-on high\n  casque audit --lockfile npm:old-lock.json --db osv-records/\n  casque audit --format sarif --output audit.sarif\n  git show main:package-lock.json | casque audit -\n  casque audit why minimist@<1.2.6\n\nExit codes: 0 nothing fails, 1 a finding does, 2 it could not be done, 3 there is no lockfile, 4 there is no database or it is too old",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,

    /// Lockfiles, or folders in and below which they are looked for; `-` is stdin [default: this folder]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// The database: what `casque db update` wrote, or a folder of OSV records [default: advisories.db in the cache folder]
    #[arg(long, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,

    /// First do what `casque db update` does, if there is no database or it is a week old: this alone asks the network
    #[arg(long)]
    pub(crate) update: bool,

    /// Take advisories of any age. Otherwise the exit code is 4 when they are 90 days old
    #[arg(long)]
    pub(crate) allow_stale: bool,

    /// The policy file, whose [audit] says what fails and what is ignored [default: casque.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// A lockfile whose name does not tell its kind, such as npm:old-lock.json or npm:-; may be repeated
    #[arg(long, value_name = "TYPE:PATH")]
    pub(crate) lockfile: Vec<String>,

    /// Leave out what is there for development only; malware is always told
    #[arg(long)]
    pub(crate) prod: bool,

    /// The form of the report
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = named(&report::Format::NAMES))]
    pub(crate) format: report::Format,

    /// For npm-json: what the registry says of packages (packuments), a file with one after the other or a folder of such
    #[arg(long, value_name = "PATH")]
    pub(crate) packuments: Option<PathBuf>,

    /// For npm-json: the Node.js that a fix must run on [default: any]
    #[arg(long, value_name = "VERSION", value_parser = node_version)]
    pub(crate) node: Option<Version>,

    /// Write the report to a file, whole or not at all, instead of printing it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) gate: GateArgs,

    #[command(flatten)]
    pub(crate) supply: SupplyArgs,

    #[command(flatten)]
    pub(crate) lists: ListArgs,
}

fn node_version(text: &str) -> Result<Version, String> {
    Grammar::Npm.version(text).map_err(|_| "write a version, such as 22.11.0".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    pub(crate) command: DbCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Download the advisories that OSV publishes, or what has changed since, and compile them
    Update(DbUpdateArgs),
    /// Compile OSV records into one file
    Build(DbBuildArgs),
    /// Check a database and tell what is in it
    Info(DbInfoArgs),
    /// Tell which records were added, changed, withdrawn and removed between two databases
    Diff(DbDiffArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque db update\n  casque db update --ecosystem npm\n  CASQUE_DB_URL=https://mirror.example/osv casque db update --db /var/lib/advisories.db"
)]
pub(crate) struct DbUpdateArgs {
    /// Where the export is: a folder with npm/all.zip and crates.io/all.zip [default: $CASQUE_DB_URL, or OSV's public one]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Which advisories: npm, crates.io, or both [default: both]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = named(&ECOSYSTEMS))]
    pub(crate) ecosystem: Vec<Ecosystem>,

    /// The database [default: casque/advisories.db in the cache folder]
    #[arg(long, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,

    /// How long all of it may take
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = casque::config::duration)]
    pub(crate) timeout: Duration,

    /// Ask other machines over plain http, where anybody on the way can change the advisories
    #[arg(long)]
    pub(crate) insecure_http: bool,
}

const ECOSYSTEMS: [(&str, Ecosystem); 2] = [(Ecosystem::Npm.osv(), Ecosystem::Npm), (Ecosystem::Cargo.osv(), Ecosystem::Cargo)];

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  casque db diff last-week.db\n  casque db diff old.db new.db --format json")]
pub(crate) struct DbDiffArgs {
    /// The older database, or a folder of OSV records
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,

    /// The newer one [default: casque/advisories.db in the cache folder]
    #[arg(value_name = "NEW")]
    pub(crate) new: Option<PathBuf>,

    /// The form of the report: text or json
    #[arg(long, value_name = "NAME", default_value = "text", value_parser = ["text", "json"])]
    pub(crate) format: String,
}

#[derive(Debug, Args)]
pub(crate) struct DbBuildArgs {
    /// Folders of OSV records, zip files of them, or single records (.json)
    #[arg(value_name = "PATH", required = true)]
    pub(crate) sources: Vec<PathBuf>,

    /// Where to write the database [default: casque/advisories.db in the cache folder]
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DbInfoArgs {
    /// The database [default: casque/advisories.db in the cache folder]
    #[arg(long, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,
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
