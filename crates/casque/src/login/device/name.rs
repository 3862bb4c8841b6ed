//! Names of device cookies: one per account, telling nobody which.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;

use crate::Scheme;
use crate::limit::Subject;
use crate::login::cookies::{DEVICE, name_on};
use crate::login::secret::{Keys, Purpose, Secrets};

/// Characters of the hash in a name: 48 bits. Two accounts of one browser that met in them would take turns, no more.
const HASH: usize = 8;

/// The name of an account's device cookie: `__Host-casque-d-` over HTTPS, `casque-d-` on plain HTTP, and eight characters of a
/// keyed hash of the account.
#[must_use]
pub fn name(secrets: &Secrets, scheme: Scheme, account: Subject) -> String {
    name_by(secrets.current(), scheme, account)
}

/// The name that each of our secrets gives it, newest first.
pub(super) fn names(secrets: &Secrets, scheme: Scheme, account: Subject) -> impl Iterator<Item = String> {
    secrets.all().map(move |keys| name_by(keys, scheme, account))
}

fn name_by(keys: &Keys, scheme: Scheme, account: Subject) -> String {
    let hash = keys.mac(Purpose::DeviceName, &[account.as_bytes()]).finalize().into_bytes();
    let hash = URL_SAFE_NO_PAD.encode(hash);
    name_on(scheme, &format!("{DEVICE}{}", hash.get(..HASH).unwrap_or("")))
}

/// Whether a cookie name is that of a device cookie on this scheme, to the letter: such a name can stand in a `Set-Cookie` line.
#[must_use]
pub fn is_name(scheme: Scheme, name: &[u8]) -> bool {
    let hash = name.strip_prefix(name_on(scheme, DEVICE).as_bytes());
    hash.is_some_and(|hash| hash.len() == HASH && hash.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')))
}
