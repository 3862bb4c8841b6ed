//! Names of documents that are their content's: the same content has the same name.

/// A UUID as a URN (RFC 9562, version 8) computed from bytes. It tells documents apart; it proves nothing about them.
pub(super) fn urn(bytes: &[u8]) -> String {
    // Four sums over every fourth byte each do not depend on one another; over the same bytes they would.
    let mut id = [0; 16];
    for (start, four) in id.chunks_exact_mut(4).enumerate() {
        let own: Vec<u8> = bytes.iter().skip(start).step_by(4).copied().collect();
        four.copy_from_slice(&crc32fast::hash(&own).to_be_bytes());
    }
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_has_its_own_name() {
        let one = urn(b"{\"a\": 1}");
        assert_eq!(one, urn(b"{\"a\": 1}"));
        assert_ne!(one, urn(b"{\"a\": 2}"));
        assert_eq!(one.len(), "urn:uuid:".len() + 36);
        assert_eq!((&one[23..24], urn(b"").len()), ("8", 45));
    }
}
