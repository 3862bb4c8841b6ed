//! How one of our headers meets the app's own of the same name. Pure: names and bytes in, a verdict out.

use super::strictness::{self, Strictness};

/// What to do when the app has set the header too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Set it only if the app did not.
    Fill,
    /// Keep the app's if it is at least as strict, else replace it. Knows Strict-Transport-Security, X-Frame-Options,
    /// X-Content-Type-Options, Cross-Origin-Opener-Policy and Referrer-Policy; any other header behaves as with [`Mode::Fill`].
    Floor,
    /// Replace the app's.
    Override,
    /// Send ours beside the app's. For Content-Security-Policy browsers then enforce both (CSP 3 section 8.1), so this can
    /// only tighten; for other headers two values are rarely what you want.
    Append,
}

impl Mode {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 4] =
        [("fill", Self::Fill), ("floor", Self::Floor), ("override", Self::Override), ("append", Self::Append)];
}

/// The verdict on one header of one response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// Send the app's lines as they are.
    Keep,
    /// Send only the app's line with this index.
    KeepOnly(usize),
    /// Send ours instead of whatever the app had.
    Ours,
    /// Send the app's lines and ours after them.
    Both,
}

/// Decides for a header that the app has set at least once.
///
/// Exact duplicates are folded into one line for the headers that allow only one value: `SAMEORIGIN, SAMEORIGIN` is an
/// invalid X-Frame-Options and two COOP lines void each other (RFC 8941 items).
#[must_use]
pub(super) fn decide(name: &str, mode: Mode, ours: &[u8], theirs: &[&[u8]]) -> Merge {
    match mode {
        Mode::Override => Merge::Ours,
        Mode::Append => {
            if theirs.contains(&ours) {
                Merge::Keep
            } else {
                Merge::Both
            }
        }
        Mode::Fill => keep_single(name, theirs),
        Mode::Floor => match strictness::known(name) {
            None => keep_single(name, theirs),
            Some(measure) => {
                let Strictness::Level(floor) = measure(ours) else { return keep_single(name, theirs) };
                // The strictest of the app's lines, the first of equals (RFC 6797 8.1: only the first HSTS field counts).
                let best = theirs
                    .iter()
                    .enumerate()
                    .filter_map(|(i, v)| match measure(v) {
                        Strictness::Level(l) => Some((i, l)),
                        Strictness::Invalid => None,
                    })
                    .reduce(|best, next| if next.1 > best.1 { next } else { best });
                match best {
                    Some((_, level)) if level < floor => Merge::Ours,
                    Some(_) if theirs.len() == 1 => Merge::Keep,
                    Some((i, _)) => Merge::KeepOnly(i),
                    None => Merge::Ours,
                }
            }
        },
    }
}

fn keep_single(name: &str, theirs: &[&[u8]]) -> Merge {
    let list_allowed = matches!(
        name,
        "content-security-policy"
            | "content-security-policy-report-only"
            | "permissions-policy"
            | "cache-control"
            | "referrer-policy"
            | "vary"
            | "link"
    );
    let all_same = theirs.windows(2).all(|w| w[0] == w[1]);
    if theirs.len() > 1 && !list_allowed && all_same { Merge::KeepOnly(0) } else { Merge::Keep }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_keeps_the_stricter_and_replaces_the_weaker() {
        let decide = |name, ours: &str, theirs: &[&str]| {
            let theirs: Vec<&[u8]> = theirs.iter().map(|s| s.as_bytes()).collect();
            decide(name, Mode::Floor, ours.as_bytes(), &theirs)
        };
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["DENY"]), Merge::Keep);
        assert_eq!(decide("x-frame-options", "DENY", &["sameorigin"]), Merge::Ours);
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["ALLOW-FROM https://a.example"]), Merge::Ours);
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["SAMEORIGIN", "DENY"]), Merge::KeepOnly(1));
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["SAMEORIGIN", "SAMEORIGIN"]), Merge::KeepOnly(0));
        assert_eq!(decide("strict-transport-security", "max-age=31536000", &["max-age=63072000"]), Merge::Keep);
        assert_eq!(decide("strict-transport-security", "max-age=31536000", &["max-age=600; includeSubDomains"]), Merge::Ours);
        assert_eq!(decide("strict-transport-security", "max-age=31536000", &["max-age=31536000; includeSubDomains; preload"]), Merge::Keep);
        assert_eq!(decide("strict-transport-security", "max-age=31536000; includeSubDomains", &["max-age=63072000"]), Merge::Ours);
        assert_eq!(decide("x-content-type-options", "nosniff", &["sniff"]), Merge::Ours);
        assert_eq!(decide("cross-origin-opener-policy", "same-origin-allow-popups", &["same-origin"]), Merge::Keep);
        assert_eq!(decide("cross-origin-opener-policy", "same-origin", &["unsafe-none"]), Merge::Ours);
    }

    #[test]
    fn fill_keeps_the_apps_and_folds_duplicates_only_where_one_value_is_allowed() {
        assert_eq!(decide("x-frame-options", Mode::Fill, b"DENY", &[b"ALLOWALL"]), Merge::Keep);
        assert_eq!(
            decide("cross-origin-resource-policy", Mode::Fill, b"same-site", &[b"cross-origin", b"cross-origin"]),
            Merge::KeepOnly(0)
        );
        let csp: &[u8] = b"default-src 'none'";
        assert_eq!(decide("content-security-policy", Mode::Fill, b"object-src 'none'", &[csp, csp]), Merge::Keep);
        assert_eq!(decide("content-security-policy", Mode::Append, b"object-src 'none'", &[csp]), Merge::Both);
        assert_eq!(decide("content-security-policy", Mode::Append, csp, &[csp]), Merge::Keep);
        assert_eq!(decide("content-security-policy", Mode::Override, b"object-src 'none'", &[csp]), Merge::Ours);
    }

    proptest::proptest! {
        /// Whatever the app sends, what leaves under `floor` measures at least as strict as ours.
        #[test]
        fn floor_never_weakens(
            name in proptest::sample::select(vec!["strict-transport-security", "x-frame-options", "x-content-type-options", "cross-origin-opener-policy", "referrer-policy"]),
            theirs in proptest::collection::vec("[ -~]{0,40}|DENY|SAMEORIGIN|nosniff|max-age=[0-9]{1,9}(; includeSubDomains)?|same-origin|unsafe-none|no-referrer|unsafe-url", 1..4),
        ) {
            let ours: &[u8] = match name {
                "strict-transport-security" => b"max-age=31536000",
                "x-frame-options" => b"SAMEORIGIN",
                "x-content-type-options" => b"nosniff",
                "cross-origin-opener-policy" => b"same-origin-allow-popups",
                _ => b"strict-origin-when-cross-origin",
            };
            let bytes: Vec<&[u8]> = theirs.iter().map(|s| s.as_bytes()).collect();
            let measure = strictness::known(name).unwrap();
            let Strictness::Level(floor) = measure(ours) else { unreachable!() };
            let sent: &[u8] = match decide(name, Mode::Floor, ours, &bytes) {
                Merge::Ours => ours,
                Merge::KeepOnly(i) => bytes[i],
                Merge::Keep => { proptest::prop_assert_eq!(bytes.len(), 1); bytes[0] }
                Merge::Both => unreachable!(),
            };
            let Strictness::Level(level) = measure(sent) else { panic!("an invalid value was kept") };
            proptest::prop_assert!(level >= floor);
        }
    }
}
