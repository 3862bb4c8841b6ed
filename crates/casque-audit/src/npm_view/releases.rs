//! The versions of a package that are known to exist, and what each needs.

use std::collections::HashMap;

use crate::text::json::{Json, Shape};
use crate::text::{Result, fault};
use crate::version::{Grammar, Range, RangeOptions, Version};

/// The most versions of a package. Those that are published by machines have some tens of thousands.
const MOST: usize = 100_000;

/// One version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// As it was published.
    pub(super) text: Box<str>,
    pub(super) version: Version,
    /// What it needs, by name: the range. Of what is in the lockfile only.
    pub(super) needs: HashMap<Box<str>, Box<str>>,
    /// What it needs is not known, but for that it exists.
    pub(super) unread: bool,
    /// What it brings along in its own archive.
    pub(super) bundled: Bundled,
    pub(super) deprecated: bool,
    /// The Node.js that it runs on, as a range.
    pub(super) node: Option<Box<str>>,
    /// Its text is not how npm writes that version: `1.0.0rc1`. npm knows such a version by two names, and loses it between them.
    pub(super) odd: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Bundled {
    #[default]
    None,
    Some(Vec<Box<str>>),
    All,
}

/// The versions of a package, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Releases {
    pub(super) list: Vec<Release>,
    /// Its tags, with places in the list.
    pub(super) tags: HashMap<String, usize>,
    /// Whether the registry said so; otherwise they are pieced together, and there may be more.
    pub(super) complete: bool,
    by_text: HashMap<Box<str>, usize>,
}

impl Release {
    /// Nothing for what is no version to npm.
    pub(super) fn new(text: &str) -> Option<Self> {
        let version = Grammar::NpmLoose.version(text).ok()?;
        let odd = version.to_string() != text;
        let (needs, bundled) = (HashMap::new(), Bundled::None);
        Some(Self { text: text.into(), version, needs, unread: false, bundled, deprecated: false, node: None, odd })
    }

    /// Whether it comes before the release of its numbers.
    pub(super) fn is_prerelease(&self) -> bool {
        self.version.is_prerelease()
    }

    pub(super) fn bundles(&self, name: &str) -> bool {
        match &self.bundled {
            Bundled::None => false,
            Bundled::Some(names) => names.iter().any(|bundled| **bundled == *name),
            Bundled::All => true,
        }
    }
}

impl Releases {
    /// Sorts them; of those that are equal but for their text, npm's sort keeps the order.
    pub(super) fn new(mut list: Vec<Release>, tags: Vec<(String, String)>, complete: bool) -> Self {
        list.sort_by(|a, b| a.version.cmp(&b.version));
        let by_text: HashMap<Box<str>, usize> = list.iter().enumerate().map(|(n, release)| (release.text.clone(), n)).collect();
        let tags = tags.into_iter().filter_map(|(tag, version)| Some((tag, *by_text.get(&*version)?))).collect();
        Self { list, tags, complete, by_text }
    }

    /// Reads a packument. `wanted` are the names of needs that matter.
    pub(super) fn read(text: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Self> {
        let mut json = Json::new(text).doubles();
        let (mut list, mut tags) = (Vec::new(), Vec::new());
        json.object(|json, key| match &*key.name {
            "versions" => json.object_or_skip(|json, key| {
                if list.len() == MOST {
                    return fault(key.at, format!("more than {MOST} versions"));
                }
                match Release::new(&key.name) {
                    Some(mut release) => {
                        release.read(json, wanted)?;
                        list.push(release);
                        Ok(())
                    }
                    None => json.skip(),
                }
            }),
            "dist-tags" => json.object_or_skip(|json, key| {
                let version = json.string_or_skip()?;
                tags.extend(version.map(|version| (key.name.into_owned(), version.into_owned())));
                Ok(())
            }),
            _ => json.skip(),
        })?;
        Ok(Self::new(list, tags, true))
    }

    /// The place of a version by its text.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        self.by_text.get(text).copied()
    }

