//! One `Set-Cookie` line in, one line out. Pure, and free of `http` types: any server can use it on the bytes it has.

use std::fmt;
use std::time::Duration;

use super::policy::{CookiePolicy, Mode, SameSite};
use crate::Scheme;

/// What was changed or noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Change {
    /// SameSite was absent or invalid and was set.
    SameSiteAdded = 1,
    /// A valid SameSite was replaced because the policy forces one.
    SameSiteForced = 2,
    /// Secure was added.
    SecureAdded = 4,
    /// HttpOnly was added.
    HttpOnlyAdded = 8,
    /// Domain was taken out.
    DomainDropped = 16,
    /// The lifetime was cut.
    MaxAgeCapped = 32,
    /// Name and value are longer than the 4,096 bytes that browsers keep (RFC 6265bis 5.6): it will not be stored. Nothing was changed for this.
    TooLong = 64,
    /// The line has no name and was dropped: such a cookie can be read as any other (RFC 6265bis 5.7, nameless cookies).
    Nameless = 128,
    /// The line has a control byte and was dropped.
    ControlByte = 256,
}

/// A set of [`Change`]s.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes(u16);

impl Changes {
    /// Adds one.
    pub fn add(&mut self, change: Change) {
        self.0 |= change as u16;
    }

    /// Joins two sets.
    pub fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn has(self, change: Change) -> bool {
        self.0 & change as u16 != 0
    }

    /// Whether nothing was changed or noticed.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names, as logs and conformance data call them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(Change, &str); 9] = [
            (Change::TooLong, "oversize_browser_will_drop"),
            (Change::SameSiteForced, "samesite_forced"),
            (Change::SameSiteAdded, "samesite_added"),
            (Change::SecureAdded, "secure_added"),
            (Change::HttpOnlyAdded, "httponly_added"),
            (Change::DomainDropped, "domain_dropped"),
            (Change::MaxAgeCapped, "max_age_capped"),
            (Change::Nameless, "drop_nameless"),
            (Change::ControlByte, "drop_ctl"),
        ];
        NAMES.into_iter().filter(move |(c, _)| self.has(*c)).map(|(_, n)| n)
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// What becomes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hardened {
    /// It is right as it is.
    Same,
    /// It is replaced.
    Rewritten(Vec<u8>),
    /// It is not sent.
    Dropped,
}

/// Judges one `Set-Cookie` field value. `now` is the time since the Unix epoch, for `Expires`.
///
/// In [`Mode::Observe`] the line stays as it is and the changes say what would have been done.
#[must_use]
pub fn harden(line: &[u8], policy: &CookiePolicy, outside: Scheme, now: Duration) -> (Hardened, Changes) {
    let (hardened, changes) = judge(line, policy, outside, now);
    match policy.mode {
        Mode::Enforce => (hardened, changes),
        Mode::Observe => (Hardened::Same, changes),
        Mode::Off => (Hardened::Same, Changes::default()),
    }
}

/// The flags of a `Set-Cookie` line, as a browser reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// Sent over HTTPS only.
    pub secure: bool,
    /// Hidden from scripts.
    pub http_only: bool,
    /// Whether it is sent on what other sites start; `None` where the line says nothing valid.
    pub same_site: Option<SameSite>,
}

impl Flags {
    /// Reads a line.
    #[must_use]
    pub fn of(line: &[u8]) -> Self {
        let found = survey(line.split(|b| *b == b';').skip(1));
        Self { secure: found.secure, http_only: found.http_only, same_site: found.same_site }
    }
}

/// An attribute as it was written, and what it is.
struct Attribute<'a> {
    raw: &'a [u8],
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Attribute<'a> {
    fn of(part: &'a [u8]) -> Self {
        let raw = part.trim_ascii();
        let (name, value) = match raw.iter().position(|b| *b == b'=') {
            Some(i) => (raw[..i].trim_ascii(), raw[i + 1..].trim_ascii()),
            None => (raw, &[][..]),
        };
        Self { raw, name, value }
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// What a first pass over the attributes finds.
#[derive(Default)]
struct Found<'a> {
    secure: bool,
    http_only: bool,
    same_site: Option<SameSite>,
    same_site_lines: u32,
    same_site_all_valid: bool,
    domain: bool,
    empty_attribute: bool,
    max_age: Option<i64>,
    expires: Option<&'a [u8]>,
}

