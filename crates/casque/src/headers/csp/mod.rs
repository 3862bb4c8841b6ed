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
//! What a user writes goes through [`Csp::parse`], which refuses whatever browsers would read otherwise than it looks, and says why
//! at its place. What an app sends goes through [`Csp::parse_lenient`], which reads it as browsers do.
//!
//! **Attacks and answers.** A value with a line break, `;` or `,` would add a header, a directive or a policy: none can be built, by
//! any way that leads to a [`Csp`]. A nonce with such bytes loses them when it is rendered.

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
