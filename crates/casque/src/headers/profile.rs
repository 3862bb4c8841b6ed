//! Which of a policy's profiles a response gets.

use std::ops::RangeInclusive;

use http::Method;

use super::class::Class;
use crate::host::{HostPattern, without_port};
use crate::path::{Pattern, Readings};

/// What a request says that headers may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The method.
    pub method: &'r Method,
    /// The host, as in `Host`.
    pub host: Option<&'r str>,
    /// The path, in any spelling.
    pub path: &'r str,
}

/// The responses that a profile is for. All conditions must hold; of one condition any value suffices. A profile without any
/// condition is for nobody but those who name it.
#[derive(Debug, Clone, Default)]
pub struct When {
    methods: Vec<Method>,
    hosts: Vec<HostPattern>,
    paths: Vec<Pattern>,
    classes: u8,
    statuses: Vec<RangeInclusive<u16>>,
}

impl When {
    /// Only when named: by [`super::UseProfile`], or by the app's `casque-profile` header behind the gateway.
    #[must_use]
    pub fn named() -> Self {
        Self::default()
    }

    /// For these methods. Default: all.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods.extend(methods);
        self
    }

    /// For these hosts. Default: all.
    #[must_use]
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = HostPattern>) -> Self {
        self.hosts.extend(hosts);
        self
    }

    /// For these paths. Default: all.
    ///
    /// A path that servers read in different ways (`%2f`) has to match in every reading: a link must not choose a weaker
    /// profile for a page by the way it is spelt.
    #[must_use]
    pub fn paths(mut self, paths: impl IntoIterator<Item = Pattern>) -> Self {
        self.paths.extend(paths);
        self
    }

    /// For these classes of response. Default: all.
    #[must_use]
    pub fn classes(mut self, classes: impl IntoIterator<Item = Class>) -> Self {
        self.classes = classes.into_iter().fold(self.classes, |all, c| all | c as u8);
        self
    }

    /// For these statuses. Default: all.
    #[must_use]
    pub fn statuses(mut self, statuses: impl IntoIterator<Item = RangeInclusive<u16>>) -> Self {
        self.statuses.extend(statuses);
        self
    }

    /// Whether it is for nobody but those who name it.
    #[must_use]
    pub fn is_named_only(&self) -> bool {
        self.methods.is_empty() && self.hosts.is_empty() && self.paths.is_empty() && self.classes == 0 && self.statuses.is_empty()
    }

    /// Whether what is known of the request speaks for it.
    pub(super) fn request_matches(&self, asked: &Asked<'_>, readings: &Readings<'_>) -> bool {
        if self.is_named_only() {
            return false;
        }
        let host_matches = || {
            let host = without_port(asked.host.unwrap_or(""));
            self.hosts.iter().any(|h| h.matches(host))
        };
        (self.methods.is_empty() || self.methods.contains(asked.method))
            && (self.hosts.is_empty() || host_matches())
            && (self.paths.is_empty() || self.paths.iter().any(|p| p.matches_every(readings)))
    }

    /// Whether what is known of the response speaks for it.
    pub(super) fn response_matches(&self, status: u16, class: Class) -> bool {
        (self.classes == 0 || self.classes & class as u8 != 0)
            && (self.statuses.is_empty() || self.statuses.iter().any(|s| s.contains(&status)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_conditions_hold_and_any_value_of_one() {
        let when = When::named()
            .methods([Method::GET, Method::HEAD])
            .hosts([HostPattern::parse("*.shop.example").unwrap()])
            .paths([Pattern::parse("/embed/*").unwrap(), Pattern::parse("/widget").unwrap()]);
        let matches = |method: &Method, host, path| when.request_matches(&Asked { method, host: Some(host), path }, &Readings::of(path));
        assert!(matches(&Method::GET, "a.shop.example:8080", "/embed/x"));
        assert!(matches(&Method::HEAD, "a.shop.example", "/WIDGET/"));
        assert!(!matches(&Method::POST, "a.shop.example", "/embed/x"));
        assert!(!matches(&Method::GET, "shop.example", "/embed/x"));
        assert!(!matches(&Method::GET, "a.shop.example", "/"));
        let pages = When::named().classes([Class::Page]).statuses([400..=499, 503..=503]);
        assert!(pages.response_matches(404, Class::Page) && pages.response_matches(503, Class::Page));
        assert!(!pages.response_matches(200, Class::Page) && !pages.response_matches(404, Class::Asset));
    }

    #[test]
    fn a_spelling_that_some_server_reads_as_another_page_chooses_nothing() {
        let when = When::named().paths([Pattern::parse("/embed/*").unwrap()]);
        let matches = |path| when.request_matches(&Asked { method: &Method::GET, host: None, path }, &Readings::of(path));
        assert!(matches("/embed/a") && matches("/%65mbed/a"));
        assert!(!matches("/embed/%2e%2e/admin"));
        assert!(!matches("/embed/..%2fadmin"));
        assert!(!matches("/embed/../admin"));
    }

    #[test]
    fn a_profile_without_conditions_is_for_those_who_name_it() {
        assert!(When::named().is_named_only());
        assert!(!When::named().request_matches(&Asked { method: &Method::GET, host: None, path: "/" }, &Readings::of("/")));
    }
}
