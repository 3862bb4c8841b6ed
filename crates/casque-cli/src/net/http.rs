//! HTTP/1.1 on a connection, with bounds on what the other end may send ahead of a body.

use std::io::ErrorKind;

use bytes::Bytes;
use casque_scan::Address;
use casque_scan::raw::MAX_HEAD;
use http_body_util::Empty;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

use super::FetchError;

/// How casque names itself.
pub(crate) const USER_AGENT: &str = concat!("casque/", env!("CARGO_PKG_VERSION"));
/// How many header fields an answer may have.
const MAX_FIELDS: usize = 200;

/// A connection that can be asked, one request after another. It closes when this goes.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Empty<Bytes>>,
    /// Whether it is encrypted for a host whose certificate is valid.
    pub(crate) verified: bool,
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Speaks HTTP/1.1 on a connection.
pub(crate) async fn open<S>(stream: S, verified: bool, address: &Address) -> Result<Connection, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = Builder::new().max_buf_size(MAX_HEAD).max_headers(MAX_FIELDS).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|e| in_words(address, &e))?;
    let task = tokio::spawn(async move {
        // What goes wrong here is told to whoever waits for an answer.
        let _ = connection.await;
    });
    Ok(Connection { sender, verified, task: task.abort_handle() })
}

/// What went wrong while asking.
pub(crate) fn in_words(address: &Address, error: &hyper::Error) -> FetchError {
    if error.is_parse_too_large() {
        return FetchError::not_http(
            address,
            &format!("the head is larger than {} KiB or has more than {MAX_FIELDS} fields", MAX_HEAD / 1024),
        );
    }
    if error.is_parse() {
        return FetchError::not_understood(address, "what it sends is not HTTP/1.1");
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return FetchError::not_understood(address, "it closed the connection without an answer");
    }
    let io = std::error::Error::source(error).and_then(|e| e.downcast_ref::<std::io::Error>());
    if io.is_some_and(|e| matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)) {
        return FetchError::not_understood(address, "it broke the connection off without an answer");
    }
    let cause = std::error::Error::source(error).map(|e| format!(": {e}")).unwrap_or_default();
    FetchError::not_http(address, &format!("{error}{cause}"))
}

/// A path as it may stand in a request line; a redirect can name any text.
pub(crate) fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        if b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_path_becomes_a_request_target() {
        assert_eq!(encoded("/a b\r\nX: 1/ü?q=\"<%20"), "/a%20b%0D%0AX:%201/%C3%BC?q=%22%3C%20");
        assert!(Request::builder().uri(encoded("/\u{7f}{}|^`\\")).body(()).is_ok());
    }
}
