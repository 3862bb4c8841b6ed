//! Content-Security-Policy as a value (CSP Level 3).
//!
//! ```
//! use casque::headers::csp::Csp;
//!
//! let csp = Csp::parse("script-src 'nonce' 'strict-dynamic'; object-src 'none'; base-uri 'none'").unwrap();
//! let per_response = csp.template();
//! assert_eq!(
//!     per_response.render("rAnd0m"),
//!     "script-src 'nonce-rAnd0m' 'strict-dynamic'; object-src 'none'; base-uri 'none'"
//! );
//!
//! let problems = Csp::parse("script-scr 'self' unsafe-inline").unwrap_err();
//! assert_eq!(problems[0].message, "unknown directive `script-scr`");
//! assert_eq!(problems[0].label, "did you mean `script-src`?");
//! ```
//!
//! | what | by |
//! |---|---|
//! | what a user writes: refused is whatever browsers would read otherwise than it looks, at its place, with the remedy | [`Csp::parse`], [`Csp::from_list`] |
//! | what an app sends, read as browsers read it | [`Csp::parse_header`], [`Csp::parse_lenient`] |
//! | a fresh nonce per response, where the policy says `'nonce'` | [`Csp::template`] |
//! | whether the app's policy is at least as strict as ours | [`Csp::is_at_least_as_strict_as`] |
//! | what one response may load besides | [`Additions`], [`Csp::add`] |
//! | what a policy lets through | [`lint`] |
//!
//! **Attacks and answers.** A value with a line break, `;` or `,` would add a header, a directive or a policy: none can be built, by
//! any way that leads to a [`Csp`]. A nonce with such bytes loses them when it is rendered. An app's own word `'nonce'`, which to
//! browsers is none, is never taken for casque's. A yes of the comparison is a proof, held against a model of a browser: a policy
//! that only looks strict, by an `'unsafe-inline'` beside a broken nonce or by a directive nobody knows, is not. An app that repeats
//! what an attacker sent can add hosts to a policy, but neither inline code nor `eval` nor everything. Work grows with the length
//! of what strangers send, never with its square.

mod additions;
mod check;
mod compare;
mod cover;
pub mod lint;
#[cfg(test)]
mod model;
mod names;
mod parse;
mod policy;
mod source;
mod source_check;
mod template;
mod words_check;

pub use crate::problem::{Problem, Severity};
pub use additions::Additions;
pub use parse::ListProblem;
pub use policy::{Csp, Directive, Separator};
pub use source::{Algorithm, Host, Keyword, Source};
pub use template::Template;
