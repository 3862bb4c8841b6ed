//! casque hardens web apps: security headers, rate limits and cookies as Tower layers, and a server that no slow client can hold.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use casque::{CookieLayer, HeadersLayer, LimitLayer, Quota};
//!
//! # async fn run() -> std::io::Result<()> {
//! let app: Router = Router::new()
//!     .route("/", get(|| async { "hello" }))
//!     .layer((
//!         HeadersLayer::balanced(),                  // outermost: a 429 carries the headers too
//!         LimitLayer::new(Quota::per_second(100)),
//!         CookieLayer::new(),
//!     ));
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! casque::serve(listener, app).await      // header timeout, body rate, connection caps, strict framing
//! # }
//! ```
//!
//! Each part is the same house: the decision is a plain function over plain data, with the time passed in; the layer around it
//! only carries. The same parts run inside the gateway `casque guard`.
//!
//! | part | decides | layer |
//! |---|---|---|
//! | [`headers`] | which headers a response gets, and how they meet the app's own | [`HeadersLayer`] |
//! | [`limit`] | whether a client may ask now | [`LimitLayer`] |
//! | [`cookie`] | what a `Set-Cookie` line must carry | [`CookieLayer`] |
//! | [`client_ip`] | who the client is | [`client_ip::ClientIpLayer`] |
#![cfg_attr(feature = "serve", doc = "| [`mod@serve`] | whether bytes are a well-formed request, and come fast enough | [`serve()`] |")]
//!
//! Features: `serve` (default) the server; `axum` the extractors `ClientIp` and `Nonce`; `config` readers for the sections of casque.toml
//! and for helmet's options; `reports` violation reports; `compat` rate-limiter-flexible's classes.

#![warn(missing_docs)]

pub mod client_ip;
pub mod clock;
#[cfg(feature = "config")]
pub mod config;
pub mod cookie;
pub mod headers;
pub mod host;
pub mod limit;
#[cfg(feature = "login")]
pub mod login;
#[cfg_attr(not(feature = "config"), expect(unreachable_pub, reason = "public as config::nearest"))]
mod nearest;
pub mod path;
mod problem;
pub mod reply;
mod request_id;
mod scheme;
#[cfg(feature = "serve")]
pub mod serve;

pub use cookie::CookieLayer;
pub use headers::HeadersLayer;
pub use limit::{LimitLayer, Quota};
pub use request_id::RequestId;
pub use scheme::Scheme;
#[cfg(feature = "serve")]
pub use serve::serve;
