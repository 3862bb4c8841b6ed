//! Clients and networks as an operator reads and writes them.

use std::net::{IpAddr, Ipv6Addr};

use casque::client_ip::{ClientIp, TrustedProxies, parse_hop};
use http::HeaderMap;

/// A client's key ([`ClientIp::key`]) as an address: IPv6 with its /64.
pub(crate) fn client_name(key: [u8; 16]) -> String {
    name(key, "", "/64")
}

/// A network's key ([`ClientIp::network_key`]), with /24 or /48.
pub(crate) fn network_name(key: [u8; 16]) -> String {
    name(key, "/24", "/48")
}

fn name(key: [u8; 16], v4: &str, v6: &str) -> String {
    let address = Ipv6Addr::from(key);
    match address.to_ipv4_mapped() {
        Some(address) => format!("{address}{v4}"),
        None => format!("{address}{v6}"),
    }
}

/// The client with this address, as it is written by hand or was printed here: `192.0.2.1`, `2001:db8::/64`.
pub(crate) fn client(written: &str) -> Option<ClientIp> {
    let bare = written.trim();
    let bare = bare.split_once('/').filter(|(_, bits)| matches!(*bits, "24" | "32" | "48" | "64" | "128")).map_or(bare, |(a, _)| a);
    parse_hop(bare).map(of)
}

/// The client at the other end of a connection from this address.
pub(crate) fn of(address: IpAddr) -> ClientIp {
    TrustedProxies::default().identify(address, &HeaderMap::new()).ip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_typed() {
        for (typed, client_shown, network_shown) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
            ("2001:db8:1:2::5", "2001:db8:1:2::/64", "2001:db8:1::/48"),
            ("2001:db8:1:2::/64", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ] {
            let client = client(typed).unwrap();
            assert_eq!((client_name(client.key()).as_str(), network_name(client.network_key()).as_str()), (client_shown, network_shown));
        }
        for no in ["", "alice", "192.0.2", "192.0.2.1/99", "a/64"] {
            assert_eq!(client(no), None, "{no}");
        }
    }
}
