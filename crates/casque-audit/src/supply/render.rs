//! Notices in reports: a count in one line, and the rare ones in full.

use serde_json::{Value, json as value};

use super::{Check, Notice};
use crate::ask::Form;
use crate::kind::Kind;
use crate::report::clean::{self, plain};
use crate::report::{BOLD, DIM, counted};

/// How many notices of one check are listed at a terminal.
const LISTED: usize = 10;

/// The notices of lockfiles, each with its path and what wrote it, by themselves and all of them.
#[must_use]
pub fn render(lockfiles: &[(String, Kind, Vec<Notice>)], form: Form) -> String {
    let head = |path: &str, kind: Kind| format!("\n{BOLD}{}{BOLD:#}{DIM} · {kind}{DIM:#}\n", plain(path));
    match form {
        Form::Text => lockfiles
            .iter()
            .map(|(path, kind, notices)| {
                let told = if notices.is_empty() { "  nothing to tell\n".to_owned() } else { text(notices, true) };
                head(path, *kind) + &told
            })
            .collect(),
        Form::Json => {
            let one = |(path, kind, notices): &(String, Kind, Vec<Notice>)| value!({"path": path, "kind": kind.to_string(), "notices": json(notices)});
            let lockfiles: Vec<Value> = lockfiles.iter().map(one).collect();
            clean::json(&format!("{:#}", value!({"schema": 1, "lockfiles": lockfiles}))) + "\n"
        }
    }
}

/// What there is, in a few words: `1 look-alike name, 12 install scripts`.
fn count(notices: &[Notice]) -> String {
    let word = |check: Check, n: usize| match check {
        Check::ChangedHash => counted(n, "changed hash", "changed hashes"),
        Check::LookAlike => counted(n, "look-alike name", "look-alike names"),
        Check::Address => counted(n, "address of something else", "addresses of something else"),
        Check::Scope => counted(n, "package apart from its scope", "packages apart from their scopes"),
        Check::Registry => format!("{n} from another registry"),
        Check::Source => format!("{n} from git or the web"),
        Check::Halves => "two halves that disagree".to_owned(),
        Check::Integrity => format!("{n} without a hash or with a weak one"),
        Check::InstallScript => counted(n, "install script", "install scripts"),
        Check::Deprecated => format!("{n} deprecated"),
    };
    let groups = notices.chunk_by(|a, b| a.check == b.check);
    groups.filter_map(|group| Some(word(group.first()?.check, group.len()))).collect::<Vec<_>>().join(", ")
}

/// For a terminal; `all`: the frequent ones are listed too. Nothing for no notices.
pub(crate) fn text(notices: &[Notice], all: bool) -> String {
    if notices.is_empty() {
        return String::new();
    }
    let rest = if all || !notices.iter().any(|n| n.check.is_frequent()) { "" } else { "; casque audit supply lists them" };
    let mut out = format!("\n  {BOLD}supply chain{BOLD:#}  {}{DIM}{rest}{DIM:#}\n", count(notices));
    for group in notices.chunk_by(|a, b| a.check == b.check) {
        // A disagreement is told among the notes already.
        let told = group.iter().filter(|n| all || n.denied || !(n.check.is_frequent() || n.check == Check::Halves));
        let most = if all { usize::MAX } else { LISTED };
        for notice in told.clone().take(most) {
            let denied = if notice.denied { ", not allowed here" } else { "" };
            let subject = notice.subject();
            let subject = if subject.is_empty() { subject } else { format!("{BOLD}{subject}{BOLD:#} ") };
            out.push_str(&format!(
                "  {DIM}{:>14}{DIM:#}  {subject}{}{DIM}  line {}{denied}{DIM:#}\n",
                notice.check.name(),
                plain(&notice.message),
                notice.place.line
            ));
        }
        let more = told.count().saturating_sub(most);
        if more > 0 {
            out.push_str(&format!("  {DIM}{:>14}  and {more} more{DIM:#}\n", ""));
        }
    }
    out
}

/// As JSON.
pub(crate) fn json(notices: &[Notice]) -> Vec<Value> {
    let one = |notice: &Notice| {
        value!({
            "check": notice.check.name(),
            "ecosystem": notice.package.ecosystem.osv(),
            "name": &*notice.package.name,
            "version": &*notice.package.version,
            "message": notice.message,
            "line": notice.place.line,
            "column": notice.place.column,
            "fails": notice.denied,
        })
    };
    notices.iter().map(one).collect()
}

/// As items of a Markdown list, through a function that takes all markup out of a text; of the frequent ones their number.
pub(crate) fn markdown(notices: &[Notice], text: &dyn Fn(&str) -> String) -> String {
    let told: Vec<&Notice> = notices.iter().filter(|n| n.denied || !n.check.is_frequent()).collect();
    list("Supply chain", notices, &told, text)
}

/// The same with the frequent ones, where they are those of a change.
pub(crate) fn markdown_all(notices: &[Notice], text: &dyn Fn(&str) -> String) -> String {
    list("New in the supply chain", notices, &notices.iter().collect::<Vec<_>>(), text)
}

fn list(title: &str, notices: &[Notice], told: &[&Notice], text: &dyn Fn(&str) -> String) -> String {
    if notices.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{title}: {}\n\n", text(&count(notices)));
    for notice in told.iter().take(LISTED) {
        out.push_str(&format!("- {}, line {}\n", text(&notice.sentence()), notice.place.line));
    }
    if told.len() > LISTED {
        out.push_str(&format!("- and {} more\n", told.len() - LISTED));
    }
    out
}

/// What SARIF has results for: the rare notices, and all that are denied. The others would stand among a repository's alerts for
/// ever.
pub(crate) fn sarif_results(notices: &[Notice]) -> impl Iterator<Item = &Notice> {
    notices.iter().filter(|notice| notice.denied || !notice.check.is_frequent())
}

/// The name and the meaning of each check, for the rules of SARIF.
pub(crate) fn sarif_rules() -> impl Iterator<Item = (Check, &'static str)> {
    Check::NAMES.iter().map(|(_, check)| {
        let meaning = match check {
            Check::ChangedHash => "A version whose hash is not what it was before",
            Check::LookAlike => "A name that is nearly that of a well-known package",
            Check::Address => "An address that is one of another package or version",
            Check::Scope => "A package that comes from another registry than the rest of its scope",
            Check::Registry => "A package that comes from another registry than the rest",
            Check::Source => "A package that comes from git or the web instead of a registry",
            Check::Halves => "Two halves of package-lock.json that disagree",
            Check::Integrity => "A package without a hash, or with one that can be forged",
            Check::InstallScript => "A package that runs scripts when it is installed",
            Check::Deprecated => "A package that its author advises against",
        };
        (*check, meaning)
    })
}