    /// Which of them a range has; none, if it is no range.
    pub(super) fn within(&self, range: &str, options: RangeOptions) -> impl Iterator<Item = usize> + use<'_> {
        let range = Range::parse(range, options).ok();
        let grammar = if options.loose { None } else { Some(Grammar::Npm) };
        (0..self.list.len()).filter(move |n| {
            let Some(release) = self.list.get(*n) else { return false };
            range.as_ref().is_some_and(|range| range.contains(&release.version))
                && grammar.is_none_or(|grammar| grammar.version(&release.text).is_ok())
        })
    }
}

impl Release {
    fn read(&mut self, json: &mut Json<'_>, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
        // What is asked for to run counts before options, and those before peers (metavuln-calculator, get-dep-spec).
        let mut ranked: HashMap<Box<str>, (u8, Box<str>)> = HashMap::new();
        json.object_or_skip(|json, key| {
            let rank = match &*key.name {
                "dependencies" => 0,
                "optionalDependencies" => 1,
                "peerDependencies" => 2,
                "bundleDependencies" | "bundledDependencies" => {
                    self.bundled = bundled(json)?;
                    return Ok(());
                }
                "engines" => {
                    return json.object_or_skip(|json, key| {
                        if key.name == "node" {
                            self.node = json.string_or_skip()?.map(Box::from);
                            return Ok(());
                        }
                        json.skip()
                    });
                }
                "deprecated" => {
                    self.deprecated = match json.shape()? {
                        Shape::String => !json.string()?.is_empty(),
                        _ => json.flag()?,
                    };
                    return Ok(());
                }
                _ => return json.skip(),
            };
            json.object_or_skip(|json, key| {
                if let Some(range) = json.string_or_skip()?
                    && wanted(&key.name)
                    && ranked.get(&*key.name).is_none_or(|(known, _)| rank <= *known)
                {
                    ranked.insert(key.name.into(), (rank, range.into()));
                }
                Ok(())
            })
        })?;
        self.needs = ranked.into_iter().map(|(name, (_, range))| (name, range)).collect();
        Ok(())
    }
}

/// A list of names, or `true` for all.
fn bundled(json: &mut Json<'_>) -> Result<Bundled> {
    if json.shape()? != Shape::Array {
        return Ok(if json.flag()? { Bundled::All } else { Bundled::None });
    }
    let mut names = Vec::new();
    json.array(|json| {
        names.extend(json.string_or_skip()?.map(Box::from));
        Ok(())
    })?;
    Ok(Bundled::Some(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packument_is_read_as_far_as_it_matters() {
        let text = r#"{"name": "p", "dist-tags": {"latest": "1.0.0", "odd": "9.9.9", "x": 1}, "versions": {
            "1.0.0": {"peerDependencies": {"a": "3", "b": "3"}, "optionalDependencies": {"a": "2"}, "dependencies": {"a": "1", "z": "1"}, "bundleDependencies": true},
            "1.0.0-rc.1": {"deprecated": "no", "bundledDependencies": ["a", 1], "dependencies": []}, "x": {}, "0.9.0": null}}"#;
        let releases = Releases::read(text, &|name| name != "z").unwrap();
        let texts: Vec<&str> = releases.list.iter().map(|release| &*release.text).collect();
        assert_eq!(texts, ["0.9.0", "1.0.0-rc.1", "1.0.0"]);
        let last = &releases.list[2];
        assert_eq!((last.needs.len(), &*last.needs["a"], &*last.needs["b"], last.bundles("q")), (2, "1", "3", true));
        assert_eq!((releases.list[1].deprecated, releases.list[1].bundles("a"), releases.list[1].bundles("b")), (true, true, false));
        assert_eq!((releases.tags.get("latest"), releases.tags.get("odd")), (Some(&2), None));
        assert_eq!(releases.within("^1.0.0-0", RangeOptions::default()).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(releases.within("latest", RangeOptions::default()).count(), 0);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in r#"\PC*|[\[\]{}:,"a1.0-]{0,40}"#, version in "\\PC*|[v=0-9.a+-]{0,12}", needs in r#"[\[\]{}:,"a1]{0,20}"#) {
            let _ = Releases::read(&text, &|_| true);
            let _ = Releases::read(&format!(r#"{{"versions": {{"{version}": {{"dependencies": {needs}}}}}}}"#), &|_| true);
            let _ = Releases::new(Release::new(&version).into_iter().collect(), Vec::new(), true).within(&text, RangeOptions::AUDIT).count();
        }
    }
}
