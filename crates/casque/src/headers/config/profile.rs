//! `[[headers.profile]]`: other headers for some responses.

use std::ops::RangeInclusive;

use super::Written;
use crate::config::{At, Section};
use crate::headers::class::Class;
use crate::headers::profile::When;
use crate::host::HostPattern;

/// One profile as it was written.
#[derive(Debug, Clone)]
pub(super) struct WrittenProfile {
    pub(super) name: At<String>,
    /// Another profile that stands before it; else the section itself.
    pub(super) extends: Option<At<String>>,
    pub(super) when: When,
    pub(super) headers: Written,
}

const CLASSES: [(&str, Class); 6] = [
    ("page", Class::Page),
    ("document", Class::Document),
    ("script", Class::Script),
    ("asset", Class::Asset),
    ("empty", Class::Empty),
    ("not-modified", Class::NotModified),
];

/// The settings that only a profile has; what is nearly one of these is no header.
const KEYS: [&str; 7] = ["name", "extends", "methods", "paths", "hosts", "classes", "status"];

impl WrittenProfile {
    /// Reads a profile; `None` if it has no name.
    pub(super) fn read(mut section: Section<'_, '_>, earlier: &[Self]) -> Option<Self> {
        let name = section.string("name");
        if name.is_none() && !section.has("name") {
            section.error(section.span(), "[[headers.profile]] without `name`", "add name = \"embed\"");
        }
        let extends = section.string("extends").filter(|e| e.value != "default");
        if let Some(extends) = &extends
            && !earlier.iter().any(|p| p.name.value == extends.value)
        {
            let near = crate::config::nearest(&extends.value, earlier.iter().map(|p| p.name.value.as_str()).chain(["default"]));
            let label = near.map_or_else(
                || "a profile can extend those that stand before it, or \"default\"".to_owned(),
                |n| format!("did you mean \"{n}\"?"),
            );
            section.error(extends.span.clone(), format!("no profile `{}` stands before this one", extends.value), label);
        }
        let when = When::named()
            .methods(section.methods("methods"))
            .paths(section.patterns("paths"))
            .hosts(hosts(&mut section))
            .classes(classes(&mut section, "classes").unwrap_or_default())
            .statuses(statuses(&mut section));
        // A misread condition must not make a profile that is for everybody; the file has an error then and does not run.
        let headers = Written::read_open(&mut section, &KEYS);
        section.finish_open();
        Some(Self { name: name?, extends, when, headers })
    }
}

/// A list of classes of responses.
pub(super) fn classes(section: &mut Section<'_, '_>, key: &'static str) -> Option<Vec<Class>> {
    let written = section.strings(key)?.value;
    let mut classes = Vec::new();
    for word in written {
        match CLASSES.iter().find(|(n, _)| *n == word.value) {
            Some((_, class)) => classes.push(*class),
            None => {
                let near = crate::config::nearest(&word.value, CLASSES.map(|(n, _)| n));
                let label = near.map_or_else(
                    || "expected page, document, script, asset, empty or not-modified".to_owned(),
                    |n| format!("did you mean \"{n}\"?"),
                );
                section.error(word.span, format!("no class is called \"{}\"", word.value), label);
            }
        }
    }
    Some(classes)
}

fn hosts(section: &mut Section<'_, '_>) -> Vec<HostPattern> {
    let mut hosts = Vec::new();
    for host in section.strings("hosts").into_iter().flat_map(|h| h.value) {
        match HostPattern::parse(&host.value) {
            Ok(pattern) => hosts.push(pattern),
            Err(problem) => section.error(host.span, format!("\"{}\" is no host", host.value), problem),
        }
    }
    hosts
}

/// `404`, `"404"`, `"4xx"` or `"500-599"`.
fn statuses(section: &mut Section<'_, '_>) -> Vec<RangeInclusive<u16>> {
    let mut statuses = Vec::new();
    for status in section.strings("status").into_iter().flat_map(|s| s.value) {
        match parse_status(&status.value) {
            Some(range) => statuses.push(range),
            None => section.error(status.span, format!("\"{}\" is no status", status.value), "write \"404\", \"4xx\" or \"500-599\""),
        }
    }
    statuses
}

fn parse_status(text: &str) -> Option<RangeInclusive<u16>> {
    let one = |t: &str| t.parse::<u16>().ok().filter(|n| (200..=599).contains(n));
    if let Some(hundreds) = text.strip_suffix("xx") {
        let from = one(&format!("{hundreds}00"))?;
        return Some(from..=from + 99);
    }
    match text.split_once('-') {
        Some((from, to)) => Some(one(from.trim())?..=one(to.trim())?).filter(|r| !r.is_empty()),
        None => one(text).map(|n| n..=n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_classes_or_ranges() {
        assert_eq!(parse_status("404"), Some(404..=404));
        assert_eq!(parse_status("5xx"), Some(500..=599));
        assert_eq!(parse_status("400-403"), Some(400..=403));
        for bad in ["", "x", "40", "9xx", "1xx", "403-400", "200-", "xx"] {
            assert_eq!(parse_status(bad), None, "{bad}");
        }
    }
}
