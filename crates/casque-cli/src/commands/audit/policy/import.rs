//! `casque audit policy import [FILE...]`: ignores of other tools, as entries for casque.toml.

use std::path::{Path, PathBuf};

use casque_audit::policy::{Ignore, to_toml};
use casque_scan::render::one_line;
use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::files::Foreign;
use crate::exit::Exit;
use crate::output;
use crate::policy_file::{DEFAULT_NAME, PolicyFile};
use crate::printer::{self, BOLD};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  casque audit policy import\n  casque audit policy import .snyk osv-scanner.toml --write\n  casque audit policy import audit-ci:ci/audit.jsonc\n\nExit codes: 0 done, 2 a file could not be read or written, 3 there is no file to import"
)]
pub(crate) struct ImportArgs {
    /// Files of Snyk, better-npm-audit, audit-ci, osv-scanner, Trivy, cargo-audit, cargo-deny, pnpm or yarn; TOOL:FILE where the
    /// name does not tell whose it is [default: those in this folder]
    #[arg(value_name = "FILE")]
    files: Vec<String>,

    /// Add the entries to the policy file instead of printing them: all of them, or none
    #[arg(long)]
    write: bool,

    /// The policy file [default: casque.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &ImportArgs) -> Result<Exit, String> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let files = if args.files.is_empty() {
        Foreign::found()
    } else {
        args.files.iter().map(|argument| Foreign::named(argument)).collect::<Result<_, _>>()?
    };
    if files.is_empty() {
        printer::error("there is no file of a tool here whose ignores can be imported");
        printer::hint("name one: casque audit policy import .snyk");
        return Ok(Exit::Nothing);
    }
    let path = args.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_NAME));
    let file = if path.exists() { PolicyFile::open(&path)? } else { PolicyFile::default() };
    let known = file.audit()?.policy.ignores;
    let gathered = gather(&files, known, today)?;
    let entries: usize = gathered.parts.iter().map(|(_, ignores)| ignores.len()).sum();
    if gathered.known > 0 {
        printer::say(format_args!("{} there already: left as they are", of("entry is", "entries are", gathered.known)));
    }
    if entries == 0 {
        printer::say("nothing to carry over");
        return Ok(Exit::Clean);
    }
    let text = gathered.text(today);
    if args.write {
        append(&file, &path, &text)?;
        printer::say(format_args!("added {} to {BOLD}{}{BOLD:#}", of("entry", "entries", entries), one_line(&path.display().to_string())));
    } else {
        printer::tell(text.trim_matches('\n'));
    }
    Ok(Exit::Clean)
}

fn of(one: &str, many: &str, n: usize) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What the files gave, each its own part.
struct Gathered {
    parts: Vec<(String, Vec<Ignore>)>,
    /// How many entries were in the policy or an earlier file already.
    known: usize,
}

impl Gathered {
    fn text(&self, today: Date) -> String {
        let part =
            |(name, ignores): &(String, Vec<Ignore>)| format!("\n# Taken over from {name} on {today}.\n{}", to_toml(ignores).trim_start());
        self.parts.iter().filter(|(_, ignores)| !ignores.is_empty()).map(part).collect()
    }
}

/// All or nothing: a file that cannot be read stops it.
fn gather(files: &[Foreign], mut known: Vec<Ignore>, today: Date) -> Result<Gathered, String> {
    let mut gathered = Gathered { parts: Vec::new(), known: 0 };
    for foreign in files {
        let imported = foreign.read(today)?;
        for note in &imported.notes {
            let (line, column) = (note.place.line, note.place.column);
            printer::warning(one_line(&format!("{}:{line}:{column}: {}", foreign.name(), note.message)));
        }
        let mut own = Vec::new();
        for ignore in imported.ignores {
            if known.iter().any(|other| other.is_same_as(&ignore)) {
                gathered.known += 1;
            } else {
                known.push(ignore.clone());
                own.push(ignore);
            }
        }
        gathered.parts.push((foreign.name(), own));
    }
    Ok(gathered)
}

/// Adds text to the policy file, after making sure that the file is still right with it and says what it said.
fn append(file: &PolicyFile, path: &Path, text: &str) -> Result<(), String> {
    let before = file.text();
    let separator = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let text = if before.is_empty() { text.trim_start() } else { text };
    let whole = format!("{before}{separator}{text}");
    let with = file.with(path, whole.clone());
    with.audit().map_err(|why| {
        format!("{why} once the entries are added; nothing was written. Put `ignore = [...]` of [audit] as [[audit.ignore]]")
    })?;
    output::replace(path, &whole)
}
