//! What an app may add to the policy of one response.
//!
//! A page that shows a map needs `connect-src https://tiles.example`, the others do not. The app says so in a header of its
//! response, and casque widens the policy for that response alone.
//!
//! **The header comes from the app, and an app may put into it what an attacker sent it.** So for what can run scripts, frame the page
//! or carry its forms away it can name hosts, each by its full name, and that is all: never open inline code or `eval`, by a nonce or
//! a hash neither, never a whole scheme, everything, or all hosts below a name; never switch reporting or the sandbox. A host that
//! an attacker chose is bad enough: an app must never make additions of what visitors send. What is not understood is refused as a whole.

use super::check::shown;
use super::names::{self, Shape};
use super::policy::{Csp, Directive};
use super::source::{Keyword, Source};
use crate::problem::{Problem, Severity};

/// More than any page needs. Longer ones are refused, so that no response head grows past what proxies take.
const LONGEST: usize = 4096;

/// Directives and sources to add to a policy, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Additions(Csp);

impl Additions {
    /// Reads `directive source source; directive source`. Directives for loads, `form-action` and `frame-ancestors` may be named.
    ///
    /// # Errors
    /// The first thing that is wrong or not allowed.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > LONGEST {
            return Err(refused(LONGEST..text.len(), format!("additions of {} bytes", text.len()), format!("at most {LONGEST} are taken")));
        }
        let csp = Csp::parse(text).map_err(|problems| {
            let first = problems.into_iter().find(|p| p.severity == Severity::Error);
            first.unwrap_or_else(|| refused(0..text.len(), "nothing to add".to_owned(), String::new()))
        })?;
        for directive in csp.directives() {
            if let Some((word, message, label)) = not_allowed(directive) {
                let at = place(text, word);
                return Err(refused(at..at + word.len(), message, label));
            }
        }
        Ok(Self(csp))
    }

    /// What is added, directive by directive.
    #[must_use]
    pub fn directives(&self) -> &[Directive] {
        self.0.directives()
    }
}

fn refused(span: std::ops::Range<usize>, message: String, label: impl Into<String>) -> Problem {
    Problem { severity: Severity::Error, span, message, label: label.into() }
}

/// Where a word of a text that has been parsed stands in it.
fn place(text: &str, word: &str) -> usize {
    let parts = text.split([' ', '\t', ';']).scan(0, |at, part| {
        let start = *at;
        *at += part.len() + 1;
        Some((start, part))
    });
    parts.into_iter().find(|(_, part)| part.eq_ignore_ascii_case(word)).map_or(0, |(start, _)| start)
}

/// The word that may not be added, if there is one.
fn not_allowed(directive: &Directive) -> Option<(&str, String, &'static str)> {
    let name = directive.name();
    let known = names::known(name).filter(|k| k.retired.is_none() && matches!(k.shape, Shape::Sources | Shape::Ancestors));
    if known.is_none() || name == "base-uri" {
        return Some((
            name,
            format!("`{name}` cannot be added to by a response"),
            "only directives for loads, form-action and frame-ancestors can",
        ));
    }
    if directive.values().is_empty() {
        return Some((name, format!("nothing to add to `{name}`"), "write the sources after it"));
    }
    let wide = is_wide_open_to_attack(name);
    directive.values().iter().find_map(|value| {
        let label = match Source::parse(value) {
            Some(Source::None) => "additions only ever allow more",
            Some(Source::ResponseNonce) => "whether there is a nonce is for the policy to say",
            Some(Source::Keyword(Keyword::SelfOrigin | Keyword::ReportSample)) => return None,
            Some(Source::Keyword(_)) => "what opens inline code or evaluation belongs into the policy, not into a response",
            Some(Source::Any | Source::Scheme(_)) if wide => "name the hosts",
            Some(Source::Host(host)) if wide && host.name.starts_with('*') => "name the hosts",
            Some(Source::Nonce(_) | Source::Hash(..)) => "what opens inline code belongs into the policy, not into a response",
            Some(Source::Any | Source::Scheme(_) | Source::Host(_)) => return None,
            None => "this is no source",
        };
        Some((value.as_str(), format!("`{}` cannot be added to `{name}` by a response", shown(value)), label))
    })
}

/// Where a source that matches everything lets an attacker run code in the page, frame it, or carry its forms away.
fn is_wide_open_to_attack(name: &str) -> bool {
    name.starts_with("script-src")
        || matches!(name, "default-src" | "worker-src" | "child-src" | "object-src" | "form-action" | "frame-ancestors")
}

impl Csp {
    /// Makes this policy allow what is added too.
    ///
    /// A directive that is absent is made of the one that rules in its place (CSP Level 3, 6.8.3), so that adding to `connect-src`
    /// under `default-src 'self'` gives `connect-src 'self'` and what is added. Where nothing restricts, nothing is added.
    /// Beside `'strict-dynamic'` browsers pass hosts over, added ones too.
    pub fn add(&mut self, additions: &Additions) {
        for directive in additions.directives() {
            self.add_to(directive);
        }
    }

