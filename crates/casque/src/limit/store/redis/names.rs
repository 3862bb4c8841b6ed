//! What keys are called in Redis.
//!
//! `cq1:<limit's id>:{<hash of the subject>}`. The hash is keyed with the deployment's secret, so that whoever reads Redis learns
//! neither addresses nor names by trying them, nobody outside can aim at one slot of a cluster, and a name of 64 KiB is as short
//! as any. In braces, so that all limits that count a request by the same subject are in one slot.

use sha2::{Digest, Sha256};

use crate::limit::subject::Key;

/// Letters before the hash.
const BEFORE: usize = "cq1:0123456789abcdef:{".len();

/// Makes names.
#[derive(Clone)]
pub(super) struct Names {
    /// A hash that has already taken in its key.
    keyed: Sha256,
}

impl Names {
    /// Bytes of a name.
    pub(super) const LENGTH: usize = BEFORE + 32 + "}".len();

    pub(super) fn new(secret: &[u8]) -> Self {
        let key = Sha256::new().chain_update(b"casque limit names 1\n").chain_update(secret).finalize();
        // A key of 32 bytes before a message that is always 16 bytes long: nothing can be appended to either.
        Self { keyed: Sha256::new().chain_update(key) }
    }

    /// The name of a key.
    pub(super) fn of(&self, key: &Key) -> [u8; Self::LENGTH] {
        let mut name = [0; Self::LENGTH];
        name[..4].copy_from_slice(b"cq1:");
        hex(&mut name[4..20], &key.limit.to_be_bytes());
        name[20..BEFORE].copy_from_slice(b":{");
        let hash = self.keyed.clone().chain_update(key.subject.as_bytes()).finalize();
        hex(&mut name[BEFORE..BEFORE + 32], &hash[..16]);
        name[BEFORE + 32] = b'}';
        name
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the secret.
        f.write_str("Names")
    }
}

fn hex(to: &mut [u8], bytes: &[u8]) {
    for (to, byte) in to.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        let digit = |n: u8| b"0123456789abcdef"[usize::from(n & 15)];
        *to = [digit(byte >> 4), digit(*byte)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Subject;

    fn name(secret: &str, limit: u64, subject: &str) -> String {
        String::from_utf8(Names::new(secret.as_bytes()).of(&Key { limit, subject: Subject::of([subject]) }).to_vec()).unwrap()
    }

    #[test]
    fn names_tell_the_limit_and_nothing_else() {
        let alice = name("secret", 0x12ab, "alice");
        assert!(alice.starts_with("cq1:00000000000012ab:{") && alice.ends_with('}'), "{alice}");
        let hash = |name: &str| name[BEFORE..].to_owned();
        assert_eq!(hash(&alice), hash(&name("secret", 7, "alice")), "one subject is one slot");
        assert_ne!(hash(&alice), hash(&name("secret", 0x12ab, "bob")));
        assert_ne!(hash(&alice), hash(&name("another", 0x12ab, "alice")));
        assert_eq!(alice, name("secret", 0x12ab, "alice"), "every process of a deployment finds the same key");
    }
}
