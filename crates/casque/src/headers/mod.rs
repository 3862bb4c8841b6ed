//! Security headers: every response leaves with the set its policy asks for, and no app is made weaker.
//!
//! ```
//! use casque::headers::{HeaderPolicy, HeadersLayer, Mode};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = HeadersLayer::balanced();
//! // or with changes of your own:
//! let policy = HeaderPolicy::builder(casque::headers::Preset::Strict)
//!     .set("content-security-policy", "default-src 'self'; img-src 'self' https:", Mode::Fill)?
//!     .without("cross-origin-opener-policy")?
//!     .remove("x-runtime")?
//!     .build();
//! let layer = HeadersLayer::new(policy);
//! # drop(layer); Ok(()) }
//! ```
//!
//! Three things decide what a response gets, all known before the first byte of it is sent:
//!
//! - the **mode** of each header ([`Mode`]): how it meets the app's own;
//! - the **class** of the response ([`Class`]): an image has no use for a Content-Security-Policy;
//! - the **channel** ([`Channel`]): some headers are ignored, harmful or forbidden on plain HTTP (RFC 6797 7.2 for HSTS).
//!
//! Everything else is worked out when the policy is built: per response there is one lookup per header and no formatting.
//!
//! **Attacks and answers.** A header value with a line break would split the response: no value with a control byte or a
//! non-ASCII byte can be built. An attacker who controls a response body but not its headers cannot make the class weaker:
//! only `Content-Type` is looked at, and a missing or unknown one counts as a document. An app that already sends something
//! stricter keeps it: the merge never loosens ([`Mode::Floor`]). `X-Forwarded-Proto` from anyone but a trusted proxy cannot
//! switch HTTPS-only headers on: the scheme is taken from [`crate::Scheme`], never from the request's fields.

mod channel;
mod class;
#[cfg(feature = "config")]
pub mod config;
pub mod csp;
mod future;
mod layer;
mod merge;
mod policy;
mod preset;
mod service;
mod strictness;

pub use channel::Channel;
pub use class::Class;
pub use future::ResponseFuture;
pub use layer::{Find, HeadersLayer};
pub use merge::Mode;
pub use policy::{Block, Builder, Entry, HeaderPolicy, InvalidHeader};
pub use preset::Preset;
pub use service::Headers;