fn judge(line: &[u8], policy: &CookiePolicy, outside: Scheme, now: Duration) -> (Hardened, Changes) {
    let mut changes = Changes::default();
    // A fold without an early exit runs on vectors.
    if line.iter().fold(false, |bad, b| bad | ((*b < b' ') & (*b != b'\t')) | (*b == 0x7f)) {
        changes.add(Change::ControlByte);
        return (Hardened::Dropped, changes);
    }
    let (pair, attributes) = match memchr::memchr(b';', line) {
        Some(i) => (&line[..i], Parts { rest: Some(&line[i + 1..]) }),
        None => (line, Parts { rest: None }),
    };
    let Some(equals) = pair.iter().position(|b| *b == b'=') else {
        changes.add(Change::Nameless);
        return (Hardened::Dropped, changes);
    };
    let name = pair[..equals].trim_ascii();
    if name.is_empty() {
        changes.add(Change::Nameless);
        return (Hardened::Dropped, changes);
    }
    if name.len() + pair[equals + 1..].trim_ascii().len() > 4096 {
        changes.add(Change::TooLong);
    }
    let found = survey(attributes.clone());

    // SameSite: the last valid one counts (RFC 6265bis 5.4.7 takes the last attribute; an invalid one would mean the default).
    let same_site = if let Some(forced) = policy.force_same_site {
        if found.same_site != Some(forced) || found.same_site_lines != 1 {
            changes.add(Change::SameSiteForced);
        }
        Some(forced)
    } else {
        match (found.same_site, policy.same_site) {
            (None, Some(ours)) => {
                changes.add(Change::SameSiteAdded);
                Some(ours)
            }
            (theirs, _) => theirs,
        }
    };
    let same_site_stays =
        found.same_site == same_site && found.same_site_all_valid && found.same_site_lines == u32::from(same_site.is_some());

    // A prefix demands Secure too, and so does Partitioned; both are worthless on plain HTTP.
    if policy.secure && outside == Scheme::Https && !found.secure {
        changes.add(Change::SecureAdded);
    }
    if policy.http_only && !found.http_only && !policy.is_script_readable(name) {
        changes.add(Change::HttpOnlyAdded);
    }
    if found.domain && !policy.keeps_domain(name) {
        changes.add(Change::DomainDropped);
    }
    let cap = lifetime_cap(policy, &found, now);
    if cap.is_some() {
        changes.add(Change::MaxAgeCapped);
    }

    let untouched = same_site_stays && !found.empty_attribute && (changes.is_empty() || changes == just(Change::TooLong));
    if untouched {
        return (Hardened::Same, changes);
    }
    let new_same_site = same_site.filter(|_| !same_site_stays);
    let in_place = found.empty_attribute
        || found.same_site_lines > 0 && new_same_site.is_some()
        || changes.has(Change::DomainDropped)
        || cap.is_some();
    let mut out = Vec::with_capacity(line.len() + 64);
    if in_place {
        rewrite(&mut out, pair, attributes, &found, new_same_site, cap, changes);
    } else {
        // Nothing of the line is wrong: it stays as it is, and what is missing follows.
        out.extend_from_slice(line.trim_ascii_end());
        append_missing(&mut out, new_same_site, changes);
    }
    (Hardened::Rewritten(out), changes)
}

/// The parts between semicolons.
#[derive(Clone)]
struct Parts<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        match memchr::memchr(b';', rest) {
            Some(i) => {
                self.rest = Some(&rest[i + 1..]);
                Some(&rest[..i])
            }
            None => {
                self.rest = None;
                Some(rest)
            }
        }
    }
}

fn just(change: Change) -> Changes {
    let mut set = Changes::default();
    set.add(change);
    set
}

