//! The results of the test `content-security-policy`.

use super::super::verdict::Verdict;
use crate::report::Severity::{Low, Medium};

pub(super) const NONE_BY_DEFAULT: Verdict =
    Verdict::good("csp-implemented-with-no-unsafe-default-src-none", 10, "The policy allows nothing by default and no unsafe scripts");

pub(super) const NO_UNSAFE: Verdict = Verdict::good("csp-implemented-with-no-unsafe", 5, "The policy allows no unsafe scripts or styles");

pub(super) const REPEATED: Verdict =
    Verdict::neutral("csp-implemented-but-duplicate-directives", "The policy is good, but names its place for reports twice");

pub(super) const STYLE: Verdict = Verdict::neutral(
    "csp-implemented-with-unsafe-inline-in-style-src-only",
    "The policy guards scripts, but styles may be inline or come from anywhere",
);

pub(super) const PASSIVE: Verdict = Verdict::bad(
    "csp-implemented-with-insecure-scheme-in-passive-content-only",
    -10,
    Low,
    "The policy lets images or media come over plain http",
    "Whoever sits on the visitor's network can replace what comes over plain http and see what is loaded.",
)
.passing();

pub(super) const EVAL: Verdict = Verdict::bad(
    "csp-implemented-with-unsafe-eval",
    -10,
    Medium,
    "The policy lets scripts turn text into code ('unsafe-eval')",
    "Text that an attacker gets into the page's data can be run as code by a script of the page's own.",
);

pub(super) const INLINE: Verdict = Verdict::bad(
    "csp-implemented-with-unsafe-inline",
    -20,
    Medium,
    "The policy lets scripts be inline or come from anywhere",
    "Whoever manages to put markup into the page runs scripts in it: the policy stops nothing.",
);

pub(super) const ACTIVE: Verdict = Verdict::bad(
    "csp-implemented-with-insecure-scheme",
    -20,
    Medium,
    "The policy names sources over plain http",
    "Whoever sits on the visitor's network can replace what comes over plain http with code of their own.",
);

pub(super) const INVALID: Verdict = Verdict::bad(
    "csp-header-invalid",
    -25,
    Medium,
    "The policy is not well-formed",
    "A policy that cannot be read does not do what it was written for; injected scripts may run.",
);

pub(super) const MISSING: Verdict = Verdict::bad(
    "csp-not-implemented",
    -25,
    Medium,
    "There is no Content-Security-Policy",
    "Whoever manages to put markup into the page runs scripts in it, and reads and does what the visitor can.",
);

pub(super) const ONLY_REPORTED: Verdict = Verdict::bad(
    "csp-not-implemented-but-reporting-enabled",
    -25,
    Medium,
    "The Content-Security-Policy is only reported on, not enforced",
    "Reports tell of an attack; they do not stop it.",
);
