//! The network as casque uses it by itself: a name to a connection, TLS with this machine's trust, HTTP/1.1 with bounds. Who asks, for
//! what, how often and within which limits is decided by the commands.

mod connect;
mod error;
mod http;
mod proxy;
mod tls;

pub(crate) use connect::{Guard, connect};
pub(crate) use error::FetchError;
pub(crate) use http::{Connection, USER_AGENT, encoded, in_words, open};
pub(crate) use proxy::Proxy;
pub(crate) use tls::Trust;
