//! Reports as text for people and for machines. Pure: reports in, text out.
//!
//! **Attacks and answers.** A site chooses what stands in its headers, and so in the evidence of a report. In every format it can
//! do nothing but be read: terminal control bytes, and characters that reorder or hide text, are shown as escapes ([`plain`]); JSON
//! and SARIF escape them as JSON does; XML has neither CDATA nor raw markup; Markdown shows remote text in code spans that it cannot
//! leave; HTML is escaped and the page forbids itself every script, frame, image and connection. Long evidence is cut.

mod clean;
mod html;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

pub use self::clean::{one_line, plain};
pub use self::html::html;
pub use self::json::json;
pub use self::junit::junit;
pub use self::markdown::markdown;
pub use self::sarif::sarif;
pub use self::text::text;
use crate::baseline::Delta;
use crate::report::{Finding, Grade, Report, Severity};

/// One site's report, and what changed since an earlier one if there was one to compare with.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The report.
    pub report: Report,
    /// What is new and what is fixed.
    pub delta: Option<Delta>,
}

impl Judged {
    /// The findings that failed, each with whether it is new since the earlier report; `None` without one.
    pub fn failed(&self) -> impl Iterator<Item = (&Finding, Option<bool>)> {
        let new = |i: usize| self.delta.as_ref().map(|d| d.new.get(i).copied().unwrap_or(true));
        self.report.findings.iter().enumerate().filter(|(_, f)| !f.pass).map(move |(i, f)| (f, new(i)))
    }

    /// What is well done.
    pub fn passed(&self) -> impl Iterator<Item = &Finding> {
        self.report.findings.iter().filter(|f| f.pass)
    }

    /// Whether the site is below the bar: its grade is lower than asked for, or something is new since the earlier report that is
    /// more than worth knowing.
    #[must_use]
    pub fn is_below(&self, bar: Option<Grade>) -> bool {
        let counts = |(finding, new): (&Finding, Option<bool>)| new == Some(true) && finding.severity > Severity::Info;
        bar.is_some_and(|bar| self.report.grade < bar) || self.failed().any(counts)
    }
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For a person at a terminal.
    #[default]
    Text,
    /// casque's own, documented and versioned.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for test views of build servers.
    Junit,
    /// Markdown, for pull requests.
    Markdown,
    /// A page by itself.
    Html,
}

impl Format {
    /// Every format by the name it is chosen by.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("text", Self::Text),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("markdown", Self::Markdown),
        ("html", Self::Html),
    ];
}

/// Renders reports in a format. `bar` is the lowest grade that is accepted, if one was asked for.
#[must_use]
pub fn render(format: Format, judged: &[Judged], bar: Option<Grade>) -> String {
    match format {
        Format::Text => text(judged, bar),
        Format::Json => json(judged, bar),
        Format::Sarif => sarif(judged),
        Format::Junit => junit(judged, bar),
        Format::Markdown => markdown(judged, bar),
        Format::Html => html(judged),
    }
}

/// `2 high, 1 medium`, or `nothing to mend`.
fn tally(report: &Report) -> String {
    let count = |severity: Severity| report.findings.iter().filter(|f| !f.pass && f.severity == severity).count();
    let some: Vec<String> = Severity::ALL.into_iter().filter(|s| count(*s) > 0).map(|s| format!("{} {}", count(s), s.name())).collect();
    if some.is_empty() { "nothing to mend".to_owned() } else { some.join(", ") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::report::{Fix, Profile};

    /// What a hostile site would put into its headers: each format's way out, and the terminal's.
    pub(crate) const EVIL: &str = "X: \u{1b}]0;owned\u{7}\u{9b}31m</pre><script>alert(1)</script>]]>\"'&`|` ](javascript:1)\r\n## owned\0\u{202e}\u{2028}\u{fffe}@all www.evil.example {0}";

    pub(crate) fn finding(id: &str, evidence: &str) -> Finding {
        Finding {
            id: id.to_owned(),
            test: "headers".to_owned(),
            severity: Severity::High,
            pass: false,
            modifier: -20,
            title: format!("Something is wrong with {id}"),
            why: "An attacker does something bad.".to_owned(),
            evidence: (!evidence.is_empty()).then(|| evidence.to_owned()),
            url: "https://shop.example/".to_owned(),
            fix: Some(Fix { casque: "[headers]\nx-a = \"1\"".to_owned(), express: "app.use(helmet());".to_owned(), ..Fix::default() }),
        }
    }

    pub(crate) fn good(id: &str) -> Finding {
        Finding { severity: Severity::Good, pass: true, modifier: 5, fix: None, why: String::new(), ..finding(id, "") }
    }

    pub(crate) fn report(target: &str, findings: Vec<Finding>) -> Report {
        Report { target: target.to_owned(), profile: Profile::Strict, grade: Grade::BPlus, score: 80, findings, not_judged: Vec::new() }
    }

    /// A site that is hostile in every string that it has a hand in.
    pub(crate) fn evil() -> Vec<Judged> {
        let mut bad = finding(EVIL, EVIL);
        bad.url = format!("https://shop.example/{EVIL}");
        bad.title = EVIL.to_owned();
        bad.why = EVIL.to_owned();
        let mut report = report(EVIL, vec![bad, good(EVIL)]);
        report.not_judged.push(EVIL.to_owned());
        vec![Judged { report, delta: None }]
    }

    #[test]
    fn no_format_lets_a_control_character_through() {
        for (name, format) in Format::NAMES {
            let out = render(format, &evil(), Some(Grade::A));
            let out = if format == Format::Text { clean::without_styles(&out) } else { out };
            let leaked: Vec<char> = out.chars().filter(|c| clean::is_harmful(*c) && *c != '\n').collect();
            assert!(leaked.is_empty(), "{name}: {leaked:?}");
            assert!(out.ends_with('\n'), "{name}");
        }
    }

    #[test]
    fn a_response_without_an_address_was_seen_nowhere() {
        let nowhere = Finding { url: String::new(), ..finding("a", "") };
        let judged = [Judged { report: report("the response", vec![nowhere]), delta: None }];
        for (name, format) in Format::NAMES {
            let out = render(format, &judged, None).to_lowercase();
            assert!(!out.contains("seen at") && !out.contains(">at <"), "{name}: {out}");
        }
    }
}
