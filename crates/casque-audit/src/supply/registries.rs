//! Packages that come from another registry than the rest, or than the rest of their scope.
//!
//! A company's packages lie in a scope of their own on a registry of their own, and that is how it should be: a scope that comes
//! whole from elsewhere is no notice. One that is torn apart is how dependency confusion looks: somebody publishes under a private
//! name where the public may fetch it. So is a package without a scope that comes from elsewhere alone.

use std::collections::{BTreeMap, HashMap};

use super::{Check, Found, Notice, host};
use crate::graph::{Instance, Source};
use crate::package::Ecosystem;

/// Two names of npm's own registry: yarn has an alias of it.
const SAME: [&str; 2] = ["registry.npmjs.org", "registry.yarnpkg.com"];

pub(super) fn check(packages: &[Found<'_>], out: &mut Vec<Notice>) {
    let from_registry = |i: &Instance| i.source == Source::Registry && i.package.ecosystem == Ecosystem::Npm;
    let all: Vec<(&Instance, &str)> = packages
        .iter()
        .map(|found| found.instance)
        .filter(|i| from_registry(i))
        .filter_map(|i| Some((i, registry(host(i.resolved.as_deref()?)?))))
        .collect();
    let mut hosts: HashMap<&str, usize> = HashMap::new();
    let mut scopes: BTreeMap<&str, HashMap<&str, usize>> = BTreeMap::new();
    for (instance, host) in &all {
        match scope(instance) {
            Some(scope) => *scopes.entry(scope).or_default().entry(host).or_default() += 1,
            None => *hosts.entry(host).or_default() += 1,
        }
    }
    // Of several that are as frequent, it is the public side that is odd in a scope, and the private one elsewhere.
    let main = most(&hosts, |host| SAME.contains(&host));
    let of_scope: HashMap<&str, &str> =
        scopes.iter().filter_map(|(scope, hosts)| Some((*scope, most(hosts, |host| !SAME.contains(&host))?))).collect();
    for (instance, host) in &all {
        let (check, usual, rest) = match scope(instance) {
            Some(scope) => (Check::Scope, of_scope.get(scope).copied(), format!("the other packages of {scope}")),
            None => (Check::Registry, main, "the rest".to_owned()),
        };
        if let Some(usual) = usual.filter(|usual| usual != host) {
            out.push(Notice::new(check, instance, format!("comes from {host}, unlike {rest}, from {usual}")));
        }
    }
}

fn registry(host: &str) -> &str {
    if SAME.contains(&host) { SAME[0] } else { host }
}

fn scope(instance: &Instance) -> Option<&str> {
    let name = &*instance.package.name;
    name.split_once('/').map(|(scope, _)| scope).filter(|scope| scope.starts_with('@'))
}

/// The host of most packages; of several as frequent one of the preferred.
fn most<'h>(hosts: &HashMap<&'h str, usize>, preferred: impl Fn(&str) -> bool) -> Option<&'h str> {
    hosts.iter().max_by_key(|(host, count)| (**count, preferred(host), std::cmp::Reverse(**host))).map(|(host, _)| *host)
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;

    fn lock(packages: &[(&str, &str)]) -> Vec<String> {
        let entries: Vec<String> = packages
            .iter()
            .map(|(name, host)| {
                format!(r#""node_modules/{name}": {{"version": "1.0.0", "integrity": "sha512-x", "resolved": "https://{host}/{name}/-/{}-1.0.0.tgz"}}"#, name.rsplit('/').next().unwrap())
            })
            .collect();
        told(&format!("\"\": {{}}, {}", entries.join(", ")))
    }

    #[test]
    fn what_comes_from_elsewhere_alone_is_told() {
        let usual = [
            ("a", "registry.npmjs.org"),
            ("b", "registry.yarnpkg.com"),
            ("@corp/x", "npm.corp.example"),
            ("@corp/y", "npm.corp.example:443"),
        ];
        assert_eq!(lock(&usual), Vec::<String>::new());
        let mut odd = usual.to_vec();
        odd.extend([("c", "evil.example"), ("@corp/z", "registry.npmjs.org")]);
        assert_eq!(
            lock(&odd),
            [
                "scope @corp/z@1.0.0 comes from registry.npmjs.org, unlike the other packages of @corp, from npm.corp.example",
                "registry c@1.0.0 comes from evil.example, unlike the rest, from registry.npmjs.org",
            ]
        );
        assert_eq!(lock(&[("@corp/x", "npm.corp.example"), ("@corp/y", "registry.npmjs.org")]).len(), 1);
    }
}
