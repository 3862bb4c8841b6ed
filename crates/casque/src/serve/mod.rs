//! An HTTP/1.1 server that no slow client can hold and no ambiguous request gets through.
//!
//! `axum::serve` sets no timeout at all: one client that sends a byte a second, or nothing, keeps a connection for as long as it
//! likes. [`serve`] is the same line with the defences in place:
//!
//! ```no_run
//! # async fn run(app: axum::Router) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! casque::serve(listener, app)
//!     .shutdown_on(async { let _ = tokio::signal::ctrl_c().await; })
//!     .await
//! # }
//! ```
//!
//! | who | is stopped by | default |
//! |---|---|---|
//! | slowloris: a head that never ends | [`Settings::header_timeout`], from its first byte to its last | 10 s |
//! | a connection that sends nothing | [`Settings::idle_timeout`]; a tenth of it when connections run short | 50 s |
//! | a body that trickles | [`Settings::min_body_rate`], over ten seconds in which we waited for the client | 500 B/s |
//! | a body that stops | [`Settings::body_idle_timeout`] | 15 s |
//! | a client that does not read | [`Settings::write_timeout`] without a byte taken | 30 s |
//! | ten thousand connections | [`Settings::max_connections`], [`Settings::max_connections_per_client`] | 16,384 and 512 |
//! | a head that is too large | [`Settings::max_head_bytes`], [`Settings::max_headers`], [`Settings::max_target_bytes`] | 32 KiB, 100, 8 KiB |
//! | request smuggling | every byte is checked before the HTTP library sees it | always |
//!
//! Only time in which we wait for the client counts against it: an app that reads slowly makes nobody slow. A half-closed
//! client (it has sent all and still reads) gets its answer; one that has gone away is noticed at the first byte written to it,
//! or after [`Settings::half_close_timeout`], and the handler is dropped.
//!
//! Every request carries [`crate::client_ip::ClientIp`], and [`crate::Scheme`] when a trusted proxy reported it.

mod accept;
mod body;
mod caps;
mod connection;
mod framing;
mod guard;
mod pace;
mod server;
mod settings;
mod state;

pub use accept::accept;
pub use body::{Body, BodyError, ResponseBody};
pub use caps::{Caps, Permit, TooMany};
pub use connection::{Drain, Stopper, connection, stopper};
pub use framing::Refusal;
pub use server::{Serve, serve};
pub use settings::Settings;
pub use state::Connection;
