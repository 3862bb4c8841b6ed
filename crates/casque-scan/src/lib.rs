//! What a captured site shows. Pure: whoever captured it did the network.
//!
//! Two exchanges can be compared ([`compare`]): the same page bare and behind a gateway, say. A whole [`Capture`] can be graded by the
//! rules of the MDN HTTP Observatory ([`mdn`]).

mod capture;
mod compare;
mod domain;
mod exchange;
mod grade;
mod html;
mod jar;
pub mod mdn;
mod report;

pub use capture::{Capture, Hop, JarCookie, Other, Role};
pub use compare::{Comparison, CookieRow, HeaderRow, compare};
pub use exchange::Exchange;
pub use grade::GradeError;
pub use report::{Finding, Fix, Grade, Profile, Report, Severity};
