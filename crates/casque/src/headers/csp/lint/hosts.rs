//! Taking a source apart the way its author wrote it, well formed or not.

/// What stands after the scheme, if there is one: `//` alone counts as one.
pub(super) fn after_scheme(value: &str) -> &str {
    let is_scheme = |s: &str| s.is_empty() || s.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-_".contains(&b));
    match value.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.strip_suffix(':').is_some_and(|s| !s.is_empty() && is_scheme(s)) => rest,
        _ => value,
    }
}

/// Host and path, without port and query.
pub(super) fn host_and_path(value: &str) -> (&str, &str) {
    let rest = after_scheme(value);
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    (host, path)
}

/// Whether browsers read a host as an address: in brackets, or ending in a number (URL Standard, 3.5).
pub(super) fn is_address(host: &str) -> bool {
    if host.starts_with('[') {
        return host.ends_with(']');
    }
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// Whether a host of a policy, which may begin with `*.`, matches a name in lower case.
pub(super) fn matches_host(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(ending) => {
            name.len() > ending.len()
                && name.as_bytes()[name.len() - ending.len() - 1] == b'.'
                && name.as_bytes()[name.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
        }
        None => pattern.eq_ignore_ascii_case(name),
    }
}

/// Whether a path of a policy matches a path: it is empty, or a folder above, or the same.
pub(super) fn matches_path(pattern: &str, path: &str) -> bool {
    match pattern {
        "" | "/" => true,
        folder if folder.ends_with('/') => path.starts_with(folder),
        file => file == path,
    }
}
