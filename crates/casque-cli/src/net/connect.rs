//! A name to a connection.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use casque_scan::{Address, is_private_host};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::FetchError;

/// How long connecting may take, over all addresses of a name.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// When the next address is tried beside one that has not answered (RFC 8305 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// How many addresses of a name are tried.
const MAX_ADDRESSES: usize = 6;

/// Which addresses may be connected to. Whoever names what is on this machine or network means it; a public name leads nowhere
/// inside, by no redirect and no other name. Its own included, which may resolve to another address with every lookup (DNS
/// rebinding): outside if its first lookup led outside, and inside, as a company's own names do, only if that led inside.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    host: String,
    /// Whether the name that was named is a public one.
    public: bool,
    /// Where its first lookup led.
    inside: Option<bool>,
}

impl Guard {
    /// For requests that begin with this host.
    pub(crate) fn new(host: &str) -> Self {
        Self { host: host.to_owned(), public: !is_private_host(host), inside: None }
    }

    /// Whether a redirect may be followed to this host, as far as its name tells.
    pub(crate) fn lets_follow(&self, host: &str) -> bool {
        !self.public || !is_private_host(host)
    }

    /// Those of a host's addresses that may be asked. One address outside makes the named host an outside one.
    fn admit(&mut self, host: &str, mut found: Vec<SocketAddr>) -> Vec<SocketAddr> {
        if !self.public || found.is_empty() {
            return found;
        }
        let is_inside = |at: &SocketAddr| is_private_host(&at.ip().to_string());
        let inside = host == self.host && *self.inside.get_or_insert(found.iter().all(is_inside));
        found.retain(|at| is_inside(at) == inside);
        found
    }
}

/// Resolves and connects.
pub(crate) async fn connect(address: &Address, guard: &mut Guard, deadline: Instant) -> Result<TcpStream, FetchError> {
    let until = deadline.min(Instant::now() + CONNECT_LIMIT);
    let late = || FetchError::ConnectTimeout { address: address.origin(), limit: CONNECT_LIMIT };
    let found = timeout_at(until, resolve(address)).await.map_err(|_| late())??;
    if found.is_empty() {
        return Err(FetchError::Resolve { host: address.host.clone(), why: "the name has no address".to_owned() });
    }
    let allowed = in_turns(guard.admit(&address.host, found));
    if allowed.is_empty() {
        return Err(FetchError::LeadsInside { host: address.host.clone() });
    }
    let mut trying = JoinSet::new();
    for (n, at) in allowed.into_iter().enumerate() {
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

async fn resolve(address: &Address) -> Result<Vec<SocketAddr>, FetchError> {
    let port = address.port();
    // Every name under `localhost` is this machine (RFC 6761 6.3), whether the resolver knows it or not.
    if address.host == "localhost" || address.host.ends_with(".localhost") {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]);
    }
    let found = tokio::net::lookup_host((address.host.as_str(), port)).await;
    let failed = |e: std::io::Error| FetchError::Resolve { host: address.host.clone(), why: e.to_string() };
    found.map(Iterator::collect).map_err(failed)
}

/// The families take turns, so that one that leads nowhere does not use up the time.
fn in_turns(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (six, four): (Vec<_>, Vec<_>) = found.into_iter().partition(SocketAddr::is_ipv6);
    let mut order = Vec::new();
    for n in 0..six.len().max(four.len()) {
        order.extend(six.get(n));
        order.extend(four.get(n));
    }
    order.truncate(MAX_ADDRESSES);
    order
}

fn in_words(address: &Address, error: &std::io::Error) -> FetchError {
    match error.kind() {
        ErrorKind::ConnectionRefused => FetchError::Refused { address: address.origin() },
        _ => FetchError::Unreachable { address: address.origin(), why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTSIDE: &str = "93.184.216.34:80";
    const INSIDE: &str = "127.0.0.1:6379";

    fn admitted(guard: &mut Guard, host: &str, found: &[&str]) -> Vec<String> {
        let found = found.iter().map(|at| at.parse().unwrap()).collect();
        guard.admit(host, found).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_public_site_leads_nowhere_inside_whatever_its_name_says_later() {
        for first in [&[OUTSIDE][..], &[INSIDE, OUTSIDE]] {
            let mut guard = Guard::new("shop.example");
            assert_eq!(admitted(&mut guard, "shop.example", first), [OUTSIDE]);
            for inside in [INSIDE, "10.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "169.254.169.254:80"] {
                for host in ["shop.example", "www.shop.example"] {
                    assert_eq!(admitted(&mut guard, host, &[inside]), [""; 0], "{host} {inside}");
                }
            }
            assert_eq!(admitted(&mut guard, "shop.example", &[INSIDE, OUTSIDE]), [OUTSIDE]);
            assert!(!guard.lets_follow("localhost") && !guard.lets_follow("10.0.0.1") && guard.lets_follow("www.shop.example"));
        }
    }

    #[test]
    fn a_public_name_that_is_inside_stays_there_and_opens_nothing_else() {
        let mut guard = Guard::new("app.shop.example");
        assert_eq!(admitted(&mut guard, "app.shop.example", &["10.0.0.1:443"]), ["10.0.0.1:443"]);
        assert_eq!(admitted(&mut guard, "app.shop.example", &["10.0.0.1:80", OUTSIDE]), ["10.0.0.1:80"]);
        // Else a first answer that lies would open the inside to what a later one serves.
        assert_eq!(admitted(&mut guard, "app.shop.example", &[OUTSIDE]), [""; 0]);
        assert_eq!(admitted(&mut guard, "evil.example", &[INSIDE, OUTSIDE]), [OUTSIDE]);
        assert!(!guard.lets_follow("169.254.169.254"));
    }

    #[test]
    fn what_is_inside_by_its_name_may_lead_anywhere() {
        for host in ["localhost", "10.0.0.1", "nas.local"] {
            let mut guard = Guard::new(host);
            for at in [INSIDE, OUTSIDE] {
                assert_eq!(admitted(&mut guard, host, &[at]), [at], "{host}");
                assert_eq!(admitted(&mut guard, "elsewhere.example", &[at]), [at], "{host}");
            }
            assert!(guard.lets_follow("127.0.0.1"));
        }
    }

    #[test]
    fn families_take_turns() {
        let found = ["1.1.1.1:1", "2.2.2.2:1", "[2606::1]:1"].map(|at| at.parse().unwrap());
        assert_eq!(in_turns(found.to_vec()).iter().map(ToString::to_string).collect::<Vec<_>>(), ["[2606::1]:1", "1.1.1.1:1", "2.2.2.2:1"]);
    }
}
