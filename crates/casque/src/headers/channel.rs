//! What lies between the browser and us, as far as headers care.

use crate::Scheme;

/// How the browser reached this response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Plain HTTP: no HSTS (RFC 6797 7.2 forbids it), no `upgrade-insecure-requests`, and none of the headers that browsers
    /// honour only on trustworthy origins (COOP, COEP, Origin-Agent-Cluster).
    Http,
    /// HTTPS under a name that must not be remembered: `localhost` (HSTS would break every other local project) or an IP
    /// address (RFC 6797 8.1.1: user agents ignore it there).
    HttpsLocal,
    /// HTTPS under a real name: everything.
    Https,
}

impl Channel {
    /// The channel of a request, from its outside scheme and its `Host` value.
    #[must_use]
    pub fn of(scheme: Scheme, host: Option<&[u8]>) -> Self {
        match scheme {
            Scheme::Http => Self::Http,
            Scheme::Https if host.is_some_and(is_local_name) => Self::HttpsLocal,
            Scheme::Https => Self::Https,
        }
    }
}

/// `localhost`, `*.localhost`, an IPv4 address or a bracketed IPv6 address, with or without a port.
fn is_local_name(host: &[u8]) -> bool {
    if host.first() == Some(&b'[') {
        return true;
    }
    let name = host.split(|b| *b == b':').next().unwrap_or(host);
    let name = name.strip_suffix(b".").unwrap_or(name);
    // What ends in a number is an address in some notation (URL standard, "ends in a number").
    let last = name.rsplit(|b| *b == b'.').next().unwrap_or(name);
    let numeric = !last.is_empty() && last.iter().all(u8::is_ascii_digit);
    let hexadecimal = matches!(last, [b'0', b'x' | b'X', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit));
    numeric || hexadecimal || ends_with_label(name, b"localhost")
}

fn ends_with_label(name: &[u8], label: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(label.len()) else { return false };
    let (before, tail) = name.split_at(start);
    tail.eq_ignore_ascii_case(label) && before.last().is_none_or(|b| *b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_must_not_be_remembered() {
        for local in [
            "localhost",
            "LOCALHOST:3000",
            "app.localhost",
            "127.0.0.1:8080",
            "10.0.0.7",
            "[::1]:80",
            "localhost.",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
        ] {
            assert_eq!(Channel::of(Scheme::Https, Some(local.as_bytes())), Channel::HttpsLocal, "{local}");
        }
        for real in ["shop.example", "notlocalhost", "127.0.0.1.example", "localhost.example"] {
            assert_eq!(Channel::of(Scheme::Https, Some(real.as_bytes())), Channel::Https, "{real}");
        }
        assert_eq!(Channel::of(Scheme::Https, None), Channel::Https);
        assert_eq!(Channel::of(Scheme::Http, Some(b"shop.example")), Channel::Http);
    }
}
