//! Tokens: short texts that only we can have written, and that need no memory to be believed.
//!
//! `prefix` + base64url(key id, body, tag). The tag is HMAC-SHA256 cut to 128 bits (RFC 2104 section 5) under the key of the
//! token's purpose, over what the token is bound to and over key id and body. What it is bound to is not in the token: who
//! presents it must stand at the same place. A body is no secret, only unforgeable; what should not be read is [`hide`]den in it.
//!
//! One token has one spelling: base64url without padding, with its unused bits zero.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;

use super::secret::{Keys, Purpose, Secrets};

const ID: usize = 4;
const TAG: usize = 16;

/// Seconds by which a token may be from the future: clocks of two replicas differ.
pub(super) const LEEWAY: u64 = 60;

/// A kind of token: its prefix, which says the format to whoever sees it, and its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) prefix: &'static str,
    pub(super) purpose: Purpose,
    /// The most bytes of a body.
    pub(super) most: usize,
}

impl Kind {
    /// The most characters of a token. Longer ones are refused before anything is decoded.
    pub(super) const fn most_text(&self) -> usize {
        self.prefix.len() + ((ID + self.most + TAG) * 4).div_ceil(3)
    }

    /// Writes a token.
    pub(super) fn seal(&self, secrets: &Secrets, bound: &[&[u8]], body: &[u8]) -> String {
        let keys = secrets.current();
        let mut bytes = Vec::with_capacity(ID + body.len() + TAG);
        bytes.extend_from_slice(&keys.id());
        bytes.extend_from_slice(body);
        let tag = keys.mac(self.purpose, &parts(bound, &bytes)).finalize().into_bytes();
        bytes.extend(tag.iter().take(TAG));
        format!("{}{}", self.prefix, URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The body of a token that one of our keys wrote for this purpose and these bounds, and those keys.
    pub(super) fn open<'s>(&self, secrets: &'s Secrets, bound: &[&[u8]], text: &[u8]) -> Option<(&'s Keys, Vec<u8>)> {
        if text.len() > self.most_text() {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(self.prefix.as_bytes())?).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let keys = secrets.by_id(signed.get(..ID)?)?;
        // In constant time.
        keys.mac(self.purpose, &parts(bound, signed)).verify_truncated_left(tag).ok()?;
        bytes.truncate(bytes.len() - TAG);
        bytes.drain(..ID);
        Some((keys, bytes))
    }
}

/// What is signed: the bounds in order, then key id and body.
fn parts<'a>(bound: &[&'a [u8]], signed: &'a [u8]) -> Vec<&'a [u8]> {
    bound.iter().copied().chain([signed]).collect()
}

/// Hides bytes, or shows hidden ones: a pad of HMAC-SHA256 over nonce and counter (the counter mode of NIST SP 800-108), to be used
/// with one nonce once, and under a token's tag.
pub(super) fn hide(keys: &Keys, purpose: Purpose, nonce: &[u8; 16], bytes: &mut [u8]) {
    for (counter, chunk) in (0u32..).zip(bytes.chunks_mut(32)) {
        let pad = keys.mac(purpose, &[nonce, &counter.to_be_bytes()]).finalize().into_bytes();
        chunk.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
    }
}

/// A time of day as five bytes, enough until the year 36812.
pub(super) fn time(seconds: u64) -> [u8; 5] {
    let [_, _, _, rest @ ..] = seconds.min((1 << 40) - 1).to_be_bytes();
    rest
}

/// The first bytes of a body, and the rest.
pub(super) fn take<const N: usize>(body: &[u8]) -> Option<([u8; N], &[u8])> {
    body.split_first_chunk().map(|(first, rest)| (*first, rest))
}

