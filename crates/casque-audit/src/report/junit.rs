//! JUnit XML: a suite for each lockfile, a case for each finding.

use super::clean::plain;
use super::{Gate, Hit, Ignored, Report, counted, reference, remedy, text as terminal, title, why, word};
use crate::matching::Finding;
use crate::supply::Notice;

/// Renders reports as JUnit XML. What makes the audit fail fails; the rest passes and says so in its output; what
/// the policy ignores is skipped. A lockfile without findings has one case, which passes.
#[must_use]
pub fn junit(reports: &[Report], gate: Gate) -> String {
    let failures = |report: &Report| report.findings().filter(|(hit, finding)| gate.stops(hit, finding)).count() + denied(report).count();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"casque audit\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
        reports.iter().map(tests).sum::<usize>(),
        reports.iter().map(failures).sum::<usize>(),
        reports.iter().map(|report| report.ignored.len()).sum::<usize>(),
    );
    for report in reports {
        let name = escape(&plain(&report.path));
        let (tests, failures, skipped) = (tests(report), failures(report), report.ignored.len());
        out.push_str(&format!("  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\">\n"));
        if report.hits.is_empty() {
            let checked = counted(report.checked, "package", "packages");
            out.push_str(&format!("    <testcase classname=\"{name}\" name=\"nothing known against {checked}\"/>\n"));
        }
        report.findings().for_each(|(hit, finding)| out.push_str(&case(hit, finding, gate)));
        report.ignored.iter().for_each(|ignored| out.push_str(&skipped_case(ignored)));
        denied(report).for_each(|notice| out.push_str(&noticed(notice)));
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

fn tests(report: &Report) -> usize {
    report.findings().count().max(1) + report.ignored.len() + denied(report).count()
}

fn denied(report: &Report) -> impl Iterator<Item = &Notice> {
    report.notices.iter().filter(|notice| notice.denied)
}

fn noticed(notice: &Notice) -> String {
    let (check, sentence) = (notice.check.name(), escape(&plain(&notice.sentence())));
    format!(
        "    <testcase classname=\"supply chain\" name=\"{check}: {sentence}\">\n      <failure type=\"{check}\" message=\"{sentence}\">line {}</failure>\n    </testcase>\n",
        notice.place.line
    )
}

fn case(hit: &Hit, finding: &Finding, gate: Gate) -> String {
    let (package, title) = (escape(&hit.package.to_string()), escape(&plain(title(finding))));
    let name = format!("{}: {title}", escape(&plain(&finding.id)));
    let details = escape(&details(hit, finding));
    let body = if gate.stops(hit, finding) {
        format!("<failure type=\"{}\" message=\"{title}\">{details}</failure>", word(finding))
    } else {
        format!("<system-out>{}: {details}</system-out>", word(finding))
    };
    format!("    <testcase classname=\"{package}\" name=\"{name}\">\n      {body}\n    </testcase>\n")
}

fn skipped_case(ignored: &Ignored) -> String {
    let finding = &ignored.finding;
    format!(
        "    <testcase classname=\"{}\" name=\"{}: {}\">\n      <skipped message=\"{}\"/>\n    </testcase>\n",
        escape(&ignored.package.to_string()),
        escape(&plain(&finding.id)),
        escape(&plain(title(finding))),
        escape(&plain(&why(&ignored.by))),
    )
}

fn details(hit: &Hit, finding: &Finding) -> String {
    let mut out = plain(&remedy(finding));
    if let Some(site) = hit.sites.first() {
        let chain = terminal::chain(site.chain.iter().map(|name| plain(name)), site.left_out);
        out.push_str(&format!("\nline {}\n{chain}", site.place.line));
    }
    if let Some(url) = reference(finding) {
        out.push_str(&format!("\n{}", plain(url)));
    }
    out
}

/// Text as content or attribute (XML 1.0, 2.4). Characters that XML does not allow are escapes already.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
