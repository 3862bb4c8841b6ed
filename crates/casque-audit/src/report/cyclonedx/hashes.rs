//! The hashes of lockfiles, as CycloneDX has them: in hexadecimal.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::package::Ecosystem;

/// The algorithms by the names of Subresource Integrity and of CycloneDX, with their lengths in bytes.
const ALGORITHMS: [(&str, &str, usize); 5] =
    [("sha512", "SHA-512", 64), ("sha384", "SHA-384", 48), ("sha256", "SHA-256", 32), ("sha1", "SHA-1", 20), ("md5", "MD5", 16)];

/// The hashes of a package's archive. Yarn's own checksums are of other archives, which yarn makes, and are left out.
pub(super) fn hashes(ecosystem: Ecosystem, integrity: &str) -> Option<Value> {
    let all: Vec<Value> = match ecosystem {
        Ecosystem::Cargo => cargo(integrity).into_iter().collect(),
        Ecosystem::Npm => integrity.split_ascii_whitespace().take(8).filter_map(subresource).collect(),
    };
    (!all.is_empty()).then(|| Value::from(all))
}

/// A checksum of Cargo.lock: SHA-256 in hexadecimal.
fn cargo(checksum: &str) -> Option<Value> {
    let is_hash = checksum.len() == 64 && checksum.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then(|| json!({"alg": "SHA-256", "content": checksum.to_ascii_lowercase()}))
}

/// `sha512-BASE64`, with or without options after a `?` (W3C Subresource Integrity 3.5).
fn subresource(text: &str) -> Option<Value> {
    let (name, digest) = text.split_once('-')?;
    let (_, algorithm, length) = ALGORITHMS.into_iter().find(|(known, ..)| *known == name)?;
    let digest = STANDARD.decode(digest.split('?').next()?).ok().filter(|digest| digest.len() == length)?;
    let content: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    Some(json!({"alg": algorithm, "content": content}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_in_hexadecimal() {
        let all = hashes(Ecosystem::Npm, "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= md5-1B2M2Y8AsgTpgAmY7PhCfg==?x sha512-short 10c0/abc").unwrap();
        assert_eq!(
            all,
            json!([
                {"alg": "SHA-1", "content": "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
                {"alg": "MD5", "content": "d41d8cd98f00b204e9800998ecf8427e"}
            ])
        );
        assert_eq!(hashes(Ecosystem::Npm, "10c0/0123"), None);
        assert_eq!(hashes(Ecosystem::Cargo, &"AB".repeat(32)).unwrap()[0]["content"], "ab".repeat(32));
        assert_eq!(hashes(Ecosystem::Cargo, "ab"), None);
    }
}
