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

mod block;
mod builder;
mod caching;
mod catalog;
mod changes;
mod channel;
mod choice;
mod class;
#[cfg(feature = "config")]
pub mod config;
pub mod csp;
pub mod fetch_metadata;
mod future;
mod head;
#[cfg(feature = "config")]
pub mod helmet;
mod layer;
mod merge;
mod names;
mod navigation;
mod nonce;
mod origin;
mod policy;
mod preset;
mod profile;
mod reporting;
#[cfg(feature = "reports")]
pub mod reports;
mod service;
mod strictness;
pub mod value;

pub use block::{Block, Entry, LeftOut};
pub use builder::{Builder, InvalidHeader};
pub use caching::CacheGuard;
pub use changes::{Change, HeaderChanges, What};
pub use channel::Channel;
pub use choice::{AddToCsp, CSP_ADD, PROFILE, UseProfile};
pub use class::Class;
pub use future::ResponseFuture;
pub use layer::{Find, HeadersLayer};
pub use merge::Mode;
pub use nonce::Nonce;
pub use origin::Origin;
pub use policy::{Explained, HeaderPolicy, Selection};
pub use preset::Preset;
pub use profile::{Asked, When};
pub use service::{CSP_NONCE, Headers};
