//! Cookie hardening: every `Set-Cookie` that leaves carries the flags its author forgot.
//!
//! ```
//! use casque::cookie::{CookieLayer, CookiePolicy};
//!
//! let layer = CookieLayer::new();
//! let layer = CookieLayer::with(CookiePolicy::default().script_readable(["theme", "cart-count"]));
//! # drop(layer);
//! ```
//!
//! Each line is judged alone and changed as little as possible: what is right stays byte for byte, in its order and case; what
//! is missing is appended; only what is wrong is taken out ([`harden`]).
//!
//! **Attacks and answers.** *A script injected into a page reads the session*: HttpOnly on everything that is not known to be
//! for scripts. *Another site makes the browser act*: SameSite. *Someone on the same Wi-Fi*: Secure, whenever the outside is
//! HTTPS. *A sibling subdomain*: Domain is dropped, so the cookie belongs to one host. *Header injection through a cookie*:
//! lines with control bytes are dropped, never repaired. Nothing here reads or changes a cookie's value.

#[cfg(feature = "config")]
pub mod config;
mod future;
mod harden;
mod layer;
mod policy;
mod service;

pub use future::ResponseFuture;
pub use harden::{Change, Changes, Flags, Hardened, harden};
pub use layer::{CookieLayer, Find};
pub use policy::{CookiePolicy, DomainRule, Mode, SameSite};
pub use service::{CookieChanges, Cookies};
