//! What a captured exchange shows. Pure: whoever captured it did the network.
//!
//! So far two exchanges can be compared ([`compare`]): the same page bare and behind a gateway, say.

mod compare;
mod exchange;

pub use compare::{Comparison, CookieRow, HeaderRow, compare};
pub use exchange::Exchange;
