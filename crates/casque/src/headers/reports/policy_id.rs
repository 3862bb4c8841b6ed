//! Which policy a report is about, without keeping the policy.

use std::fmt;

/// A fingerprint of a Content-Security-Policy, shown as 16 hex digits.
///
/// It is the same for every response that carries the policy: nonces, reporting directives, spacing and the case of directive
/// names are left out of it. FNV-1a (64 bits): it tells one's own policies apart, and proves nothing, since whoever reports can
/// send any policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId(u64);

impl PolicyId {
    /// The fingerprint of a policy as it stands in the header field.
    #[must_use]
    pub fn of(policy: &str) -> Self {
        let mut hash = Self(0xcbf2_9ce4_8422_2325);
        for directive in policy.split([';', ',']) {
            let mut tokens = directive.split_ascii_whitespace();
            let name = tokens.next().unwrap_or("").to_ascii_lowercase();
            if matches!(name.as_str(), "" | "report-uri" | "report-to") {
                continue;
            }
            hash.add(&name);
            for token in tokens {
                let is_nonce = token.get(..7).is_some_and(|t| t.eq_ignore_ascii_case("'nonce-"));
                hash.add(if is_nonce { " 'nonce'" } else { " " });
                if !is_nonce {
                    hash.add(token);
                }
            }
            hash.add(";");
        }
        hash
    }

    fn add(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_with_every_response_is_left_out() {
        let one = PolicyId::of("default-src 'none'; script-src 'self' 'nonce-AAAA'; report-uri /r/1; report-to casque");
        assert_eq!(one, PolicyId::of("Default-Src  'none';script-src 'self' 'nonce-BBBB';report-to other;"));
        for other in ["default-src 'none'", "default-src 'none'; script-src 'self'", "default-src 'none' script-src 'self' 'nonce-AAAA'"] {
            assert_ne!(one, PolicyId::of(other), "{other}");
        }
        assert_eq!(one.to_string().len(), 16);
    }
}
