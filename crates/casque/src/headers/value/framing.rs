//! The old headers of one word: framing, sniffing, referrers.

use super::Findings;

/// RFC 7034; `ALLOW-FROM` was dropped by every browser that had it.
pub(super) fn frame_options(found: &mut Findings<'_>) {
    let value = found.value.trim();
    let first = value.split_ascii_whitespace().next().unwrap_or(value);
    if first.eq_ignore_ascii_case("allow-from") {
        found.warn(value, "has ALLOW-FROM, which no browser honours any more", "use `frame-ancestors` in content-security-policy");
    } else if !value.eq_ignore_ascii_case("deny") && !value.eq_ignore_ascii_case("sameorigin") {
        found.error(value, format!("cannot be `{value}`"), "expected `DENY` or `SAMEORIGIN`; browsers ignore anything else");
    }
}

pub(super) fn exactly(found: &mut Findings<'_>, word: &'static str) {
    let value = found.value.trim();
    if !value.eq_ignore_ascii_case(word) {
        found.error(value, format!("cannot be `{value}`"), format!("its only value is `{word}`"));
    }
}

pub(super) fn one_word(found: &mut Findings<'_>, words: &[&'static str]) {
    let value = found.value.trim();
    if !words.iter().any(|w| w.eq_ignore_ascii_case(value)) {
        found.one_of(value, words);
    }
}

/// `1` switches on a filter that browsers took out because it could be made to break pages.
pub(super) fn xss_protection(found: &mut Findings<'_>) {
    let value = found.value.trim();
    match value.split(';').next().map(str::trim) {
        Some("0") => {}
        Some("1") => found.warn(value, "switches on a filter that could be turned against the page", "`0` is the safe value"),
        _ => found.error(value, format!("cannot be `{value}`"), "expected `0`"),
    }
}

/// Referrer Policy section 3; in a list the last value that a browser knows counts.
const REFERRER_POLICIES: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

pub(super) fn referrer_policy(found: &mut Findings<'_>) {
    let value = found.value;
    let mut last = "";
    for token in value.split(',').map(str::trim) {
        if token.is_empty() {
            found.error(value, "has an empty place in its list", "take the extra comma out");
        } else if REFERRER_POLICIES.iter().any(|p| p.eq_ignore_ascii_case(token)) {
            last = token;
        } else {
            found.one_of(token, &REFERRER_POLICIES);
        }
    }
    if last.eq_ignore_ascii_case("unsafe-url") || last.eq_ignore_ascii_case("no-referrer-when-downgrade") {
        found.warn(
            last,
            format!("tells other sites the whole address of your pages (`{last}`)"),
            "`strict-origin-when-cross-origin` tells them the site only",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;

    #[test]
    fn words_are_known_or_suggested() {
        assert_eq!(said("x-frame-options", "deny"), [""; 0]);
        assert!(said("x-frame-options", "ALLOWALL")[0].starts_with("cannot be `ALLOWALL`"));
        assert!(said("x-frame-options", "ALLOW-FROM https://a.example")[0].starts_with("warning: has ALLOW-FROM"));
        assert_eq!(said("x-content-type-options", "nosnif"), ["cannot be `nosnif` [nosnif] its only value is `nosniff`"]);
        assert_eq!(said("referrer-policy", "no-referrer, strict-origin-when-cross-origin"), [""; 0]);
        assert_eq!(said("referrer-policy", "no-referer"), ["cannot be `no-referer` [no-referer] did you mean `no-referrer`?"]);
        assert!(said("referrer-policy", "unsafe-url")[0].starts_with("warning"));
        assert!(said("referrer-policy", "origin,")[0].contains("extra comma"));
        assert_eq!(said("x-dns-prefetch-control", "OFF"), [""; 0]);
    }
}
