//! How one of our headers meets the app's own of the same name. Pure: names and bytes in, a verdict out.

use super::catalog;
use super::changes::What;
use super::csp::Csp;
use super::strictness::{self, Hsts, Strictness};

/// What to do when the app has set the header too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Set it only if the app did not.
    Fill,
    /// Keep the app's if it is at least as strict, else replace it. Knows Strict-Transport-Security, X-Frame-Options,
    /// X-Content-Type-Options, Cross-Origin-Opener-Policy and Referrer-Policy. A Content-Security-Policy that is not provably
    /// as strict stays beside ours, and browsers enforce both. Any other header behaves as with [`Mode::Fill`].
    Floor,
    /// Replace the app's; but an app's Content-Security-Policy that is provably at least as strict stays.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Merge {
    /// Send the app's lines as they are.
    Keep,
    /// Send only the app's line with this index, and why.
    KeepOnly(usize, What),
    /// Send this instead of both, and why: what the app's one line says several times, once; or what is the stricter of both.
    Instead(Vec<u8>, What),
    /// Send ours instead of whatever the app had.
    Ours,
    /// Send the app's lines and ours after them.
    Both,
}

/// Decides for a header that the app has set at least once. `csp` is ours, parsed, where the header is a Content-Security-Policy.
///
/// What the app says twice is folded into one line for the headers that allow only one value: `SAMEORIGIN, SAMEORIGIN` is an
/// invalid X-Frame-Options and two COOP lines void each other (RFC 8941 items).
#[must_use]
pub(super) fn decide(name: &str, mode: Mode, ours: &[u8], csp: Option<&Csp>, theirs: &[&[u8]]) -> Merge {
    if csp.is_some() && theirs.iter().all(|t| t.trim_ascii().is_empty()) {
        // An empty line is no policy.
        return Merge::Ours;
    }
    match mode {
        Mode::Append => {
            if theirs.contains(&ours) {
                Merge::Keep
            } else {
                Merge::Both
            }
        }
        Mode::Fill => keep_single(name, theirs),
        // Browsers enforce all of the app's policies together, so one that is strict enough suffices. And where it cannot be
        // told which of two is the stricter, both are sent: together they allow only what both allow.
        Mode::Floor | Mode::Override if csp.is_some_and(|ours| theirs.iter().any(|t| is_at_least_as_strict(t, ours))) => Merge::Keep,
        Mode::Floor if csp.is_some() => {
            if name.ends_with("-report-only") {
                Merge::Keep
            } else {
                Merge::Both
            }
        }
        Mode::Override => Merge::Ours,
        Mode::Floor if name == "strict-transport-security" => transport_security(ours, theirs),
        Mode::Floor => match strictness::known(name) {
            None => keep_single(name, theirs),
            Some(measure) => {
                let Strictness::Level(floor) = measure(ours) else { return keep_single(name, theirs) };
                match strictest(measure, theirs) {
                    Some((_, level)) if level < floor => Merge::Ours,
                    Some(_) if theirs.len() == 1 => Merge::Keep,
                    Some((i, _)) => Merge::KeepOnly(i, if all_same(theirs) { What::Folded } else { What::Settled }),
                    None => match folded(theirs).filter(|one| matches!(measure(one), Strictness::Level(l) if l >= floor)) {
                        Some(one) => Merge::Instead(one.to_vec(), What::Folded),
                        None => Merge::Ours,
                    },
                }
            }
        },
    }
}

/// Whether a header's values can be told apart by how strict they are.
#[cfg(feature = "config")]
pub(super) fn has_floor(name: &str) -> bool {
    name == "content-security-policy" || strictness::known(name).is_some()
}

/// HSTS is strict in two ways, by its age and by what it covers, so neither value may be the stricter: then the longer age is sent,
/// and `includeSubDomains` if either says so.
fn transport_security(ours: &[u8], theirs: &[&[u8]]) -> Merge {
    // Only the first field counts (RFC 6797 8.1); one that browsers ignore protects nobody.
    let (Some(floor), Some(first)) = (Hsts::parse(ours), theirs.first().and_then(|t| Hsts::parse(t))) else { return Merge::Ours };
    let joined = floor.joined(first);
    if joined == first {
        return if theirs.len() == 1 {
            Merge::Keep
        } else {
            Merge::KeepOnly(0, if all_same(theirs) { What::Folded } else { What::Settled })
        };
    }
    if joined == floor { Merge::Ours } else { Merge::Instead(joined.to_string().into_bytes(), What::Joined) }
}

/// Whether an app's policy allows nothing that ours does not.
fn is_at_least_as_strict(theirs: &[u8], ours: &Csp) -> bool {
    // A comma makes several policies of one line, all of them enforced.
    let Ok(text) = std::str::from_utf8(theirs) else { return false };
    text.split(',').any(|policy| Csp::parse_lenient(policy).is_at_least_as_strict_as(ours))
}

