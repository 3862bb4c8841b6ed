//! Paths as policies see them: every spelling that reaches one handler is one path.
//!
//! Frameworks fold `/Login`, `/login/`, `//login` and `/%6cogin` into one route, so a limit that compared bytes would be
//! stepped round by spelling. Policies therefore match on a normal form; the path that is forwarded is never changed.
//!
//! The normal form errs towards the stricter side: it folds ASCII case, which some apps tell apart. An encoded slash (`%2f`) stays
//! encoded in it; [`Readings`] has the form of servers that decode it before they route.

use std::borrow::Cow;

/// The normal form: percent-encodings decoded once (but `%2f` and `%5c`), `\` read as `/`, empty and dot segments and `;params`
/// removed, ASCII lower case, no slash at the end. Starts with `/`, unless the target was `*` or something that is no path.
#[must_use]
pub fn normalize(path: &str) -> Cow<'_, str> {
    if is_normal(path.as_bytes()) {
        return Cow::Borrowed(path);
    }
    let decoded = decode_once(path.as_bytes());
    let decoded = String::from_utf8_lossy(&decoded);
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split(['/', '\\']) {
        match name_of(segment) {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            s => segments.push(s),
        }
    }
    let mut out = String::with_capacity(decoded.len());
    for segment in segments {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() {
        out.push('/');
    }
    out.make_ascii_lowercase();
    Cow::Owned(out)
}

/// A path in every reading that some server has for it: the normal form first, and the others where they differ.
///
/// Servers disagree on dot segments (resolved or not) and on `%2f` and `%5c` (decoded before routing, as WSGI and Go do, or not).
/// What must not be stepped round has to match in any of them.
#[derive(Debug, Clone)]
pub struct Readings<'p> {
    normal: Cow<'p, str>,
    others: Vec<String>,
    unresolved: Option<String>,
}

impl<'p> Readings<'p> {
    /// Reads a path.
    #[must_use]
    pub fn of(path: &'p str) -> Self {
        let normal = normalize(path);
        if memchr::memchr2(b'%', b'.', path.as_bytes()).is_none() {
            return Self { normal, others: Vec::new(), unresolved: None };
        }
        let lower = path.to_ascii_lowercase();
        let others = if lower.contains("%2f") || lower.contains("%5c") {
            vec![normalize(&lower.replace("%2f", "/").replace("%5c", "/")).into_owned()]
        } else {
            Vec::new()
        };
        Self { normal, others, unresolved: unresolved(path) }
    }

    /// The normal form.
    #[must_use]
    pub fn normal(&self) -> &str {
        &self.normal
    }

    /// Whether one of the readings is `prefix` (normal form) or below it.
    #[must_use]
    pub fn any_below(&self, prefix: &str) -> bool {
        is_below(&self.normal, prefix) || self.others.iter().chain(&self.unresolved).any(|p| is_below(p, prefix))
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.normal()).chain(self.others.iter().map(String::as_str))
    }
}

/// The path with dot segments left standing, if it has any.
fn unresolved(path: &str) -> Option<String> {
    let decoded = decode_once(path.as_bytes());
    let decoded = String::from_utf8_lossy(&decoded);
    let is_dots = |s: &&str| matches!(name_of(s), "." | "..");
    let segments: Vec<&str> = decoded.split(['/', '\\']).filter(|s| !s.is_empty()).collect();
    if !segments.iter().any(is_dots) {
        return None;
    }
    let names: String = segments.iter().flat_map(|s| ["/", name_of(s)]).collect();
    Some(names.to_ascii_lowercase())
}

/// A segment without its `;params`, and without the white space and control bytes around it that some servers trim.
fn name_of(segment: &str) -> &str {
    let name = segment.split(';').next().unwrap_or("");
    name.trim_matches(|c: char| c.is_ascii_control() || c == ' ')
}

/// Whether there is nothing to do, which is the usual case and costs one pass.
fn is_normal(path: &[u8]) -> bool {
    if path.first() != Some(&b'/') {
        return false;
    }
    let mut prev = b'x';
    for &b in path {
        let odd = matches!(b, b'A'..=b'Z' | b'%' | b';' | b'\\') || !b.is_ascii() || (prev == b'/' && matches!(b, b'/' | b'.'));
        if odd {
            return false;
        }
        prev = b;
    }
    path.len() == 1 || prev != b'/'
}

