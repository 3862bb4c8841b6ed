//! Percent encoding (RFC 3986, section 2.1), as package URLs and yarn's patches have it.

/// What is encoded, as text. Bytes that are no UTF-8 become U+FFFD; a `%` without two digits is a `%`.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let coded = match rest {
            [b'%', high, low, ..] => char::from(*high).to_digit(16).zip(char::from(*low).to_digit(16)),
            _ => None,
        };
        match coded {
            Some((high, low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = &rest[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Text in which only what needs no encoding in any part of a URI is left as it is (RFC 3986, 2.3), and the colon, which package URLs
/// keep.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~:".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        assert_eq!(decode("%40a%2Fb%C3%A9"), "@a/b\u{e9}");
        assert_eq!(decode("100%, %4, %zz"), "100%, %4, %zz");
        assert_eq!(decode("%ff"), "\u{fffd}");
    }

    #[test]
    fn what_is_encoded_is_the_same_once_decoded() {
        assert_eq!(encode("@a/b \u{e9}:~"), "%40a%2Fb%20%C3%A9:~");
        assert_eq!(decode(&encode("1.0.0+x?y#\u{1b}")), "1.0.0+x?y#\u{1b}");
    }
}
