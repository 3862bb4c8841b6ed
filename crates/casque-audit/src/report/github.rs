//! Annotations of GitHub Actions: workflow commands in the log of a step (docs.github.com, "Workflow commands for GitHub Actions").
//!
//! GitHub shows the first ten errors, warnings and notices of a step; the worst come first.

use super::clean::plain;
use super::{Gate, Hit, Report, Site, remedy, summary, text as terminal, title, word};
use crate::matching::Finding;
use crate::supply::{self, Notice};

/// Renders findings as annotations at their lines in the lockfile: errors for what makes the audit fail, warnings for the rest, and notices of what is
/// merely worth knowing. The summary comes last, as text.
#[must_use]
pub fn github(reports: &[Report], gate: Gate) -> String {
    let mut all: Vec<(usize, String)> = reports
        .iter()
        .flat_map(|report| report.findings().map(move |(hit, finding)| (report, hit, finding)))
        .map(|(report, hit, finding)| {
            let level = level(hit, finding, gate);
            (level, annotation(LEVELS[level], report, hit, finding))
        })
        .collect();
    for report in reports {
        let notices = supply::sarif_results(&report.notices);
        all.extend(notices.map(|notice| (if notice.denied { 0 } else { 2 }, noticed(report, notice))));
    }
    // A stable sort: within a level they keep their order.
    all.sort_by_key(|(level, _)| *level);
    let lines: String = all.into_iter().map(|(_, line)| line).collect();
    lines + &summary(reports) + "\n"
}

const LEVELS: [&str; 3] = ["error", "warning", "notice"];

fn level(hit: &Hit, finding: &Finding, gate: Gate) -> usize {
    match () {
        () if gate.stops(hit, finding) => 0,
        () if finding.class.is_warning() => 2,
        () => 1,
    }
}

fn annotation(level: &str, report: &Report, hit: &Hit, finding: &Finding) -> String {
    let site = hit.sites.first();
    let (line, column) = site.map_or((1, 1), |site| (site.place.line.max(1), site.place.column.max(1)));
    let path = report.path.strip_prefix("./").unwrap_or(&report.path);
    let chain = |site: &Site| terminal::chain(site.chain.iter().map(|name| plain(name)), site.left_out);
    let message = format!(
        "{}: {} ({})\n{}\n{}",
        hit.package,
        plain(title(finding)),
        plain(&finding.id),
        plain(&remedy(finding)),
        site.map(chain).unwrap_or_default()
    );
    format!(
        "::{level} file={},line={line},col={column},title={}::{}\n",
        property(path),
        property(&format!("{}: {}", word(finding), hit.package)),
        data(message.trim_end()),
    )
}

fn noticed(report: &Report, notice: &Notice) -> String {
    let level = if notice.denied { LEVELS[0] } else { LEVELS[2] };
    let path = report.path.strip_prefix("./").unwrap_or(&report.path);
    let (line, column) = (notice.place.line.max(1), notice.place.column.max(1));
    let title = property(&format!("supply chain: {}", notice.check.name()));
    format!("::{level} file={},line={line},col={column},title={title}::{}\n", property(path), data(&plain(&notice.sentence())))
}

/// A message, in which a line end would begin a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(&plain(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_property_or_begins_a_command() {
        assert_eq!(property("a,b:c%\n::error::x"), "a%2Cb%3Cc%25\\u{a}%3A%3Aerror%3A%3Ax".replace("%3C", "%3A"));
        assert_eq!(data("50%\r\n::set-env name=a::b"), "50%25%0D%0A::set-env name=a::b");
    }
}
