//! JUnit XML: a suite for each site, a case for each finding, and one for the grade if a lowest one was asked for.

use casque::reply::escape_html;

use super::Judged;
use super::clean::{lines, plain};
use crate::report::{Finding, Grade, Severity};

/// Renders reports as JUnit XML. What is merely worth knowing (`info`) passes and says so in its output; with an earlier report to
/// compare with, only what is new fails.
#[must_use]
pub fn junit(judged: &[Judged], bar: Option<Grade>) -> String {
    let suites: Vec<(String, usize, usize)> = judged.iter().map(|j| suite(j, bar)).collect();
    let (tests, failures) = suites.iter().fold((0, 0), |(t, f), (_, tests, failures)| (t + tests, f + failures));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"casque scan\" tests=\"{tests}\" failures=\"{failures}\">\n"
    );
    suites.iter().for_each(|(text, _, _)| out.push_str(text));
    out + "</testsuites>\n"
}

fn suite(judged: &Judged, bar: Option<Grade>) -> (String, usize, usize) {
    let report = &judged.report;
    let mut cases = String::new();
    let (mut tests, mut failures) = (0, 0);
    if let Some(bar) = bar {
        let title = format!("the grade is {bar} or better");
        let below = report.grade < bar;
        tests += 1;
        failures += usize::from(below);
        let failure = below.then(|| failure(&format!("the grade is {}", report.grade), ""));
        cases.push_str(&case("grade", &title, failure.as_deref()));
    }
    for (finding, new) in judged.failed() {
        let fails = new != Some(false) && finding.severity > Severity::Info;
        tests += 1;
        failures += usize::from(fails);
        let details = details(finding);
        let body = if fails { failure(&finding.title, &details) } else { output(&details) };
        cases.push_str(&case(&finding.test, &named(finding), Some(&body)));
    }
    for finding in judged.passed() {
        tests += 1;
        cases.push_str(&case(&finding.test, &named(finding), None));
    }
    let name = escape_html(&plain(&report.target));
    (format!("  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\">\n{cases}  </testsuite>\n"), tests, failures)
}

fn named(finding: &Finding) -> String {
    format!("{}: {}", finding.id, finding.title)
}

fn case(class: &str, name: &str, body: Option<&str>) -> String {
    let (class, name) = (escape_html(&plain(class)), escape_html(&plain(name)));
    match body {
        Some(body) => format!("    <testcase classname=\"{class}\" name=\"{name}\">\n{body}    </testcase>\n"),
        None => format!("    <testcase classname=\"{class}\" name=\"{name}\"/>\n"),
    }
}

fn failure(message: &str, details: &str) -> String {
    format!("      <failure message=\"{}\">{}</failure>\n", escape_html(&plain(message)), escape_html(details))
}

fn output(details: &str) -> String {
    format!("      <system-out>{}</system-out>\n", escape_html(details))
}

fn details(finding: &Finding) -> String {
    let mut out = plain(&finding.why);
    if let Some(url) = finding.place() {
        out.push_str(&format!("\nseen at {}", plain(url)));
    }
    if let Some(evidence) = &finding.evidence {
        out.push_str(&format!("\n{}", plain(evidence)));
    }
    for (what, text) in finding.fix.iter().flat_map(|f| f.each()) {
        out.push_str(&format!("\n\n{what}:"));
        lines(text).for_each(|line| out.push_str(&format!("\n{line}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EVIL, evil, finding, good, report};
    use super::*;
    use crate::baseline::Delta;

    /// Reads tags by hand: every one closed in order, every `&` an entity, no markup but our own.
    fn well_formed(xml: &str) -> Vec<String> {
        let mut open = Vec::new();
        let mut seen = Vec::new();
        for (i, piece) in xml.split('<').enumerate() {
            let (tag, text) = if i == 0 { ("", piece) } else { piece.split_once('>').expect("a tag ends") };
            for part in text.split('&').skip(1).chain(tag.split('&').skip(1)) {
                let entity = part.split(';').next().unwrap();
                assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "{entity}");
            }
            assert!(!text.contains("]]"), "{text}");
            let name = tag.split([' ', '/']).find(|n| !n.is_empty()).unwrap_or("").to_owned();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.is_empty() && !tag.starts_with('?') {
                assert!(["testsuites", "testsuite", "testcase", "failure", "system-out"].contains(&name.as_str()), "{name}");
                seen.push(name.clone());
                if !tag.ends_with('/') {
                    open.push(name);
                }
            }
        }
        assert!(open.is_empty(), "{open:?}");
        seen
    }

    #[test]
    fn evil_evidence_stays_text() {
        let xml = junit(&evil(), Some(Grade::A)).replace("]]&gt;", "");
        let seen = well_formed(&xml);
        assert_eq!(seen.iter().filter(|n| *n == "failure").count(), 2);
        assert!(xml.contains("&lt;script&gt;"));
        assert!(!xml.contains(EVIL));
    }

    #[test]
    fn only_what_is_new_fails_against_an_earlier_report() {
        let report = report("https://shop.example/", vec![finding("old", ""), finding("new", ""), good("fine")]);
        let delta = Some(Delta { new: vec![false, true, false], fixed: Vec::new() });
        let xml = junit(&[Judged { report, delta }], None);
        well_formed(&xml);
        assert!(xml.contains("<testsuites name=\"casque scan\" tests=\"3\" failures=\"1\">"), "{xml}");
    }

    #[test]
    fn what_is_worth_knowing_passes() {
        let info = Finding { severity: Severity::Info, modifier: 0, ..finding("note", "X: 1") };
        let xml = junit(&[Judged { report: report("https://shop.example/", vec![info]), delta: None }], None);
        let seen = well_formed(&xml);
        assert!(xml.contains(" tests=\"1\" failures=\"0\">") && !xml.contains("<failure"), "{xml}");
        assert!(seen.contains(&"system-out".to_owned()) && xml.contains("An attacker does something bad."), "{xml}");
    }
}
