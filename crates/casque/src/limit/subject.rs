//! Whom a limit counts, as 16 bytes.

use sha2::{Digest, Sha256};

use crate::client_ip::ClientIp;

/// Whom a limit counts: a client's network as it is, anything else as a digest of its normal form.
///
/// Of fixed size, so that a 64 KiB user name costs no more to keep than an address. Nothing that leaves the process is a
/// `Subject`: stores outside it hash it again with a secret, for addresses and names can be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject([u8; 16]);

impl Subject {
    /// Everybody together.
    pub const ALL: Self = Self([0; 16]);

    /// A client: IPv4 whole, IPv6 by /64.
    #[must_use]
    #[inline]
    pub fn client(client: ClientIp) -> Self {
        Self(client.key())
    }

    /// The client's network: IPv4 /24, IPv6 /48.
    #[must_use]
    pub fn network(client: ClientIp) -> Self {
        Self(client.network_key())
    }

    /// Parts in order, each as its bytes in normal form. The parts cannot run into each other: `["ab", "c"]` is not
    /// `["a", "bc"]`. Two lists with one digest (SHA-256 cut to 128 bits) cannot be found for somebody else's list.
    #[must_use]
    pub fn of<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut digest = SubjectHasher::default();
        for part in parts {
            digest.part(part.as_ref());
        }
        digest.finish()
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The subject with these bytes, as [`Subject::as_bytes`] gave them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// Makes a [`Subject`] part by part.
#[derive(Debug, Clone, Default)]
pub(super) struct SubjectHasher(Sha256);

impl SubjectHasher {
    pub(super) fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> Subject {
        let mut subject = [0; 16];
        for (to, from) in subject.iter_mut().zip(self.0.finalize()) {
            *to = from;
        }
        Subject(subject)
    }
}

/// What state is kept under: a limit, and whom it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The limit, as [`super::Limit::id`] gives it: the same across reloads and replicas for the same name.
    pub limit: u64,
    /// Whom.
    pub subject: Subject,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Subject::of(["ab", "c"]), Subject::of(["a", "bc"]));
        assert_ne!(Subject::of(["a", ""]), Subject::of(["a"]));
        assert_ne!(Subject::of::<&str>([]), Subject::of([""]));
        assert_eq!(Subject::of(["ab", "c"]), Subject::of([&b"ab"[..], b"c"]));
    }
}
