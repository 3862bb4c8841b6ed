//! Two responses side by side: which security headers and cookie flags differ.

use casque::cookie::Flags;

use crate::exchange::Exchange;

/// The headers that say something about safety, the good ones first and the talkative ones last.
const HEADERS: [&str; 14] = [
    "content-security-policy",
    "strict-transport-security",
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "cross-origin-embedder-policy",
    "origin-agent-cluster",
    "x-xss-protection",
    "x-dns-prefetch-control",
    "x-powered-by",
    "server",
];

/// What differs between two responses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Security headers that either has and that are not the same in both.
    pub headers: Vec<HeaderRow>,
    /// Cookies that both set, in the order of the first.
    pub cookies: Vec<CookieRow>,
}

/// One header in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRow {
    /// Its name.
    pub name: &'static str,
    /// Its value in the first; several lines are joined by a comma.
    pub before: Option<String>,
    /// Its value in the second.
    pub after: Option<String>,
}

/// One cookie in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieRow {
    /// Its name.
    pub name: String,
    /// Its flags in the first.
    pub before: Flags,
    /// Its flags in the second.
    pub after: Flags,
}

/// Compares two responses.
#[must_use]
pub fn compare(before: &Exchange, after: &Exchange) -> Comparison {
    let headers = HEADERS
        .into_iter()
        .map(|name| HeaderRow { name, before: joined(before, name), after: joined(after, name) })
        .filter(|row| row.before != row.after)
        .collect();
    let cookies = before.values("set-cookie").filter_map(|line| cookie_row(line, after)).collect();
    Comparison { headers, cookies }
}

fn joined(exchange: &Exchange, name: &str) -> Option<String> {
    let lines: Vec<&str> = exchange.values(name).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn cookie_row(line: &str, after: &Exchange) -> Option<CookieRow> {
    let name = cookie_name(line)?;
    let twin = after.values("set-cookie").find(|l| cookie_name(l) == Some(name))?;
    Some(CookieRow { name: name.to_owned(), before: Flags::of(line.as_bytes()), after: Flags::of(twin.as_bytes()) })
}

fn cookie_name(line: &str) -> Option<&str> {
    line.split(';').next()?.split_once('=').map(|(name, _)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(headers: &[(&str, &str)]) -> Exchange {
        Exchange { status: 200, headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(), ..Exchange::default() }
    }

    #[test]
    fn only_differences_are_told() {
        let before = exchange(&[("X-Powered-By", "Express"), ("Referrer-Policy", "no-referrer"), ("Set-Cookie", "sid=1; Path=/")]);
        let after = exchange(&[
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("set-cookie", "sid=2; Path=/; HttpOnly; SameSite=Lax"),
        ]);
        let found = compare(&before, &after);
        let names: Vec<_> = found.headers.iter().map(|r| (r.name, r.before.as_deref(), r.after.as_deref())).collect();
        assert_eq!(names, [("x-frame-options", None, Some("DENY")), ("x-powered-by", Some("Express"), None)]);
        assert_eq!(found.cookies.len(), 1);
        assert!(!found.cookies[0].before.http_only && found.cookies[0].after.http_only);
    }
}
