//! How a page of the operator, such as a captcha, says that somebody has satisfied it.
//!
//! The browser comes to that page with `?token=…`. When the page's backend is satisfied, it computes the voucher,
//!
//! ```text
//! voucher = base64url without padding( HMAC-SHA256( shared secret, "casque.login.voucher.v1" + "\n" + token ) )
//! ```
//!
//! and redirects the browser to [`super::REDEEM_PATH`] with `token` and `voucher` in the query. A page of the same site may also
//! send a form with both in its fields; from another site a guard of cross-site requests would refuse that. It must be the
//! browser that comes, for the token is bound to its address. The backend need not understand the token; where the browser goes
//! next is inside it.
//!
//! The secret is one of its own: who holds it can say that a captcha was solved, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::login::secret::{SecretError, strong};

/// Characters of a voucher.
pub(super) const VOUCHER_LEN: usize = 43;

/// The secret shared with the operator's page.
#[derive(Clone)]
pub struct Vouching(Hmac<Sha256>);

impl Vouching {
    /// Takes the secret, as text or bytes.
    ///
    /// # Errors
    /// [`SecretError`] if it is shorter than [`crate::login::MIN_SECRET`] bytes or made of too few different ones.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, SecretError> {
        let secret = strong(secret.as_ref()).map_err(SecretError::only)?;
        Ok(Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length")))
    }

    /// The voucher for a token, for backends written in Rust.
    #[must_use]
    pub fn vouch(&self, token: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(token).finalize().into_bytes())
    }

    /// Whether a voucher is good for a token. In constant time.
    pub(super) fn checks(&self, token: &str, voucher: &str) -> bool {
        let tag = (voucher.len() == VOUCHER_LEN).then(|| URL_SAFE_NO_PAD.decode(voucher).ok()).flatten();
        tag.is_some_and(|tag| self.mac(token).verify_slice(&tag).is_ok())
    }

    fn mac(&self, token: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update("casque.login.voucher.v1\n").chain_update(token)
    }
}

impl std::fmt::Debug for Vouching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vouching").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    /// Computed with another implementation, as a backend would.
    #[test]
    fn a_voucher_is_what_is_documented() {
        let vouching = Vouching::new(SECRET).unwrap();
        assert_eq!(vouching.vouch("ch1.example"), "EKM7Hn6_gUtOztJddvitS4RHxmK9fUt-vXAt0jttVYI");
        assert!(vouching.checks("ch1.example", &vouching.vouch("ch1.example")));
    }

    #[test]
    fn a_voucher_is_good_for_one_token_and_one_secret() {
        let vouching = Vouching::new(SECRET).unwrap();
        let voucher = vouching.vouch("ch1.example");
        assert!(!vouching.checks("ch1.exampl", &voucher) && !vouching.checks("ch1.example", ""));
        assert!(!vouching.checks("ch1.example", voucher.get(..22).unwrap()));
        assert!(!Vouching::new(SECRET.to_uppercase()).unwrap().checks("ch1.example", &voucher));
        assert!(Vouching::new("short").is_err() && Vouching::new("").is_err());
        assert_eq!(format!("{vouching:?}"), "Vouching { .. }");
    }
}
