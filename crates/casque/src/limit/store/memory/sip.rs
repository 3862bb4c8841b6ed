//! SipHash-1-3 of three words: what the table is indexed by.
//!
//! SipHash (Aumasson and Bernstein, 2012) under a secret key, so that nobody outside can aim at one bucket. The input is always
//! a limit's id and 16 bytes of subject, which makes it half as long as the streaming one of the standard library.

/// The secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SipKey(pub(super) u64, pub(super) u64);

impl SipKey {
    /// A key that nobody knows.
    pub(super) fn random() -> Self {
        Self(rand::random(), rand::random())
    }

    /// The hash of `words`, as of their 24 bytes in little-endian order.
    #[inline]
    pub(super) fn hash(self, words: [u64; 3]) -> u64 {
        let mut v = [
            self.0 ^ 0x736f_6d65_7073_6575,
            self.1 ^ 0x646f_7261_6e64_6f6d,
            self.0 ^ 0x6c79_6765_6e65_7261,
            self.1 ^ 0x7465_6462_7974_6573,
        ];
        // After the words comes the length in bytes, in the highest byte.
        for word in [words[0], words[1], words[2], 24 << 56] {
            v[3] ^= word;
            round(&mut v);
            v[0] ^= word;
        }
        v[2] ^= 0xff;
        for _ in 0..3 {
            round(&mut v);
        }
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }
}

#[inline]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use super::*;

    proptest::proptest! {
        /// The standard library's hasher with a key of zero is SipHash-1-3 too.
        #[test]
        fn is_siphash(words: [u64; 3]) {
            let mut theirs = DefaultHasher::new();
            for word in words {
                theirs.write(&word.to_le_bytes());
            }
            proptest::prop_assert_eq!(SipKey(0, 0).hash(words), theirs.finish());
        }
    }

    #[test]
    fn the_key_matters() {
        assert_ne!(SipKey(1, 2).hash([1, 2, 3]), SipKey(1, 3).hash([1, 2, 3]));
        assert_ne!(SipKey(1, 2).hash([1, 2, 3]), SipKey(2, 2).hash([1, 2, 3]));
    }
}
