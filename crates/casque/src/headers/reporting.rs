//! Headers that make browsers report to the site itself.

use std::borrow::Cow;

use http::HeaderName;

use super::block::Rule;
use super::builder::Builder;
use super::catalog::{self, PAGES};
use super::merge::Mode;
use super::origin::Origin;
use super::preset::Preset;

/// The name of the endpoint in `Reporting-Endpoints`.
const GROUP: &str = "casque";

/// What the balanced preset tries out beside what it enforces: what the strict one would ask of a page. Browsers block nothing of
/// it; what they report is what stands between an app and that policy.
const TRIED_OUT: &str = "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; img-src 'self' data:; object-src 'none'; script-src 'self' 'report-sample'; style-src 'self' 'report-sample'";

impl Builder {
    /// Makes browsers report violations to `path` on the same site (Reporting API, CSP 3 section 5).
    ///
    /// Content-Security-Policies that name no destination get one: `report-to` for browsers that know it, `report-uri` for the
    /// others. The balanced preset tries a stricter policy out beside its own. Left as they are: what helmet's options or the helmet
    /// and api presets say, which is to be exact or never a page, and everything once `reporting-endpoints` is set by hand.
    #[must_use]
    pub fn report_to(mut self, path: &str) -> Self {
        let by_hand = self.rules.iter().any(|r| r.name == "reporting-endpoints");
        if by_hand || self.removed.iter().any(|n| n == "reporting-endpoints") {
            return self;
        }
        let is_ready_made = |r: &Rule| matches!(r.origin, Origin::Preset(Preset::Balanced));
        let enforced = self.rules.iter().any(|r| r.name == "content-security-policy" && is_ready_made(r));
        if enforced && !self.rules.iter().any(|r| r.name == "content-security-policy-report-only") {
            self.rules.push(Rule {
                name: HeaderName::from_static("content-security-policy-report-only"),
                value: Cow::Borrowed(TRIED_OUT),
                mode: Mode::Fill,
                classes: PAGES,
                origin: Origin::Casque("tried out by preset balanced, see [reports]"),
            });
        }
        let mut used = 0;
        for rule in &mut self.rules {
            if let Some(value) = with_destination(rule, path) {
                rule.value = Cow::Owned(value);
                used |= rule.classes;
            }
        }
        if used != 0 {
            self.rules.push(Rule {
                name: HeaderName::from_static("reporting-endpoints"),
                value: Cow::Owned(format!("{GROUP}=\"{path}\"")),
                mode: Mode::Fill,
                classes: used,
                origin: Origin::Casque("[reports]"),
            });
        }
        self
    }
}

/// The value with a destination for its reports, if it has none and may be changed.
fn with_destination(rule: &Rule, path: &str) -> Option<String> {
    let untouched = matches!(rule.origin, Origin::Helmet(_) | Origin::Preset(Preset::Helmet | Preset::Api));
    let (name, value) = (rule.name.as_str(), &rule.value);
    if untouched {
        return None;
    }
    if catalog::is_csp(name) {
        let names = |d: &str| {
            d.split_ascii_whitespace().next().is_some_and(|n| n.eq_ignore_ascii_case("report-uri") || n.eq_ignore_ascii_case("report-to"))
        };
        let said = value.split(';').any(names);
        let value = value.trim_end_matches([';', ' ']);
        return (!said).then(|| format!("{value}; report-uri {path}; report-to {GROUP}"));
    }
    let reports = name.starts_with("cross-origin-opener-policy")
        || name.starts_with("cross-origin-embedder-policy")
        || name.starts_with("document-isolation-policy");
    if reports && matches!(rule.origin, Origin::Code | Origin::File(_)) {
        return (!value.contains("report-to")).then(|| format!("{value}; report-to=\"{GROUP}\""));
    }
    if name.starts_with("integrity-policy") {
        return (!value.contains("endpoints")).then(|| format!("{value}, endpoints=({GROUP})"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{Channel, Class, HeaderPolicy};
    use super::*;

    fn value(builder: Builder, name: &str) -> String {
        let policy = builder.build();
        let block = policy.block(Channel::Https, Class::Page);
        block.entries().iter().find(|e| e.name() == name).map_or_else(String::new, |e| e.value(None).to_str().unwrap().to_owned())
    }

    #[test]
    fn balanced_tries_a_stricter_policy_out_and_asks_for_reports() {
        let b = || HeaderPolicy::builder(Preset::Balanced).report_to("/r");
        assert!(value(b(), "content-security-policy").ends_with("; report-uri /r; report-to casque"));
        assert!(value(b(), "content-security-policy-report-only").starts_with("default-src 'self'"));
        assert_eq!(value(b(), "reporting-endpoints"), "casque=\"/r\"");
        // On plain http the older way is left, and the newer is left out: it would lead nowhere.
        let http = b().build();
        let csp =
            http.block(Channel::Http, Class::Page).entries().iter().find(|e| e.name() == "content-security-policy").unwrap().value(None);
        assert!(csp.to_str().unwrap().ends_with("report-uri /r"), "{csp:?}");
        assert!(b().build().block(Channel::Http, Class::Page).entries().iter().all(|e| e.name() != "reporting-endpoints"));
        assert!(b().build().block(Channel::Https, Class::Asset).entries().iter().all(|e| e.name() != "reporting-endpoints"));
    }

    #[test]
    fn what_is_exact_or_said_by_hand_stays() {
        for preset in [Preset::Helmet, Preset::Api, Preset::Off] {
            let plain = value(HeaderPolicy::builder(preset), "content-security-policy");
            let reporting = HeaderPolicy::builder(preset).report_to("/r");
            assert_eq!(value(reporting.clone(), "content-security-policy"), plain);
            assert_eq!(value(reporting, "reporting-endpoints"), "");
        }
        let own = HeaderPolicy::builder(Preset::Balanced).set("reporting-endpoints", "mine=\"/m\"", Mode::Fill).unwrap().report_to("/r");
        assert_eq!(value(own.clone(), "reporting-endpoints"), "mine=\"/m\"");
        assert_eq!(value(own, "content-security-policy-report-only"), "");
        let tuned = HeaderPolicy::builder(Preset::Balanced)
            .set("content-security-policy", "default-src 'self'; report-uri /mine", Mode::Fill)
            .unwrap();
        assert_eq!(value(tuned.report_to("/r"), "content-security-policy"), "default-src 'self'; report-uri /mine");
    }

    #[test]
    fn report_only_twins_get_a_destination() {
        let b = HeaderPolicy::builder(Preset::Off)
            .set("cross-origin-embedder-policy-report-only", "require-corp", Mode::Fill)
            .and_then(|b| b.set("integrity-policy-report-only", "blocked-destinations=(script)", Mode::Fill))
            .unwrap()
            .report_to("/r");
        assert_eq!(value(b.clone(), "cross-origin-embedder-policy-report-only"), "require-corp; report-to=\"casque\"");
        assert_eq!(value(b, "integrity-policy-report-only"), "blocked-destinations=(script), endpoints=(casque)");
    }
}
