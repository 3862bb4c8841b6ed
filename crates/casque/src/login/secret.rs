//! The secrets behind everything that the guard hands out, and the keys made from them.
//!
//! One secret mints, older ones are still believed, so that a secret can be changed without forgetting every browser. Each
//! secret gives one key per [`Purpose`] by HKDF-SHA256 (RFC 5869), so that a text made for one purpose means nothing for
//! another, and a key id of four bytes, so that exactly one key is tried. Ids are derived: there are none to get wrong.
//!
//! **Attacks and answers.** *Guessing the secret from a token*: texts shorter than 32 bytes and those of one repeated letter are
//! refused, for a token in hand lets an attacker try secrets offline. *Reading it from a log*: `Debug` shows key ids only, and
//! errors show lengths and positions.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The fewest bytes of a secret.
pub const MIN_SECRET: usize = 32;

/// The fewest different bytes in a secret. 32 random hexadecimal digits have 14; fewer than 6 is a placeholder.
const MIN_DIFFERENT: usize = 6;

const SALT: &[u8] = b"casque.login.v1";

/// What a key is for. The label goes into the derivation; it never changes for a token format that is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The values of device cookies.
    Device,
    /// The names of device cookies.
    DeviceName,
    /// Challenges that were posed.
    Challenge,
    /// Where a challenge leads back to, hidden inside it.
    ReturnTo,
    /// Passes, which solved challenges are changed into.
    Pass,
}

impl Purpose {
    const ALL: [Self; 5] = [Self::Device, Self::DeviceName, Self::Challenge, Self::ReturnTo, Self::Pass];

    fn label(self) -> &'static [u8] {
        match self {
            Self::Device => b"casque.login.device.v1",
            Self::DeviceName => b"casque.login.device-name.v1",
            Self::Challenge => b"casque.login.challenge.v1",
            Self::ReturnTo => b"casque.login.return-to.v1",
            Self::Pass => b"casque.login.pass.v1",
        }
    }
}

/// The keys of one secret.
#[derive(Clone)]
pub(super) struct Keys {
    id: [u8; 4],
    /// In the order of [`Purpose::ALL`].
    macs: [Hmac<Sha256>; 5],
}

impl Keys {
    fn derive(secret: &[u8]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(SALT), secret);
        let mut id = [0; 4];
        hkdf.expand(b"casque.login.kid.v1", &mut id).expect("HKDF gives up to 8,160 bytes");
        let macs = Purpose::ALL.map(|purpose| {
            let mut key = [0; 32];
            hkdf.expand(purpose.label(), &mut key).expect("HKDF gives up to 8,160 bytes");
            Hmac::new_from_slice(&key).expect("HMAC takes keys of any length")
        });
        Self { id, macs }
    }

    /// The id that stands in every token of these keys. Public.
    pub(super) fn id(&self) -> [u8; 4] {
        self.id
    }

    /// HMAC-SHA256 under the key of a purpose, over parts that cannot run into each other.
    pub(super) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Hmac<Sha256> {
        let [device, device_name, challenge, return_to, pass] = &self.macs;
        let mut mac = match purpose {
            Purpose::Device => device,
            Purpose::DeviceName => device_name,
            Purpose::Challenge => challenge,
            Purpose::ReturnTo => return_to,
            Purpose::Pass => pass,
        }
        .clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

/// The secret that mints, and older ones that are still believed.
#[derive(Clone)]
pub struct Secrets {
    current: Keys,
    older: Vec<Keys>,
}

impl Secrets {
    /// Secrets as text or bytes, newest first: the first mints, all are believed. The bytes count as they are, white space at the
    /// ends too.
    ///
    /// # Errors
    /// [`SecretError`] when there is none, or one is shorter than [`MIN_SECRET`], made of too few different bytes, or given twice.
    pub fn new<S: AsRef<[u8]>>(newest_first: impl IntoIterator<Item = S>) -> Result<Self, SecretError> {
        let mut all: Vec<Keys> = Vec::new();
        for (index, secret) in newest_first.into_iter().enumerate() {
            let keys = Keys::derive(strong(secret.as_ref()).map_err(|problem| SecretError { index, problem })?);
            if let Some(same_as) = all.iter().position(|k| k.id == keys.id) {
                return Err(SecretError { index, problem: Problem::Twice { same_as } });
            }
            all.push(keys);
        }
        let mut all = all.into_iter();
        match all.next() {
            Some(current) => Ok(Self { current, older: all.collect() }),
            None => Err(SecretError { index: 0, problem: Problem::Empty }),
        }
    }

    /// A secret of 32 bytes from the system's generator, for when none was configured. Every browser is then forgotten when the
    /// process ends, and two processes do not know each other's browsers.
    #[must_use]
    pub fn random(bytes: [u8; 32]) -> Self {
        Self { current: Keys::derive(&bytes), older: Vec::new() }
    }

    /// The keys that mint.
    pub(super) fn current(&self) -> &Keys {
        &self.current
    }

    /// The keys with this id.
    pub(super) fn by_id(&self, id: &[u8]) -> Option<&Keys> {
        self.all().find(|keys| keys.id == id)
    }

    /// All keys, newest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = |keys: &Keys| format!("{:08x}", u32::from_be_bytes(keys.id));
        f.debug_struct("Secrets")
            .field("current", &id(&self.current))
            .field("older", &self.older.iter().map(id).collect::<Vec<_>>())
            .finish()
    }
}

