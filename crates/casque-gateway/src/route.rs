//! Host and path to policy.

use std::sync::Arc;

use casque::host::{HostPattern, without_port};
use casque::path;

use crate::policy::RoutePolicy;

/// All routes, the most particular first.
#[derive(Debug)]
pub(crate) struct Routes {
    routes: Vec<Route>,
    default: Arc<RoutePolicy>,
}

#[derive(Debug)]
struct Route {
    host: HostPattern,
    /// In normal form.
    path: String,
    policy: Arc<RoutePolicy>,
}

impl Routes {
    pub(crate) fn new(default: Arc<RoutePolicy>) -> Self {
        Self { routes: Vec::new(), default }
    }

    /// Adds a route; `false` if there is one for the same host and path.
    pub(crate) fn add(&mut self, host: HostPattern, written_path: &str, policy: Arc<RoutePolicy>) -> bool {
        let path = path::normalize(written_path).into_owned();
        if self.routes.iter().any(|r| r.host == host && r.path == path) {
            return false;
        }
        self.routes.push(Route { host, path, policy });
        // An exact host before a wildcard before none; then the longest path.
        self.routes.sort_by_key(|r| std::cmp::Reverse((r.host.specificity(), r.path.len())));
        true
    }

    /// Every policy, the one of all other requests first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &RoutePolicy> {
        std::iter::once(&*self.default).chain(self.routes.iter().map(|r| &*r.policy))
    }

    /// Whether a route is for some hosts only.
    pub(crate) fn has_hosts(&self) -> bool {
        self.routes.iter().any(|r| r.host != HostPattern::ANY)
    }

    /// The policy of a request. `host` as in the Host field; `path` as in the target, in any spelling.
    pub(crate) fn find(&self, host: Option<&str>, request_path: &str) -> &Arc<RoutePolicy> {
        if self.routes.is_empty() {
            return &self.default;
        }
        let host = host.map(without_port).unwrap_or("");
        // In any reading that the app may have of it: a route's rules must not be stepped round by spelling.
        let readings = path::Readings::of(request_path);
        let found = self.routes.iter().find(|r| r.host.matches(host) && readings.any_below(&r.path));
        found.map_or(&self.default, |r| &r.policy)
    }
}

#[cfg(test)]
mod tests {
    use casque::config::Document;

    use crate::config::Config;
    use crate::policy::{Overrides, Policy};

    fn port(text: &str, host: &str, path: &str) -> u16 {
        let document = Document::parse(text);
        let config = Config::read(&document);
        let policy = Policy::compile(&config, &Overrides::default(), &document).unwrap();
        let Some(target) = &policy.routes.find(Some(host), path).upstream else { return 0 };
        match &target.upstream {
            crate::config::Upstream::Tcp { port, .. } => *port,
            crate::config::Upstream::Unix(_) => 0,
        }
    }

    #[test]
    fn the_most_particular_route_wins_in_any_spelling() {
        let text = "[upstream]\nurl = \"http://a:1\"\n\
            [[route]]\npath = \"/api\"\nupstream = \"http://a:2\"\n\
            [[route]]\npath = \"/api/v2\"\nupstream = \"http://a:3\"\n\
            [[route]]\nhost = \"*.shop.example\"\nupstream = \"http://a:4\"\n\
            [[route]]\nhost = \"www.shop.example\"\nupstream = \"http://a:5\"\n";
        for (host, path, wanted) in [
            ("x", "/", 1),
            ("x", "/apis", 1),
            ("x", "/api", 2),
            ("x", "/API/x", 2),
            ("x", "//api/./y", 2),
            ("x", "/%61pi", 2),
            ("x", "/api%2Fx", 2),
            ("x", "/api/v2/z", 3),
            ("a.shop.example:8080", "/api", 4),
            ("shop.example", "/", 1),
            ("WWW.shop.example.", "/api/v2", 5),
        ] {
            assert_eq!(port(text, host, path), wanted, "{host}{path}");
        }
    }

    #[test]
    fn without_a_default_app_nothing_is_guessed() {
        let text = "[[route]]\nhost = \"admin.internal\"\nupstream = \"http://a:2\"\n";
        assert_eq!((port(text, "admin.internal", "/"), port(text, "public.example", "/")), (2, 0));
    }

    #[test]
    fn two_routes_for_one_place_are_an_error() {
        let text = "[upstream]\nurl = \"http://a:1\"\n[[route]]\npath = \"/a\"\n[[route]]\npath = \"/A/\"\n";
        let document = Document::parse(text);
        let config = Config::read(&document);
        let _ = Policy::compile(&config, &Overrides::default(), &document);
        assert_eq!(document.problems().len(), 1);
    }
}