fn survey<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Found<'a> {
    let mut found = Found { same_site_all_valid: true, ..Found::default() };
    for part in parts {
        let attribute = Attribute::of(part);
        if attribute.raw.is_empty() {
            found.empty_attribute = true;
        } else if attribute.is("secure") {
            found.secure = true;
        } else if attribute.is("httponly") {
            found.http_only = true;
        } else if attribute.is("samesite") {
            found.same_site_lines += 1;
            match SameSite::parse(attribute.value) {
                Some(value) => found.same_site = Some(value),
                None => found.same_site_all_valid = false,
            }
        } else if attribute.is("domain") {
            found.domain = true;
        } else if attribute.is("max-age") {
            found.max_age = parse_max_age(attribute.value).or(found.max_age);
        } else if attribute.is("expires") {
            found.expires = Some(attribute.value);
        }
    }
    found
}

/// The Max-Age to write if the cookie would live longer than the cap. Max-Age wins over Expires (RFC 6265bis 5.7).
fn lifetime_cap(policy: &CookiePolicy, found: &Found<'_>, now: Duration) -> Option<i64> {
    let cap = i64::try_from(policy.max_age_cap?.as_secs()).unwrap_or(i64::MAX);
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let lifetime = match (found.max_age, found.expires) {
        (Some(seconds), _) => seconds,
        (None, Some(date)) if may_outlive(date, cap, now) => parse_date(date)?.saturating_sub(now),
        _ => return None,
    };
    (lifetime > cap).then_some(cap)
}

fn rewrite<'a>(
    out: &mut Vec<u8>,
    pair: &[u8],
    parts: impl Iterator<Item = &'a [u8]>,
    found: &Found<'_>,
    new_same_site: Option<SameSite>,
    cap: Option<i64>,
    changes: Changes,
) {
    out.extend_from_slice(pair.trim_ascii());
    let mut same_site_written = false;
    let mut max_age_written = false;
    for part in parts {
        let attribute = Attribute::of(part);
        if attribute.raw.is_empty() || (attribute.is("domain") && changes.has(Change::DomainDropped)) {
            continue;
        }
        if attribute.is("samesite") {
            // One attribute remains: in its place when it changes its value, as it was when it is right.
            match new_same_site {
                Some(value) if found.same_site.is_some() && !same_site_written => {
                    push(out, value.attribute().as_bytes());
                    same_site_written = true;
                }
                None => push(out, attribute.raw),
                Some(_) => {}
            }
            continue;
        }
        if cap.is_some() && attribute.is("expires") {
            continue;
        }
        if let (Some(seconds), true) = (cap, attribute.is("max-age")) {
            if !max_age_written {
                push(out, format!("Max-Age={seconds}").as_bytes());
                max_age_written = true;
            }
            continue;
        }
        push(out, attribute.raw);
    }
    append_missing(out, new_same_site.filter(|_| !same_site_written), changes);
    if let (Some(seconds), false) = (cap, max_age_written) {
        push(out, format!("Max-Age={seconds}").as_bytes());
    }
}

fn append_missing(out: &mut Vec<u8>, same_site: Option<SameSite>, changes: Changes) {
    if let Some(value) = same_site {
        push(out, value.attribute().as_bytes());
    }
    if changes.has(Change::SecureAdded) {
        push(out, b"Secure");
    }
    if changes.has(Change::HttpOnlyAdded) {
        push(out, b"HttpOnly");
    }
}

fn push(out: &mut Vec<u8>, attribute: &[u8]) {
    out.extend_from_slice(b"; ");
    out.extend_from_slice(attribute);
}

/// RFC 6265bis 5.4.2: an optional minus and digits; anything else is ignored.
fn parse_max_age(value: &[u8]) -> Option<i64> {
    let (negative, digits) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().fold(0i64, |n, d| n.saturating_mul(10).saturating_add(i64::from(d - b'0')));
    Some(if negative { -n } else { n })
}

/// Whether an `Expires` date could lie beyond the cap, by its year alone: reading dates is most of the work on a cookie, and
/// hardly any lies that far ahead. Dates that are not in the usual form are read to be sure.
fn may_outlive(date: &[u8], cap: i64, now: i64) -> bool {
    const SHORTEST_YEAR: i64 = 365 * 86_400;
    let Some(year) = date.get(12..16).filter(|y| y.iter().all(u8::is_ascii_digit)) else { return true };
    let year = year.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
    // The end of that year, at the earliest that it can be counted from 1970, still within the cap from now.
    let end_at_most = (year - 1970 + 1) * SHORTEST_YEAR + (year - 1970) / 4 * 86_400 + 86_400;
    end_at_most - now > cap
}

