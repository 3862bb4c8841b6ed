//! What the tools of `bench/run` share: the answer the upstreams give, helmet's headers, and finding the end of a message head.

use std::io::{self, Read};

use memchr::memmem;

/// helmet 8's default headers, as `Preset::Helmet` sends them.
pub const HELMET: [(&str, &str); 12] = [
    (
        "content-security-policy",
        "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';\
         img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';\
         style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-dns-prefetch-control", "off"),
    ("x-download-options", "noopen"),
    ("x-frame-options", "SAMEORIGIN"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-xss-protection", "0"),
];

/// A JSON document of exactly `size` bytes (at least 64), so that every subject carries the same body.
pub fn json_body(size: usize) -> Vec<u8> {
    const CLOSING: &str = r#"],"pad":""#;
    let mut body = String::from(r#"{"items":["#);
    for id in 0.. {
        let separator = if id == 0 { "" } else { "," };
        let item = format!(r#"{separator}{{"id":{id},"name":"item-{id:04}"}}"#);
        if body.len() + item.len() + CLOSING.len() + 2 > size {
            break;
        }
        body.push_str(&item);
    }
    body.push_str(CLOSING);
    let padding = size.saturating_sub(body.len() + 2);
    body.extend(std::iter::repeat_n('x', padding));
    body.push_str("\"}");
    body.into_bytes()
}

/// Length of the message head at the start of `bytes`, with its empty line, if it is complete.
pub fn head_length(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// Whether the peer may still send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Peer {
    Open,
    Closed,
}

/// Reads what an edge-triggered `socket` has and hands it to `on_data`. `half_closed` is what the event said about the
/// peer's sending side.
///
/// A read that does not fill `scratch` has emptied the socket, so the read that would only say "nothing left" is saved:
/// the tools share a core, and what they cost lowers the rate they can reach. After a half-close the end of the stream
/// gets no event of its own, so there reading goes on until it is seen.
pub fn drain(socket: &mut impl Read, scratch: &mut [u8], half_closed: bool, mut on_data: impl FnMut(&[u8])) -> io::Result<Peer> {
    loop {
        match socket.read(scratch) {
            Ok(0) => return Ok(Peer::Closed),
            Ok(read) => {
                on_data(&scratch[..read]);
                if read < scratch.len() && !half_closed {
                    return Ok(Peer::Open);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Peer::Open),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_of_the_asked_size() {
        for size in [64, 1024, 65536] {
            let body = json_body(size);
            assert_eq!(body.len(), size);
            serde_json::from_slice::<serde_json::Value>(&body).unwrap();
        }
    }

    #[test]
    fn a_head_ends_after_its_empty_line() {
        assert_eq!(head_length(b"GET / HTTP/1.1\r\n"), None);
        assert_eq!(head_length(b"GET / HTTP/1.1\r\n\r\nrest"), Some(18));
    }
}
