//! Strict-Transport-Security (RFC 6797 section 6.1).

use super::Findings;

const YEAR: u64 = 365 * 24 * 3600;

pub(super) fn check(found: &mut Findings<'_>) {
    let value = found.value;
    let (mut age, mut subdomains, mut preload) = (None, false, None);
    for part in value.split(';').map(str::trim).filter(|p| !p.is_empty()) {
        let (name, argument) = part.split_once('=').map_or((part, None), |(n, a)| (n.trim(), Some(a.trim())));
        match (name.to_ascii_lowercase().as_str(), argument) {
            ("max-age", Some(digits)) => {
                if age.is_some() {
                    found.error(part, "has two `max-age`s", "browsers then ignore the header; keep one");
                }
                let plain = digits.trim_matches('"');
                match plain.parse::<u64>() {
                    Ok(n) if plain.bytes().all(|b| b.is_ascii_digit()) => age = Some(n),
                    _ => {
                        let parted = plain.split_once([' ', ',']).is_some_and(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()));
                        let remedy =
                            if parted { "put a `;` after the seconds" } else { "write whole seconds: `max-age=31536000` is a year" };
                        found.error(part, format!("has a `max-age` of `{digits}`"), remedy);
                        age = Some(YEAR);
                    }
                }
            }
            ("max-age", None) => found.error(part, "has a `max-age` without seconds", "`max-age=31536000` is a year"),
            ("includesubdomains", None) if !subdomains => subdomains = true,
            ("preload", None) if preload.is_none() => preload = Some(part),
            ("includesubdomains" | "preload", None) => {
                found.error(part, format!("has two `{part}`s"), "browsers then ignore the header; keep one")
            }
            _ => found.error(
                part,
                format!("has `{part}`, which is no part of it"),
                "known are `max-age=SECONDS`, `includeSubDomains` and `preload`",
            ),
        }
    }
    match age {
        None => found.error(value, "has no `max-age`", "browsers ignore it then; `max-age=31536000` is a year"),
        Some(0) => found.warn(value, "switches HTTPS-only off again", "right only on the way back to plain http"),
        Some(n) if n < YEAR / 2 => {
            found.warn(value, "lasts less than six months", "a visitor who stays away longer is unprotected; a year is usual")
        }
        Some(_) => {}
    }
    if let (Some(part), Some(age)) = (preload, age)
        && (age < YEAR || !subdomains)
    {
        found.warn(part, "has `preload`, but browsers' lists will not take it", "they ask for a year at least, and `includeSubDomains`");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;

    #[test]
    fn what_browsers_ignore_is_an_error_and_what_is_weak_a_warning() {
        let said = |v| said("strict-transport-security", v);
        assert_eq!(said("max-age=31536000; includeSubDomains; preload"), [""; 0]);
        assert_eq!(said("max-age=63072000"), [""; 0]);
        assert_eq!(said("max-age=abc")[0], "has a `max-age` of `abc` [max-age=abc] write whole seconds: `max-age=31536000` is a year");
        assert!(said("max-age=31536000 includeSubDomains")[0].ends_with("put a `;` after the seconds"));
        assert!(said("max-age=31536000; preload; preload")[0].starts_with("has two `preload`s"));
        assert!(said("includeSubDomains")[0].starts_with("has no `max-age`"));
        assert!(said("max-age=1; max-age=2")[0].starts_with("has two"));
        assert!(said("max-age=31536000, preload")[0].starts_with("has a `max-age` of `31536000, preload`"));
        assert!(said("max-age=31536000; preload")[0].starts_with("warning: has `preload`"));
        assert!(said("max-age=0")[0].starts_with("warning: switches"));
        assert!(said("max-age=600")[0].starts_with("warning: lasts"));
        assert!(said("maxage=600").len() == 2);
    }
}
