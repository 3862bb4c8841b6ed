//! The report for a person at a terminal: packages with the worst first, what is wrong with each, who asked for it, what mends it.
//!
//! Colours are terminal sequences of ours; whoever prints takes them out where the other end shows none. They never carry meaning
//! alone.

use anstyle::{AnsiColor, Style};

use super::clean::plain;
use super::{Hit, Report, counted, remedy, summary, supply, title, word};
use crate::cvss::Severity;
use crate::db::Verdict;
use crate::matching::{Class, Finding};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
/// Where the text of a finding begins.
const INDENT: &str = "                ";

/// Renders reports for a terminal.
#[must_use]
pub fn text(reports: &[Report]) -> String {
    let mut out: String = reports.iter().map(lockfile).collect();
    out.push_str(&format!("\n{BOLD}{}{BOLD:#}\n", summary(reports)));
    out
}

fn lockfile(report: &Report) -> String {
    let left = if report.unchecked == 0 { String::new() } else { format!(", {} not from a registry and not checked", report.unchecked) };
    let mut out = format!(
        "\n{BOLD}{}{BOLD:#}{DIM} · {} · {}{left}{DIM:#}\n",
        plain(&report.path),
        report.kind,
        counted(report.checked, "package", "packages"),
    );
    for note in &report.notes {
        out.push_str(&format!("{DIM}  note: {}{DIM:#}\n", plain(note)));
    }
    report.hits.iter().for_each(|hit| out.push_str(&package(hit)));
    out.push_str(&supply::text(&report.notices, false));
    out
}

pub(crate) fn package(hit: &Hit) -> String {
    let mut out = format!("\n  {BOLD}{}{BOLD:#}", plain(&hit.package.to_string()));
    if let Some(site) = hit.sites.first() {
        let more = match hit.sites.len() - 1 {
            0 => String::new(),
            more => format!(" and {}", counted(more, "more place", "more places")),
        };
        let kind = match (hit.sites.iter().all(|site| site.dev), site.direct) {
            (true, true) => ", dev, direct",
            (true, false) => ", dev",
            (false, true) => ", direct",
            (false, false) => "",
        };
        out.push_str(&format!("{DIM}  line {}{more}{kind}{DIM:#}\n", site.place.line));
        if site.chain.len() > 1 {
            out.push_str(&format!("  {DIM}{}{DIM:#}\n", chain(site.chain.iter().map(|name| plain(name)), site.left_out)));
        }
    }
    hit.findings.iter().for_each(|finding| out.push_str(&line(finding)));
    if let Some(update) = &hit.update
        && hit.findings.len() > 1
    {
        out.push_str(&format!("{INDENT}no vulnerability of {update} is known\n"));
    }
    out
}

pub(crate) fn chain(names: impl Iterator<Item = String>, left_out: usize) -> String {
    let mut names: Vec<String> = names.collect();
    if left_out > 0 && names.len() > 2 {
        names.insert(2, format!("({left_out} more)"));
    }
    names.join(" > ")
}

fn line(finding: &Finding) -> String {
    let style = colour(finding);
    let score = finding.score.filter(|_| finding.vector.is_some()).map(|score| format!(" {score}")).unwrap_or_default();
    let unsure = if finding.verdict == Verdict::Unknown { "; not certain, as a version could not be read" } else { "" };
    format!(
        "  {style}{:>12}{style:#}  {BOLD}{}{BOLD:#}{DIM}  {}{score}{DIM:#}\n{INDENT}{}{unsure}\n",
        word(finding),
        plain(title(finding)),
        plain(&finding.id),
        plain(&remedy(finding)),
    )
}

fn colour(finding: &Finding) -> Style {
    match (finding.class, finding.severity) {
        (Class::Malware, _) => AnsiColor::Red.on_default().bold().invert(),
        (Class::Vulnerability, Some(Severity::Critical | Severity::High)) => AnsiColor::Red.on_default().bold(),
        (Class::Vulnerability, _) => AnsiColor::Yellow.on_default().bold(),
        _ => AnsiColor::Cyan.on_default(),
    }
}
