//! What a captured site shows. Pure: whoever captured it did the network.
//!
//! Two exchanges can be compared ([`compare`]): the same page bare and behind a gateway, say.

mod address;
mod baseline;
mod capture;
mod compare;
mod exchange;
pub mod har;
mod page;
pub mod raw;
pub mod render;
mod report;
pub mod strict;

pub use address::{Address, is_private_host};
pub use baseline::{Baseline, BaselineError, Delta, Known, SCHEMA};
pub use capture::{Capture, Hop, JarCookie, Other, Role, Source};
pub use compare::{Comparison, CookieRow, HeaderRow, compare};
pub use exchange::Exchange;
pub use report::{Finding, Fix, Grade, Profile, Report, Severity};