/// A time, and the rest.
pub(super) fn take_time(body: &[u8]) -> Option<(u64, &[u8])> {
    let ([a, b, c, d, e], rest) = take(body)?;
    Some((u64::from_be_bytes([0, 0, 0, a, b, c, d, e]), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind { prefix: "t1.", purpose: Purpose::Pass, most: 40 };

    fn secrets() -> Secrets {
        Secrets::random([1; 32])
    }

    #[test]
    fn a_token_is_believed_where_it_was_made_for_and_nowhere_else() {
        let token = KIND.seal(&secrets(), &[b"alice", b"x"], b"body");
        let open = |kind: Kind, secrets: &Secrets, bound: &[&[u8]]| kind.open(secrets, bound, token.as_bytes()).map(|(_, body)| body);
        assert_eq!(open(KIND, &secrets(), &[b"alice", b"x"]).unwrap(), b"body");
        for bound in [&[&b"alice"[..]][..], &[b"bob", b"x"], &[b"alic", b"ex"], &[b"x", b"alice"], &[]] {
            assert_eq!(open(KIND, &secrets(), bound), None);
        }
        assert_eq!(open(KIND, &Secrets::random([2; 32]), &[b"alice", b"x"]), None);
        for purpose in [Purpose::Device, Purpose::DeviceName, Purpose::Challenge] {
            assert_eq!(open(Kind { purpose, ..KIND }, &secrets(), &[b"alice", b"x"]), None);
        }
        assert_eq!(open(Kind { prefix: "t2.", ..KIND }, &secrets(), &[b"alice", b"x"]), None);
    }

    #[test]
    fn an_older_secret_is_believed_and_mints_no_more() {
        let (old, new) = ("the older secret, which was leaked?", "the newer secret, made 2026-03-01 by hand");
        let token = KIND.seal(&Secrets::new([old]).unwrap(), &[], b"x");
        let both = Secrets::new([new, old]).unwrap();
        assert!(KIND.open(&both, &[], token.as_bytes()).is_some());
        assert!(KIND.open(&Secrets::new([old]).unwrap(), &[], KIND.seal(&both, &[], b"x").as_bytes()).is_none());
    }

    #[test]
    fn an_oversized_token_is_not_decoded() {
        let longest = KIND.seal(&secrets(), &[], &[0; 40]);
        assert_eq!(longest.len(), KIND.most_text());
        assert!(KIND.open(&secrets(), &[], longest.as_bytes()).is_some());
        let longer = KIND.seal(&secrets(), &[], &[0; 41]);
        assert!(KIND.open(&secrets(), &[], longer.as_bytes()).is_none());
    }

    #[test]
    fn what_is_hidden_shows_again_with_its_nonce_only() {
        let plain = *b"/reset?key=0123456789abcdef0123456789abcdef, which is longer than one block";
        let run = |nonce, mut bytes: [u8; 75]| {
            hide(secrets().current(), Purpose::ReturnTo, &nonce, &mut bytes);
            bytes
        };
        let hidden = run([1; 16], plain);
        assert!(hidden.iter().zip(plain).filter(|(a, b)| **a == *b).count() < 8);
        assert_ne!(hidden[..32], run([2; 16], plain)[..32]);
        assert_eq!(run([1; 16], hidden), plain);
    }

    #[test]
    fn times_are_five_bytes() {
        for seconds in [0, 1, 1_700_000_000, (1 << 40) - 1] {
            assert_eq!(take_time(&time(seconds)), Some((seconds, &[][..])));
        }
        assert_eq!(take_time(&time(u64::MAX)), Some(((1 << 40) - 1, &[][..])));
        assert_eq!(take_time(b"1234"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_bit_flipped_anywhere_is_refused(body: [u8; 7], at in 0usize..400, bit in 0u8..8) {
            let token = KIND.seal(&secrets(), &[], &body);
            let mut bytes = token.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            proptest::prop_assert!(KIND.open(&secrets(), &[], token.as_bytes()).is_some());
            proptest::prop_assert!(KIND.open(&secrets(), &[], &bytes).is_none());
        }

        #[test]
        fn any_bytes_are_just_refused(bytes: Vec<u8>, text in "t1\\.[A-Za-z0-9_-]{0,80}") {
            proptest::prop_assert!(KIND.open(&secrets(), &[], &bytes).is_none());
            proptest::prop_assert!(KIND.open(&secrets(), &[], text.as_bytes()).is_none());
        }
    }
}
