//! What a client brings back, as it stands in a query or a form.

use super::token::MOST_TEXT;
use super::vouching::VOUCHER_LEN;

/// The most bytes of a query or form that is read. The longest one that means something is shorter.
pub const MAX_REDEMPTION: usize = 4096;

/// A token, and what is to prove that it was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redemption<'a> {
    /// The challenge's token.
    pub token: &'a str,
    /// The number that the work found.
    pub solution: Option<&'a str>,
    /// The word of the operator's page.
    pub voucher: Option<&'a str>,
}

impl<'a> Redemption<'a> {
    /// Reads `token`, `solution` and `voucher` from `application/x-www-form-urlencoded` bytes. None of them has a character that
    /// is ever encoded, so nothing is decoded; empty ones count as absent, other fields are passed over.
    ///
    /// `None` without a token, if one comes twice, or if anything is longer than it can be.
    #[must_use]
    pub fn parse(form: &'a [u8]) -> Option<Self> {
        if form.len() > MAX_REDEMPTION {
            return None;
        }
        let (mut token, mut solution, mut voucher) = (None, None, None);
        for field in std::str::from_utf8(form).ok()?.split('&') {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let (place, most) = match name {
                "token" => (&mut token, MOST_TEXT),
                "solution" => (&mut solution, 16),
                "voucher" => (&mut voucher, VOUCHER_LEN),
                _ => continue,
            };
            let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
            if !plain || value.len() > most || place.is_some() {
                return None;
            }
            *place = Some(value);
        }
        let given = |value: Option<&'a str>| value.filter(|v| !v.is_empty());
        Some(Self { token: given(token)?, solution: given(solution), voucher: given(voucher) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_queries() {
        let all = Redemption { token: "ch1.a-_", solution: Some("12"), voucher: Some("v") };
        assert_eq!(Redemption::parse(b"token=ch1.a-_&solution=12&voucher=v"), Some(all));
        assert_eq!(Redemption::parse(b"x=%20&token=ch1.a-_&solution=&y"), Some(Redemption { solution: None, voucher: None, ..all }));
        for form in [
            "",
            "token=",
            "token",
            "solution=1",
            "token=a&token=a",
            "token=a%2e",
            "token=a&solution=1+1",
            "token=a&solution=12345678901234567",
        ] {
            assert_eq!(Redemption::parse(form.as_bytes()), None, "{form}");
        }
        assert_eq!(Redemption::parse(b"token=\xff"), None);
        let long = |n: usize| format!("token={}", "a".repeat(n));
        assert!(Redemption::parse(long(MOST_TEXT).as_bytes()).is_some() && Redemption::parse(long(MOST_TEXT + 1).as_bytes()).is_none());
        const { assert!(MOST_TEXT + VOUCHER_LEN + 16 + 64 < MAX_REDEMPTION) };
        assert_eq!(Redemption::parse(format!("token=a&x={}", "y".repeat(MAX_REDEMPTION)).as_bytes()), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text in "(token|solution|voucher|&|=|[a-z.%]){0,12}") {
            let _ = Redemption::parse(&bytes);
            if let Some(read) = Redemption::parse(text.as_bytes()) {
                proptest::prop_assert!(!read.token.is_empty());
            }
        }
    }
}
