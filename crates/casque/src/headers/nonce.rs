//! A response's nonce: the word that tells the app's own inline scripts from an attacker's.
//!
//! casque makes it and the app prints it where it means it. casque never stamps it into a page: a page that an attacker could write
//! into would have the attacker's script stamped too.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;

/// 144 random bits as 24 letters, digits, `-` and `_`: more than the 128 that CSP 3 (section 8.1 of the specification's
/// security considerations) asks for, and no padding that a template could lose.
///
/// In a request's extensions for the app to print: `<script nonce="...">`. Fresh for every response; never log it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce([u8; 24]);

impl Nonce {
    /// How long its text is.
    pub const LEN: usize = size_of::<Self>();

    /// A fresh one, from the thread's generator (ChaCha, seeded and re-seeded by the operating system).
    #[must_use]
    pub fn fresh() -> Self {
        Self::of(rand::rng().random())
    }

    /// The text for given bits. Use [`Nonce::fresh`] for anything but tests.
    fn of(bits: [u8; 18]) -> Self {
        let mut text = [b'A'; Self::LEN];
        // 18 bytes are 24 letters exactly, so this cannot fail.
        let _ = URL_SAFE_NO_PAD.encode_slice(bits, &mut text);
        Self(text)
    }

    /// As it stands in a `nonce` attribute.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says nothing: a nonce in a log is a nonce for whoever reads it while the page is open.
impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

#[cfg(feature = "axum")]
mod extract {
    use axum_core::extract::FromRequestParts;
    use http::StatusCode;
    use http::request::Parts;

    use super::Nonce;

    /// Fails with 500 when no [`crate::HeadersLayer`] with a nonce in its policy is round the handler: a page without its nonce
    /// would be a page whose scripts are all blocked.
    impl<S: Sync> FromRequestParts<S> for Nonce {
        type Rejection = (StatusCode, &'static str);

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
            parts
                .extensions
                .get::<Self>()
                .copied()
                .ok_or((StatusCode::INTERNAL_SERVER_ERROR, "no nonce: put 'nonce' into the policy of HeadersLayer"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_differ_and_are_letters_only() {
        let (a, b) = (Nonce::fresh(), Nonce::fresh());
        assert_ne!(a.as_str(), b.as_str());
        assert_eq!(a.as_str().len(), 24);
        assert!(a.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(Nonce::of([0; 18]).as_str(), "AAAAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Nonce::of([255; 18]).as_str(), "________________________");
        assert_eq!(format!("{a:?}"), "Nonce(..)");
    }
}
