//! What may be kept, and what is thrown away.

use super::Findings;

/// W3C Clear-Site-Data section 3.1: words in double quotes.
pub(super) fn clear_site_data(found: &mut Findings<'_>) {
    const TYPES: [&str; 7] = ["cache", "clientHints", "cookies", "executionContexts", "prefetchCache", "prerenderCache", "storage"];
    for part in found.value.split(',').map(str::trim) {
        match part.strip_prefix('"').and_then(|p| p.strip_suffix('"')) {
            Some("*") => {}
            Some(word) => found.one_of(word, &TYPES),
            None => found.error(part, format!("has `{part}` without double quotes"), "browsers ignore it; write \"cookies\", \"storage\""),
        }
    }
}

/// RFC 9111 section 5.2.2: only what is certainly a mistake.
pub(super) fn cache_control(found: &mut Findings<'_>) {
    let value = found.value;
    let has =
        |name: &str| value.split(',').map(str::trim).any(|d| d.split('=').next().is_some_and(|n| n.trim().eq_ignore_ascii_case(name)));
    if has("public") && (has("private") || has("no-store")) {
        found.warn(value, "says both `public` and that nobody may share it", "keep one of the two");
    }
    if value.contains(';') {
        found.error(value, "has a `;`", "its directives are parted by commas");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;

    #[test]
    fn quotes_matter() {
        assert_eq!(said("clear-site-data", "\"cookies\", \"storage\""), [""; 0]);
        assert_eq!(said("clear-site-data", "\"*\""), [""; 0]);
        assert!(said("clear-site-data", "cookies")[0].contains("double quotes"));
        assert_eq!(said("clear-site-data", "\"cookie\"")[0], "cannot be `cookie` [cookie] did you mean `cookies`?");
        assert!(said("cache-control", "public, no-store")[0].starts_with("warning"));
        assert!(said("cache-control", "no-store; private")[0].contains("commas"));
        assert_eq!(said("cache-control", "no-store, max-age=0"), [""; 0]);
    }
}
