//! Fetch Metadata: requests that another website started do not reach the app, unless they are links to it.
//!
//! ```
//! use casque::headers::fetch_metadata::{FetchMetadataLayer, IsolationPolicy, Mode};
//! # use tower::{Layer, Service, ServiceExt};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let app = tower::service_fn(async |_: http::Request<()>| Ok::<_, std::convert::Infallible>(http::Response::new(bytes::Bytes::new())));
//! // Others embed /fonts, and the bank posts the customer back to /pay/return.
//! let policy = IsolationPolicy::new(Mode::Enforce).allow(["/fonts", "/pay/return"])?;
//! let app = FetchMetadataLayer::new(policy).layer(app);
//!
//! let forged = http::Request::post("/transfer").header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate").body(())?;
//! assert_eq!(app.oneshot(forged).await?.status(), 403);
//! # Ok(()) }
//! ```
//!
//! Browsers say of every request who started it and what for (W3C Fetch Metadata Request Headers): `Sec-Fetch-Site`, `-Mode`,
//! `-Dest`. No script can set or leave out these fields. The decision is in [`decide`]; it is the resource isolation policy that
//! web.dev describes, with preflights and WebSockets named.
//!
//! **Attacks and answers.** *Cross-site request forgery, script inclusion, timing and size leaks, WebSocket hijacking*: all need the
//! victim's browser to send the request, and the browser says so. *Leaving the fields out*: only what is no browser can, and that
//! has no victim's cookies; such requests (webhooks, old browsers, plain HTTP, where browsers send none) pass, which is why this
//! stands beside SameSite cookies and CSRF tokens and not in their place. *Exempting more than was meant by spelling*: a path with
//! an encoded or dotted way out of itself is never exempt ([`IsolationPolicy::exempts`]). *A cache in front that mixes answers
//! up*: refusals are `no-store`, what passed carries `Vary`.
//!
//! Start in [`Mode::Report`]: the fields of [`CrossSite`] in the log show which paths other sites use by right.

#[cfg(feature = "config")]
pub mod config;
mod decide;
mod future;
mod layer;
mod policy;
mod service;

pub use decide::{Allowed, Metadata, Refused, Verdict, decide};
pub use future::ResponseFuture;
pub use layer::{FetchMetadataLayer, Find, Respond};
pub use policy::{InvalidPath, IsolationPolicy, Mode};
pub use service::{CrossSite, FetchMetadata};
