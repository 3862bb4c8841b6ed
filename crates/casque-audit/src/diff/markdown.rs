//! The change as Markdown (GitHub's kind), for a comment on a pull request.

use super::text::{sign, versions};
use super::{Diff, Names, Only, summary};
use crate::report::{ignored_text, markdown_row, markdown_text, word};
use crate::supply;

/// How many packages are listed. Comments have an end too.
const LISTED: usize = 50;

pub(super) fn markdown(diffs: &[Diff], names: Names<'_>) -> String {
    let text = |of: &str| markdown_text(of);
    let mut out = format!("## Dependencies, {} to {}: {}\n", text(names.base), text(names.head), text(&summary(diffs)));
    for diff in diffs.iter().filter(|diff| !diff.is_empty()) {
        let only = match diff.only {
            Some(Only::Head) => ", added",
            Some(Only::Base) => ", removed",
            None => "",
        };
        out.push_str(&format!("\n**{}**{only}\n", text(&diff.new.path)));
        if !diff.new.hits.is_empty() {
            out.push_str("\n| | package | what is new | remedy | asked for by |\n|---|---|---|---|---|\n");
            diff.new.findings().for_each(|(hit, finding)| out.push_str(&markdown_row(hit, finding)));
        }
        if !diff.new.ignored.is_empty() {
            out.push_str(&format!("\nNew, and {}\n", text(&ignored_text(&diff.new.ignored))));
        }
        if !diff.fixed.is_empty() {
            out.push_str("\nFixed:\n\n");
            for hit in &diff.fixed {
                for finding in &hit.findings {
                    out.push_str(&format!("- {} {} {}\n", word(finding), text(&hit.package.to_string()), text(&finding.id)));
                }
            }
        }
        out.push_str(&supply::markdown_all(&diff.new.notices, &text));
        origins_and_licenses(diff, &text, &mut out);
        packages(diff, &text, &mut out);
    }
    out
}

fn origins_and_licenses(diff: &Diff, text: &dyn Fn(&str) -> String, out: &mut String) {
    let mut lines = Vec::new();
    for (word, origins) in [("from now on", &diff.origins_new), ("no longer", &diff.origins_gone)] {
        for origin in origins.iter().take(LISTED) {
            lines.push(format!("{word} from {} {}: {}", origin.source.word(), text(&origin.host), text(&origin.packages.join(", "))));
        }
    }
    if let Some(licenses) = &diff.licenses {
        lines.extend(licenses.new.iter().take(LISTED).map(|(license, of)| {
            let named: Vec<&str> = of.iter().take(3).map(String::as_str).collect();
            format!("new licence {}: {}", text(license), text(&named.join(", ")))
        }));
        lines.extend(licenses.gone.iter().take(LISTED).map(|license| format!("no longer licence {}", text(license))));
        lines.extend(licenses.changed.iter().take(LISTED).map(|change| {
            format!("{} is now under {}, was under {}", text(&change.name), text(&change.after.join(", ")), text(&change.before.join(", ")))
        }));
    }
    if !lines.is_empty() {
        out.push('\n');
        lines.iter().for_each(|line| out.push_str(&format!("- {line}\n")));
    }
}

fn packages(diff: &Diff, text: &dyn Fn(&str) -> String, out: &mut String) {
    if diff.packages.is_empty() {
        return;
    }
    let [added, removed, changed] = diff.counts();
    out.push_str(&format!("\n<details><summary>{added} packages added, {removed} removed, {changed} changed</summary>\n\n"));
    out.push_str("| | package | versions | |\n|---|---|---|---|\n");
    for change in diff.packages.iter().take(LISTED) {
        let marks = [(change.direct, "direct"), (change.dev, "dev")];
        let mut marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
        marks.extend(change.step().map(super::Step::word));
        let sign = text(&sign(change).to_string());
        out.push_str(&format!("| {sign} | {} | {} | {} |\n", text(&change.name), text(&versions(change)), marks.join(", ")));
    }
    if diff.packages.len() > LISTED {
        out.push_str(&format!("\nand {} more\n", diff.packages.len() - LISTED));
    }
    out.push_str("\n</details>\n");
}
