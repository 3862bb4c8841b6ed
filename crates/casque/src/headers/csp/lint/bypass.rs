//! Hosts that are trusted for one script and serve others.

use std::sync::LazyLock;

use super::effective::SCRIPTS;
use super::finding::{FindingKind, Report, Severity};
use super::hosts::{host_and_path, matches_host, matches_path};
use crate::headers::csp::policy::{Csp, Directive};

/// One address of `bypass.txt`.
#[derive(Debug)]
struct Entry {
    host: &'static str,
    path: &'static str,
    kind: &'static str,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let lines = include_str!("bypass.txt").lines().filter(|l| !l.starts_with('#'));
    lines
        .filter_map(|line| {
            let (address, kind) = line.rsplit_once(' ')?;
            let (host, path) = address.split_at(address.find('/')?);
            Some(Entry { host, path, kind })
        })
        .collect()
});

pub(super) fn check(csp: &Csp, report: &mut Report) {
    let scripts = SCRIPTS[..2].iter().filter_map(|n| csp.effective(n));
    for directive in scripts.filter(|d| !has(d, "'none'")) {
        let evaluates = has(directive, "'unsafe-eval'");
        for value in directive.values() {
            script_source(directive, value, evaluates, report);
        }
    }
    // Browsers that heeded plugin-types ran no Flash where it was not named.
    let flash = csp.get("plugin-types").is_none_or(|d| has(d, "application/x-shockwave-flash"));
    if let Some(directive) = csp.effective("object-src").filter(|d| flash && !has(d, "'none'")) {
        for value in directive.values() {
            object_source(directive, value, report);
        }
    }
}

fn has(directive: &Directive, word: &str) -> bool {
    directive.values().iter().any(|v| v == word)
}

fn script_source(directive: &Directive, value: &str, evaluates: bool, report: &mut Report) {
    let mut add = |severity, description: String| {
        let remedy = "use nonces or hashes with 'strict-dynamic' instead of hosts";
        report.add(FindingKind::ScriptAllowlistBypass, severity, directive.name(), Some(value), description, remedy);
    };
    if value == "'self'" {
        add(Severity::MediumMaybe, "'self' can be got around if the site has JSONP, an old AngularJS or files of its users".to_owned());
    } else if !value.starts_with('\'') && value.contains('.') {
        match find(value, |kind| matches!(kind, "jsonp" | "angular") || (evaluates && kind == "jsonp-eval")) {
            Some(entry) => add(Severity::High, format!("{value} lets an attacker run scripts through {}{}", entry.host, entry.path)),
            None => add(Severity::MediumMaybe, format!("no way around {value} is known here, but one file of others on it is enough")),
        }
    }
}

fn object_source(directive: &Directive, value: &str, report: &mut Report) {
    let known = find(value, |kind| kind == "flash");
    // Where default-src rules, its values are there for more than plug-ins.
    let is_own = directive.name() == "object-src";
    let (severity, description) = match known {
        Some(entry) => (Severity::High, format!("{value} lets an attacker run scripts through {}{}", entry.host, entry.path)),
        None if is_own => (Severity::MediumMaybe, format!("{value} lets plug-ins in")),
        None => return,
    };
    report.add(FindingKind::ObjectAllowlistBypass, severity, directive.name(), Some(value), description, "add object-src 'none'");
}

fn find(value: &str, wanted: impl Fn(&str) -> bool) -> Option<&'static Entry> {
    let (host, path) = host_and_path(value);
    ENTRIES.iter().find(|e| wanted(e.kind) && matches_host(host, e.host) && matches_path(path, e.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_read() {
        let lines = include_str!("bypass.txt").lines().filter(|l| !l.starts_with('#')).count();
        assert_eq!(ENTRIES.len(), lines);
        assert!(ENTRIES.iter().all(|e| ["jsonp", "jsonp-eval", "angular", "flash"].contains(&e.kind)));
        assert!(ENTRIES.windows(2).all(|w| (w[0].host, w[0].path) <= (w[1].host, w[1].path)), "sorted");
    }

    #[test]
    fn hosts_and_paths_match_as_browsers_match_them() {
        let known = |value| find(value, |kind| kind == "jsonp").is_some();
        for hit in [
            "translate.google.com",
            "https://TRANSLATE.google.com:8443/",
            "*.google.com",
            "*.com",
            "//translate.google.com/translate_a/l",
            "translate.google.com/translate_a/",
        ] {
            assert!(known(hit), "{hit}");
        }
        for miss in [
            "google.com",
            "*.translate.google.com",
            "translate.google.com/translate_a",
            "translate.google.com/TRANSLATE_a/l",
            "*google.com",
            "*",
            "xgoogle.com",
        ] {
            assert!(!known(miss), "{miss}");
        }
    }
}
