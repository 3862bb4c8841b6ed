//! Whether every address that one source matches is matched by another (CSP Level 3, 6.7.2).
//!
//! Browsers differ in small things: whether a host without a scheme matches `wss:`, whether `ws:` matches `https:`. Here counts
//! only what is so in all of them. The page is taken to have come over http or https, from an origin that is not known.

use std::net::Ipv4Addr;

use super::source::{Host, Keyword, Source};

/// Whether `broad` matches whatever `narrow` does.
pub(super) fn covers(broad: Source<'_>, narrow: Source<'_>) -> bool {
    match (broad, narrow) {
        (Source::Any, Source::Any) | (Source::Any | Source::Keyword(Keyword::SelfOrigin), Source::Keyword(Keyword::SelfOrigin)) => true,
        (Source::Any, Source::Scheme(scheme)) => is_network(scheme),
        (Source::Any, Source::Host(host)) => host.scheme.is_none_or(is_network),
        (Source::Scheme(broad), Source::Scheme(narrow)) => scheme_covers(broad, narrow),
        (Source::Scheme(broad), Source::Host(host)) => host.scheme.is_some_and(|narrow| scheme_covers(broad, narrow)),
        (Source::Host(broad), Source::Host(narrow)) => host_covers(broad, narrow),
        _ => false,
    }
}

fn is_network(scheme: &str) -> bool {
    ["http", "https", "ws", "wss"].iter().any(|s| s.eq_ignore_ascii_case(scheme))
}

/// A scheme matches its secure sibling as well (6.7.2.9).
fn scheme_covers(broad: &str, narrow: &str) -> bool {
    let pair = (broad.to_ascii_lowercase(), narrow.to_ascii_lowercase());
    pair.0 == pair.1 || matches!((pair.0.as_str(), pair.1.as_str()), ("http", "https") | ("ws", "wss"))
}

fn host_covers(broad: Host<'_>, narrow: Host<'_>) -> bool {
    let scheme = match (broad.scheme, narrow.scheme) {
        (None, None) => true,
        // Without a scheme that of the page counts, and https on pages of either.
        (None, Some(narrow)) => narrow.eq_ignore_ascii_case("https"),
        (Some(broad), Some(narrow)) => scheme_covers(broad, narrow),
        (Some(_), None) => false,
    };
    scheme && name_covers(broad.name, narrow.name) && port_covers(broad, narrow) && path_covers(broad.path, narrow.path)
}

fn name_covers(broad: &str, narrow: &str) -> bool {
    let (broad, narrow) = (broad.to_ascii_lowercase(), narrow.to_ascii_lowercase());
    if broad == narrow {
        return true;
    }
    // Addresses are no names, and `*` may not mean them.
    if narrow.parse::<Ipv4Addr>().is_ok() {
        return false;
    }
    match broad.strip_prefix('*') {
        Some("") => true,
        Some(ending) => narrow.trim_start_matches('*').ends_with(ending),
        None => false,
    }
}

fn port_covers(broad: Host<'_>, narrow: Host<'_>) -> bool {
    let https = |host: Host<'_>| host.scheme.is_some_and(|s| s.eq_ignore_ascii_case("https"));
    match (broad.port, narrow.port) {
        (Some("*"), _) => true,
        (broad, narrow) if broad == narrow => true,
        (None, Some("443")) => https(narrow),
        (Some("443"), None) => https(narrow) && https(broad),
        _ => false,
    }
}

/// A path that ends with `/` matches what is below it, any other itself alone (6.7.2.12).
fn path_covers(broad: &str, narrow: &str) -> bool {
    match broad {
        "" | "/" => true,
        folder if folder.ends_with('/') => narrow.starts_with(folder),
        file => narrow == file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(broad: &str, narrow: &str) -> bool {
        covers(Source::parse(broad).unwrap(), Source::parse(narrow).unwrap())
    }

    #[test]
    fn the_wider_covers_the_narrower() {
        for (broad, narrow) in [
            ("*", "https:"),
            ("*", "'self'"),
            ("*", "a.example:*"),
            ("http:", "https:"),
            ("http:", "https://a.example/x"),
            ("a.example", "https://A.example"),
            ("a.example", "a.example/x/y"),
            ("*.example", "a.b.example"),
            ("*.example", "*.b.example"),
            ("https://*", "https://a.example"),
            ("a.example:*", "a.example:8080"),
            ("https://a.example", "https://a.example:443"),
            ("http://a.example", "https://a.example"),
            ("a.example/x/", "a.example/x/y.js"),
            ("a.example/", "a.example"),
        ] {
            assert!(check(broad, narrow), "{broad} covers {narrow}");
            let equal = matches!(broad, "a.example/" | "https://a.example");
            assert!(equal || !check(narrow, broad), "{narrow} does not cover {broad}");
        }
    }

    #[test]
    fn what_is_not_sure_is_not_covered() {
        for (broad, narrow) in [
            ("*", "data:"),
            ("*", "blob:"),
            ("https:", "a.example"),
            ("https:", "'self'"),
            ("'self'", "a.example"),
            ("*.example", "example"),
            ("*.example", "badexample"),
            ("https://*", "https://10.0.0.1"),
            ("a.example", "http://a.example"),
            ("a.example", "wss://a.example"),
            ("ws:", "https:"),
            ("http://a.example", "http://a.example:80"),
            ("a.example/x", "a.example/x/y"),
            ("a.example/x/", "a.example/xy"),
        ] {
            assert!(!check(broad, narrow), "{broad} does not cover {narrow}");
        }
    }
}
