//! Markdown (GitHub's kind), for a comment on a pull request or a job's summary.

use super::clean::{lines, plain};
use super::{Judged, tally};
use crate::report::{Finding, Grade, Severity};

/// Renders reports as Markdown: a table of what is wrong for each site, and below it why and what to do.
#[must_use]
pub fn markdown(judged: &[Judged], bar: Option<Grade>) -> String {
    judged.iter().map(|j| site(j, bar)).collect::<Vec<_>>().join("\n")
}

fn site(judged: &Judged, bar: Option<Grade>) -> String {
    let report = &judged.report;
    let mut out = format!("## {} for {}\n\n", report.grade, code(&report.target));
    out.push_str(&format!("{} points, profile {}: {}.", report.score, report.profile.name(), tally(report)));
    if let Some(bar) = bar.filter(|b| report.grade < *b) {
        out.push_str(&format!(" **Below {bar}.**"));
    }
    out.push('\n');
    if judged.failed().next().is_some() {
        out.push_str("\n| | what is wrong | seen | points |\n|---|---|---|---:|\n");
        for (finding, new) in judged.failed() {
            let new = if new == Some(true) { " **new**" } else { "" };
            let seen = finding.evidence.as_deref().or(finding.place()).map(code_in_table).unwrap_or_default();
            out.push_str(&format!("| {}{new} | {} | {seen} | {} |\n", badge(finding.severity), text(&finding.title), finding.modifier));
        }
        for (finding, _) in judged.failed() {
            out.push_str(&details(finding));
        }
    }
    if let Some(delta) = judged.delta.as_ref().filter(|d| !d.fixed.is_empty()) {
        out.push_str("\n**Fixed since the earlier report**\n\n");
        delta.fixed.iter().for_each(|k| out.push_str(&format!("- {}\n", text(&k.title))));
    }
    if judged.passed().next().is_some() {
        out.push_str("\n**Well done**\n\n");
        judged.passed().for_each(|f| out.push_str(&format!("- {}\n", text(&f.title))));
    }
    if !report.not_judged.is_empty() {
        out.push_str("\n**Not judged**\n\n");
        report.not_judged.iter().for_each(|n| out.push_str(&format!("- {}\n", text(n))));
    }
    out
}

fn details(finding: &Finding) -> String {
    let mut out = format!("\n<details><summary>{}</summary>\n\n{}\n\n", text(&finding.title), text(&finding.why));
    match (finding.place(), &finding.evidence) {
        (Some(url), Some(evidence)) => out.push_str(&format!("Seen at {}: {}\n", code(url), code(evidence))),
        (Some(url), None) => out.push_str(&format!("Seen at {}\n", code(url))),
        (None, Some(evidence)) => out.push_str(&format!("Seen: {}\n", code(evidence))),
        (None, None) => {}
    }
    for (what, fix) in finding.fix.iter().flat_map(|f| f.each()) {
        let body: Vec<String> = lines(fix).collect();
        let body = body.join("\n");
        let fence = fence(&body, 3);
        out.push_str(&format!("\n{what}\n\n{fence}\n{body}\n{fence}\n"));
    }
    out + "\n</details>\n"
}

fn badge(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "🔴 high",
        Severity::Medium => "🟠 medium",
        Severity::Low => "🟡 low",
        Severity::Info => "🔵 info",
        Severity::Good => "🟢 good",
    }
}

/// Prose in which nothing is markup, a mention or a link.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // As entities these start no mention, no issue's number and no automatic link.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            ':' => out.push_str("&#58;"),
            '.' => out.push_str("&#46;"),
            // Renderers differ in what a backslash before a pipe means in a table.
            '|' => out.push_str("&#124;"),
            '\\' => out.push_str("&#92;"),
            '`' | '*' | '_' | '[' | ']' | '(' | ')' | '~' | '!' | '{' | '}' | '$' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A code span that its content cannot end: its marks are longer than any run of backticks inside (CommonMark 6.1).
fn code(text: &str) -> String {
    let text = plain(text);
    let marks = fence(&text, 1);
    format!("{marks} {text} {marks}")
}

/// The same in a table, where a pipe ends the cell even inside a code span, and renderers count the backslashes before it in different
/// ways. What has either, or a backtick, is an element with everything in it escaped: it holds no mark that could split or end it.
fn code_in_table(shown: &str) -> String {
    if plain(shown).contains(['|', '\\', '`']) { format!("<code>{}</code>", text(shown)) } else { code(shown) }
}

fn fence(text: &str, at_least: usize) -> String {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(at_least.max(longest + 1))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evil, finding, good, report};
    use super::*;

    #[test]
    fn a_table_with_details_below() {
        let report = report("https://shop.example/", vec![finding("a", "Server: nginx"), good("b")]);
        let out = markdown(&[Judged { report, delta: None }], Some(Grade::A));
        assert!(out.starts_with("## B+ for ` https://shop.example/ `\n\n80 points, profile strict: 1 high. **Below A.**\n"), "{out}");
        assert!(out.contains("| 🔴 high | Something is wrong with a | ` Server: nginx ` | -20 |"), "{out}");
        assert!(out.contains("\n```\n[headers]\nx-a = \"1\"\n```\n"), "{out}");
    }

    #[test]
    fn evil_evidence_leaves_neither_its_cell_nor_its_code() {
        let out = markdown(&evil(), None);
        for row in out.lines().filter(|l| l.starts_with('|')) {
            assert_eq!(row.matches('|').count(), 5, "{row}");
        }
        assert!(!out.contains("\n## owned"));
        assert!(out.contains("`` X: "), "{out}");
        let prose = text("@all [x](javascript:1) https://evil.example www.evil.example <b> `|` #1");
        assert!(!prose.contains(['@', '<', '#']) || prose.contains("&#64;"), "{prose}");
        assert!(!prose.contains("://") && !prose.contains("www.") && !prose.contains(" @"), "{prose}");
        assert_eq!(code("a``b`"), "``` a``b` ```");
    }

    #[test]
    fn no_cell_is_split_whatever_a_renderer_makes_of_backslashes() {
        for evil in ["a\\|<b>", "a|b", "\\", "x\\", "\\\\|", "`|`` ``` |", "](javascript:1) | [x](javascript:1)", "a\n|b", "` \\` | `"] {
            let row = format!("| {} | {} |", text(evil), code_in_table(evil));
            assert_eq!(row.matches('|').count(), 3, "{evil}: {row}");
            // Nothing but our own escapes of single marks has a backslash, and no code span is left open.
            assert!(!row.contains("\\\\") && !row.contains("\\|") && row.replace("\\`", "").matches('`').count() % 2 == 0, "{evil}: {row}");
            assert!(!row.contains("](javascript:") && !row.contains("<b>"), "{evil}: {row}");
        }
    }
}