fn decode_once(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&b, tail)) = rest.split_first() {
        let escape = match tail {
            [hi, lo, ..] if b == b'%' => hex(*hi).zip(hex(*lo)).map(|(h, l)| h << 4 | l),
            _ => None,
        };
        match escape {
            Some(byte) if byte != b'/' && byte != b'\\' => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or(&[]);
            }
            _ => {
                out.push(b);
                rest = tail;
            }
        }
    }
    out
}

fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// A pattern over normal-form paths, segment by segment.
///
/// - `/login`: this path;
/// - `*`: any one segment; as the last segment, everything below (and the place itself), so `/api/*` is the whole API;
/// - `login.*`: a segment that begins with `login.`;
/// - `**`: any number of segments, none included, so `**/login` is every path that ends in `login`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    written: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Is(String),
    Starts(String),
    One,
    Any,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence fragment: it must start with `/` or `**`, and a star must be a whole segment.
    pub fn parse(written: &str) -> Result<Self, String> {
        let body = match written.strip_prefix('/') {
            Some(body) => body,
            None if written.starts_with("**") => written,
            None => return Err("must start with `/` or `**/`".to_owned()),
        };
        let mut segments = Vec::new();
        let parts: Vec<&str> = body.split('/').filter(|s| !s.is_empty()).collect();
        for (i, part) in parts.iter().enumerate() {
            let last = i + 1 == parts.len();
            segments.push(match *part {
                "**" => Segment::Any,
                "*" if last => Segment::Any,
                "*" => Segment::One,
                p if p.trim_end_matches('*').contains('*') => return Err(format!("has `{p}`, but a `*` must stand at a segment's end")),
                p if p == "." || p == ".." => return Err("has a dot segment, which no request path keeps".to_owned()),
                p if p.ends_with('*') => Segment::Starts(p.trim_end_matches('*').to_ascii_lowercase()),
                p => Segment::Is(normalize(&format!("/{p}")).trim_start_matches('/').to_owned()),
            });
        }
        Ok(Self { written: written.to_owned(), segments })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether a path in normal form matches.
    #[must_use]
    pub fn matches(&self, normal: &str) -> bool {
        matches_from(&self.segments, normal)
    }

    /// Whether a path matches in any of its readings.
    #[must_use]
    pub fn matches_any(&self, readings: &Readings<'_>) -> bool {
        readings.all().any(|p| self.matches(p)) || readings.unresolved.as_ref().is_some_and(|u| self.matches_on_the_way(u))
    }

    /// Whether a path matches in all of its readings.
    #[must_use]
    pub fn matches_every(&self, readings: &Readings<'_>) -> bool {
        readings.all().all(|p| self.matches(p)) && readings.unresolved.as_ref().is_none_or(|u| self.matches(u))
    }

    /// Whether some place on the way to this path matches: what a router that ignores dot segments would run.
    fn matches_on_the_way(&self, unresolved: &str) -> bool {
        let places = unresolved.match_indices('/').map(|(end, _)| &unresolved[..end]);
        places.chain([unresolved]).any(|place| self.matches(place))
    }
}

/// Backtracks over `**` with the two-pointer method, so that a pattern of many stars stays linear times the path.
fn matches_from(pattern: &[Segment], path: &str) -> bool {
    let (mut p, mut rest) = (0, path);
    let mut star: Option<(usize, &str)> = None;
    while let Some((segment, behind)) = next_segment(rest) {
        let step = match pattern.get(p) {
            Some(Segment::Any) => {
                star = Some((p, behind));
                p += 1;
                continue;
            }
            Some(Segment::One) => true,
            Some(Segment::Is(text)) => text == segment,
            Some(Segment::Starts(text)) => segment.starts_with(text.as_str()),
            None => false,
        };
        if step {
            p += 1;
            rest = behind;
        } else if let Some((at, from)) = star {
            // The star takes one segment more.
            p = at + 1;
            rest = from;
            star = Some((at, next_segment(from).map_or("", |(_, behind)| behind)));
        } else {
            return false;
        }
    }
    pattern.get(p..).is_some_and(|tail| tail.iter().all(|t| *t == Segment::Any))
}