/// The secret, if it cannot be guessed at a glance.
pub(super) fn strong(secret: &[u8]) -> Result<&[u8], Problem> {
    let mut seen = [false; 256];
    for byte in secret {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let different = seen.iter().filter(|s| **s).count();
    match secret.len() {
        0 => Err(Problem::Empty),
        len @ 1..MIN_SECRET => Err(Problem::Short { len }),
        _ if different < MIN_DIFFERENT => Err(Problem::Monotonous { different }),
        _ => Ok(secret),
    }
}

/// A secret that is not used. Says which and why, never what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    /// Which of the secrets: 0 is the current one.
    pub index: usize,
    problem: Problem,
}

impl SecretError {
    pub(super) fn only(problem: Problem) -> Self {
        Self { index: 0, problem }
    }
}

/// What is wrong with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    Empty,
    Short { len: usize },
    Monotonous { different: usize },
    Twice { same_as: usize },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.index + 1;
        let remedy = "make one with `openssl rand -base64 32`";
        match &self.problem {
            Problem::Empty => write!(f, "secret {number} is empty; {remedy}"),
            Problem::Short { len } => write!(f, "secret {number} has {len} bytes and needs at least {MIN_SECRET}; {remedy}"),
            Problem::Monotonous { different } => {
                write!(f, "secret {number} has only {different} different characters, so it can be guessed; {remedy}")
            }
            Problem::Twice { same_as } => write!(f, "secret {number} is the same as secret {}; remove one", same_as + 1),
        }
    }
}

impl std::error::Error for SecretError {}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "correct horse battery staple, and more";
    const TWO: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn every_purpose_and_every_secret_has_a_key_of_its_own() {
        let secrets = Secrets::new([ONE, TWO]).unwrap();
        let mut tags: Vec<Vec<u8>> = Vec::new();
        for keys in secrets.all() {
            for purpose in Purpose::ALL {
                tags.push(keys.mac(purpose, &[b"same"]).finalize().into_bytes().to_vec());
            }
        }
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 10);
        let mac = |parts: &[&[u8]]| secrets.current().mac(Purpose::Pass, parts).finalize().into_bytes();
        assert_ne!(mac(&[b"ab", b"c"]), mac(&[b"a", b"bc"]));
    }

    /// Computed with another implementation of HKDF and HMAC, so that a change of labels cannot go unseen: tokens that are out
    /// would all be refused.
    #[test]
    fn derivation_is_hkdf_sha256_with_these_labels() {
        let secrets = Secrets::new([TWO]).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(&secrets.current().id()), "dfea3563");
        let tag = |purpose| hex(&secrets.current().mac(purpose, &[b"abc"]).finalize().into_bytes());
        assert_eq!(tag(Purpose::Device), "00c365ab2fb559ae0caf4e6aa643ac6bc531ef044d53d332ec0b7c1e6cfc5932");
        assert_eq!(tag(Purpose::DeviceName), "bc26e637a6bab4ccc4e8575f7a2c129a1f93f3ca94dc445c086527d34763e4e6");
        assert_eq!(tag(Purpose::Challenge), "de6bc12f0e3eee2f0bfe78f09aceefd581e8500dd7850959ac7d94022d1ceb87");
        assert_eq!(tag(Purpose::ReturnTo), "024076dcf1701cd5217133f9f9de4ce2cf1a98e95abd8988d24c6f14bdc9f47d");
        assert_eq!(tag(Purpose::Pass), "d6718674a3e224fcfc7960a2d6a4612cb0544176034af1e52040a020fccd8166");
    }

    #[test]
    fn keys_are_found_by_their_id() {
        let secrets = Secrets::new([ONE, TWO]).unwrap();
        let old = Secrets::new([TWO]).unwrap();
        assert_eq!(secrets.by_id(&old.current().id()).map(Keys::id), Some(old.current().id()));
        assert!(old.by_id(&secrets.current().id()).is_none() && old.by_id(b"").is_none());
        assert_eq!(Secrets::random([7; 32]).current().id(), Secrets::random([7; 32]).current().id());
    }

    #[test]
    fn weak_secrets_are_refused_with_their_place_and_a_remedy() {
        let error = |secrets: &[&str]| Secrets::new(secrets).unwrap_err().to_string();
        assert_eq!(error(&[]), "secret 1 is empty; make one with `openssl rand -base64 32`");
        assert_eq!(error(&[ONE, ""]), "secret 2 is empty; make one with `openssl rand -base64 32`");
        assert_eq!(error(&["hunter2"]), "secret 1 has 7 bytes and needs at least 32; make one with `openssl rand -base64 32`");
        assert!(error(&[&"ab".repeat(40)]).contains("only 2 different characters"));
        assert_eq!(error(&[ONE, TWO, ONE]), "secret 3 is the same as secret 1; remove one");
        assert!(Secrets::new([&TWO[1..]]).is_err());
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let secrets = Secrets::new([ONE, TWO]).unwrap();
        let shown = format!("{secrets:?}");
        assert!(!shown.contains("correct") && !shown.contains(TWO) && shown.len() < 80, "{shown}");
        assert!(!format!("{:?}", Secrets::new(["hunter2"]).unwrap_err()).contains("hunter2"));
    }
}
