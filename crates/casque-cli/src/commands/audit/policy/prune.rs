//! `casque audit policy prune`: entries that ended or match nothing, taken out of casque.toml.

use std::ops::Range;
use std::path::PathBuf;

use casque_audit::matching::Context;
use casque_audit::policy::Applied;
use casque_audit::report::{Scope, assess};
use casque_scan::render::one_line;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::section::Written;
use super::super::{database, is_reliable, project};
use crate::exit::Exit;
use crate::output;
use crate::policy_file::PolicyFile;
use crate::printer::{self, BOLD};

#[derive(Debug, Args)]
#[command(
    after_help = "All lockfiles of this folder are audited for it.\n\nExit codes: 0 done, or nothing to do; 1 there is something to take out, and --write was not given; 2 it could not be done;\n3 there is no lockfile; 4 there is no database or it is too old"
)]
pub(crate) struct PruneArgs {
    /// Take them out of the policy file, instead of naming them only
    #[arg(long)]
    write: bool,

    /// The policy file [default: casque.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The database: what `casque db build` wrote, or a folder of OSV records [default: advisories.db in the cache folder]
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,

    /// Take advisories of any age
    #[arg(long)]
    allow_stale: bool,
}

pub(super) fn run(args: &PruneArgs) -> Result<Exit, String> {
    let file = PolicyFile::find(args.config.as_deref())?;
    let written = file.audit()?;
    if written.policy.ignores.is_empty() {
        printer::say("the policy ignores nothing");
        return Ok(Exit::Clean);
    }
    let now = Timestamp::now();
    let (projects, trouble) = project::read_all(&[], &[]);
    // What could not be read may be what an entry is for.
    if let Some(trouble) = trouble {
        return Ok(trouble.exit());
    }
    let database = match database(args.db.as_deref(), now) {
        Ok(database) if is_reliable(&database, now, args.allow_stale) => database,
        Ok(_) => return Ok(Exit::NoDatabase),
        Err(why) => {
            printer::error(why);
            return Ok(Exit::NoDatabase);
        }
    };
    let context = Context { now: Some(now), ..Context::default() };
    let mut applied = Applied::new(&written.policy, now.to_zoned(TimeZone::UTC).date(), false);
    for project in &projects {
        let report = assess(&project.path, project.kind(), &project.graph, &database, &context, Scope::default());
        let mut report = report.map_err(|error| one_line(&error.to_string()))?;
        applied.apply(&file.seen_from_folder(&project.file.path), &mut report, &project.graph, Scope::default());
    }
    let idle: Vec<usize> = applied.idle().collect();
    if idle.is_empty() {
        printer::say("every entry is of use");
        return Ok(Exit::Clean);
    }
    for remark in applied.remarks(true).into_iter().filter(|remark| idle.contains(&remark.ignore)) {
        let place = written.places.get(remark.ignore).map(|at| file.place(at.start)).unwrap_or_default();
        printer::tell(one_line(&format!("{place}: {}", remark.message)));
    }
    if !args.write {
        printer::hint("--write takes these entries out");
        return Ok(Exit::Findings);
    }
    take_out(&file, &written, &idle)?;
    let count = if idle.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", idle.len()) };
    printer::say(format_args!("took {count} out of {BOLD}{}{BOLD:#}", one_line(&file.name())));
    Ok(Exit::Clean)
}

/// Writes the file without some of its entries, after making sure that all others are still in it.
fn take_out(file: &PolicyFile, written: &Written, idle: &[usize]) -> Result<(), String> {
    let places: Vec<Range<usize>> = idle.iter().filter_map(|n| written.places.get(*n)).cloned().collect();
    let text = without(file.text(), &places).ok_or("`ignore = [...]` of [audit] cannot be changed; write it as [[audit.ignore]]")?;
    let path = PathBuf::from(file.name());
    let left = file.with(&path, text.clone()).audit()?.policy;
    let kept = written.policy.ignores.iter().enumerate().filter(|(n, _)| !idle.contains(n)).map(|(_, ignore)| ignore);
    if left.gate != written.policy.gate || !left.ignores.iter().eq(kept) {
        return Err("the file would not say the same without these entries; nothing was written. Take them out by hand".to_owned());
    }
    output::replace(&path, &text)
}

/// The text without the lines of these entries, nor the blank ones before each. Nothing where one is no section of its own.
fn without(text: &str, places: &[Range<usize>]) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        if !text.get(place.clone())?.starts_with("[[") {
            return None;
        }
        let before = text.get(from..place.start)?;
        out.push_str(before.trim_end_matches([' ', '\t']).trim_end_matches(['\n', '\r']));
        out.push_str(if before.trim().is_empty() { "" } else { "\n" });
        from = text.get(place.end..)?.find('\n').map_or(text.len(), |line| place.end + line + 1);
    }
    let rest = text.get(from..)?;
    // What follows was apart from the entry, and stays apart from what is now before it.
    let begins = out.is_empty();
    out.push_str(if begins { rest.trim_start_matches(['\n', '\r']) } else { rest });
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_go_with_their_lines_and_nothing_else_does() {
        let text = "# top\n[audit]\ndev = \"fail\"\n\n[[audit.ignore]]\nid = \"1\" # x\n\n# about 2\n[[audit.ignore]]\nid = \"2\"\n\n[[audit.ignore]]\nid = \"3\" # last\n\n[server]\n";
        let place = |id: &str| {
            let value = text.find(&format!("\"{id}\"")).unwrap();
            text[..value].rfind("[[").unwrap()..value + 3
        };
        assert_eq!(
            without(text, &[place("1"), place("3")]).unwrap(),
            "# top\n[audit]\ndev = \"fail\"\n\n# about 2\n[[audit.ignore]]\nid = \"2\"\n\n[server]\n"
        );
        assert_eq!(without("[[audit.ignore]]\nid = \"1\"", std::slice::from_ref(&(0..25))).unwrap(), "");
        assert_eq!(without("audit.ignore = [{id = \"1\"}]", std::slice::from_ref(&(16..26))), None);
    }
}
