//! From events to sets of versions (OSV schema, "Evaluation").

use crate::package::Ecosystem;
use crate::version::{Grammar, High, Interval, Version, VersionSet};

/// What happens at a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event<'a> {
    Introduced(&'a str),
    Fixed(&'a str),
    LastAffected(&'a str),
    Limit(&'a str),
}

/// Reads a version of an advisory: as the ecosystem writes them, or else as a mere bound.
pub(super) fn bound(text: &str, ecosystem: Ecosystem) -> Option<Version> {
    let grammar = match ecosystem {
        Ecosystem::Npm => Grammar::NpmLoose,
        Ecosystem::Cargo => Grammar::Cargo,
    };
    grammar.version(text).or_else(|_| Grammar::Lenient.version(text)).ok()
}

/// What a bound of one or two numbers stands for: from its first prerelease to below that of the next. npm reads it so in a range,
/// and that is where such bounds come from.
fn partial(text: &str) -> Option<(Version, Version)> {
    let places: Vec<u64> = text.split('.').map(|place| place.parse().ok().filter(|n| *n < u64::MAX)).collect::<Option<_>>()?;
    let first = |major, minor| Grammar::Cargo.version(&format!("{major}.{minor}.0-0")).ok();
    match places[..] {
        [major] => first(major, 0).zip(first(major + 1, 0)),
        [major, minor] => first(major, minor).zip(first(major, minor + 1)),
        _ => None,
    }
}

/// The version from which on something holds.
fn from(text: &str, ecosystem: Ecosystem) -> Option<Version> {
    partial(text).map(|(floor, _)| floor).or_else(|| bound(text, ecosystem))
}

/// The versions of one range: its intervals are appended. `known_last` is GitHub's `last_known_affected_version_range`, which
/// bounds a range that has no end of its own.
pub(super) fn range(events: &[Event<'_>], known_last: Option<&str>, ecosystem: Ecosystem, to: &mut VersionSet) {
    let ends = events.iter().any(|event| matches!(event, Event::Fixed(_) | Event::LastAffected(_)));
    let mut events = events.to_vec();
    if let Some(end) = known_last.filter(|_| !ends).and_then(known_end) {
        events.push(end);
    }
    let Some(limit) = limit(&events, ecosystem) else {
        to.unclear = true;
        return;
    };
    let Some(turns) = turns(&events, ecosystem) else {
        to.unclear = true;
        return;
    };
    let mut from: Option<Option<Version>> = None;
    for turn in turns {
        match turn {
            Turn::On(low) => from = from.or(Some(low)),
            Turn::Off(high) => {
                if let Some(low) = from.take() {
                    to.intervals.push(cut(Interval { low, high }, limit.as_ref()));
                }
            }
        }
    }
    if let Some(low) = from {
        to.intervals.push(cut(Interval { low, high: High::Open }, limit.as_ref()));
    }
}

/// `<= 1.2.3` or `< 1.2.3`.
fn known_end(text: &str) -> Option<Event<'_>> {
    let text = text.trim();
    match text.strip_prefix("<=") {
        Some(last) => Some(Event::LastAffected(last.trim())),
        None => text.strip_prefix('<').map(|first| Event::Fixed(first.trim())),
    }
}

/// The highest limit: a version has to be below one of them. `Some(None)`: there is none, or it is `*`. `None`: one does not parse.
fn limit(events: &[Event<'_>], ecosystem: Ecosystem) -> Option<Option<Version>> {
    let mut highest = None;
    for event in events {
        match event {
            Event::Limit("*") => return Some(None),
            Event::Limit(text) => highest = highest.max(Some(from(text, ecosystem)?)),
            _ => {}
        }
    }
    Some(highest)
}

fn cut(interval: Interval, limit: Option<&Version>) -> Interval {
    let Some(limit) = limit else { return interval };
    let beyond = match &interval.high {
        High::Open => true,
        High::Before(high) => high > limit,
        High::Through(high) => high >= limit,
    };
    if beyond { Interval { high: High::Before(limit.clone()), ..interval } } else { interval }
}

enum Turn {
    On(Option<Version>),
    Off(High),
}

/// The events in the order of their versions. `None`: one does not parse.
///
/// At one version they keep the order they have in the record, but for one case: where versions are affected up to a fix and a new
/// fault comes in with that very version, there is no gap, however the record lists the two.
fn turns(events: &[Event<'_>], ecosystem: Ecosystem) -> Option<Vec<Turn>> {
    let mut sorted: Vec<(Option<Version>, Turn)> = Vec::with_capacity(events.len());
    for event in events {
        let turn = match event {
            Event::Introduced("0") => Turn::On(None),
            Event::Introduced(text) => Turn::On(Some(from(text, ecosystem)?)),
            Event::Fixed(text) => Turn::Off(High::Before(from(text, ecosystem)?)),
            Event::LastAffected(text) => Turn::Off(match partial(text) {
                Some((_, next)) => High::Before(next),
                None => High::Through(bound(text, ecosystem)?),
            }),
            Event::Limit(_) => continue,
        };
        let at = match &turn {
            Turn::On(version) => version.clone(),
            Turn::Off(High::Before(version) | High::Through(version)) => Some(version.clone()),
            Turn::Off(High::Open) => None,
        };
        sorted.push((at, turn));
    }
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut turns = Vec::with_capacity(sorted.len());
    let mut on = false;
    for group in sorted.chunk_by_mut(|a, b| a.0 == b.0) {
        let stays = on && group.iter().any(|(_, turn)| matches!(turn, Turn::On(_)));
        for (_, turn) in group {
            if stays && matches!(turn, Turn::Off(_)) {
                continue;
            }
            on = matches!(turn, Turn::On(_));
            turns.push(std::mem::replace(turn, Turn::On(None)));
        }
    }
    Some(turns)
}

#[cfg(test)]
mod tests {
    use super::Event::*;
    use super::*;

    fn shown(events: &[Event<'_>], known_last: Option<&str>) -> String {
        let mut set = VersionSet::default();
        range(events, known_last, Ecosystem::Npm, &mut set);
        set.normalize();
        set.to_string()
    }

    #[test]
    fn events_turn_on_and_off() {
        for (events, wanted) in [
            (&[Introduced("0"), Fixed("1.2.3")][..], "<1.2.3"),
            (&[Introduced("1.0.0"), LastAffected("1.2.3")], ">=1.0.0 <=1.2.3"),
            (&[Introduced("0")], "*"),
            (&[Introduced("0.0.0-0")], ">=0.0.0-0"),
            (&[Fixed("1.1.0"), Introduced("2.0.0"), Introduced("1.0.0"), Fixed("2.1.0")], ">=1.0.0 <1.1.0 || >=2.0.0 <2.1.0"),
            (&[Introduced("4.1.2"), LastAffected("4.1.2")], "4.1.2"),
            (&[Introduced("1.0.0"), Fixed("1.0.0")], ""),
            (&[Introduced("0"), Introduced("2.0.0"), Fixed("2.0.0"), Fixed("3.0.0")], "<3.0.0"),
            (&[Introduced("0"), Fixed("2.0.0"), Introduced("2.0.0"), Fixed("3.0.0")], "<3.0.0"),
            (&[Introduced("0"), Limit("2.0.0"), Limit("1.0.0")], "<2.0.0"),
            (&[Introduced("0"), Fixed("1.5.0"), Limit("2.0.0")], "<1.5.0"),
            (&[Introduced("0"), Limit("2.0.0"), Limit("*")], "*"),
            (&[Introduced("0"), Fixed("soon")], "(unclear)"),
            (&[Introduced("1.2"), Fixed("2")], ">=1.2.0-0 <2.0.0-0"),
            (&[Introduced("1.2.0"), LastAffected("1.4")], ">=1.2.0 <1.5.0-0"),
            (&[Fixed("1.4.0")], ""),
        ] {
            assert_eq!(shown(events, None), wanted, "{events:?}");
        }
    }

    #[test]
    fn github_bounds_an_open_range_beside_it() {
        assert_eq!(shown(&[Introduced("2.1.0")], Some("< 2.1.3")), ">=2.1.0 <2.1.3");
        assert_eq!(shown(&[Introduced("0")], Some("<= 8.5.1")), "<=8.5.1");
        assert_eq!(shown(&[Introduced("0"), Fixed("9.0.0")], Some("<= 8.5.1")), "<9.0.0");
    }

    proptest::proptest! {
        /// Against the algorithm of the schema, word for word.
        #[test]
        fn intervals_say_what_the_schema_says(
            kinds in proptest::collection::vec(0u8..3, 1..7), start in 1u64..3, limit in proptest::option::of(1u64..12), probe in 0u64..14,
        ) {
            // Events at ascending versions, as records have them.
            let texts: Vec<String> = (0..kinds.len() as u64).map(|n| format!("{}.0.0", start + n * 2)).collect();
            let mut events: Vec<Event<'_>> = kinds.iter().zip(&texts).map(|(kind, text)| match kind {
                0 => Introduced(text),
                1 => Fixed(text),
                _ => LastAffected(text),
            }).collect();
            let limit_text = limit.map(|l| format!("{l}.0.0"));
            events.extend(limit_text.as_deref().map(Limit));
            let mut wanted = false;
            for (number, kind) in kinds.iter().enumerate() {
                let at = start + number as u64 * 2;
                match kind {
                    0 if probe >= at => wanted = true,
                    1 if probe >= at => wanted = false,
                    2 if probe > at => wanted = false,
                    _ => {}
                }
            }
            let mut set = VersionSet::default();
            range(&events, None, Ecosystem::Npm, &mut set);
            set.normalize();
            proptest::prop_assert_eq!(set.contains(&Version::new(probe, 0, 0)), wanted && limit.is_none_or(|l| probe < l));
        }
    }
}
