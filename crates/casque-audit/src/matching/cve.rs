//! CVE ids as numbers.

/// A CVE id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cve(u64);

impl Cve {
    /// Reads `CVE-2024-12345`: four digits of a year and at least four more, at most ten.
    pub fn parse(id: &str) -> Option<Self> {
        let (year, number) = id.strip_prefix("CVE-")?.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if year.len() != 4 || !(4..=10).contains(&number.len()) || !digits(year) || !digits(number) {
            return None;
        }
        // Ten digits take 34 bits.
        Some(Self(year.parse::<u64>().ok()? << 34 | number.parse::<u64>().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_ordered() {
        assert!(Cve::parse("CVE-2023-9999999999") < Cve::parse("CVE-2024-0001"));
        assert_ne!(Cve::parse("CVE-2023-9999999999"), Cve::parse("CVE-2023-9999999998"));
        for bad in ["CVE-2023-1", "CVE-202-12345", "GHSA-1", "CVE-2023-+123", "CVE-2023-12345678901", "cve-2023-1234"] {
            assert_eq!(Cve::parse(bad), None, "{bad}");
        }
    }
}