/// The first segment that is not empty, and what is behind it.
fn next_segment(path: &str) -> Option<(&str, &str)> {
    let path = path.trim_start_matches('/');
    (!path.is_empty()).then(|| path.split_once('/').unwrap_or((path, "")))
}

/// Whether `prefix` (normal form) is `path` (normal form) or a place above it, by whole segments.
#[must_use]
pub fn is_below(path: &str, prefix: &str) -> bool {
    prefix == "/" || path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_route_are_one_path() {
        for spelling in [
            "/login",
            "/login/",
            "/Login",
            "/%6Cogin",
            "//login",
            "/./login",
            "/x/../login",
            "/login;a=b",
            "/%2e/login",
            "/login//",
            "/x/%2e%2e/login",
            "\\login",
            "/../../login",
        ] {
            assert_eq!(normalize(spelling), "/login", "{spelling}");
        }
        assert_eq!(normalize("/a%2Flogin"), "/a%2flogin");
        assert_eq!(normalize("/%256Cogin"), "/%6cogin");
        assert_eq!(normalize("/%zz"), "/%zz");
        assert_eq!(normalize(""), "/");
        assert_eq!(normalize("/.well-known/x"), "/.well-known/x");
        assert!(matches!(normalize("/api/items-2"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_path_matches_in_any_reading_that_a_server_could_have() {
        let m = |pattern: &str, path: &str| Pattern::parse(pattern).unwrap().matches_any(&Readings::of(path));
        for path in ["/graphql/..", "/GraphQL/%2e%2E", "/x/../graphql", "/graphql%2f", "/graphql%5C", "/graphql%20", "/graphql%00"] {
            assert!(m("/graphql", path), "{path}");
        }
        assert!(m("**/login", "/accounts%2Flogin") && !m("/graphql", "/graphql%2fx"));
        assert!(Readings::of("/admin%2Fx").any_below("/admin") && !Readings::of("/administer").any_below("/admin"));
    }

    #[test]
    fn patterns() {
        let m = |pattern: &str, path: &str| Pattern::parse(pattern).unwrap().matches(&normalize(path));
        assert!(m("/login", "/Login/"));
        assert!(!m("/login", "/login/x"));
        assert!(m("/api/*", "/api") && m("/api/*", "/api/a/b") && !m("/api/*", "/apis"));
        assert!(m("/u/*/keys", "/u/7/keys") && !m("/u/*/keys", "/u/7/8/keys") && !m("/u/*/keys", "/u/keys"));
        assert!(m("**/login", "/login") && m("**/login", "/a/b/login") && !m("**/login", "/a/login/c"));
        assert!(m("/a/**/z", "/a/z") && m("/a/**/z", "/a/b/c/z") && !m("/a/**/z", "/a/b"));
        assert!(m("/", "/") && !m("/", "/a") && m("/*", "/") && m("/**", "/a/b"));
        assert!(Pattern::parse("login").is_err());
        assert!(Pattern::parse("/l*n").is_err());
        assert!(m("**/login.*", "/a/login.json") && m("**/login.*", "/LOGIN.PHP") && !m("**/login.*", "/login"));
    }

    #[test]
    fn prefixes_end_at_segments() {
        assert!(is_below("/api", "/api") && is_below("/api/x", "/api") && is_below("/anything", "/"));
        assert!(!is_below("/apis", "/api"));
    }

    proptest::proptest! {
        #[test]
        fn the_normal_form_is_a_fixed_point_of_what_it_folds(path in "/[ -~]{0,30}") {
            let once = normalize(&path).into_owned();
            proptest::prop_assert!(once.starts_with('/'));
            // Decoding happens once, so only text without escapes must stay put.
            if !once.contains('%') && !once.contains(';') && !once.contains('\\') {
                proptest::prop_assert_eq!(normalize(&once).into_owned(), once);
            }
        }

        #[test]
        fn many_stars_stay_fast(path in "(/a){0,60}") {
            let pattern = Pattern::parse("/**/a/**/a/**/a/**/a/**/b").unwrap();
            proptest::prop_assert!(!pattern.matches(&path));
        }
    }
}