    fn add_to(&mut self, addition: &Directive) {
        let Some(ruling) = self.effective(&addition.name) else { return };
        let mut values = if ruling.is_none() { Vec::new() } else { ruling.values.clone() };
        for value in &addition.values {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        self.set(Directive { name: addition.name.clone(), values });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(policy: &str, additions: &str) -> String {
        let mut csp = Csp::parse(policy).unwrap();
        csp.add(&Additions::parse(additions).unwrap());
        csp.to_string()
    }

    #[test]
    fn an_absent_directive_takes_over_from_the_one_that_ruled() {
        let x = "connect-src https://x.example";
        assert_eq!(added("default-src 'self'", x), "default-src 'self'; connect-src 'self' https://x.example");
        assert_eq!(added("default-src 'none'", x), "default-src 'none'; connect-src https://x.example");
        assert_eq!(added("connect-src 'none'; default-src *", x), "connect-src https://x.example; default-src *");
        assert_eq!(added("connect-src", x), "connect-src https://x.example");
        assert_eq!(added("img-src 'self'", x), "img-src 'self'");
        assert_eq!(added("default-src https://x.example", x), "default-src https://x.example; connect-src https://x.example");
        assert_eq!(
            added("script-src a.example; default-src b.example", "worker-src x.example"),
            "script-src a.example; default-src b.example; worker-src a.example x.example"
        );
        assert_eq!(
            added("child-src a.example; script-src b.example", "worker-src 'self'"),
            "child-src a.example; script-src b.example; worker-src a.example 'self'"
        );
        assert_eq!(added("script-src 'nonce'", "script-src-elem x.example"), "script-src 'nonce'; script-src-elem 'nonce' x.example");
        assert_eq!(
            added("form-action 'self'; default-src 'none'", "form-action pay.example; frame-ancestors p.example"),
            "form-action 'self' pay.example; default-src 'none'"
        );
    }

    #[test]
    fn what_an_attacker_could_use_is_refused() {
        for bad in [
            "",
            "connect-src",
            "sandbox allow-scripts",
            "report-uri /x",
            "report-to x",
            "base-uri 'self'",
            "upgrade-insecure-requests",
            "trusted-types x",
            "navigate-to x.example",
            "unknown-thing x.example",
            "script-src 'unsafe-inline'",
            "script-src 'unsafe-eval'",
            "script-src-attr 'unsafe-hashes'",
            "script-src 'strict-dynamic'",
            "style-src 'unsafe-inline'",
            "default-src 'unsafe-inline'",
            "script-src *",
            "script-src https:",
            "script-src data:",
            "script-src https://*",
            "script-src *:443",
            "script-src *.com",
            "script-src *.x.example",
            "script-src 'nonce-aaaaaaaaaaaaaaaaaaaaaa'",
            "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
            "worker-src blob:",
            "frame-ancestors *",
            "form-action https:",
            "script-src 'nonce'",
            "img-src 'none'",
            "img-src *, default-src *",
            "img-src *\r\nset-cookie: a=b",
            "img-src a.example; img-src b.example",
            "img-src \u{e9}.example",
        ] {
            assert!(Additions::parse(bad).is_err(), "{bad:?}");
        }
        for good in [
            "img-src * data: blob:",
            "script-src https://x.example 'self' 'report-sample'",
            "img-src *.x.example",
            "style-src https:",
            "frame-ancestors https://p.example",
        ] {
            assert!(Additions::parse(good).is_ok(), "{good}");
        }
        assert!(Additions::parse(&format!("img-src {}", "a.example ".repeat(500))).is_err());
    }

    #[test]
    fn the_place_of_what_is_refused_is_named() {
        let text = "connect-src x.example; script-src x.example 'unsafe-EVAL'";
        let problem = Additions::parse(text).unwrap_err();
        assert_eq!(&text[problem.span.clone()], "'unsafe-EVAL'");
        assert_eq!(problem.message, "`'unsafe-EVAL'` cannot be added to `script-src` by a response");
        let text = "img-src *; SANDBOX allow-forms";
        assert_eq!(&text[Additions::parse(text).unwrap_err().span], "SANDBOX");
    }

    proptest::proptest! {
        /// Widened policies allow what they allowed before, and still read back as themselves.
        #[test]
        fn adding_only_widens(
            policy in "(default-src|script-src|child-src|connect-src|img-src) ('none'|'self'|a[.]example|[*])(; (worker-src|font-src|script-src-elem) ('none'|b[.]example))?",
            addition in "(default-src|script-src|script-src-elem|worker-src|child-src|frame-src|connect-src|img-src|font-src) (x[.]example|'self'|https://y[.]example:8443)",
        ) {
            let before = Csp::parse(&policy).unwrap();
            let mut after = before.clone();
            after.add(&Additions::parse(&addition).unwrap());
            proptest::prop_assert!(before.is_at_least_as_strict_as(&after), "{before} | {after}");
            proptest::prop_assert_eq!(&Csp::parse(&after.to_string()).unwrap(), &after);
        }
    }
}
