//! Whose doing a report is: the app's, another site's, or that of what the user has installed.

use super::report::Report;
use super::resource::Resource;

/// Schemes that no page of an app uses: the browser's own pages and what extensions work with.
const BROWSER: [&str; 8] = ["about", "view-source", "chrome", "resource", "edge", "opera", "safari-resource", "file"];

/// What Firefox names as the file of a script that an extension runs in a page.
const SANDBOX: &str = "sandbox eval code";

/// Whose doing a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// It may be the app's. That is no proof: who sends reports can write what he likes.
    Ours,
    /// Its document is on another host: copied pages, proxies that translate, other people's tests.
    Foreign,
    /// A browser extension's or the browser's own, or its document has no address on the web: worth a count and no policy.
    Noise,
}

impl Origin {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ours, Self::Foreign, Self::Noise];

    /// `ours`, `foreign` or `noise`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Foreign => "foreign",
            Self::Noise => "noise",
        }
    }
}

impl Report {
    /// Whose doing it is. `hosts` are the names the app is reached by, without port, in any case; for an endpoint on the app's own
    /// origin the host that the request was sent to is enough.
    #[must_use]
    pub fn origin<H: AsRef<str>>(&self, hosts: &[H]) -> Origin {
        let Some(document) = &self.document else { return Origin::Noise };
        if !hosts.iter().any(|host| host.as_ref().eq_ignore_ascii_case(document.host())) {
            return Origin::Foreign;
        }
        let file = self.source.as_ref().map(|source| &source.file);
        if [self.blocked.as_ref(), file].into_iter().flatten().any(is_noise) { Origin::Noise } else { Origin::Ours }
    }
}

fn is_noise(resource: &Resource) -> bool {
    match resource {
        Resource::Extension(_) => true,
        Resource::Scheme(scheme) => BROWSER.contains(&&**scheme),
        Resource::Other(text) => &**text == SANDBOX,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::reports::{Limits, parse};

    fn origin(fields: &str) -> Origin {
        let body = format!(r#"{{"csp-report":{{{fields}}}}}"#);
        let batch = parse(b"application/csp-report", body.as_bytes(), &Limits::default()).unwrap();
        batch.reports[0].origin(&["Shop.example", "localhost"])
    }

    #[test]
    fn extensions_and_other_sites_are_told_apart_from_the_app() {
        let ours = r#""document-uri":"https://shop.example:8443/a","blocked-uri":"#;
        for (blocked, wanted) in [
            (r#""inline""#, Origin::Ours),
            (r#""https://cdn.example/x.js""#, Origin::Ours),
            (r#""data""#, Origin::Ours),
            (r#""""#, Origin::Ours),
            (r#""about""#, Origin::Noise),
            (r#""view-source""#, Origin::Noise),
            (r#""chrome-extension""#, Origin::Noise),
            (r#""safari-web-extension://x/y.js""#, Origin::Noise),
            (r#""inline","source-file":"moz-extension""#, Origin::Noise),
            (r#""inline","source-file":"user-script:3""#, Origin::Noise),
            (r#""eval","source-file":"sandbox eval code""#, Origin::Noise),
            (r#""inline","source-file":"https://shop.example/a""#, Origin::Ours),
        ] {
            assert_eq!(origin(&format!("{ours}{blocked}")), wanted, "{blocked}");
        }
        assert_eq!(origin(r#""document-uri":"http://localhost:3000/","blocked-uri":"inline""#), Origin::Ours);
        assert_eq!(origin(r#""document-uri":"https://shop.example.evil.example/","blocked-uri":"inline""#), Origin::Foreign);
        assert_eq!(origin(r#""document-uri":"https://shop.example@evil.example/","blocked-uri":"inline""#), Origin::Foreign);
        assert_eq!(origin(r#""document-uri":"about","blocked-uri":"inline""#), Origin::Noise);
        assert_eq!(origin(r#""blocked-uri":"inline""#), Origin::Noise);
    }
}
