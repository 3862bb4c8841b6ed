//! Which helmet the options were written for.

use super::middleware::Middleware;

/// The release whose option names, defaults and checks apply.
///
/// Recorded from 3.23.3, 4.6.0, 5.1.1, 6.2.0, 7.2.0 and 8.3.0, and from the packages that were parts of helmet before they left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Release {
    /// helmet 3: no Content-Security-Policy by default, hpkp, noCache, featurePolicy, ALLOW-FROM and XSS filters.
    V3,
    /// helmet 4: Content-Security-Policy and Expect-CT by default; directives of one's own replace the defaults.
    V4,
    /// helmet 5: the cross-origin headers by default; directives of one's own join the defaults.
    V5,
    /// helmet 6: the new option names; Expect-CT off by default.
    V6,
    /// helmet 7: Cross-Origin-Embedder-Policy off by default, no Expect-CT.
    V7,
    /// helmet 8: HSTS for 365 days; unquoted keywords in a Content-Security-Policy are errors.
    #[default]
    V8,
    /// The package helmet-csp 2, whose checks know the type of every directive; helmet 3 carries it.
    HelmetCsp2,
    /// The package hpkp, 2 or 3; helmet 3 carries 2.
    Hpkp,
    /// The package nocache 2, which sends `Pragma` too; helmet 3 carries it.
    NoCache2,
    /// The package nocache 4.
    NoCache4,
    /// The package expect-ct 1.
    ExpectCt1,
    /// The package feature-policy 0.3; helmet 3 carries it.
    FeaturePolicy3,
    /// The package feature-policy 0.6: more features, and none twice.
    FeaturePolicy6,
    /// The package permissions-policy 0.6, which helmet recommends.
    PermissionsPolicy,
}

impl Release {
    /// The names used in settings.
    pub const NAMES: [(&'static str, Self); 14] = [
        ("helmet@3", Self::V3),
        ("helmet@4", Self::V4),
        ("helmet@5", Self::V5),
        ("helmet@6", Self::V6),
        ("helmet@7", Self::V7),
        ("helmet@8", Self::V8),
        ("helmet-csp@2", Self::HelmetCsp2),
        ("hpkp@3", Self::Hpkp),
        ("nocache@2", Self::NoCache2),
        ("nocache@4", Self::NoCache4),
        ("expect-ct@1", Self::ExpectCt1),
        ("feature-policy@0.3", Self::FeaturePolicy3),
        ("feature-policy@0.6", Self::FeaturePolicy6),
        ("permissions-policy@0.6", Self::PermissionsPolicy),
    ];

    /// This release's name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, r)| *r == self).map_or("helmet@8", |(n, _)| n)
    }

    /// The one middleware of a package that is not helmet.
    pub(super) fn only(self) -> Option<Middleware> {
        match self {
            Self::HelmetCsp2 => Some(Middleware::ContentSecurityPolicy),
            Self::Hpkp => Some(Middleware::Hpkp),
            Self::NoCache2 | Self::NoCache4 => Some(Middleware::NoCache),
            Self::ExpectCt1 => Some(Middleware::ExpectCt),
            Self::FeaturePolicy3 | Self::FeaturePolicy6 => Some(Middleware::FeaturePolicy),
            Self::PermissionsPolicy => Some(Middleware::PermissionsPolicy),
            Self::V3 | Self::V4 | Self::V5 | Self::V6 | Self::V7 | Self::V8 => None,
        }
    }

    /// The middlewares of a release of helmet, in the order in which they run.
    pub(super) fn order(self) -> &'static [Middleware] {
        use Middleware::*;
        match self {
            Self::V4 | Self::V5 => &[
                ContentSecurityPolicy,
                CrossOriginEmbedderPolicy,
                CrossOriginOpenerPolicy,
                CrossOriginResourcePolicy,
                XDnsPrefetchControl,
                ExpectCt,
                XFrameOptions,
                XPoweredBy,
                StrictTransportSecurity,
                XDownloadOptions,
                XContentTypeOptions,
                OriginAgentCluster,
                XPermittedCrossDomainPolicies,
                ReferrerPolicy,
                XXssProtection,
            ],
            Self::V6 => &[
                ContentSecurityPolicy,
                CrossOriginEmbedderPolicy,
                CrossOriginOpenerPolicy,
                CrossOriginResourcePolicy,
                ExpectCt,
                OriginAgentCluster,
                ReferrerPolicy,
                StrictTransportSecurity,
                XContentTypeOptions,
                XDnsPrefetchControl,
                XDownloadOptions,
                XFrameOptions,
                XPermittedCrossDomainPolicies,
                XPoweredBy,
                XXssProtection,
            ],
            Self::V7 | Self::V8 => &[
                ContentSecurityPolicy,
                CrossOriginEmbedderPolicy,
                CrossOriginOpenerPolicy,
                CrossOriginResourcePolicy,
                OriginAgentCluster,
                ReferrerPolicy,
                StrictTransportSecurity,
                XContentTypeOptions,
                XDnsPrefetchControl,
                XDownloadOptions,
                XFrameOptions,
                XPermittedCrossDomainPolicies,
                XPoweredBy,
                XXssProtection,
            ],
            _ => &[
                ContentSecurityPolicy,
                XDnsPrefetchControl,
                ExpectCt,
                FeaturePolicy,
                XFrameOptions,
                XPoweredBy,
                StrictTransportSecurity,
                XDownloadOptions,
                XContentTypeOptions,
                XPermittedCrossDomainPolicies,
                ReferrerPolicy,
                XXssProtection,
                Hpkp,
                NoCache,
            ],
        }
    }

    /// Whether a middleware runs without being asked for.
    pub(super) fn runs_by_default(self, middleware: Middleware) -> bool {
        use Middleware::*;
        match middleware {
            XDnsPrefetchControl
            | XFrameOptions
            | XPoweredBy
            | StrictTransportSecurity
            | XDownloadOptions
            | XContentTypeOptions
            | XXssProtection => true,
            ContentSecurityPolicy | XPermittedCrossDomainPolicies | ReferrerPolicy => self >= Self::V4,
            CrossOriginOpenerPolicy | CrossOriginResourcePolicy | OriginAgentCluster => self >= Self::V5,
            CrossOriginEmbedderPolicy => matches!(self, Self::V5 | Self::V6),
            ExpectCt => matches!(self, Self::V4 | Self::V5),
            FeaturePolicy | Hpkp | NoCache | PermissionsPolicy => false,
        }
    }
}
