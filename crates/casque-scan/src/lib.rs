//! What a captured site shows. Pure: whoever captured it did the network.
//!
//! Two exchanges can be compared ([`compare`]): the same page bare and behind a gateway, say.

mod capture;
mod compare;
mod exchange;
mod report;

pub use capture::{Capture, Hop, JarCookie, Other, Role};
pub use compare::{Comparison, CookieRow, HeaderRow, compare};
pub use exchange::Exchange;
pub use report::{Finding, Fix, Grade, Profile, Report, Severity};
