//! How strict a header value is, for the headers where values can be put in order.

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

/// RFC 6797 6.1. The age counts first, up to a year: beyond that no returning visitor notices. At equal ages
/// `includeSubDomains` is the stricter.
fn hsts(value: &[u8]) -> Strictness {
    let (mut age, mut subdomains) = (None, false);
    for directive in value.split(|b| *b == b';') {
        let directive = directive.trim_ascii();
        let (name, arg) = match directive.iter().position(|b| *b == b'=') {
            Some(i) => (directive[..i].trim_ascii(), Some(directive[i + 1..].trim_ascii())),
            None => (directive, None),
        };
        if name.eq_ignore_ascii_case(b"max-age") {
            // A directive must not appear twice (6.1 rule 2); such a field is ignored whole.
            if age.is_some() {
                return Strictness::Invalid;
            }
            let digits = arg.unwrap_or(b"");
            let digits = digits.strip_prefix(b"\"").and_then(|d| d.strip_suffix(b"\"")).unwrap_or(digits);
            let Some(n) = parse_seconds(digits) else { return Strictness::Invalid };
            age = Some(n);
        } else if name.eq_ignore_ascii_case(b"includesubdomains") {
            subdomains = true;
        }
    }
    match age {
        None => Strictness::Invalid,
        // The documented way to switch HSTS off: the weakest of all, whatever else stands there.
        Some(0) => Strictness::Level(0),
        Some(n) => Strictness::Level(n.min(YEAR) * 2 + u64::from(subdomains)),
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

/// A structured-field token (RFC 8941): case-sensitive, parameters such as `report-to` allowed after it.
fn opener_policy(value: &[u8]) -> Strictness {
    let token = value.split(|b| *b == b';').next().unwrap_or(value).trim_ascii();
    match token {
        b"same-origin" => Strictness::Level(3),
        b"noopener-allow-popups" => Strictness::Level(2),
        b"same-origin-allow-popups" => Strictness::Level(1),
        b"unsafe-none" => Strictness::Level(0),
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
    }
}
