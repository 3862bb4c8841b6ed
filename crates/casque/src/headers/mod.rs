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
//! # Nonces
//! Where a Content-Security-Policy says `'nonce'`, every response gets a nonce of its own, and the app finds it on the request. It
//! is for the app to print: a layer that stamped it into pages would stamp it onto an attacker's script too.
#![cfg_attr(
    feature = "axum",
    doc = r#"
```
use axum::{Router, response::Html, routing::get};
use casque::headers::{HeaderPolicy, HeadersLayer, Mode, Nonce, Preset};

# fn main() -> Result<(), Box<dyn std::error::Error>> {
async fn page(nonce: Nonce) -> Html<String> {
    Html(format!("<!doctype html><script nonce=\"{nonce}\">start()</script>"))
}

let policy = HeaderPolicy::builder(Preset::Balanced)
    .set("content-security-policy", "script-src 'nonce' 'strict-dynamic'; object-src 'none'; base-uri 'none'", Mode::Fill)?
    .build();
let app: Router = Router::new().route("/", get(page)).layer(HeadersLayer::new(policy));
# drop(app); Ok(()) }
```
"#
)]
//! Pages with a nonce are never to be stored (`Cache-Control: private, no-store`), and are asked for without conditions.
//!
//! # Profiles
//! Other headers for some responses: by path, method, host, class and status ([`When`]), or because the handler says so.
//!
//! ```
//! use axum::{Router, response::IntoResponse, routing::get};
//! use casque::headers::csp::Additions;
//! use casque::headers::{AddToCsp, HeaderPolicy, HeadersLayer, Mode, Preset, UseProfile, When};
//! use casque::path::Pattern;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let framed = HeaderPolicy::builder(Preset::Balanced)
//!     .set("content-security-policy", "frame-ancestors https://partner.example", Mode::Fill)?
//!     .without("x-frame-options")?;
//! let policy = HeaderPolicy::builder(Preset::Balanced)
//!     .profile("embed", When::named().paths([Pattern::parse("/embed/*")?]), &framed)?
//!     .profile("vault", When::named(), &HeaderPolicy::builder(Preset::Strict))?
//!     .build();
//!
//! // The handler knows best: this response gets the profile `vault`, whatever its path.
//! async fn secrets() -> impl IntoResponse {
//!     (axum::Extension(UseProfile("vault".into())), "...")
//! }
//! // And this page needs a host besides the policy's.
//! async fn map() -> impl IntoResponse {
//!     let tiles = Additions::parse("img-src https://tiles.example").expect("fixed and well formed");
//!     (axum::Extension(AddToCsp(tiles)), "...")
//! }
//! let app: Router = Router::new().route("/secrets", get(secrets)).route("/map", get(map)).layer(HeadersLayer::new(policy));
//! # drop(app); Ok(()) }
//! ```
//!
//! # Besides
//! [`csp`] is the Content-Security-Policy as a value, with a linter; [`fetch_metadata`] refuses what other sites make browsers ask
//! for; `reports` (feature `reports`) takes violation reports; `helmet` (feature `config`) reads helmet's options; [`value`] looks at
//! the values of all other headers.
//!
//! **Attacks and answers.** A header value with a line break would split the response: no value with a control byte or a
//! non-ASCII byte can be built. An attacker who controls a response body but not its headers cannot make the class weaker:
//! only `Content-Type` is looked at, and a missing or unknown one counts as a document. An app that already sends something
//! stricter keeps it: the merge never loosens ([`Mode::Floor`]). `X-Forwarded-Proto` from anyone but a trusted proxy cannot
//! switch HTTPS-only headers on: the scheme is taken from [`crate::Scheme`], never from the request's fields. A link that spells
//! its path in an odd way chooses no weaker profile ([`When::paths`]). A visitor whose words an app repeats in
//! `casque-csp-add` gains no script: what can run scripts for everybody cannot be added ([`csp::Additions`]).

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
pub use catalog::TALKATIVE;
pub use changes::{Change, HeaderChanges, What};
pub use channel::Channel;
pub use choice::{AddToCsp, CSP_ADD, PROFILE, UseProfile};
pub use class::Class;
pub use future::ResponseFuture;
pub use layer::{Find, HeadersLayer};
pub use merge::Mode;
pub use nonce::Nonce;
pub use origin::Origin;
pub use policy::{Explained, Explanation, HeaderPolicy, Selection};
pub use preset::Preset;
pub use profile::{Asked, When};
pub use service::{CSP_NONCE, Headers};
