//! The list of hosts that browsers only ever speak https with.
//!
//! casque brings no list: it changes daily and weighs megabytes. A file is given, either Chromium's
//! `transport_security_state_static.json` or names, one a line.

use std::collections::HashMap;
use std::fmt;

use serde_json::Value;

/// A preload list, or that none is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preload {
    /// Whether an entry goes for subdomains too, by host.
    hosts: Option<HashMap<String, bool>>,
}

impl Preload {
    /// No list: nothing counts as preloaded.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Whether no list was given.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.hosts.is_none()
    }

    /// A list of the hosts that https is forced on, each with whether that goes for its subdomains too.
    #[must_use]
    pub fn of_hosts(hosts: impl IntoIterator<Item = (String, bool)>) -> Self {
        Self { hosts: Some(hosts.into_iter().map(|(name, subdomains)| (host(&name), subdomains)).collect()) }
    }

    /// Reads a file: JSON as Chromium keeps it (an object with `entries`; lines that start with `//` are comments; entries whose
    /// `mode` is not `force-https` are passed over), or plain names, one a line, each with all its subdomains, `#` starting a
    /// comment.
    ///
    /// # Errors
    /// When the file is neither, with the place and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, PreloadError> {
        let hosts = if text.trim_start().starts_with(['{', '[', '/']) { of_json(text)? } else { of_names(text)? };
        if hosts.is_empty() {
            return Err(PreloadError { place: "the file".to_owned(), problem: "it lists no host".to_owned() });
        }
        Ok(Self::of_hosts(hosts))
    }

    /// Whether browsers force https on a host, and if so, whether the entry goes for subdomains too.
    pub(crate) fn covers(&self, host: &str) -> Option<bool> {
        let hosts = self.hosts.as_ref()?;
        let mut name = host;
        loop {
            match hosts.get(name) {
                Some(true) => return Some(true),
                Some(false) if name.len() == host.len() => return Some(false),
                _ => name = name.split_once('.')?.1,
            }
        }
    }
}

fn host(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn of_names(text: &str) -> Result<Vec<(String, bool)>, PreloadError> {
    let mut names = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if name.is_empty() {
            continue;
        }
        if name.contains(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c))) {
            let shown: String = name.chars().take(60).collect();
            let problem = format!("{shown:?} is no host name; write one name a line, or give Chromium's JSON");
            return Err(PreloadError { place: format!("line {}", number + 1), problem });
        }
        names.push((name.to_owned(), true));
    }
    Ok(names)
}

fn of_json(text: &str) -> Result<Vec<(String, bool)>, PreloadError> {
    // Comment lines become empty ones, so that places stay right.
    let bare: String =
        text.lines().map(|line| if line.trim_start().starts_with("//") { "\n".to_owned() } else { format!("{line}\n") }).collect();
    let file: Value = serde_json::from_str(&bare)
        .map_err(|e| PreloadError { place: format!("line {}, column {}", e.line(), e.column()), problem: "this is not JSON".to_owned() })?;
    let entries = file.get("entries").unwrap_or(&file).as_array().ok_or_else(|| PreloadError {
        place: "the file".to_owned(),
        problem: "there is no list \"entries\"; give Chromium's transport_security_state_static.json, or one name a line".to_owned(),
    })?;
    let mut hosts = Vec::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        let name = entry.get("name").and_then(Value::as_str).ok_or_else(|| PreloadError {
            place: format!("entries[{number}]"),
            problem: "\"name\" is missing or no text; it is the host".to_owned(),
        })?;
        if entry.get("mode").and_then(Value::as_str) == Some("force-https") {
            hosts.push((name.to_owned(), entry.get("include_subdomains").and_then(Value::as_bool).unwrap_or(false)));
        }
    }
    Ok(hosts)
}

/// Why a preload list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreloadError {
    place: String,
    problem: String,
}

impl fmt::Display for PreloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "preload list, {}: {}", self.place, self.problem)
    }
}

impl std::error::Error for PreloadError {}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROMIUM: &str = r#"// Copyright
{
  // comment
  "entries": [
    { "name": "all.example", "policy": "test", "mode": "force-https", "include_subdomains": true },
    { "name": "One.example", "policy": "test", "mode": "force-https" },
    { "name": "pins.example", "policy": "test", "include_subdomains": true },
    { "name": "c.all.example", "policy": "test", "mode": "force-https" }
  ]
}"#;

    #[test]
    fn entries_and_their_subdomains() {
        let list = Preload::parse(CHROMIUM).unwrap();
        assert_eq!(list.covers("all.example"), Some(true));
        assert_eq!(list.covers("a.b.all.example"), Some(true));
        assert_eq!(list.covers("one.example"), Some(false));
        assert_eq!((list.covers("c.all.example"), list.covers("x.c.all.example")), (Some(false), Some(true)));
        for not in ["a.one.example", "notall.example", "example", "pins.example", "x.pins.example", ""] {
            assert_eq!(list.covers(not), None, "{not}");
        }
        assert!(Preload::unknown().is_unknown() && !list.is_unknown());
    }

    #[test]
    fn names_are_a_list_too() {
        let list = Preload::parse("# mine\nexample.com # all of it\n\nb.example.\n").unwrap();
        assert_eq!((list.covers("a.example.com"), list.covers("b.example")), (Some(true), Some(true)));
    }

    #[test]
    fn errors_name_the_place() {
        let error = |text: &str| Preload::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("ok.example\nnot a name\n"),
            "preload list, line 2: \"not a name\" is no host name; write one name a line, or give Chromium's JSON"
        );
        assert_eq!(error("{\n  oops"), "preload list, line 2, column 3: this is not JSON");
        assert!(error("{}").contains("there is no list \"entries\""));
        assert!(error(r#"{"entries":[{"mode":"x"}]}"#).starts_with("preload list, entries[0]: \"name\" is missing"));
        assert!(error(" \n").contains("it lists no host"));
    }
}
