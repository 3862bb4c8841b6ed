//! Markdown (GitHub's kind), for a comment on a pull request or a job's summary.

use super::clean::plain;
use super::{Hit, Judgement, Report, counted, remedy, summary, supply, text as terminal, title, verdict, word};
use crate::cvss::Severity;
use crate::matching::{Class, Finding};

/// Renders reports as Markdown: a table of what was found for each lockfile that has something.
#[must_use]
pub fn markdown(reports: &[Report], judgement: &Judgement) -> String {
    let mut out = format!("## Dependencies: {}\n", text(&summary(reports)));
    if let Some(verdict) = verdict(reports, judgement.gate) {
        out.push_str(&format!("\n{}\n", text(&verdict)));
    }
    if !judgement.remarks.is_empty() {
        out.push('\n');
        judgement.remarks.iter().for_each(|remark| out.push_str(&format!("- ⚠️ {}\n", text(remark))));
    }
    for report in reports {
        let told = !report.hits.is_empty() || !report.notes.is_empty() || !report.notices.is_empty() || !report.ignored.is_empty();
        if !told {
            continue;
        }
        out.push_str(&format!("\n**{}**: {}\n\n", text(&report.path), counted(report.checked, "package", "packages")));
        report.notes.iter().for_each(|note| out.push_str(&format!("- {}\n", text(note))));
        if !report.ignored.is_empty() {
            out.push_str(&format!("- {}\n", text(&terminal::ignored(&report.ignored))));
        }
        if !report.hits.is_empty() {
            out.push_str("\n| | package | what is wrong | remedy | asked for by |\n|---|---|---|---|---|\n");
            report.findings().for_each(|(hit, finding)| out.push_str(&row(hit, finding)));
        }
        out.push_str(&supply::markdown(&report.notices, &text));
    }
    out
}

pub(crate) fn row(hit: &Hit, finding: &Finding) -> String {
    let site = hit.sites.first();
    let chain = site.map(|site| terminal::chain(site.chain.iter().map(|name| plain(name)), site.left_out)).unwrap_or_default();
    let line = site.map_or(1, |site| site.place.line);
    format!(
        "| {} {} | {}, line {line} | {} ({}){} | {} | {} |\n",
        mark(finding),
        word(finding),
        text(&hit.package.to_string()),
        text(title(finding)),
        text(&finding.id),
        terminal::danger(finding).map(|danger| format!("; {}", text(&danger))).unwrap_or_default(),
        text(&remedy(finding)),
        text(&chain),
    )
}

fn mark(finding: &Finding) -> &'static str {
    match (finding.class, finding.severity) {
        (Class::Malware, _) => "⛔",
        (Class::Vulnerability, Some(Severity::Critical | Severity::High)) => "🔴",
        (Class::Vulnerability, Some(Severity::Low)) => "🟡",
        (Class::Vulnerability, _) => "🟠",
        _ => "🔵",
    }
}

/// Prose in which nothing is markup, a mention or a link. Everything with a meaning is an entity: these start no mention, no issue's
/// number, no link, and no cell.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        if c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '-' | '/' | '\'') || !c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    out
}
