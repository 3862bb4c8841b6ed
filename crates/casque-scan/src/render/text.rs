//! The report for a person at a terminal: the grade, what is wrong with the worst first, why it matters, what to do.
//!
//! Colours are terminal sequences of ours; whoever prints takes them out where the other end shows none. They never carry meaning
//! alone.

use anstyle::{AnsiColor, Style};

use super::clean::{lines, plain, wrapped};
use super::{Judged, tally};
use crate::report::{Finding, Grade, Severity};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
/// Where the text of a finding begins.
const INDENT: &str = "          ";
const WIDTH: usize = 88;

/// Renders reports for a terminal.
#[must_use]
pub fn text(judged: &[Judged], bar: Option<Grade>) -> String {
    judged.iter().map(|j| site(j, bar)).collect::<Vec<_>>().join("\n")
}

fn site(judged: &Judged, bar: Option<Grade>) -> String {
    let report = &judged.report;
    let mut out = grade(report.grade, &plain(&report.target));
    out.push_str(&format!("{INDENT}{} points, {}{DIM} · profile {}{DIM:#}\n", report.score, tally(report), report.profile.name()));
    if let Some(bar) = bar.filter(|b| report.grade < *b) {
        let red = AnsiColor::Red.on_default().bold();
        out.push_str(&format!("{INDENT}{red}below {bar}{red:#}, the lowest grade that was asked for\n"));
    }
    let mut fixes: Vec<(&Finding, usize)> = Vec::new();
    for (finding, new) in judged.failed() {
        let number = fixes.iter().find(|(f, _)| f.fix == finding.fix).map(|(_, n)| *n);
        out.push_str(&wrong(finding, new, number));
        if number.is_none() && finding.fix.is_some() {
            fixes.push((finding, fixes.len()));
        }
    }
    if let Some(delta) = judged.delta.as_ref().filter(|d| !d.fixed.is_empty()) {
        out.push('\n');
        delta.fixed.iter().for_each(|k| out.push_str(&row("fixed", GOOD, &plain(&k.title))));
    }
    if judged.passed().next().is_some() {
        out.push('\n');
        judged.passed().for_each(|f| out.push_str(&row("good", GOOD, &plain(&f.title))));
    }
    if !report.not_judged.is_empty() {
        out.push('\n');
        report.not_judged.iter().for_each(|n| out.push_str(&row("not judged", DIM, &plain(n))));
    }
    out
}

/// The letter, large enough to be seen first.
fn grade(grade: Grade, target: &str) -> String {
    let style = match grade {
        Grade::APlus | Grade::A | Grade::AMinus => AnsiColor::Green,
        Grade::BPlus | Grade::B | Grade::BMinus | Grade::CPlus | Grade::C | Grade::CMinus => AnsiColor::Yellow,
        Grade::DPlus | Grade::D | Grade::DMinus | Grade::F => AnsiColor::Red,
    };
    let style = style.on_default().bold().invert();
    let letter = format!(" {:^4} ", grade.to_string());
    format!("\n  {style}{letter}{style:#}  {BOLD}{target}{BOLD:#}\n")
}

fn wrong(finding: &Finding, new: Option<bool>, same_fix: Option<usize>) -> String {
    let style = colour(finding.severity);
    let title = plain(&finding.title);
    let new = if new == Some(true) { format!("{BOLD}new:{BOLD:#} ") } else { String::new() };
    let points = if finding.modifier == 0 { String::new() } else { format!("{DIM} ({}){DIM:#}", finding.modifier) };
    let mut out = format!("\n{style}{:>8}{style:#}  {new}{BOLD}{title}{BOLD:#}{points}\n", finding.severity.name());
    if !finding.why.is_empty() {
        wrapped(&plain(&finding.why), WIDTH).iter().for_each(|line| out.push_str(&format!("{INDENT}{line}\n")));
    }
    match (&finding.evidence, finding.place()) {
        (Some(evidence), _) => out.push_str(&format!("{INDENT}{DIM}seen:{DIM:#} {}\n", plain(evidence))),
        (None, Some(url)) => out.push_str(&format!("{INDENT}{DIM}seen at {}{DIM:#}\n", plain(url))),
        (None, None) => {}
    }
    match (&finding.fix, same_fix) {
        (Some(_), Some(_)) => out.push_str(&format!("{INDENT}{DIM}fix: the same as above{DIM:#}\n")),
        (Some(fix), None) => {
            // The first two are what the reader most likely has; the others stand in the JSON, Markdown and HTML reports.
            for (what, text) in fix.each().take(2) {
                let mut lines = lines(text);
                out.push_str(&format!("{INDENT}{DIM}{what:<12}{DIM:#}{}\n", lines.next().unwrap_or_default()));
                lines.for_each(|line| out.push_str(&format!("{INDENT}{:12}{line}\n", "")));
            }
        }
        (None, _) => {}
    }
    out
}

fn row(what: &str, style: Style, text: &str) -> String {
    let mut lines = wrapped(text, WIDTH + 10).into_iter();
    let mut out = format!("{style}{what:>10}{style:#}  {}\n", lines.next().unwrap_or_default());
    lines.for_each(|line| out.push_str(&format!("{:12}{line}\n", "")));
    out
}

fn colour(severity: Severity) -> Style {
    match severity {
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default().bold(),
        Severity::Low => AnsiColor::Yellow.on_default(),
        Severity::Info => AnsiColor::Cyan.on_default(),
        Severity::Good => GOOD,
    }
}

#[cfg(test)]
mod tests {
    use super::super::clean::without_styles;
    use super::super::tests::{evil, finding, good, report};
    use super::*;
    use crate::baseline::{Delta, Known};

    #[test]
    fn the_grade_first_then_what_is_wrong_why_and_the_fix() {
        let mut report = report("https://shop.example/", vec![finding("a", "Server: nginx/1.2"), finding("b", ""), good("c")]);
        report.not_judged.push("HSTS preloading: no list was given".to_owned());
        let fixed = vec![Known { id: "d".to_owned(), pass: false, title: "Cookies were open".to_owned(), evidence: None }];
        let judged = [Judged { report, delta: Some(Delta { new: vec![true, false, false], fixed }) }];
        assert_eq!(
            without_styles(&text(&judged, Some(Grade::A))),
            "
    B+    https://shop.example/
          80 points, 2 high · profile strict
          below A, the lowest grade that was asked for

    high  new: Something is wrong with a (-20)
          An attacker does something bad.
          seen: Server: nginx/1.2
          casque.toml [headers]
                      x-a = \"1\"
          Express     app.use(helmet());

    high  Something is wrong with b (-20)
          An attacker does something bad.
          seen at https://shop.example/
          fix: the same as above

     fixed  Cookies were open

      good  Something is wrong with c

not judged  HSTS preloading: no list was given
"
        );
    }

    #[test]
    fn a_site_cannot_write_lines_of_its_own() {
        let out = without_styles(&text(&evil(), None));
        assert!(!out.lines().any(|l| l.starts_with("## owned")));
        assert!(out.contains("\\x1b]0;owned\\x07"));
    }
}
