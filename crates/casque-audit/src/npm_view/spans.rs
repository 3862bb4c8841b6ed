//! Affected versions as a range, in npm's words.

use super::releases::Releases;

/// What stands for no version at all.
pub(super) const NONE: &str = "<0.0.0-0";

/// The range of a package that depends on affected versions (metavuln-calculator): from release to release, where prereleases
/// between do not interrupt, as nobody asked about them. At an affected version of an odd text npm loses its place in the list, and
/// finds none of those after it.
pub(super) fn range(releases: &Releases, affected: &[bool]) -> String {
    let list = &releases.list;
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let (mut n, mut lost) = (0, false);
    while n < list.len() {
        let start = n;
        let mut end = None;
        while let Some(release) = list.get(n) {
            let is = affected.get(n) == Some(&true);
            lost |= is && release.odd;
            if is && !lost {
                end = Some(n);
            } else if !release.text.contains('-') {
                break;
            }
            n += 1;
        }
        runs.extend(end.map(|end| (start, end)));
        n += 1;
    }
    if runs.is_empty() {
        return NONE.to_owned();
    }
    let text = |n: usize| &*list[n].text;
    let long: Vec<String> = runs
        .iter()
        .map(|(start, end)| match () {
            () if end + 1 == list.len() => format!(">={}", text(*start)),
            () if start == end => text(*start).to_owned(),
            () => format!("{} - {}", text(*start), text(*end)),
        })
        .collect();
    let mut inside = vec![false; list.len()];
    for (start, end) in runs {
        inside[start..=end].fill(true);
    }
    simplified(releases, &inside, long.join(" || "))
}

/// A shorter range with the same of these versions, if there is one (node-semver, `simplifyRange`).
pub(super) fn simplified(releases: &Releases, inside: &[bool], long: String) -> String {
    let list = &releases.list;
    let mut parts = Vec::new();
    let mut n = 0;
    while n < list.len() {
        if inside.get(n) != Some(&true) {
            n += 1;
            continue;
        }
        let start = n;
        while inside.get(n) == Some(&true) {
            n += 1;
        }
        let (first, last) = (&list[start].text, &list[n - 1].text);
        parts.push(match () {
            () if start + 1 == n && n < list.len() => first.to_string(),
            () if n == list.len() && start == 0 => "*".to_owned(),
            () if n == list.len() => format!(">={first}"),
            () if start == 0 => format!("<={last}"),
            () => format!("{first} - {last}"),
        });
    }
    let short = parts.join(" || ");
    if short.len() < long.len() { short } else { long }
}

#[cfg(test)]
mod tests {
    use super::super::releases::Release;
    use super::*;

    fn releases(texts: &[&str]) -> Releases {
        Releases::new(texts.iter().map(|text| Release::new(text).unwrap()).collect(), Vec::new(), true)
    }

    #[test]
    fn prereleases_do_not_interrupt() {
        let releases = releases(&["1.0.0", "1.0.1-a", "1.0.1", "1.1.0", "2.0.0-a", "2.0.0"]);
        assert_eq!(range(&releases, &[true, false, true, false, false, false]), "<=1.0.1");
        assert_eq!(range(&releases, &[false, false, false, true, false, false]), "1.1.0");
        // The prerelease before is taken along.
        assert_eq!(range(&releases, &[true, false, false, false, false, true]), "1.0.0 || >=2.0.0-a");
        assert_eq!(range(&releases, &[false; 6]), NONE);
        assert_eq!(range(&releases, &[true, true, true, true, true, true]), "*");
    }

    #[test]
    fn odd_versions_end_what_is_found() {
        let releases = releases(&["1.0.0", "1.0.1rc1", "1.1.0", "2.0.0"]);
        assert_eq!(range(&releases, &[true, true, true, true]), "1.0.0");
        assert_eq!(range(&releases, &[true, false, true, true]), "1.0.0 || >=1.1.0");
    }

    #[test]
    fn a_range_becomes_shorter_or_stays() {
        let releases = releases(&["1.0.0", "1.1.0", "2.0.0"]);
        assert_eq!(simplified(&releases, &[true, true, false], ">=0.0.1 <1.5.0".to_owned()), "<=1.1.0");
        assert_eq!(simplified(&releases, &[true, true, false], "<2".to_owned()), "<2");
    }
}
