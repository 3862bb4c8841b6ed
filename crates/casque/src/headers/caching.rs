//! Who may keep a response that is one person's.

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::changes::{HeaderChanges, What};

/// What happens to responses that set cookies. A shared cache that keeps one hands its cookie, often a session, to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheGuard {
    /// Nothing.
    #[default]
    Off,
    /// A response without `Cache-Control` gets `private, no-cache`. One that says `public` or `s-maxage` is left as it is, and told.
    Fill,
    /// Besides, `public` and `s-maxage` are taken out and `private` is put in; and what CDNs obey instead of it is taken out.
    Enforce,
}

impl CacheGuard {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 3] = [("off", Self::Off), ("fill", Self::Fill), ("enforce", Self::Enforce)];

    /// Looks at a response that may set cookies.
    pub(super) fn apply(self, headers: &mut HeaderMap, changes: &mut HeaderChanges) {
        if self == Self::Off || !headers.contains_key(SET_COOKIE) {
            return;
        }
        if self == Self::Enforce {
            take_targeted_out(headers);
        }
        let mut lines = headers.get_all(CACHE_CONTROL).iter().peekable();
        if lines.peek().is_none() {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            return;
        }
        let directives: Vec<&[u8]> = lines.flat_map(|l| l.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii).collect();
        // `private="set-cookie"` names fields; only the bare word keeps the whole response private (RFC 9111 section 5.2.2.7).
        if directives.iter().any(|d| d.eq_ignore_ascii_case(b"private") || d.eq_ignore_ascii_case(b"no-store")) {
            return;
        }
        let shares = |d: &&[u8]| {
            let name = d.split(|b| *b == b'=').next().unwrap_or(d);
            name.eq_ignore_ascii_case(b"public") || name.eq_ignore_ascii_case(b"s-maxage")
        };
        if directives.iter().any(shares) {
            changes.note(CACHE_CONTROL, What::NotShared);
        }
        if self == Self::Enforce {
            let mut kept: Vec<&[u8]> = vec![b"private"];
            kept.extend(directives.iter().filter(|d| !shares(d) && !d.is_empty()));
            if let Ok(value) = HeaderValue::from_bytes(&kept.join(&b", "[..])) {
                headers.insert(CACHE_CONTROL, value);
            }
        }
    }
}

/// A page with a nonce must be kept by nobody: kept, its nonce is the same for the next visitor, and known to whoever can read it.
pub(super) fn never_store(headers: &mut HeaderMap, changes: &mut HeaderChanges) {
    take_targeted_out(headers);
    let kept_nowhere = |v: &HeaderValue| v.as_bytes().split(|b| *b == b',').any(|d| d.trim_ascii().eq_ignore_ascii_case(b"no-store"));
    let mut lines = headers.get_all(CACHE_CONTROL).iter();
    if lines.any(kept_nowhere) {
        return;
    }
    if headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store")).is_some() {
        changes.note(CACHE_CONTROL, What::NotStored);
    }
}

/// Takes out what some caches obey instead of `Cache-Control`: `CDN-Cache-Control` and its kin (RFC 9213), `Surrogate-Control`.
fn take_targeted_out(headers: &mut HeaderMap) {
    let is_targeted = |name: &HeaderName| name == "surrogate-control" || name.as_str().ends_with("-cache-control");
    while let Some(name) = headers.keys().find(|name| is_targeted(name)).cloned() {
        headers.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(guard: CacheGuard, cookie: bool, cache_control: &[&'static str]) -> (String, usize) {
        let mut headers = HeaderMap::new();
        if cookie {
            headers.insert(SET_COOKIE, HeaderValue::from_static("sid=1"));
        }
        for line in cache_control {
            headers.append(CACHE_CONTROL, HeaderValue::from_static(line));
        }
        let mut changes = HeaderChanges::default();
        guard.apply(&mut headers, &mut changes);
        let lines: Vec<&str> = headers.get_all(CACHE_CONTROL).iter().map(|v| v.to_str().unwrap()).collect();
        (lines.join(" | "), changes.iter().count())
    }

    #[test]
    fn a_cookie_is_not_for_everybody() {
        use CacheGuard::{Enforce, Fill, Off};
        let text = |s: &str, n: usize| (s.to_owned(), n);
        assert_eq!(guarded(Fill, false, &[]), text("", 0));
        assert_eq!(guarded(Off, true, &[]), text("", 0));
        assert_eq!(guarded(Fill, true, &[]), text("private, no-cache", 0));
        assert_eq!(guarded(Fill, true, &["max-age=0"]), text("max-age=0", 0));
        assert_eq!(guarded(Fill, true, &["public, max-age=600"]), text("public, max-age=600", 1));
        assert_eq!(guarded(Enforce, true, &["public, max-age=600", "s-maxage=9"]), text("private, max-age=600", 1));
        assert_eq!(guarded(Enforce, true, &["max-age=600"]), text("private, max-age=600", 0));
        assert_eq!(guarded(Enforce, true, &["private=\"set-cookie\", public"]), text("private, private=\"set-cookie\"", 1));
        assert_eq!(guarded(Enforce, true, &["No-Store, public"]), text("No-Store, public", 0));
    }

    #[test]
    fn a_nonce_is_not_kept() {
        for (theirs, sent, told) in
            [(None, "private, no-store", 0), (Some("max-age=60"), "private, no-store", 1), (Some("no-store"), "no-store", 0)]
        {
            let mut headers = HeaderMap::new();
            if let Some(theirs) = theirs {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static(theirs));
            }
            let mut changes = HeaderChanges::default();
            never_store(&mut headers, &mut changes);
            assert_eq!((headers[CACHE_CONTROL].to_str().unwrap(), changes.iter().count()), (sent, told));
        }
    }
}