/// The strictest of the app's lines, the first of equals (RFC 6797 8.1: only the first HSTS field counts).
fn strictest(measure: fn(&[u8]) -> Strictness, theirs: &[&[u8]]) -> Option<(usize, u64)> {
    let levels = theirs.iter().enumerate().filter_map(|(i, v)| match measure(v) {
        Strictness::Level(l) => Some((i, l)),
        Strictness::Invalid => None,
    });
    levels.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

fn keep_single(name: &str, theirs: &[&[u8]]) -> Merge {
    if catalog::known(name).is_some_and(|k| k.list) {
        return Merge::Keep;
    }
    if theirs.len() > 1 {
        if all_same(theirs) {
            return Merge::KeepOnly(0, What::Folded);
        }
        // Lines that contradict each other void the header: the strictest is what the app can have meant at best.
        return match strictness::known(name).and_then(|measure| strictest(measure, theirs)) {
            Some((i, _)) => Merge::KeepOnly(i, What::Settled),
            None => Merge::Keep,
        };
    }
    match folded(theirs) {
        Some(one) if catalog::known(name).is_some() => Merge::Instead(one.to_vec(), What::Folded),
        _ => Merge::Keep,
    }
}

fn all_same(theirs: &[&[u8]]) -> bool {
    theirs.windows(2).all(|w| w[0] == w[1])
}

/// What a single line says, if it says the same thing several times with commas between.
fn folded<'t>(theirs: &[&'t [u8]]) -> Option<&'t [u8]> {
    let [line] = theirs else { return None };
    let mut parts = line.split(|b| *b == b',').map(<[u8]>::trim_ascii);
    let first = parts.next()?;
    let mut more = false;
    for part in parts {
        more = true;
        if part != first {
            return None;
        }
    }
    more.then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str, mode: Mode, ours: &str, theirs: &[&str]) -> Merge {
        let theirs: Vec<&[u8]> = theirs.iter().map(|s| s.as_bytes()).collect();
        let csp = catalog::is_csp(name).then(|| Csp::parse_lenient(ours));
        decide(name, mode, ours.as_bytes(), csp.as_ref(), &theirs)
    }

    #[test]
    fn floor_keeps_the_stricter_and_replaces_the_weaker() {
        let decide = |name, ours: &str, theirs: &[&str]| verdict(name, Mode::Floor, ours, theirs);
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["DENY"]), Merge::Keep);
        assert_eq!(decide("x-frame-options", "DENY", &["sameorigin"]), Merge::Ours);
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["ALLOW-FROM https://a.example"]), Merge::Ours);
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["SAMEORIGIN", "DENY"]), Merge::KeepOnly(1, What::Settled));
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["SAMEORIGIN", "SAMEORIGIN"]), Merge::KeepOnly(0, What::Folded));
        assert_eq!(decide("x-frame-options", "SAMEORIGIN", &["DENY, DENY"]), Merge::Instead(b"DENY".to_vec(), What::Folded));
        assert_eq!(decide("x-frame-options", "DENY", &["SAMEORIGIN, SAMEORIGIN"]), Merge::Ours);
        assert_eq!(decide("strict-transport-security", "max-age=31536000", &["max-age=63072000"]), Merge::Keep);
        let joined = |text: &str| Merge::Instead(text.as_bytes().to_vec(), What::Joined);
        assert_eq!(
            decide("strict-transport-security", "max-age=31536000", &["max-age=600; includeSubDomains"]),
            joined("max-age=31536000; includeSubDomains")
        );
        assert_eq!(decide("strict-transport-security", "max-age=31536000", &["max-age=600"]), Merge::Ours);
        assert_eq!(decide("strict-transport-security", "max-age=31536000", &["max-age=0; includeSubDomains"]), Merge::Ours);
        assert_eq!(decide("strict-transport-security", "max-age=31536000", &["max-age=31536000; includeSubDomains; preload"]), Merge::Keep);
        assert_eq!(
            decide("strict-transport-security", "max-age=31536000; includeSubDomains", &["max-age=63072000"]),
            joined("max-age=63072000; includeSubDomains")
        );
        assert_eq!(decide("x-content-type-options", "nosniff", &["sniff"]), Merge::Ours);
        assert_eq!(decide("cross-origin-opener-policy", "same-origin-allow-popups", &["same-origin"]), Merge::Keep);
        assert_eq!(decide("cross-origin-opener-policy", "same-origin", &["unsafe-none"]), Merge::Ours);
    }

    #[test]
    fn fill_keeps_the_apps_and_folds_duplicates_only_where_one_value_is_allowed() {
        assert_eq!(verdict("x-frame-options", Mode::Fill, "DENY", &["ALLOWALL"]), Merge::Keep);
        assert_eq!(verdict("x-frame-options", Mode::Fill, "DENY", &["SAMEORIGIN", "DENY"]), Merge::KeepOnly(1, What::Settled));
        assert_eq!(
            verdict("cross-origin-resource-policy", Mode::Fill, "same-site", &["cross-origin", "cross-origin"]),
            Merge::KeepOnly(0, What::Folded)
        );
        assert_eq!(
            verdict("cross-origin-resource-policy", Mode::Fill, "same-site", &["a, a"]),
            Merge::Instead(b"a".to_vec(), What::Folded)
        );
        let csp = "default-src 'none'";
        assert_eq!(verdict("content-security-policy", Mode::Fill, "object-src 'none'", &[csp, csp]), Merge::Keep);
        assert_eq!(verdict("content-security-policy", Mode::Append, "object-src 'none'", &[csp]), Merge::Both);
        assert_eq!(verdict("content-security-policy", Mode::Append, csp, &[csp]), Merge::Keep);
        assert_eq!(verdict("x-mine", Mode::Fill, "x", &["a, a"]), Merge::Keep);
        assert_eq!(verdict("content-security-policy", Mode::Fill, "object-src 'none'", &["", " "]), Merge::Ours);
    }

    #[test]
    fn a_stricter_content_security_policy_of_the_app_stays_in_every_mode() {
        let ours = "default-src 'self'; object-src 'none'";
        for mode in [Mode::Fill, Mode::Floor, Mode::Override] {
            assert_eq!(verdict("content-security-policy", mode, ours, &["default-src 'none'"]), Merge::Keep, "{mode:?}");
        }
        // Neither is the stricter: with both, browsers allow what both allow.
        assert_eq!(verdict("content-security-policy", Mode::Floor, ours, &["img-src 'none'"]), Merge::Both);
        assert_eq!(verdict("content-security-policy", Mode::Override, ours, &["img-src *"]), Merge::Ours);
    }

    proptest::proptest! {
        /// Whatever the app sends, what leaves under `floor` measures at least as strict as ours.
        #[test]
        fn floor_never_weakens(
            name in proptest::sample::select(vec!["x-frame-options", "x-content-type-options", "cross-origin-opener-policy", "referrer-policy"]),
            theirs in proptest::collection::vec("[ -~]{0,40}|DENY|SAMEORIGIN|nosniff|max-age=[0-9]{1,9}(; includeSubDomains)?|same-origin|unsafe-none|no-referrer|unsafe-url", 1..4),
        ) {
            let ours: &[u8] = match name {
                "x-frame-options" => b"SAMEORIGIN",
                "x-content-type-options" => b"nosniff",
                "cross-origin-opener-policy" => b"same-origin-allow-popups",
                _ => b"strict-origin-when-cross-origin",
            };
            let bytes: Vec<&[u8]> = theirs.iter().map(|s| s.as_bytes()).collect();
            let measure = strictness::known(name).unwrap();
            let Strictness::Level(floor) = measure(ours) else { unreachable!() };
            let sent: Vec<u8> = match decide(name, Mode::Floor, ours, None, &bytes) {
                Merge::Ours => ours.to_vec(),
                Merge::KeepOnly(i, _) => bytes[i].to_vec(),
                Merge::Instead(text, _) => text,
                Merge::Keep => { proptest::prop_assert_eq!(bytes.len(), 1); bytes[0].to_vec() }
                Merge::Both => unreachable!(),
            };
            let Strictness::Level(level) = measure(&sent) else { panic!("an invalid value was kept") };
            proptest::prop_assert!(level >= floor);
        }

        /// HSTS is strict in two ways, and what leaves is in both at least as strict as ours and as what browsers make of the app's.
        #[test]
        fn no_hsts_is_weakened(
            ours in "max-age=[1-9][0-9]{0,8}(; includeSubDomains)?",
            theirs in proptest::collection::vec("max-age=[0-9]{1,9}(; includeSubDomains)?(; preload)?|[a-zA-Z=; 0-9-]{0,30}", 1..3),
        ) {
            let lines: Vec<&[u8]> = theirs.iter().map(|s| s.as_bytes()).collect();
            let sent = match decide("strict-transport-security", Mode::Floor, ours.as_bytes(), None, &lines) {
                Merge::Ours => ours.clone().into_bytes(),
                Merge::KeepOnly(i, _) => lines[i].to_vec(),
                Merge::Keep => lines[0].to_vec(),
                Merge::Instead(text, _) => text,
                Merge::Both => unreachable!(),
            };
            let sent = Hsts::parse(&sent).unwrap();
            proptest::prop_assert_eq!(sent.joined(Hsts::parse(ours.as_bytes()).unwrap()), sent);
            if let Some(first) = Hsts::parse(lines[0]) {
                proptest::prop_assert_eq!(sent.joined(first), sent);
            }
        }
    }
}
