//! Addresses and paths as URIs, without what is not for every reader.

/// A path or an address as a URI; what may not stand in one is in percent-encoding (RFC 3986 2).
pub(super) fn uri(text: &str) -> String {
    let text = text.strip_prefix("./").unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    for b in text.bytes().take(2000) {
        if b.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// An address without the name and password that may stand in it (RFC 3986 3.2.1): private registries are asked with them, and a
/// report goes where the lockfile does not.
pub(crate) fn without_secrets(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_uri_cannot_have() {
        assert_eq!(uri("./a b/\u{1b}é"), "a%20b/%1B%C3%A9");
    }

    #[test]
    fn names_and_passwords_are_taken_out() {
        for (address, without) in [
            ("https://user:pass@h.example:8/a@b", "https://h.example:8/a@b"),
            ("https://a@b@h.example", "https://h.example"),
            ("git+ssh://git@h.example/x.git#0", "git+ssh://h.example/x.git#0"),
            ("https://h.example/?q=a@b", "https://h.example/?q=a@b"),
            ("packages/a@1", "packages/a@1"),
        ] {
            assert_eq!(without_secrets(address), without);
        }
    }
}
