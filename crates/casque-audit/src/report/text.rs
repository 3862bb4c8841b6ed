//! The report for a person at a terminal: packages with the worst first, what is wrong with each, who asked for it, what mends it.
//!
//! Colours are terminal sequences of ours; whoever prints takes them out where the other end shows none. They never carry meaning
//! alone.

use anstyle::{AnsiColor, Style};

use super::clean::plain;
use super::{Hit, Ignored, Judgement, Report, counted, remedy, spoken, summary, supply, title, verdict, word};
use crate::cvss::Severity;
use crate::db::Verdict;
use crate::matching::{Class, Finding};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// How many ignored findings are named.
const NAMED: usize = 5;
/// Where the text of a finding begins.
const INDENT: &str = "                ";

/// Renders reports for a terminal.
#[must_use]
pub fn text(reports: &[Report], judgement: &Judgement) -> String {
    let mut out: String = reports.iter().map(lockfile).collect();
    out.push_str(&format!("\n{BOLD}{}{BOLD:#}\n", summary(reports)));
    if let Some(verdict) = verdict(reports, judgement.gate) {
        out.push_str(&format!("{DIM}{verdict}{DIM:#}\n"));
    }
    for remark in &judgement.remarks {
        out.push_str(&format!("{WARNING}warning:{WARNING:#} {}\n", plain(remark)));
    }
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
    if !report.ignored.is_empty() {
        out.push_str(&format!("\n{DIM}  {}{DIM:#}\n", ignored(&report.ignored)));
    }
    out
}

/// Which findings are not told, the first few by name.
pub(crate) fn ignored(ignored: &[Ignored]) -> String {
    let name = |ignored: &Ignored| format!("{} in {}", plain(&ignored.finding.id), ignored.package);
    let mut names: Vec<String> = ignored.iter().take(NAMED).map(name).collect();
    if ignored.len() > NAMED {
        names.push(format!("{} more", ignored.len() - NAMED));
    }
    format!("{} ignored: {}", ignored.len(), names.join(", "))
}

pub(crate) fn package(hit: &Hit) -> String {
    let mut out = format!("\n  {BOLD}{}{BOLD:#}", plain(&hit.package.to_string()));
    if let Some(site) = hit.sites.first() {
        let more = match hit.sites.len() - 1 {
            0 => String::new(),
            more => format!(" and {}", counted(more, "more place", "more places")),
        };
        let kind = match (hit.is_dev(), site.direct) {
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
    if let Some(update) = hit.update.as_ref().filter(|update| hit.findings.iter().any(|finding| finding.fixed.first() != Some(*update))) {
        out.push_str(&format!("  update to {}, which has no known vulnerability\n", spoken(update)));
    }
    hit.findings.iter().for_each(|finding| out.push_str(&line(finding)));
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
    let danger = danger(finding).map(|danger| format!("{INDENT}{danger}\n")).unwrap_or_default();
    format!(
        "  {style}{:>12}{style:#}  {BOLD}{}{BOLD:#}{DIM}  {}{score}{DIM:#}\n{danger}{INDENT}{}{unsure}\n",
        word(finding),
        plain(title(finding)),
        plain(&finding.id),
        plain(&remedy(finding)),
    )
}

/// What is known of its use in attacks.
pub(super) fn danger(finding: &Finding) -> Option<String> {
    let exploited = finding.exploited.map(|entry| {
        let since = entry.added.map(|day| format!(", listed since {day}")).unwrap_or_default();
        let ransomware = if entry.ransomware { ", also by ransomware" } else { "" };
        format!("known to be exploited{ransomware} (KEV{since})")
    });
    let epss = finding.epss.map(|epss| format!("{:.1} % likely to be exploited within 30 days (EPSS)", epss.probability * 100.0));
    let known: Vec<String> = exploited.into_iter().chain(epss).collect();
    (!known.is_empty()).then(|| known.join("; "))
}

fn colour(finding: &Finding) -> Style {
    match (finding.class, finding.severity) {
        (Class::Malware, _) => AnsiColor::Red.on_default().bold().invert(),
        (Class::Vulnerability, Some(Severity::Critical | Severity::High)) => AnsiColor::Red.on_default().bold(),
        (Class::Vulnerability, _) => AnsiColor::Yellow.on_default().bold(),
        _ => AnsiColor::Cyan.on_default(),
    }
}
