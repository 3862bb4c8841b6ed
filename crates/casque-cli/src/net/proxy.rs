//! Through a company's proxy to an https host: the tunnel of HTTP's CONNECT (RFC 9110 9.3.6). What goes through it is encrypted from
//! end to end, so the proxy sees a host's name and no more. Plain http is asked directly: here it is for this machine.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use casque_scan::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::{FetchError, Guard, USER_AGENT, connect};

/// How long the proxy may take for its answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest head of its answer, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// A proxy, and which hosts are asked without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    address: Address,
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
    except: Vec<String>,
}

impl Proxy {
    /// Reads the values of `https_proxy`, such as `http://user:password@proxy.example:3128`, and `no_proxy`.
    ///
    /// # Errors
    /// It is no address of a proxy that can be used; the password is not in the message.
    pub(crate) fn parse(text: &str, no_proxy: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(format!("the variable https_proxy names a proxy of the kind `{scheme}`: one that is asked over http:// is needed"));
        }
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        let unusable = || "the variable https_proxy is no address: expected http://proxy.example:3128".to_owned();
        let address = Address::parse(&format!("http://{rest}")).ok_or_else(unusable)?;
        let except = no_proxy.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty());
        let authorization = user.map(|user| format!("Basic {}", BASE64_STANDARD.encode(decoded(user))));
        Ok(Self { address, authorization, except: except.collect() })
    }

    /// Whether a host is asked through it: not this machine, and none that `no_proxy` has. An entry there stands for a host and those
    /// below it, with or without a dot in front, and with a port for that one alone; `*` stands for all.
    pub(crate) fn is_for(&self, address: &Address) -> bool {
        let host = address.host.as_str();
        let here = host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let excepted = self.except.iter().any(|entry| {
            let (name, port) = match entry.rsplit_once(':') {
                Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse::<u16>().ok()),
                _ => (entry.as_str(), None),
            };
            let name = name.trim_start_matches('.').trim_start_matches('[').trim_end_matches(']');
            let below = host.strip_suffix(name).is_some_and(|front| front.is_empty() || front.ends_with('.'));
            name == "*" || (!name.is_empty() && below && port.is_none_or(|port| port == address.port()))
        });
        address.https && !here && !excepted
    }

    /// A connection to a host, through the proxy.
    pub(crate) async fn tunnel(&self, to: &Address, deadline: Instant) -> Result<TcpStream, FetchError> {
        let mut guard = Guard::new(&self.address.host);
        let mut stream = connect(&self.address, &mut guard, deadline).await?;
        let refused = |why: String| FetchError::Proxy { address: self.address.origin(), why };
        let until = deadline.min(Instant::now() + LIMIT);
        let answer = timeout_at(until, ask(&mut stream, to, self.authorization.as_deref())).await;
        let head = answer.map_err(|_| refused(format!("no answer within {} s", LIMIT.as_secs())))?;
        let head = head.map_err(|e| refused(format!("it broke off: {e}")))?;
        match status(&head) {
            Some(200..=299) => Ok(stream),
            Some(407) => Err(refused("it wants a user and a password: https_proxy=http://USER:PASSWORD@HOST:PORT".to_owned())),
            Some(other) => Err(refused(format!("it answered with {other}"))),
            None => Err(refused("what it sends is not HTTP/1.1".to_owned())),
        }
    }
}

async fn ask(stream: &mut TcpStream, to: &Address, authorization: Option<&str>) -> std::io::Result<Vec<u8>> {
    let host = if to.host.contains(':') { format!("[{}]", to.host) } else { to.host.clone() };
    let authority = format!("{host}:{}", to.port());
    let authorization = authorization.map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {USER_AGENT}\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    // Byte by byte: what comes after the head is not the proxy's.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(std::io::Error::other("the head of its answer is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    let rest = line.strip_prefix("HTTP/1.")?.get(1..)?.strip_prefix(' ')?;
    rest.get(..3)?.parse().ok()
}

/// A user and password with their `%` escapes undone.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escape.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_for(no_proxy: &str, address: &str) -> bool {
        Proxy::parse("proxy.example:3128", no_proxy).unwrap().is_for(&Address::parse(address).unwrap())
    }

    #[test]
    fn hosts_that_are_asked_directly() {
        assert!(is_for("", "https://storage.example/"));
        assert!(!is_for("", "http://storage.example/"));
        for here in ["https://localhost/", "https://127.0.0.1/", "https://[::1]:8443/", "https://app.localhost/"] {
            assert!(!is_for("", here), "{here}");
        }
        for no_proxy in ["*", "storage.example", ".storage.example", "a, STORAGE.example", "example", "storage.example:443"] {
            assert!(!is_for(no_proxy, "https://storage.example/"), "{no_proxy}");
        }
        for no_proxy in ["rage.example", "storage.example:8443", "a.storage.example", ",", "."] {
            assert!(is_for(no_proxy, "https://storage.example/"), "{no_proxy}");
        }
        assert!(!is_for("10.0.0.1", "https://10.0.0.1/") && !is_for("[2001:db8::1]", "https://[2001:db8::1]/"));
        assert!(!is_for("2001:db8::1", "https://[2001:db8::1]/"));
    }

    #[test]
    fn the_address_of_a_proxy() {
        let with_user = Proxy::parse("http://kim:ge%40heim%@proxy.example:3128/", "").unwrap();
        assert_eq!(with_user.address.to_string(), "http://proxy.example:3128/");
        assert_eq!(with_user.authorization.unwrap(), format!("Basic {}", BASE64_STANDARD.encode("kim:ge@heim%")));
        assert_eq!(Proxy::parse("proxy.example", "").unwrap().authorization, None);
        for bad in ["https://kim:geheim@proxy.example", "socks5://kim:geheim@proxy.example", "http://kim:geheim@", "http://kim:geheim@a b"]
        {
            let why = Proxy::parse(bad, "").unwrap_err();
            assert!(why.contains("https_proxy") && !why.contains("geheim"), "{why}");
        }
    }

    #[test]
    fn a_status_line() {
        for (head, read) in [
            ("HTTP/1.1 200 OK\r\n\r\n", Some(200)),
            ("HTTP/1.0 407\r\n\r\n", Some(407)),
            ("HTTP/2 200\r\n\r\n", None),
            ("HTTP/1.1 20\r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(status(head.as_bytes()), read, "{head:?}");
        }
    }
}
