//! Sets of versions as advisories give them.

use std::fmt;

use super::Version;

/// Which versions an advisory is about: intervals, sorted and apart from each other.
///
/// What could not be understood is kept rather than dropped, so that no version is called safe because of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionSet {
    /// Sorted by their lower bounds; none touches the next.
    pub intervals: Vec<Interval>,
    /// Listed versions that do not parse. They are compared as they are written.
    pub literal: Vec<Box<str>>,
    /// Whether a bound did not parse, or the record gives neither range nor versions: any version may be affected.
    pub unclear: bool,
}

/// Versions from one to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// The first version inside; `None`: every version up to the end, prereleases of 0.0.0 too.
    pub low: Option<Version>,
    /// Where it ends.
    pub high: High,
}

/// The end of an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum High {
    /// It has none.
    Open,
    /// Below this version: the one that has the fix.
    Before(Version),
    /// Up to and with this version.
    Through(Version),
}

impl Interval {
    /// One version alone.
    pub fn only(version: Version) -> Self {
        Self { high: High::Through(version.clone()), low: Some(version) }
    }

    /// Every version.
    pub const ALL: Self = Self { low: None, high: High::Open };

    /// Whether it holds every version. RustSec writes the lowest of all, `0.0.0-0`, where others write `0`.
    pub fn is_all(&self) -> bool {
        self.high == High::Open && self.low.as_ref().is_none_or(Version::is_lowest)
    }

    fn low_key(&self) -> &[u8] {
        self.low.as_ref().map_or(&[], Version::key)
    }

    /// Whether it holds the version.
    pub fn contains(&self, version: &Version) -> bool {
        let (high, through) = self.high.key();
        key_in(version.key(), self.low_key(), high, through)
    }

    fn is_empty(&self) -> bool {
        match &self.high {
            High::Open => false,
            High::Before(high) => self.low_key() >= high.key(),
            High::Through(high) => self.low_key() > high.key(),
        }
    }

    /// Whether nothing lies between this and one that begins no earlier.
    fn reaches(&self, next: &Self) -> bool {
        match &self.high {
            High::Open => true,
            High::Before(high) | High::Through(high) => next.low_key() <= high.key(),
        }
    }
}

impl High {
    /// The key, empty for no end, and whether the version itself is inside.
    pub(crate) fn key(&self) -> (&[u8], bool) {
        match self {
            Self::Open => (&[], false),
            Self::Before(version) => (version.key(), false),
            Self::Through(version) => (version.key(), true),
        }
    }

    fn later(self, other: Self) -> Self {
        let open = self == Self::Open || other != Self::Open && self.key() >= other.key();
        if open { self } else { other }
    }
}

/// Whether a version's key lies in an interval. An empty `low` is below every key, an empty `high` is no end.
pub(crate) fn key_in(key: &[u8], low: &[u8], high: &[u8], through: bool) -> bool {
    low <= key && (high.is_empty() || key < high || through && key == high)
}

impl VersionSet {
    /// Sorts the intervals and joins those that touch.
    pub fn normalize(&mut self) {
        self.intervals.retain(|interval| !interval.is_empty());
        self.intervals.sort_by(|a, b| a.low_key().cmp(b.low_key()));
        let mut joined: Vec<Interval> = Vec::with_capacity(self.intervals.len());
        for next in self.intervals.drain(..) {
            match joined.last_mut() {
                Some(last) if last.reaches(&next) => {
                    let high = std::mem::replace(&mut last.high, High::Open);
                    last.high = high.later(next.high);
                }
                _ => joined.push(next),
            }
        }
        self.intervals = joined;
        self.literal.sort_unstable();
        self.literal.dedup();
    }

    /// Whether an interval holds the version.
    pub fn contains(&self, version: &Version) -> bool {
        self.intervals.iter().any(|interval| interval.contains(version))
    }

    /// Whether every version is in it.
    pub fn is_all(&self) -> bool {
        self.intervals.iter().any(Interval::is_all)
    }

    /// The versions with which an interval ends because the fault is mended there, ascending.
    pub fn fixed(&self) -> impl Iterator<Item = &Version> {
        self.intervals.iter().filter_map(|interval| match &interval.high {
            High::Before(version) => Some(version),
            _ => None,
        })
    }
}

