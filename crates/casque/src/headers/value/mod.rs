//! Whether a header's value means to browsers what its author meant: looked at once, when a policy is read.
//!
//! A browser drops a header that it cannot read without a word, and the site goes unprotected. So what browsers would drop is an
//! error here, what they ignore or what protects less than it seems a warning. Nothing that passes can fail a response: all that
//! is left to do for one is to send the text.

mod caching;
mod framing;
mod hsts;
mod isolation;
mod permissions;
mod reporting;
mod structured;

use super::catalog;
use crate::problem::{Problem, Severity};

/// What a check has found so far.
struct Findings<'v> {
    value: &'v str,
    list: Vec<Problem>,
}

impl<'v> Findings<'v> {
    fn error(&mut self, at: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(Severity::Error, at, message.into(), remedy.into());
    }

    fn warn(&mut self, at: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(Severity::Warning, at, message.into(), remedy.into());
    }

    /// `at` is a part of the value, or anything else for the whole of it.
    fn push(&mut self, severity: Severity, at: &str, message: String, label: String) {
        let whole = self.value.as_ptr() as usize;
        let start = (at.as_ptr() as usize).wrapping_sub(whole);
        let inside = start.checked_add(at.len()).is_some_and(|end| end <= self.value.len());
        let span = if inside { start..start + at.len() } else { 0..self.value.len() };
        self.list.push(Problem { severity, span, message, label });
    }

    /// One of a header's few words, letter for letter.
    fn one_of(&mut self, found: &'v str, words: &[&'static str]) {
        if words.contains(&found) {
            return;
        }
        let near = words.iter().find(|w| w.eq_ignore_ascii_case(found)).or_else(|| {
            let near = crate::nearest::nearest(found, words.iter().copied());
            words.iter().find(|w| Some(**w) == near)
        });
        let remedy = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected {}", or_list(words)),
        };
        self.error(found, format!("cannot be `{found}`"), remedy);
    }
}

fn or_list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Looks at a value: places are bytes of it, and messages go on after the header's name ("has no `max-age`"). `name` in lower
/// case. A Content-Security-Policy is read by [`super::csp`] instead, which knows more of it.
#[must_use]
pub fn check(name: &str, value: &str) -> Vec<Problem> {
    let mut found = Findings { value, list: Vec::new() };
    if value.trim().is_empty() {
        found.error(value, "has an empty value", "use `false` to leave the header out");
        return found.list;
    }
    if let Some((at, c)) = value.char_indices().find(|(_, c)| !(*c == '\t' || (' '..='~').contains(c))) {
        let message = format!("has {} at character {}", c.escape_unicode(), at + 1);
        let end = at + c.len_utf8();
        found.error(&value[at..end], message, "only visible ASCII, spaces and tabs may be sent");
        return found.list;
    }
    match name {
        "strict-transport-security" => hsts::check(&mut found),
        "x-frame-options" => framing::frame_options(&mut found),
        "x-content-type-options" => framing::exactly(&mut found, "nosniff"),
        "x-dns-prefetch-control" => framing::one_word(&mut found, &["off", "on"]),
        "x-xss-protection" => framing::xss_protection(&mut found),
        "x-permitted-cross-domain-policies" => {
            framing::one_word(&mut found, &["none", "master-only", "by-content-type", "by-ftp-filename", "all", "none-this-response"]);
        }
        "referrer-policy" => framing::referrer_policy(&mut found),
        "cross-origin-opener-policy" | "cross-origin-opener-policy-report-only" => isolation::opener(&mut found),
        "cross-origin-embedder-policy" | "cross-origin-embedder-policy-report-only" => isolation::embedder(&mut found),
        "cross-origin-resource-policy" => isolation::resource(&mut found),
        "document-isolation-policy" | "document-isolation-policy-report-only" => isolation::document(&mut found),
        "origin-agent-cluster" => isolation::agent_cluster(&mut found),
        "integrity-policy" | "integrity-policy-report-only" => isolation::integrity(&mut found),
        "permissions-policy" | "permissions-policy-report-only" => permissions::check(&mut found),
        "reporting-endpoints" => reporting::endpoints(&mut found),
        "nel" => reporting::nel(&mut found),
        "clear-site-data" => caching::clear_site_data(&mut found),
        "cache-control" => caching::cache_control(&mut found),
        _ => {}
    }
    if let Some(why) = catalog::known(name).and_then(|k| k.dead).filter(|_| !is_harmless_rest(name, value)) {
        found.warn(value, format!("has no effect: {why}"), "");
    }
    found.list
}

/// Values of dead headers that switch the dead thing off: nothing to warn of.
fn is_harmless_rest(name: &str, value: &str) -> bool {
    matches!(
        (name, value),
        ("x-xss-protection", "0")
            | ("x-download-options", "noopen")
            | ("x-permitted-cross-domain-policies", "none")
            | ("pragma", "no-cache")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn said(name: &str, value: &str) -> Vec<String> {
        check(name, value)
            .into_iter()
            .map(|p| {
                format!(
                    "{}{} [{}]{}{}",
                    if p.severity == Severity::Error { "" } else { "warning: " },
                    p.message,
                    &value[p.span],
                    if p.label.is_empty() { "" } else { " " },
                    p.label
                )
            })
            .collect()
    }

    #[test]
    fn what_every_value_must_be() {
        assert_eq!(said("x-a", "one\r\ntwo"), ["has \\u{d} at character 4 [\r] only visible ASCII, spaces and tabs may be sent"]);
        assert_eq!(said("x-a", "caf\u{e9}"), ["has \\u{e9} at character 4 [\u{e9}] only visible ASCII, spaces and tabs may be sent"]);
        assert_eq!(said("x-a", "  "), ["has an empty value [  ] use `false` to leave the header out"]);
        assert_eq!(said("x-a", "anything"), [""; 0]);
    }

    #[test]
    fn dead_headers_work_and_say_so() {
        let warned = said("expect-ct", "max-age=0");
        assert!(warned[0].starts_with("warning: has no effect"), "{warned:?}");
        assert_eq!(said("x-xss-protection", "0"), [""; 0]);
        assert_eq!(said("x-xss-protection", "1; mode=block").len(), 2);
    }

    proptest::proptest! {
        #[test]
        fn no_value_panics(name in proptest::sample::select(vec![
            "strict-transport-security", "x-frame-options", "x-content-type-options", "x-xss-protection", "referrer-policy", "cross-origin-opener-policy",
            "cross-origin-embedder-policy", "document-isolation-policy", "origin-agent-cluster", "integrity-policy", "permissions-policy",
            "reporting-endpoints", "nel", "clear-site-data", "cache-control",
        ]), value in "\\PC{0,40}|[a-z=(); \"'*,0-9{}:/.-]{0,60}") {
            for problem in check(name, &value) {
                proptest::prop_assert!(value.get(problem.span).is_some());
            }
        }
    }
}
