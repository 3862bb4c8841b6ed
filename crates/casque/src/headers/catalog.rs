//! Every header that a policy may set, and what there is to know of it before its value is looked at.

use super::class::Class;
use super::merge::Mode;

/// A header that browsers know, or once knew.
#[derive(Debug)]
pub(super) struct Known {
    /// Lower case.
    pub(super) name: &'static str,
    /// The responses that have a use for it.
    pub(super) classes: u8,
    /// How it meets the app's own unless told otherwise.
    pub(super) mode: Mode,
    /// Browsers honour it on trustworthy origins only, or forbid it on plain HTTP.
    pub(super) https_only: bool,
    /// Two values mean something; for other headers a second line voids the first.
    pub(super) list: bool,
    /// Why no browser of today cares, and what took its place.
    pub(super) dead: Option<&'static str>,
}

pub(super) const PAGES: u8 = Class::Page as u8;
pub(super) const DOCUMENTS: u8 = PAGES | Class::Document as u8;
/// A worker takes its policy from its script's response.
pub(super) const PROGRAMS: u8 = DOCUMENTS | Class::Script as u8;
pub(super) const CONTENT: u8 = PROGRAMS | Class::Asset as u8;
pub(super) const ALL_BUT_304: u8 = CONTENT | Class::Empty as u8;
pub(super) const EVERYTHING: u8 = ALL_BUT_304 | Class::NotModified as u8;

const fn fill(name: &'static str, classes: u8) -> Known {
    Known { name, classes, mode: Mode::Fill, https_only: false, list: false, dead: None }
}

impl Known {
    const fn floor(mut self) -> Self {
        self.mode = Mode::Floor;
        self
    }

    const fn https_only(mut self) -> Self {
        self.https_only = true;
        self
    }

    const fn list(mut self) -> Self {
        self.list = true;
        self
    }

    const fn dead(mut self, why: &'static str) -> Self {
        self.dead = Some(why);
        self
    }
}

/// In the order of their names.
static KNOWN: [Known; 41] = [
    fill("cache-control", CONTENT).list(),
    fill("clear-site-data", ALL_BUT_304).https_only().list(),
    fill("content-security-policy", PROGRAMS).list(),
    fill("content-security-policy-report-only", PROGRAMS).list(),
    fill("cross-origin-embedder-policy", PROGRAMS).https_only(),
    fill("cross-origin-embedder-policy-report-only", PROGRAMS).https_only(),
    fill("cross-origin-opener-policy", DOCUMENTS).floor().https_only(),
    fill("cross-origin-opener-policy-report-only", DOCUMENTS).https_only(),
    fill("cross-origin-resource-policy", CONTENT),
    fill("document-isolation-policy", DOCUMENTS).https_only(),
    fill("document-isolation-policy-report-only", DOCUMENTS).https_only(),
    fill("expect-ct", EVERYTHING)
        .https_only()
        .dead("no browser reads it since Chrome 107: certificate transparency is enforced without it"),
    fill("expires", CONTENT),
    fill("feature-policy", DOCUMENTS).dead("`permissions-policy` took its place in 2020"),
    fill("integrity-policy", DOCUMENTS),
    fill("integrity-policy-report-only", DOCUMENTS),
    fill("nel", EVERYTHING).https_only(),
    fill("origin-agent-cluster", DOCUMENTS).https_only(),
    fill("permissions-policy", DOCUMENTS).list(),
    fill("permissions-policy-report-only", DOCUMENTS).list(),
    fill("pragma", CONTENT).dead("only HTTP/1.0 caches read it; `cache-control` says the same"),
    fill("public-key-pins", EVERYTHING).https_only().dead(
        "no browser reads it since 2018, and a lost key locked visitors out; use CAA records and watch certificate transparency logs",
    ),
    fill("public-key-pins-report-only", EVERYTHING).https_only().dead("no browser reads it since 2018"),
    fill("referrer-policy", PROGRAMS).list(),
    fill("report-to", EVERYTHING).https_only().list(),
    fill("reporting-endpoints", DOCUMENTS).https_only().list(),
    fill("server", EVERYTHING),
    fill("server-timing", CONTENT).list(),
    fill("speculation-rules", DOCUMENTS),
    fill("strict-transport-security", EVERYTHING).floor().https_only(),
    fill("surrogate-control", CONTENT).list(),
    fill("timing-allow-origin", CONTENT).list(),
    fill("vary", CONTENT).list(),
    fill("x-content-type-options", CONTENT).floor(),
    fill("x-dns-prefetch-control", DOCUMENTS),
    fill("x-download-options", CONTENT).dead("it spoke to Internet Explorer 8; nothing reads it today"),
    fill("x-frame-options", DOCUMENTS).floor(),
    fill("x-permitted-cross-domain-policies", CONTENT).dead("it spoke to Flash and Acrobat plug-ins; nothing reads it today"),
    fill("x-powered-by", EVERYTHING),
    fill("x-robots-tag", CONTENT).list(),
    fill("x-xss-protection", DOCUMENTS)
        .dead("browsers took their XSS filters out because they could be turned against pages; `0` is its only safe value"),
];