impl fmt::Display for VersionSet {
    /// In npm's notation: `>=1.2.0 <1.2.9 || 2.0.0`; `*` is every version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for interval in &self.intervals {
            f.write_str(separator)?;
            separator = " || ";
            match (&interval.low, &interval.high) {
                (None, High::Open) => f.write_str("*")?,
                (None, High::Before(high)) => write!(f, "<{high}")?,
                (None, High::Through(high)) => write!(f, "<={high}")?,
                (Some(low), High::Open) => write!(f, ">={low}")?,
                (Some(low), High::Before(high)) => write!(f, ">={low} <{high}")?,
                (Some(low), High::Through(high)) if low == high => write!(f, "{low}")?,
                (Some(low), High::Through(high)) => write!(f, ">={low} <={high}")?,
            }
        }
        for literal in &self.literal {
            write!(f, "{separator}{literal}")?;
            separator = " || ";
        }
        if self.unclear {
            write!(f, "{separator}(unclear)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grammar;
    use super::*;

    fn version(text: &str) -> Version {
        Grammar::Npm.version(text).unwrap()
    }

    fn set(intervals: &[(&str, &str)]) -> VersionSet {
        let low = |text: &str| (!text.is_empty()).then(|| version(text));
        let high = |text: &str| match text.split_at_checked(1) {
            Some(("=", text)) => High::Through(version(text)),
            Some(_) => High::Before(version(text)),
            None => High::Open,
        };
        let intervals = intervals.iter().map(|(from, to)| Interval { low: low(from), high: high(to) }).collect();
        let mut set = VersionSet { intervals, ..VersionSet::default() };
        set.normalize();
        set
    }

    #[test]
    fn intervals_that_touch_become_one() {
        assert_eq!(set(&[("2.0.0", "3.0.0"), ("1.0.0", "2.0.0")]).to_string(), ">=1.0.0 <3.0.0");
        assert_eq!(set(&[("1.0.0", "=1.0.0"), ("1.0.0", "1.5.0")]).to_string(), ">=1.0.0 <1.5.0");
        assert_eq!(set(&[("1.0.0", "2.0.0"), ("1.0.0", "=2.0.0")]).to_string(), ">=1.0.0 <=2.0.0");
        assert_eq!(set(&[("", ""), ("4.1.1", "=4.1.2")]).to_string(), "*");
        assert_eq!(set(&[("1.0.0", "1.0.0"), ("4.1.1", "=4.1.1")]).to_string(), "4.1.1");
    }

    #[test]
    fn bounds_are_inside_or_not() {
        let set = set(&[("", "1.0.0"), ("2.0.0", "=2.5.0")]);
        for (text, inside) in
            [("0.0.0-0", true), ("1.0.0-rc", true), ("1.0.0", false), ("2.0.0-0", false), ("2.5.0", true), ("2.5.1-0", false)]
        {
            assert_eq!(set.contains(&version(text)), inside, "{text}");
        }
        assert_eq!(set.fixed().map(ToString::to_string).collect::<Vec<_>>(), ["1.0.0"]);
    }

    proptest::proptest! {
        #[test]
        fn normalizing_changes_no_answer(bounds in proptest::collection::vec((0u64..6, 0u64..8, 0u8..3), 0..8), probe in 0u64..8) {
            let intervals = bounds.iter().map(|(low, high, kind)| Interval {
                low: (*low > 0).then(|| Version::new(*low, 0, 0)),
                high: match kind { 0 => High::Open, 1 => High::Before(Version::new(*high, 0, 0)), _ => High::Through(Version::new(*high, 0, 0)) },
            });
            let plain = VersionSet { intervals: intervals.collect(), ..VersionSet::default() };
            let mut normal = plain.clone();
            normal.normalize();
            let version = Version::new(probe, 0, 0);
            proptest::prop_assert_eq!(plain.contains(&version), normal.contains(&version));
            for pair in normal.intervals.windows(2) {
                proptest::prop_assert!(!pair[0].reaches(&pair[1]));
            }
        }
    }
}