fn parse_date(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let at = httpdate::parse_http_date(text).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_767_323_045);

    fn run(line: &str, policy: &CookiePolicy, scheme: Scheme) -> Option<String> {
        match harden(line.as_bytes(), policy, scheme, NOW).0 {
            Hardened::Same => Some(line.to_owned()),
            Hardened::Rewritten(bytes) => Some(String::from_utf8(bytes).unwrap()),
            Hardened::Dropped => None,
        }
    }

    fn https(line: &str) -> Option<String> {
        run(line, &CookiePolicy::default(), Scheme::Https)
    }

    #[test]
    fn what_is_missing_is_appended_and_the_rest_is_kept() {
        assert_eq!(https("user=bob; path=/").unwrap(), "user=bob; path=/; SameSite=Lax; Secure; HttpOnly");
        assert_eq!(https("a=1;Path=/;  httponly").unwrap(), "a=1;Path=/;  httponly; SameSite=Lax; Secure");
        assert_eq!(run("a=1", &CookiePolicy::default(), Scheme::Http).unwrap(), "a=1; SameSite=Lax; HttpOnly");
        assert_eq!(https("_ga_X12=1; Path=/; Secure; SameSite=Lax").unwrap(), "_ga_X12=1; Path=/; Secure; SameSite=Lax");
    }

    #[test]
    fn what_is_right_is_not_touched() {
        let line = "sid=a=b; Priority=High; secure; HTTPONLY; samesite=strict; expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(harden(line.as_bytes(), &CookiePolicy::default(), Scheme::Https, NOW), (Hardened::Same, Changes::default()));
    }

    #[test]
    fn observing_changes_nothing_and_tells_all() {
        let policy = CookiePolicy { mode: Mode::Observe, ..CookiePolicy::default() };
        let (hardened, changes) = harden(b"a=1; Domain=example.com", &policy, Scheme::Https, NOW);
        assert_eq!(hardened, Hardened::Same);
        assert_eq!(changes.names().collect::<Vec<_>>(), ["samesite_added", "secure_added", "httponly_added", "domain_dropped"]);
    }

    #[test]
    fn domains_are_dropped_unless_allowed() {
        assert!(!https("a=1; Domain=example.com").unwrap().contains("Domain"));
        let policy = CookiePolicy::default().keep_domain(["sso*"]);
        assert!(run("sso_id=1; Domain=example.com", &policy, Scheme::Https).unwrap().contains("Domain=example.com"));
    }

    #[test]
    fn hostile_lines_are_dropped() {
        assert_eq!(https("a=1\r\nX-Evil: 1"), None);
        assert_eq!(https("=value"), None);
        assert_eq!(https(""), None);
        assert_eq!(https("a=b\u{7f}c"), None);
    }

    proptest::proptest! {
        #[test]
        fn hardening_twice_is_hardening_once(line in "[a-z]{1,4}=[!-:<-~]{0,8}(; ?(Secure|HttpOnly|SameSite=(Lax|None|x)|Path=/|Domain=a\\.b|Max-Age=[0-9]{1,12}|Expires=Fri, 01 Jan 2038 00:00:00 GMT|Foo|)){0,6}") {
            let policy = CookiePolicy::default();
            let once = run(&line, &policy, Scheme::Https).unwrap();
            proptest::prop_assert_eq!(run(&once, &policy, Scheme::Https).unwrap(), once.as_str());
            proptest::prop_assert!(once.contains("HttpOnly"));
            let pair = line.split(';').next().unwrap().trim();
            proptest::prop_assert!(once.starts_with(pair), "the value changed: {} -> {}", line, once);
        }

        #[test]
        fn no_line_panics_and_none_leaves_with_a_control_byte(line in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            if let Hardened::Rewritten(out) = harden(&line, &CookiePolicy::default(), Scheme::Https, NOW).0 {
                proptest::prop_assert!(out.iter().all(|b| *b >= b' ' && *b != 0x7f || *b == b'\t'));
            }
        }
    }
}
