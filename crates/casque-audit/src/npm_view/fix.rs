//! Whether npm would know a way out, and which (npm-pick-manifest, as Arborist's audit report asks it).

use super::releases::{Release, Releases};
use crate::lockfile::spec::Spec;
use crate::version::{Grammar, Range, RangeOptions, Version};

/// What npm reads versions and ranges with when it chooses.
const LOOSE: RangeOptions = RangeOptions { loose: true, include_prerelease: false };

/// A version outside what is asked for, and whether it is of another major.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) release: usize,
    /// Nothing: the version is within the range after all, but npm's test of that is a stricter one.
    pub(super) major: Option<bool>,
}

/// The version that npm would go to: the best that is asked for, else of the same major, else any.
pub(super) fn choose(releases: &Releases, asked: &str, node: Option<&Version>, avoid: &dyn Fn(usize) -> bool) -> Option<Choice> {
    let asked = match Spec::parse(asked) {
        Spec::Range(range) | Spec::Alias { range, .. } => range.trim(),
        Spec::Elsewhere(_) => return None,
    };
    let wanted = pick(releases, asked, node, avoid)?;
    if !avoid(wanted) {
        return Some(Choice { release: wanted, major: None });
    }
    for (range, major) in [(format!("^{}", releases.list.get(wanted)?.text), false), ("*".to_owned(), true)] {
        if let Some(release) = pick(releases, &range, node, avoid).filter(|release| !avoid(*release)) {
            return Some(Choice { release, major: Some(major) });
        }
    }
    None
}

/// The best version, one to avoid only if there is no other.
fn pick(releases: &Releases, asked: &str, node: Option<&Version>, avoid: &dyn Fn(usize) -> bool) -> Option<usize> {
    let is_range = Range::parse(asked, LOOSE).is_ok();
    if !asked.is_empty() {
        if let Ok(version) = Grammar::NpmLoose.version(asked) {
            return releases.list.iter().position(|release| release.version == version);
        }
        if !is_range {
            return releases.tags.get(asked).copied();
        }
    }
    let range = if asked.is_empty() { "*" } else { asked };
    let within: Vec<usize> = releases.within(range, LOOSE).collect();
    let current = |n: usize| releases.list.get(n).is_some_and(|release| !release.deprecated);
    let runs = |n: usize| releases.list.get(n).is_some_and(|release| runs_on(release, node));
    if let Some(latest) = releases.tags.get("latest").copied()
        && (range == "*" || within.binary_search(&latest).is_ok())
        && !avoid(latest)
        && current(latest)
        && runs(latest)
    {
        return Some(latest);
    }
    within.into_iter().max_by_key(|n| (!avoid(*n), current(*n) && runs(*n), runs(*n), current(*n), *n))
}

/// Whether it is made for this Node.js (npm-install-checks); for any, if none was named.
fn runs_on(release: &Release, node: Option<&Version>) -> bool {
    let (Some(node), Some(range)) = (node, &release.node) else { return true };
    let options = RangeOptions { loose: false, include_prerelease: true };
    range.is_empty() || Range::parse(range, options).is_ok_and(|range| range.contains(node))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn releases(texts: &[&str], latest: &str) -> Releases {
        let mut list: Vec<Release> = texts.iter().map(|text| Release::new(text).unwrap()).collect();
        list.iter_mut().for_each(|release| release.deprecated = release.text.ends_with(".9"));
        Releases::new(list, vec![("latest".to_owned(), latest.to_owned())], true)
    }

    #[test]
    fn the_nearest_way_out_is_chosen() {
        let releases = releases(&["1.0.0", "1.1.0", "1.2.0", "1.2.9", "2.0.0", "2.1.0", "3.0.0-rc"], "2.0.0");
        let choose = |asked: &str, below: usize| {
            choose(&releases, asked, None, &|n| n < below).map(|choice| (&*releases.list[choice.release].text, choice.major))
        };
        assert_eq!(choose("~1.0.0", 1), Some(("1.2.0", Some(false))));
        assert_eq!(choose("1.0.0", 1), Some(("1.2.0", Some(false))));
        // Deprecated ones come after others.
        assert_eq!(choose("~1.0.0", 3), Some(("1.2.9", Some(false))));
        // The latest comes before what is higher.
        assert_eq!(choose("~1.0.0", 4), Some(("2.0.0", Some(true))));
        assert_eq!(choose("~1.0.0", 5), Some(("2.1.0", Some(true))));
        assert_eq!(choose("~1.0.0", 6), None);
        assert_eq!(choose("npm:x@^1", 1), Some(("1.2.0", None)));
        assert_eq!(choose("latest", 1), Some(("2.0.0", None)));
        assert_eq!(choose("", 1), Some(("2.0.0", None)));
        let mut modern = releases.clone();
        modern.list[4].node = Some(">=20".into());
        let node = |major| {
            let choice = super::choose(&modern, "~1.0.0", Some(&Version::new(major, 0, 0)), &|n| n < 4);
            choice.map(|choice| &*releases.list[choice.release].text)
        };
        assert_eq!((node(20), node(18)), (Some("2.0.0"), Some("2.1.0")));
        for nothing in ["github:a/b", "9.9.9", "beta", "^4"] {
            assert_eq!(choose(nothing, 1), None, "{nothing}");
        }
    }
}
