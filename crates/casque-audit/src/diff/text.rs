//! The change for a person at a terminal.

use super::{Change, Diff, Names, Only, summary};
use crate::report::clean::plain;
use crate::report::{BOLD, DIM, Hit, ignored_text, package_text, word};
use crate::supply;

/// How many packages of a change are listed.
const LISTED: usize = 100;

pub(super) fn text(diffs: &[Diff], names: Names<'_>) -> String {
    let mut out = String::new();
    for diff in diffs.iter().filter(|diff| !diff.is_empty()) {
        lockfile(diff, &mut out);
    }
    if out.is_empty() {
        out.push_str("\nnothing changed\n");
    }
    out.push_str(&format!("\n{BOLD}{} to {}: {}{BOLD:#}\n", plain(names.base), plain(names.head), summary(diffs)));
    out
}

fn lockfile(diff: &Diff, out: &mut String) {
    let only = match diff.only {
        Some(Only::Head) => " · added",
        Some(Only::Base) => " · removed",
        None => "",
    };
    out.push_str(&format!("\n{BOLD}{}{BOLD:#}{DIM} · {}{only}{DIM:#}\n", plain(&diff.new.path), diff.new.kind));
    if !diff.new.hits.is_empty() {
        out.push_str(&format!("\n  {BOLD}new findings{BOLD:#}\n"));
        diff.new.hits.iter().for_each(|hit| out.push_str(&package_text(hit)));
    }
    if !diff.new.ignored.is_empty() {
        out.push_str(&format!("\n  new, and {}\n", ignored_text(&diff.new.ignored)));
    }
    if !diff.fixed.is_empty() {
        out.push_str(&format!("\n  {BOLD}fixed{BOLD:#}\n"));
        diff.fixed.iter().for_each(|hit| out.push_str(&fixed(hit)));
    }
    if !diff.new.notices.is_empty() {
        let told = supply::text(&diff.new.notices, true);
        out.push_str(&told.replacen("supply chain", "new in the supply chain", 1));
    }
    for (word, origins) in [("from now on", &diff.origins_new), ("no longer", &diff.origins_gone)] {
        for origin in origins {
            let host = if origin.host.is_empty() { String::new() } else { format!(" {}", plain(&origin.host)) };
            let packages: Vec<String> = origin.packages.iter().map(|package| plain(package)).collect();
            let more = if origin.count > packages.len() { ", ..." } else { "" };
            out.push_str(&format!("  {word} from {}{host}: {} ({}{more})\n", origin.source.word(), origin.count, packages.join(", ")));
        }
    }
    licenses(diff, out);
    packages(diff, out);
}

fn fixed(hit: &Hit) -> String {
    let line = |finding: &crate::matching::Finding| format!("  {:>12}  {} {}\n", word(finding), hit.package, plain(&finding.id));
    hit.findings.iter().map(line).collect()
}

fn licenses(diff: &Diff, out: &mut String) {
    let Some(licenses) = &diff.licenses else { return };
    for (license, packages) in licenses.new.iter().take(LISTED) {
        let named: Vec<String> = packages.iter().take(3).map(|name| plain(name)).collect();
        let more = if packages.len() > named.len() { ", ..." } else { "" };
        out.push_str(&format!("  new licence {}: {}{more}\n", plain(license), named.join(", ")));
    }
    for license in licenses.gone.iter().take(LISTED) {
        out.push_str(&format!("  no longer licence {}\n", plain(license)));
    }
    for change in licenses.changed.iter().take(LISTED) {
        let join = |list: &[String]| list.iter().map(|text| plain(text)).collect::<Vec<_>>().join(", ");
        out.push_str(&format!("  {} is now under {}, was under {}\n", plain(&change.name), join(&change.after), join(&change.before)));
    }
}

fn packages(diff: &Diff, out: &mut String) {
    if diff.packages.is_empty() {
        return;
    }
    let [added, removed, changed] = diff.counts();
    out.push_str(&format!("\n  {BOLD}packages{BOLD:#}  {added} added, {removed} removed, {changed} changed\n"));
    for change in diff.packages.iter().take(LISTED) {
        let marks = [(change.direct, "direct"), (change.dev, "dev")];
        let mut marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
        marks.extend(change.step().map(super::Step::word));
        let marks = if marks.is_empty() { String::new() } else { format!("{DIM}  {}{DIM:#}", marks.join(", ")) };
        out.push_str(&format!("    {} {BOLD}{}{BOLD:#} {}{marks}\n", sign(change), plain(&change.name), versions(change)));
    }
    if diff.packages.len() > LISTED {
        out.push_str(&format!("    and {} more\n", diff.packages.len() - LISTED));
    }
}

pub(super) fn sign(change: &Change) -> char {
    match (change.is_added(), change.is_removed()) {
        (true, _) => '+',
        (_, true) => '-',
        _ => '~',
    }
}

/// `1.0.0 > 1.1.0`, or what came or went beside others.
pub(super) fn versions(change: &Change) -> String {
    let join = |list: &[String]| list.iter().map(|text| plain(text)).collect::<Vec<_>>().join(", ");
    let text = match (&change.before[..], &change.after[..]) {
        ([], after) => join(after),
        (before, []) if change.others => format!("no longer {}", join(before)),
        (before, []) => join(before),
        (before, after) => format!("{} > {}", join(before), join(after)),
    };
    if change.others { format!("{text}, beside others") } else { text }
}
