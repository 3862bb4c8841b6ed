//! A name to a connection.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use casque_scan::{Address, is_private_host};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::error::FetchError;

/// How long connecting may take, over all addresses of a name.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// When the next address is tried beside one that has not answered (RFC 8305 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// How many addresses of a name are tried.
const MAX_ADDRESSES: usize = 6;

/// Which addresses a name may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The user named it.
    Anything,
    /// A public site named it in a redirect: its name must not lead into this machine or network.
    Outside,
}

/// Resolves and connects.
pub(super) async fn connect(address: &Address, reach: Reach, deadline: Instant) -> Result<TcpStream, FetchError> {
    let until = deadline.min(Instant::now() + CONNECT_LIMIT);
    let late = || FetchError::ConnectTimeout { address: address.origin(), limit: CONNECT_LIMIT };
    let found = timeout_at(until, resolve(address, reach)).await.map_err(|_| late())??;
    let mut trying = JoinSet::new();
    for (n, at) in found.into_iter().enumerate() {
        // This machine answers at once or never.
        let wait = if at.ip().is_loopback() { Duration::ZERO } else { HEAD_START * u32::try_from(n).unwrap_or_default() };
        trying.spawn(async move {
            tokio::time::sleep(wait).await;
            TcpStream::connect(at).await
        });
    }
    let mut failed = None;
    loop {
        match timeout_at(until, trying.join_next()).await {
            Err(_) => return Err(late()),
            Ok(None) => return Err(failed.unwrap_or_else(late)),
            Ok(Some(Ok(Ok(stream)))) => {
                // Requests are small and waited for.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Some(Ok(Err(error)))) => failed = Some(in_words(address, &error)),
            Ok(Some(Err(_))) => {}
        }
    }
}

async fn resolve(address: &Address, reach: Reach) -> Result<Vec<SocketAddr>, FetchError> {
    let port = address.port();
    // Every name under `localhost` is this machine (RFC 6761 6.3), whether the resolver knows it or not.
    if address.host == "localhost" || address.host.ends_with(".localhost") {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]);
    }
    let failed = |why: String| FetchError::Resolve { host: address.host.clone(), why };
    let found = tokio::net::lookup_host((address.host.as_str(), port)).await.map_err(|e| failed(e.to_string()))?;
    let allowed = |at: &SocketAddr| reach == Reach::Anything || !is_private_host(&at.ip().to_string());
    let (six, four): (Vec<_>, Vec<_>) = found.filter(allowed).partition(SocketAddr::is_ipv6);
    // The families take turns, so that one that leads nowhere does not use up the time.
    let mut order = Vec::new();
    for n in 0..six.len().max(four.len()) {
        order.extend(six.get(n));
        order.extend(four.get(n));
    }
    order.truncate(MAX_ADDRESSES);
    if order.is_empty() { Err(failed("the name has no address that may be asked".to_owned())) } else { Ok(order) }
}

fn in_words(address: &Address, error: &std::io::Error) -> FetchError {
    match error.kind() {
        ErrorKind::ConnectionRefused => FetchError::Refused { address: address.origin() },
        _ => FetchError::Unreachable { address: address.origin(), why: error.to_string() },
    }
}
