//! What a record says of each package.

use serde::Deserialize;

use super::events::{Event, bound, range};
use super::json::{MAX_TOKEN, Problem, scores};
use super::prose::{plain, token};
use super::raw::{Members, RawAffected};
use super::record::{Affected, Informational};
use crate::package::Ecosystem;
use crate::version::{Interval, MAX_LENGTH, VersionSet};

#[derive(Deserialize)]
struct Weakness {
    #[serde(rename = "cweId")]
    id: String,
}

/// One entry per package, and beside each the part of its versions that does not say "all". GitHub writes one entry per range.
pub(super) fn affected(given: &[RawAffected<'_>], cwes: &mut Vec<u32>) -> Result<Vec<(Affected, VersionSet)>, Problem> {
    let mut sorted: Vec<(Ecosystem, &str, &RawAffected<'_>)> = Vec::with_capacity(given.len());
    for entry in given {
        let Some(package) = &entry.package else { continue };
        let Some(ecosystem) = Ecosystem::ALL.into_iter().find(|e| e.osv() == package.ecosystem) else { continue };
        if package.name.len() > MAX_TOKEN || !token(&package.name) {
            return Err(Problem::Value("affected package's name", package.name.chars().take(40).collect()));
        }
        sorted.push((ecosystem, &package.name, entry));
    }
    sorted.sort_by_key(|(ecosystem, name, _)| (*ecosystem, *name));
    Ok(sorted.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(|entries| package(entries[0].0, entries[0].1, entries, cwes)).collect())
}

fn package(
    ecosystem: Ecosystem,
    name: &str,
    entries: &[(Ecosystem, &str, &RawAffected<'_>)],
    cwes: &mut Vec<u32>,
) -> (Affected, VersionSet) {
    let mut found = Affected {
        ecosystem,
        name: name.to_owned(),
        versions: VersionSet::default(),
        narrowed: false,
        scores: Vec::new(),
        informational: None,
        functions: Vec::new(),
        arch: Vec::new(),
        os: Vec::new(),
        malicious: false,
    };
    let mut bounded = VersionSet::default();
    for (_, _, entry) in entries {
        let (specific, own) = (Members::of(entry.database_specific), Members::of(entry.ecosystem_specific));
        let known_last: Option<String> = specific.get("last_known_affected_version_range");
        versions(entry, known_last.as_deref(), ecosystem, &mut found.versions, &mut bounded);
        let word: Option<String> = specific.get("informational");
        found.informational = found.informational.or_else(|| Informational::ALL.into_iter().find(|i| word.as_deref() == Some(i.word())));
        let categories: Vec<String> = specific.get("categories").unwrap_or_default();
        found.malicious |= categories.iter().any(|category| category == "malicious");
        let weaknesses: Vec<Weakness> = specific.get("cwes").unwrap_or_default();
        cwes.extend(weaknesses.iter().filter_map(|weakness| weakness.id.strip_prefix("CWE-")?.parse::<u32>().ok()));
        let mut rated = scores(entry.severity.as_deref().unwrap_or_default());
        // The worst of several entries.
        if rated.iter().map(|s| s.score).max() > found.scores.iter().map(|s| s.score).max() {
            std::mem::swap(&mut found.scores, &mut rated);
        }
        let affects = Members::of(own.get("affects"));
        found.functions.extend(own.get::<Vec<String>>("affected_functions").unwrap_or_default());
        for (to, name) in [(&mut found.functions, "functions"), (&mut found.arch, "arch"), (&mut found.os, "os")] {
            to.extend(affects.get::<Vec<String>>(name).unwrap_or_default());
        }
    }
    for list in [&mut found.functions, &mut found.arch, &mut found.os] {
        list.iter_mut().for_each(|text| *text = plain(text, MAX_TOKEN));
        list.sort_unstable();
        list.dedup();
    }
    found.versions.normalize();
    bounded.normalize();
    (found, bounded)
}

/// The versions of one entry: its ranges and its list add up.
fn versions(entry: &RawAffected<'_>, known_last: Option<&str>, ecosystem: Ecosystem, all: &mut VersionSet, bounded: &mut VersionSet) {
    let mut any = false;
    for given in entry.ranges.iter().flatten() {
        // GIT ranges are about commits; other types are not known.
        if !matches!(&*given.kind, "SEMVER" | "ECOSYSTEM") {
            continue;
        }
        any = true;
        let mut events = Vec::new();
        for event in given.events.iter().flatten() {
            events.extend(event.introduced.as_deref().map(Event::Introduced));
            events.extend(event.fixed.as_deref().map(Event::Fixed));
            events.extend(event.last_affected.as_deref().map(Event::LastAffected));
            events.extend(event.limit.as_deref().map(Event::Limit));
        }
        let mut set = VersionSet::default();
        range(&events, known_last, ecosystem, &mut set);
        all.unclear |= set.unclear;
        bounded.intervals.extend(set.intervals.iter().filter(|interval| !interval.is_all()).cloned());
        all.intervals.append(&mut set.intervals);
    }
    for version in entry.versions.iter().flatten() {
        any = true;
        match bound(version, ecosystem) {
            Some(version) => {
                bounded.intervals.push(Interval::only(version.clone()));
                all.intervals.push(Interval::only(version));
            }
            // Longer than any version: no lockfile's version can equal it.
            None if version.len() <= MAX_LENGTH => all.literal.push(plain(version, MAX_LENGTH).into()),
            None => {}
        }
    }
    // Nothing was said about versions that could be understood.
    all.unclear |= !any;
}
