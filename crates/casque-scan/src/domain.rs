//! What the Public Suffix List says of a name.

use psl::{List, Psl as _, Type};

/// Whether anybody can register names below this one: `com`, `co.uk`, `github.io`.
pub(crate) fn is_public_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == name.as_bytes())
}

/// The name that was registered at a registry, or `None` for addresses, single labels and registries themselves.
///
/// Only the list's section of registries counts: `a.github.io` belongs to `github.io`. A name whose last label the list does not
/// know counts as registered directly below that label. The name is in lower case and ASCII, as `url::Url` gives it.
pub(crate) fn registrable(host: &str) -> Option<&str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok() || host.split('.').any(str::is_empty) {
        return None;
    }
    let mut name = host;
    let suffix = loop {
        let suffix = List.suffix(name.as_bytes())?;
        let start = name.len().checked_sub(suffix.as_bytes().len())?;
        let text = name.get(start..)?;
        if suffix.typ() != Some(Type::Private) {
            break text;
        }
        name = text.split_once('.')?.1;
    };
    let before = host.strip_suffix(suffix)?.strip_suffix('.')?;
    let label = before.rsplit('.').next()?;
    host.get(before.len() - label.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_belong_to_what_was_registered() {
        assert_eq!(registrable("www.mozilla.org"), Some("mozilla.org"));
        assert_eq!(registrable("a.b.co.uk."), Some("b.co.uk"));
        assert_eq!(registrable("x.a.github.io"), Some("github.io"));
        assert_eq!(registrable("a.s3.eu-west-1.amazonaws.com"), Some("amazonaws.com"));
        assert_eq!(registrable("a.b.example"), Some("b.example"));
        for none in ["localhost", "co.uk", "1.2.3.4", "[::1]", "", ".", "a..b"] {
            assert_eq!(registrable(none), None, "{none}");
        }
    }

    #[test]
    fn suffixes_are_public() {
        assert!(is_public_suffix("com") && is_public_suffix("co.uk") && is_public_suffix("github.io"));
        assert!(!is_public_suffix("mozilla.org"));
    }
}
