//! Where to listen.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Reads `127.0.0.1:8080`, `[::1]:8080`, `:8080` and `8080`, the last two on loopback: to face the world has to be said.
///
/// # Errors
/// What would have been right, as a sentence fragment.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    const HELP: &str = "expected an address and a port, such as \"127.0.0.1:8080\" or \"0.0.0.0:8080\"";
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse::<u16>() {
        return Ok(SocketAddr::new(loopback, port));
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return port.parse().map(|p| SocketAddr::new(loopback, p)).map_err(|_| HELP.to_owned());
    }
    text.parse().map_err(|_| HELP.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_port_is_loopback() {
        assert_eq!(parse("8080").unwrap(), parse("127.0.0.1:8080").unwrap());
        assert_eq!(parse(":8080").unwrap(), parse("localhost:8080").unwrap());
        assert_eq!(parse("[::1]:80").unwrap().to_string(), "[::1]:80");
        for bad in ["", "x", "127.0.0.1", "127.0.0.1:99999", "http://127.0.0.1:1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
