//! What a captured site shows. Pure: whoever captured it did the network.
//!
//! Two exchanges can be compared ([`compare`]): the same page bare and behind a gateway, say. A whole [`Capture`] can be graded by the
//! rules of the MDN HTTP Observatory ([`mdn`]) or by casque's own ([`strict`]). Recordings ([`har`]) and single responses ([`raw`]) are
//! captures too; reports are rendered for people and machines ([`render`]) and compared with earlier ones ([`Baseline`]).

mod address;
mod baseline;
mod capture;
mod compare;
mod domain;
mod exchange;
mod grade;
pub mod har;
mod html;
mod jar;
pub mod mdn;
mod page;
pub mod raw;
pub mod render;
mod report;
mod scan_error;
pub mod strict;

pub use address::{Address, is_private_host};
pub use baseline::{Baseline, BaselineError, Delta, Known, SCHEMA};
pub use capture::{Capture, Hop, JarCookie, Other, Role, Source};
pub use compare::{Comparison, CookieRow, HeaderRow, compare};
pub use exchange::Exchange;
pub use grade::GradeError;
pub use report::{Finding, Fix, Grade, Profile, Report, Severity};
pub use scan_error::ScanError;
