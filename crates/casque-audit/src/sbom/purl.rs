//! Package URLs: `pkg:type/namespace/name@version?qualifiers#subpath` (package-url/purl-spec).

use crate::graph::Source;
use crate::package::Ecosystem;
use crate::text::percent;

/// A package URL of an ecosystem that advisories are known for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Purl {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) name: String,
    /// Empty when it has none.
    pub(crate) version: String,
    pub(super) source: Source,
}

impl Purl {
    /// Nothing for other ecosystems, and for what is no package URL.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let rest = rest.trim_start_matches('/').split('#').next()?;
        let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, path) = path.split_once('/')?;
        let ecosystem = Ecosystem::ALL.into_iter().find(|e| e.purl().eq_ignore_ascii_case(kind))?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return None;
        }
        // A scope's `@` is encoded; some writers forget to. What follows the last slash has the version's.
        let name_at = path.rfind('/').map_or(0, |at| at + 1);
        let version_at = path[name_at..].rfind('@').map(|at| name_at + at).filter(|at| *at > 0);
        let (name, version) = version_at.map_or((path, ""), |at| (&path[..at], &path[at + 1..]));
        let name = percent::decode(name.trim_matches('/'));
        let has = |key: &str| qualifiers.split('&').any(|q| q.split_once('=').is_some_and(|(k, v)| k == key && !v.is_empty()));
        let source = match ecosystem {
            _ if has("vcs_url") => Source::Git,
            Ecosystem::Cargo if has("repository_url") => Source::OtherRegistry,
            _ => Source::Registry,
        };
        (!name.is_empty()).then(|| Self { ecosystem, name, version: percent::decode(version), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls_are_taken_apart() {
        for (text, ecosystem, name, version, source) in [
            ("pkg:npm/%40babel/core@7.0.0", Ecosystem::Npm, "@babel/core", "7.0.0", Source::Registry),
            ("pkg:npm/@babel/core@7.0.0", Ecosystem::Npm, "@babel/core", "7.0.0", Source::Registry),
            ("pkg:npm/%40babel%2Fcore@7.0.0", Ecosystem::Npm, "@babel/core", "7.0.0", Source::Registry),
            ("pkg:npm/lodash@4.17.21?vcs_url=git%2Bssh://x#dist", Ecosystem::Npm, "lodash", "4.17.21", Source::Git),
            ("pkg:cargo/serde@1.0.0%2Bx?repository_url=https://r.example", Ecosystem::Cargo, "serde", "1.0.0+x", Source::OtherRegistry),
            ("pkg://NPM/a", Ecosystem::Npm, "a", "", Source::Registry),
        ] {
            assert_eq!(Purl::parse(text), Some(Purl { ecosystem, name: name.to_owned(), version: version.to_owned(), source }), "{text}");
        }
        for text in ["", "pkg:", "pkg:npm", "pkg:npm/", "pkg:maven/a/b@1", "npm/a@1", "pkg:npm/@1"] {
            assert!(Purl::parse(text).is_none_or(|p| p.name == "@1"), "{text}");
        }
    }
}
