//! How strict a header value is, for the headers where values can be put in order.

use std::fmt;

use sfv::{BareItem, Item, Parser};

/// A place in the order of one header's values; a higher level is stricter. Levels of different headers mean nothing to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// A value that browsers understand.
    Level(u64),
    /// A value that browsers ignore: no protection at all.
    Invalid,
}

/// The measure of a header, if its values have an order.
pub(super) fn known(name: &str) -> Option<fn(&[u8]) -> Strictness> {
    match name {
        "strict-transport-security" => Some(hsts),
        "x-frame-options" => Some(frame_options),
        "x-content-type-options" => Some(content_type_options),
        "cross-origin-opener-policy" => Some(opener_policy),
        "referrer-policy" => Some(referrer_policy),
        _ => None,
    }
}

/// A Strict-Transport-Security value that browsers understand (RFC 6797 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hsts {
    age: u64,
    subdomains: bool,
    preload: bool,
}

impl Hsts {
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let (mut age, mut subdomains, mut preload) = (None, false, false);
        for directive in value.split(|b| *b == b';') {
            let directive = directive.trim_ascii();
            let (name, arg) = match directive.iter().position(|b| *b == b'=') {
                Some(i) => (directive[..i].trim_ascii(), Some(directive[i + 1..].trim_ascii())),
                None => (directive, None),
            };
            // A directive must not appear twice (6.1 rule 2); such a field is ignored whole.
            if name.eq_ignore_ascii_case(b"max-age") {
                let digits = arg.unwrap_or(b"");
                let digits = digits.strip_prefix(b"\"").and_then(|d| d.strip_suffix(b"\"")).unwrap_or(digits);
                if age.replace(parse_seconds(digits)?).is_some() {
                    return None;
                }
            } else if name.eq_ignore_ascii_case(b"includesubdomains") && std::mem::replace(&mut subdomains, true) {
                return None;
            } else if name.eq_ignore_ascii_case(b"preload") {
                preload = true;
            }
        }
        // An age of zero is the documented way to switch HSTS off: the weakest of all, whatever else stands there.
        let age = age?;
        Some(Self { age, subdomains: subdomains && age > 0, preload: preload && age > 0 })
    }

    /// The longer age, and whatever either covers.
    pub(super) fn joined(self, other: Self) -> Self {
        Self { age: self.age.max(other.age), subdomains: self.subdomains || other.subdomains, preload: self.preload || other.preload }
    }
}

impl fmt::Display for Hsts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subdomains = if self.subdomains { "; includeSubDomains" } else { "" };
        let preload = if self.preload { "; preload" } else { "" };
        write!(f, "max-age={}{subdomains}{preload}", self.age)
    }
}

/// For lines of one app that contradict each other: the age counts first, up to a year.
fn hsts(value: &[u8]) -> Strictness {
    match Hsts::parse(value) {
        None => Strictness::Invalid,
        Some(hsts) => Strictness::Level(hsts.age.min(YEAR) * 2 + u64::from(hsts.subdomains)),
    }
}

const YEAR: u64 = 365 * 24 * 3600;

fn parse_seconds(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().fold(0u64, |n, d| n * 10 + u64::from(d - b'0'));
    Some(n)
}

fn frame_options(value: &[u8]) -> Strictness {
    let value = value.trim_ascii();
    if value.eq_ignore_ascii_case(b"deny") {
        Strictness::Level(2)
    } else if value.eq_ignore_ascii_case(b"sameorigin") {
        Strictness::Level(1)
    } else {
        Strictness::Invalid
    }
}

fn content_type_options(value: &[u8]) -> Strictness {
    if value.trim_ascii().eq_ignore_ascii_case(b"nosniff") { Strictness::Level(1) } else { Strictness::Invalid }
}

/// A structured-field token (RFC 9651), letter for letter, with parameters such as `report-to` after it. What is no such item is
/// ignored by browsers.
fn opener_policy(value: &[u8]) -> Strictness {
    let Ok(Item { bare_item: BareItem::Token(token), .. }) = Parser::new(value).parse::<Item>() else { return Strictness::Invalid };
    match token.as_str() {
        "same-origin" => Strictness::Level(3),
        "noopener-allow-popups" => Strictness::Level(2),
        "same-origin-allow-popups" => Strictness::Level(1),
        "unsafe-none" => Strictness::Level(0),
        _ => Strictness::Invalid,
    }
}

/// The last token of the list that is known counts (Referrer Policy section 8.1).
fn referrer_policy(value: &[u8]) -> Strictness {
    let level = |token: &[u8]| {
        Some(match token.trim_ascii().to_ascii_lowercase().as_slice() {
            b"no-referrer" => 7,
            b"same-origin" => 6,
            b"strict-origin" => 5,
            b"strict-origin-when-cross-origin" => 4,
            b"origin" => 3,
            b"origin-when-cross-origin" => 2,
            b"no-referrer-when-downgrade" => 1,
            b"unsafe-url" => 0,
            _ => return None,
        })
    };
    value.split(|b| *b == b',').filter_map(level).next_back().map_or(Strictness::Invalid, Strictness::Level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hsts_order() {
        let level = |s: &str| hsts(s.as_bytes());
        assert_eq!(level("max-age=0; includeSubDomains"), Strictness::Level(0));
        assert_eq!(level("max-age=abc"), Strictness::Invalid);
        assert_eq!(level("max-age=1; max-age=2"), Strictness::Invalid);
        assert_eq!(level("includeSubDomains"), Strictness::Invalid);
        assert_eq!(level("Max-Age=\"31536000\""), Strictness::Level(63_072_000));
        assert_eq!(level("max-age=999999999999999999"), level("max-age=31536000"));
        assert_eq!(level("max-age=1; includeSubDomains"), Strictness::Level(3));
        assert_eq!(level("max-age=9999999999999999999999"), Strictness::Invalid);
        assert_eq!(level("max-age=1; includeSubDomains; includeSubDomains"), Strictness::Invalid);
    }

    #[test]
    fn opener_policies_are_read_as_strictly_as_browsers_do() {
        assert_eq!(opener_policy(b"same-origin; report-to=\"x\""), Strictness::Level(3));
        for void in ["same-origin;;;", "same-origin ; report-to=\"x\"", "Same-Origin", "same-origin, same-origin", "\"same-origin\""] {
            assert_eq!(opener_policy(void.as_bytes()), Strictness::Invalid, "{void}");
        }
    }
}
