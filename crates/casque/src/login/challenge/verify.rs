//! Whether a challenge is met.

use sha2::{Digest, Sha256};

use super::pass::Pass;
use super::redemption::Redemption;
use super::return_to::ReturnTo;
use super::token::{Challenge, Kind};
use super::vouching::Vouching;
use crate::client_ip::ClientIp;
use crate::login::secret::Secrets;
use crate::login::token::LEEWAY;

/// The most digits of a solution.
const MAX_SOLUTION: usize = 16;

/// A challenge that was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// What it is changed into.
    pub pass: Pass,
    /// Where the form is.
    pub return_to: ReturnTo,
}

/// A challenge that was not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// No token of ours for this client: malformed, forged, of an unknown key, of another address.
    Unknown,
    /// Too late, or from the future. The form will lead to a new challenge.
    Expired {
        /// Where the form is.
        return_to: ReturnTo,
    },
    /// Good, but not met yet: too early, or without the right solution or voucher.
    Unmet {
        /// The challenge, to be posed again as it is.
        challenge: Challenge,
        /// Its token.
        token: String,
        /// Seconds that are left of its wait.
        wait_left: u64,
    },
}

/// Judges what a client brings back. `now` is in seconds since 1970; `vouching` is the secret shared with the operator's page,
/// if there is one.
///
/// # Errors
/// [`Rejected`], which is an answer too.
pub fn verify(
    secrets: &Secrets,
    vouching: Option<&Vouching>,
    client: ClientIp,
    redemption: &Redemption<'_>,
    now: u64,
) -> Result<Passed, Rejected> {
    let Some(challenge) = Challenge::open(secrets, client, redemption.token) else { return Err(Rejected::Unknown) };
    let in_time = challenge.issued_at <= now.saturating_add(LEEWAY) && now < challenge.expires_at();
    if !in_time {
        return Err(Rejected::Expired { return_to: challenge.return_to });
    }
    let wait_left = challenge.wait_left(now);
    let met = match challenge.kind {
        Kind::Wait => wait_left == 0,
        Kind::Work => wait_left == 0 || redemption.solution.is_some_and(|s| solves(redemption.token, s, challenge.bits)),
        Kind::External => vouching.zip(redemption.voucher).is_some_and(|(vouching, v)| vouching.checks(redemption.token, v)),
    };
    if met {
        Ok(Passed { pass: Pass::of(&challenge, client), return_to: challenge.return_to })
    } else {
        Err(Rejected::Unmet { token: redemption.token.to_owned(), challenge, wait_left })
    }
}

/// Whether SHA-256 of token, `.` and solution begins with so many zero bits. A solution is up to 16 decimal digits.
pub(super) fn solves(token: &str, solution: &str, bits: u8) -> bool {
    let digits = !solution.is_empty() && solution.len() <= MAX_SOLUTION && solution.bytes().all(|b| b.is_ascii_digit());
    digits && leading_zero_bits(&Sha256::new().chain_update(token).chain_update(".").chain_update(solution).finalize()) >= u32::from(bits)
}

fn leading_zero_bits(hash: &[u8]) -> u32 {
    let zeros = hash.iter().take_while(|b| **b == 0).count();
    let next = hash.get(zeros).map_or(0, |b| b.leading_zeros());
    u32::try_from(zeros).unwrap_or(0) * 8 + next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_across_bytes() {
        assert_eq!(leading_zero_bits(&[0x80]), 0);
        assert_eq!(leading_zero_bits(&[0, 0x1f, 0xff]), 11);
        assert_eq!(leading_zero_bits(&[0, 0]), 16);
    }

    #[test]
    fn a_known_solution() {
        // SHA-256 of "ch1.example.19226" begins with 0000d159.
        assert!(solves("ch1.example", "19226", 16) && !solves("ch1.example", "19226", 16 + 1));
        assert!(!solves("ch1.exemple", "19226", 12));
    }

    #[test]
    fn a_solution_is_a_number() {
        for solution in ["", "x", "-1", "1e9", " 1", "1\0", "\u{663}", "12345678901234567"] {
            assert!(!solves("ch1.example", solution, 0), "{solution:?}");
        }
        assert!(solves("ch1.example", "1234567890123456", 0));
    }
}
