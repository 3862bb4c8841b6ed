//! The ready-made policies.

use super::caching::CacheGuard;
use super::catalog::{ALL_BUT_304, CONTENT, DOCUMENTS, EVERYTHING, PAGES, PROGRAMS};
use super::merge::Mode;

/// A ready-made set of headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// The default: what every app can take without being tried out first. Helmet's set less its known foot-guns: HSTS without
    /// `includeSubDomains`, COOP that lets sign-in popups live, CORP only on pages, a referrer that analytics can use, and a
    /// Content-Security-Policy that stops base-tag hijacking, plug-ins and framing but no inline script.
    #[default]
    Balanced,
    /// Exactly what helmet 8 sends by default, its twelve headers byte for byte. HTTPS-only headers still go out over HTTPS alone.
    Helmet,
    /// For apps written with a Content-Security-Policy in mind: own scripts and styles from files only, no framing at all.
    Strict,
    /// For APIs: nothing here is ever a page.
    Api,
    /// Adds nothing, removes nothing.
    Off,
}

impl Preset {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 5] =
        [("balanced", Self::Balanced), ("helmet", Self::Helmet), ("strict", Self::Strict), ("api", Self::Api), ("off", Self::Off)];

    /// This preset's name in casque.toml.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, p)| *p == self).map_or("balanced", |(n, _)| n)
    }

    pub(super) fn rules(self) -> &'static [PresetRule] {
        match self {
            Self::Balanced => BALANCED,
            Self::Helmet => HELMET,
            Self::Strict => STRICT,
            Self::Api => API,
            Self::Off => &[],
        }
    }

    /// What happens to responses that set cookies and say nothing of caches.
    pub(super) fn cache_guard(self) -> CacheGuard {
        match self {
            Self::Balanced => CacheGuard::Fill,
            Self::Strict | Self::Api => CacheGuard::Enforce,
            Self::Helmet | Self::Off => CacheGuard::Off,
        }
    }

    /// Headers of the app that tell an attacker what to look for, and nobody else anything.
    pub(super) fn removed(self) -> &'static [&'static str] {
        match self {
            Self::Balanced | Self::Strict | Self::Api => &["x-powered-by", "server", "x-aspnet-version", "x-aspnetmvc-version"],
            Self::Helmet => &["x-powered-by"],
            Self::Off => &[],
        }
    }
}

pub(super) struct PresetRule {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    pub(super) mode: Mode,
    pub(super) classes: u8,
}

const fn rule(name: &'static str, value: &'static str, mode: Mode, classes: u8) -> PresetRule {
    PresetRule { name, value, mode, classes }
}

// camera, microphone, geolocation and display-capture keep their default of `self`, so that an app that uses them works, but an
// embedded frame can no longer be given them. The rest is hardware that a web app asks for once in a thousand.
const QUIET_HARDWARE: &str = "accelerometer=(), camera=(self), display-capture=(self), geolocation=(self), gyroscope=(), hid=(), magnetometer=(), microphone=(self), midi=(), serial=(), usb=()";
const NO_HARDWARE: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()";

// No form-action: browsers apply it to where a form's redirects lead, so 'self' breaks every OAuth consent and checkout.
// No script-src: half of all apps have an inline script, and a policy that breaks the page is a policy that gets switched off.
const BALANCED: &[PresetRule] = &[
    rule(
        "content-security-policy",
        "base-uri 'self';frame-ancestors 'self';object-src 'none';upgrade-insecure-requests",
        Mode::Fill,
        PROGRAMS,
    ),
    rule("cross-origin-opener-policy", "same-origin-allow-popups", Mode::Floor, DOCUMENTS),
    // Pages only: other sites may show this one's images, SVG ones too.
    rule("cross-origin-resource-policy", "same-site", Mode::Fill, PAGES),
    rule("permissions-policy", QUIET_HARDWARE, Mode::Fill, DOCUMENTS),
    rule("referrer-policy", "strict-origin-when-cross-origin", Mode::Fill, PROGRAMS),
    rule("strict-transport-security", "max-age=31536000", Mode::Floor, EVERYTHING),
    rule("x-content-type-options", "nosniff", Mode::Floor, CONTENT),
    rule("x-frame-options", "SAMEORIGIN", Mode::Floor, DOCUMENTS),
];

/// helmet 8.3.0. Everything in mode `fill`, because with helmet what the app sets later wins.
const HELMET: &[PresetRule] = &[
    rule(
        "content-security-policy",
        "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
        Mode::Fill,
        ALL_BUT_304,
    ),
    rule("cross-origin-opener-policy", "same-origin", Mode::Fill, EVERYTHING),
    rule("cross-origin-resource-policy", "same-origin", Mode::Fill, EVERYTHING),
    rule("origin-agent-cluster", "?1", Mode::Fill, EVERYTHING),
    rule("referrer-policy", "no-referrer", Mode::Fill, EVERYTHING),
    rule("strict-transport-security", "max-age=31536000; includeSubDomains", Mode::Fill, EVERYTHING),
    rule("x-content-type-options", "nosniff", Mode::Fill, EVERYTHING),
    rule("x-dns-prefetch-control", "off", Mode::Fill, EVERYTHING),
    rule("x-download-options", "noopen", Mode::Fill, EVERYTHING),
    rule("x-frame-options", "SAMEORIGIN", Mode::Fill, EVERYTHING),
    rule("x-permitted-cross-domain-policies", "none", Mode::Fill, EVERYTHING),
    rule("x-xss-protection", "0", Mode::Fill, EVERYTHING),
];

const STRICT: &[PresetRule] = &[
    rule(
        "content-security-policy",
        "default-src 'self';base-uri 'none';form-action 'self';frame-ancestors 'none';img-src 'self' data:;object-src 'none';upgrade-insecure-requests",
        Mode::Fill,
        PROGRAMS,
    ),
    rule("cross-origin-opener-policy", "same-origin", Mode::Floor, DOCUMENTS),
    rule("cross-origin-resource-policy", "same-origin", Mode::Fill, CONTENT),
    rule("permissions-policy", NO_HARDWARE, Mode::Fill, DOCUMENTS),
    rule("referrer-policy", "no-referrer", Mode::Fill, PROGRAMS),
    rule("strict-transport-security", "max-age=63072000; includeSubDomains", Mode::Floor, EVERYTHING),
    rule("x-content-type-options", "nosniff", Mode::Floor, CONTENT),
    rule("x-frame-options", "DENY", Mode::Floor, DOCUMENTS),
];

const API: &[PresetRule] = &[
    rule("content-security-policy", "default-src 'none';frame-ancestors 'none'", Mode::Fill, ALL_BUT_304),
    rule("cross-origin-resource-policy", "same-origin", Mode::Fill, CONTENT),
    rule("referrer-policy", "no-referrer", Mode::Fill, CONTENT),
    rule("strict-transport-security", "max-age=31536000", Mode::Floor, EVERYTHING),
    rule("x-content-type-options", "nosniff", Mode::Floor, CONTENT),
    rule("x-frame-options", "DENY", Mode::Floor, CONTENT),
];