/// What is known of a header, if it is one of those that browsers know.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.binary_search_by(|k| k.name.cmp(name)).ok().and_then(|i| KNOWN.get(i))
}

/// The names that a misspelt one may have meant.
#[cfg(feature = "config")]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|k| k.name)
}

/// Whether the header carries a Content-Security-Policy.
pub(super) fn is_csp(name: &str) -> bool {
    matches!(name, "content-security-policy" | "content-security-policy-report-only")
}

/// Response fields by which servers, frameworks, proxies and monitoring introduce themselves: versions to an attacker, nothing to
/// a browser. In lower case and in order. The names that the OWASP Secure Headers Project lists for removal (2024 to 2026), less `Via`, which proxies must add.
pub const TALKATIVE: [&str; 76] = [
    "$wsep",
    "host-header",
    "k-proxy-request",
    "liferay-portal",
    "oraclecommercecloud-version",
    "pega-host",
    "powered-by",
    "product",
    "server",
    "server-timing",
    "sourcemap",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-atmosphere-error",
    "x-atmosphere-first-request",
    "x-atmosphere-tracking-id",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-backside-transport",
    "x-beserver",
    "x-calculatedbetarget",
    "x-cf-powered-by",
    "x-cms",
    "x-cocoon-version",
    "x-content-encoded-by",
    "x-diaginfo",
    "x-dtagentid",
    "x-dthealthcheck",
    "x-dtinjectedservlet",
    "x-envoy-attempt-count",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-original-dst-host",
    "x-envoy-upstream-service-time",
    "x-feserver",
    "x-framework",
    "x-generated-by",
    "x-generator",
    "x-jitsi-release",
    "x-joomla-version",
    "x-kubernetes-pf-flowschema-ui",
    "x-kubernetes-pf-flowschema-uid",
    "x-kubernetes-pf-prioritylevel-uid",
    "x-litespeed-cache",
    "x-litespeed-cache-control",
    "x-litespeed-purge",
    "x-litespeed-tag",
    "x-litespeed-vary",
    "x-mod-pagespeed",
    "x-nextjs-cache",
    "x-nextjs-matched-path",
    "x-nextjs-page",
    "x-nextjs-redirect",
    "x-old-content-length",
    "x-oneagent-js-injection",
    "x-owa-version",
    "x-page-speed",
    "x-php-version",
    "x-powered-by",
    "x-powered-by-plesk",
    "x-powered-cms",
    "x-redirect-by",
    "x-runtime",
    "x-ruxit-js-agent",
    "x-server-powered-by",
    "x-sourcefiles",
    "x-sourcemap",
    "x-turbo-charged-by",
    "x-umbraco-version",
    "x-varnish",
    "x-varnish-backend",
    "x-varnish-cache",
    "x-varnish-server",
    "x-woodpecker-version",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order_so_that_they_can_be_searched() {
        assert!(KNOWN.windows(2).all(|w| w[0].name < w[1].name));
        assert!(TALKATIVE.windows(2).all(|w| w[0] < w[1]));
        assert!(TALKATIVE.iter().all(|n| http::HeaderName::from_bytes(n.as_bytes()).is_ok()));
        assert!(known("content-security-policy").is_some() && known("x-frame-option").is_none());
    }
}
