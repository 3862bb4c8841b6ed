//! helmet's middlewares and their names.

use super::options::camel;
use super::release::Release;

/// One of helmet's middlewares, of any release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Middleware {
    ContentSecurityPolicy,
    CrossOriginEmbedderPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    ExpectCt,
    FeaturePolicy,
    Hpkp,
    NoCache,
    OriginAgentCluster,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XDnsPrefetchControl,
    XDownloadOptions,
    XFrameOptions,
    XPermittedCrossDomainPolicies,
    XPoweredBy,
    XXssProtection,
}

use Middleware::*;

/// The option's name, the name it had before helmet 6, and the header that it is about.
const NAMES: [(Middleware, &str, Option<&str>, &str); 19] = [
    (ContentSecurityPolicy, "contentSecurityPolicy", None, "Content-Security-Policy"),
    (CrossOriginEmbedderPolicy, "crossOriginEmbedderPolicy", None, "Cross-Origin-Embedder-Policy"),
    (CrossOriginOpenerPolicy, "crossOriginOpenerPolicy", None, "Cross-Origin-Opener-Policy"),
    (CrossOriginResourcePolicy, "crossOriginResourcePolicy", None, "Cross-Origin-Resource-Policy"),
    (ExpectCt, "expectCt", None, "Expect-CT"),
    (FeaturePolicy, "featurePolicy", None, "Feature-Policy"),
    (Hpkp, "hpkp", None, "Public-Key-Pins"),
    (NoCache, "noCache", None, "Cache-Control"),
    (OriginAgentCluster, "originAgentCluster", None, "Origin-Agent-Cluster"),
    (PermissionsPolicy, "permissionsPolicy", None, "Permissions-Policy"),
    (ReferrerPolicy, "referrerPolicy", None, "Referrer-Policy"),
    (StrictTransportSecurity, "strictTransportSecurity", Some("hsts"), "Strict-Transport-Security"),
    (XContentTypeOptions, "xContentTypeOptions", Some("noSniff"), "X-Content-Type-Options"),
    (XDnsPrefetchControl, "xDnsPrefetchControl", Some("dnsPrefetchControl"), "X-DNS-Prefetch-Control"),
    (XDownloadOptions, "xDownloadOptions", Some("ieNoOpen"), "X-Download-Options"),
    (XFrameOptions, "xFrameOptions", Some("frameguard"), "X-Frame-Options"),
    (
        XPermittedCrossDomainPolicies,
        "xPermittedCrossDomainPolicies",
        Some("permittedCrossDomainPolicies"),
        "X-Permitted-Cross-Domain-Policies",
    ),
    (XPoweredBy, "xPoweredBy", Some("hidePoweredBy"), "X-Powered-By"),
    (XXssProtection, "xXssProtection", Some("xssFilter"), "X-XSS-Protection"),
];

impl Middleware {
    /// By any of its names, in camelCase or kebab-case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = camel(name);
        NAMES.iter().find(|(_, new, old, _)| *new == name || *old == Some(&name)).map(|(m, ..)| *m)
    }

    /// Every name of every middleware.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().flat_map(|(_, new, old, _)| [Some(*new), *old]).flatten()
    }

    /// Whether this is a name that came with helmet 6, beside an older one.
    pub(super) fn is_new_name(name: &str) -> bool {
        let name = camel(name);
        NAMES.iter().any(|(_, new, old, _)| *new == name && old.is_some())
    }

    /// The header that it is about.
    pub(super) fn header(self) -> &'static str {
        NAMES.iter().find(|(m, ..)| *m == self).map_or("", |(.., header)| header)
    }

    /// The release by whose rules it is read: the one asked for or, if that one lacks it, the last or first that has it.
    pub(super) fn dialect(self, release: Release) -> Release {
        match self {
            PermissionsPolicy => Release::PermissionsPolicy,
            NoCache if release == Release::NoCache4 => release,
            FeaturePolicy if release == Release::FeaturePolicy6 => release,
            FeaturePolicy | Hpkp | NoCache => Release::V3,
            ExpectCt if matches!(release, Release::V7 | Release::V8) => Release::V6,
            CrossOriginEmbedderPolicy | CrossOriginOpenerPolicy | CrossOriginResourcePolicy | OriginAgentCluster
                if release == Release::V3 =>
            {
                Release::V4
            }
            _ if release.only().is_some() => Release::V3,
            _ => release,
        }
    }

    /// Whether helmet itself, at this release, has it.
    pub(super) fn is_in(self, release: Release) -> bool {
        release.only().map_or_else(|| release.order().contains(&self), |only| only == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_middleware_in_both_spellings() {
        assert_eq!(Middleware::named("x-xss-protection"), Some(XXssProtection));
        assert_eq!(Middleware::named("xssFilter"), Some(XXssProtection));
        assert_eq!(Middleware::named("xss-filter"), Some(XXssProtection));
        assert_eq!(Middleware::named("Content-Security-Policy"), None);
        assert_eq!(Middleware::names().count(), 27);
        for name in Middleware::names() {
            assert!(Middleware::named(name).is_some());
        }
    }
}
