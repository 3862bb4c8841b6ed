//! `casque limits replay`: an access log against a policy.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use casque_gateway::Policy;
use casque_gateway::config::Upstream;
use casque_gateway::policy::Overrides;
use casque_gateway::replay::{Clients, LimitTally, Replay, Report, Tally};
use casque_scan::render::one_line;
use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;

use super::args::{Format, ReplayArgs};
use crate::exit::Exit;
use crate::policy_file::PolicyFile;
use crate::printer::{self, BAD, BOLD, DIM};

pub(super) fn run(args: &ReplayArgs) -> Result<Exit, String> {
    let (policy, name) = policy(args.policy.as_deref())?;
    let against = args.against.as_deref().map(|path| self::policy(Some(path))).transpose()?;
    let mut replay = Replay::new(&policy, against.as_ref().map(|(policy, _)| policy));
    for log in &args.logs {
        read(&mut replay, log)
            .map_err(|e| format!("cannot read `{}`: {}", one_line(&log.display().to_string()), one_line(&e.to_string())))?;
    }
    let report = replay.finish();
    match args.format {
        Format::Json => printer::tell(format_args!("{:#}", report.to_json(args.n.into()))),
        Format::Text => print(&report, &name, against.as_ref().map(|(_, name)| name.as_str()), args.n.into()),
    }
    Ok(Exit::Clean)
}

/// A policy that runs nowhere, and its name.
fn policy(named: Option<&Path>) -> Result<(Policy, String), String> {
    let file = PolicyFile::find(named)?;
    let upstream = (!file.names_upstream()).then(|| Upstream::Unix("/an/app/named/later".into()));
    let read = file.read(&Overrides { upstream, ..Overrides::default() });
    let name = file.path.as_deref().map_or_else(|| "the standard limits".to_owned(), |path| one_line(&path.display().to_string()));
    match read.policy {
        Some(policy) if read.count.errors == 0 => Ok((policy, name)),
        _ => Err(format!("{} in {name}; nothing was replayed", read.count.in_words())),
    }
}

fn read(replay: &mut Replay<'_>, log: &Path) -> io::Result<()> {
    if log == Path::new("-") {
        return plain_or_gzip(replay, io::stdin().lock());
    }
    plain_or_gzip(replay, BufReader::with_capacity(1 << 16, File::open(log)?))
}

/// A gzip file (RFC 1952) begins with two bytes that no log does; rotated logs that were joined are several in one.
fn plain_or_gzip(replay: &mut Replay<'_>, mut log: impl BufRead) -> io::Result<()> {
    if log.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        replay.read(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(log)))
    } else {
        replay.read(log)
    }
}

fn print(report: &Report, name: &str, against: Option<&str>, n: usize) {
    let read = &report.read;
    match report.time {
        Some((from, to)) => printer::tell(format_args!("{BOLD}{} requests{BOLD:#} from {} to {} UTC", read.requests, date(from), date(to))),
        None => printer::tell(format_args!("{BOLD}no requests{BOLD:#}")),
    }
    if let Some((line, why)) = &read.first_unreadable {
        printer::warning(format_args!("{} left out; line {line} is {why}", lines(read.unreadable)));
    }
    for (count, what) in [(read.no_request, "about what is no HTTP request"), (read.no_address, "without an address")] {
        if count > 0 {
            printer::tell(format_args!("{DIM}{} {what}{DIM:#}", lines(count)));
        }
    }
    printer::tell("");
    summary(name, &report.policy);
    for limit in &report.policy.limits {
        one_limit(limit, n);
    }
    if let (Some(against), Some(name), Some(compared)) = (&report.against, against, &report.compared) {
        printer::tell("");
        summary(name, against);
        printer::tell("");
        printer::tell(format_args!("{BOLD}{}{BOLD:#} refused by both", compared.both));
        printer::tell(format_args!("{BOLD}{}{BOLD:#} newly refused, {}", compared.newly, people(&compared.clients)));
        top(&compared.clients, n);
        printer::tell(format_args!("{BOLD}{}{BOLD:#} no longer refused", compared.no_longer));
    }
    printer::tell("");
    printer::tell(format_args!("{DIM}not known from a log:{DIM:#}"));
    for what in &report.not_known {
        printer::tell(format_args!("  {what}"));
    }
}

fn summary(name: &str, tally: &Tally) {
    let all = tally.passed + tally.refused;
    let share = if all == 0 { 0.0 } else { tally.refused as f64 * 100.0 / all as f64 };
    let refused = format_args!("{} of {all} requests refused ({share:.2} %), {}", tally.refused, people(&tally.clients)).to_string();
    printer::tell(format_args!("{BOLD}{name}{BOLD:#}: {refused}"));
    if tally.before > 0 {
        printer::tell(format_args!("{DIM}{} more ended before any limit: violation reports, other sites' requests{DIM:#}", tally.before));
    }
}

fn one_limit(limit: &LimitTally, n: usize) {
    let mode = if limit.enforced { "" } else { ", shadow" };
    let quota = format!("{}{mode}", limit.quota);
    if let Some(why) = limit.left_out {
        printer::tell(format_args!("  {:<16} {quota:<28} {DIM}left out: {why}{DIM:#}", limit.name));
        return;
    }
    let refused = match limit.refused {
        0 => "none refused".to_owned(),
        refused => format!("{BAD}{refused} refused{BAD:#}, {}", people(&limit.clients)),
    };
    printer::tell(format_args!("  {:<16} {quota:<28} {} counted, {refused}", limit.name, limit.counted));
    top(&limit.clients, n);
}

fn top(clients: &Clients, n: usize) {
    for who in clients.top(n) {
        let (first, last) = (date(who.first), date(who.last));
        printer::tell(format_args!("    {:>8}  {:<24} {DIM}first {first}, last {last}{DIM:#}", who.refused, who.client));
    }
}

fn people(clients: &Clients) -> String {
    match (clients.len(), clients.others) {
        (1, 0) => "of 1 client".to_owned(),
        (n, 0) => format!("of {n} clients"),
        (n, _) => format!("of more than {n} clients"),
    }
}

fn lines(n: u64) -> String {
    format!("{n} {}", if n == 1 { "line" } else { "lines" })
}

fn date(since_1970: Duration) -> String {
    let time = i64::try_from(since_1970.as_secs()).ok().and_then(|s| Timestamp::from_second(s).ok());
    time.map_or_else(|| "?".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}
