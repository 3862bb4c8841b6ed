//! What a policy lets through, and what of it browsers do not read as it was meant.
//!
//! [`lint`] and [`reporting`] find what csp-evaluator finds, under the same names, as browsers of a CSP level see the policy.
//! [`gaps`] finds what it does not look for: where stolen data can go, who may frame the page, where its forms may send, hosts on
//! which anyone can have a file, newer words, the length of the header.
//!
//! ```
//! use casque::headers::csp::{Csp, lint};
//!
//! let csp = Csp::parse_lenient("script-src 'self' https://*.google.com; object-src 'none'");
//! let findings = lint::lint(&csp, lint::Version::Csp3);
//! let worst = findings.iter().min_by_key(|f| f.severity).unwrap();
//! assert_eq!((worst.kind.name(), worst.value.as_deref()), ("SCRIPT_ALLOWLIST_BYPASS", Some("https://*.google.com")));
//! ```
//!
//! **Attacks and answers.** A policy that is linted may be a stranger's. Texts repeat only what a [`Csp`] can hold, which is
//! visible ASCII; the work is in proportion to the policy's length; each finding is made once, however often its cause is there.

mod bypass;
mod effective;
mod entries;
mod finding;
mod gaps;
mod hosts;
mod scripts;
mod strict;
mod syntax;

pub use finding::{Finding, FindingKind, Severity};

use super::policy::Csp;
use finding::Report;

/// The level of Content-Security-Policy that a browser knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// Hosts and `'unsafe-inline'` only.
    Csp1,
    /// Nonces and hashes too.
    Csp2,
    /// `'strict-dynamic'` too, and directives for elements, attributes, workers. What browsers are today, and the default.
    #[default]
    Csp3,
}

/// What csp-evaluator finds: the policy as written against a policy of nonces or hashes, and as such a browser sees it
/// against what is known to be weak.
#[must_use]
pub fn lint(csp: &Csp, version: Version) -> Vec<Finding> {
    let mut report = Report::default();
    let written = csp.normalized();
    let seen = effective::at(&written, version, &mut report);
    strict::check(&written, &mut report);
    scripts::check(&seen, &mut report);
    bypass::check(&seen, &mut report);
    syntax::check(&seen, &mut report);
    report.finish()
}

/// Whether violations are reported, and so that every browser can.
#[must_use]
pub fn reporting(csp: &Csp) -> Vec<Finding> {
    let mut report = Report::default();
    strict::reporting(csp, &mut report);
    report.finish()
}

/// What csp-evaluator does not look for, in browsers of today.
#[must_use]
pub fn gaps(csp: &Csp) -> Vec<Finding> {
    let mut report = Report::default();
    gaps::check(&csp.normalized(), &mut report);
    report.finish()
}
