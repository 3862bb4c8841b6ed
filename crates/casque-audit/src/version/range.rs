//! npm's ranges.

use std::fmt;

use super::grammar::{js_space, loose_parts};
use super::sugar::{comparators, operator};
use super::{Grammar, Version};

/// How npm reads a range (node-semver's options of the same names). Default: strict, and prereleases only where they are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RangeOptions {
    /// Versions in the range are loose ones, and parts that are none are passed over.
    pub loose: bool,
    /// Prereleases are versions like others. Otherwise one matches only if a comparator names a prerelease of the same
    /// major, minor and patch.
    pub include_prerelease: bool,
}

impl RangeOptions {
    /// What npm audit, and Arborist's checks of advisories, use.
    pub const AUDIT: Self = Self { loose: true, include_prerelease: true };

    /// What stands after a bound that was not written out.
    pub(super) const fn floor(self) -> &'static str {
        if self.include_prerelease { "-0" } else { "" }
    }
}

/// A range of npm versions: `^1.2.3 || >=2 <4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// A version matches if it passes all comparators of one alternative. An alternative of none admits any.
    alternatives: Vec<Vec<Comparator>>,
    options: RangeOptions,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparator {
    operator: Operator,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Below,
    UpTo,
    Above,
    From,
    Exactly,
}

/// A text that is no range of npm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRange;

impl fmt::Display for InvalidRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not a version range such as ^1.2.3")
    }
}

impl std::error::Error for InvalidRange {}

impl Range {
    /// Reads a range as npm does. An empty text is any version.
    ///
    /// # Errors
    /// The text is no range: a tag, a URL, or a version with numbers beyond npm's.
    pub fn parse(text: &str, options: RangeOptions) -> Result<Self, InvalidRange> {
        let words: Vec<&str> = text.split(js_space).filter(|word| !word.is_empty()).collect();
        let mut alternatives = Vec::new();
        for alternative in words.join(" ").split("||") {
            if let Some(read) = Self::alternative(alternative.trim_matches(' '), options)? {
                alternatives.push(read);
            }
        }
        if alternatives.is_empty() {
            return Err(InvalidRange);
        }
        // Beside one that admits any version, no other is looked at, not even for the prereleases it names.
        if alternatives.iter().any(Vec::is_empty) {
            alternatives = vec![Vec::new()];
        }
        Ok(Self { alternatives, options })
    }

    /// `None`: nothing in it is a comparator, which loose ranges may do.
    fn alternative(text: &str, options: RangeOptions) -> Result<Option<Vec<Comparator>>, InvalidRange> {
        let mut texts = comparators(text, options);
        if options.loose {
            texts.retain(|text| text.is_empty() || loose_parts(text.get(operator(text).len()..).unwrap_or_default()).is_some());
            if texts.is_empty() {
                return Ok(None);
            }
        }
        texts.iter().filter(|text| !text.is_empty()).map(|text| Comparator::parse(text, options)).collect::<Result<_, _>>().map(Some)
    }

    /// Whether a version is in the range.
    pub fn contains(&self, version: &Version) -> bool {
        let named = |comparators: &[Comparator]| {
            !version.is_prerelease()
                || self.options.include_prerelease
                || comparators.iter().any(|c| c.version.is_prerelease() && c.version.same_core(version))
        };
        self.alternatives.iter().any(|comparators| comparators.iter().all(|c| c.admits(version)) && named(comparators))
    }

    /// Whether some version could be in both ranges (node-semver's `intersects`), whether or not there is one.
    pub fn intersects(&self, other: &Self) -> bool {
        self.alternatives.iter().any(|ours| other.alternatives.iter().any(|theirs| can_be_met(ours.iter().chain(theirs))))
    }

    /// Whether the version of a text is in the range. One that does not parse is in no range.
    pub fn contains_text(&self, version: &str) -> bool {
        let grammar = if self.options.loose { Grammar::NpmLoose } else { Grammar::Npm };
        grammar.version(version).is_ok_and(|version| self.contains(&version))
    }
}

/// Whether the highest of the lower bounds leaves room below the lowest of the upper ones.
fn can_be_met<'c>(comparators: impl Iterator<Item = &'c Comparator>) -> bool {
    type Bound<'v> = Option<(&'v Version, bool)>;
    let (mut low, mut high): (Bound<'_>, Bound<'_>) = (None, None);
    for Comparator { operator, version } in comparators {
        let exactly = *operator == Operator::Exactly;
        if exactly || matches!(operator, Operator::Above | Operator::From) {
            let bound = (version, *operator == Operator::Above);
            low = low.max(Some(bound));
        }
        if exactly || matches!(operator, Operator::Below | Operator::UpTo) {
            let bound = (version, *operator != Operator::Below);
            high = Some(high.map_or(bound, |high| high.min(bound)));
        }
    }
    match (low, high) {
        (Some((low, open)), Some((high, inside))) => low < high || low == high && !open && inside,
        _ => true,
    }
}

impl Comparator {
    fn parse(text: &str, options: RangeOptions) -> Result<Self, InvalidRange> {
        let sign = operator(text);
        let grammar = if options.loose { Grammar::NpmLoose } else { Grammar::Npm };
        let version = grammar.version(text.get(sign.len()..).unwrap_or_default()).map_err(|_| InvalidRange)?;
        let operator = match sign {
            "<" => Operator::Below,
            "<=" => Operator::UpTo,
            ">" => Operator::Above,
            ">=" => Operator::From,
            _ => Operator::Exactly,
        };
        Ok(Self { operator, version })
    }

    fn admits(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        match self.operator {
            Operator::Below => order.is_lt(),
            Operator::UpTo => order.is_le(),
            Operator::Above => order.is_gt(),
            Operator::From => order.is_ge(),
            Operator::Exactly => order.is_eq(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: RangeOptions = RangeOptions { loose: false, include_prerelease: false };
    const LOOSE: RangeOptions = RangeOptions { loose: true, include_prerelease: false };
    const PRE: RangeOptions = RangeOptions { loose: false, include_prerelease: true };

    fn contains(range: &str, version: &str, options: RangeOptions) -> Option<bool> {
        Range::parse(range, options).ok().map(|range| range.contains_text(version))
    }

    #[test]
    fn short_forms() {
        for (range, inside, outside) in [
            ("^1.2.3", "1.9.0", "2.0.0"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0", "0.9.9", "1.0.0"),
            ("~1.2", "1.2.9", "1.3.0"),
            ("~> 1.2.3", "1.2.4", "1.3.0"),
            ("1.x", "1.9.9", "2.0.0"),
            (">1", "2.0.0", "1.9.9"),
            ("<=1.2", "1.2.9", "1.3.0"),
            ("1.2 - 2", "2.9.9", "3.0.0"),
            ("1.2.3 - 2.0.0", "2.0.0", "2.0.1"),
            (">= 1.2.3 < 2 || 3", "3.1.0", "2.0.0"),
            ("*1.2.3", "1.2.3", "1.2.4"),
            ("<2 x", "1.0.0", "2.0.0"),
        ] {
            assert_eq!(contains(range, inside, STRICT), Some(true), "{range} has {inside}");
            assert_eq!(contains(range, outside, STRICT), Some(false), "{range} has not {outside}");
        }
    }

    #[test]
    fn prereleases_match_where_they_are_named() {
        assert_eq!(contains("^1.2.3-alpha", "1.2.3-beta", STRICT), Some(true));
        assert_eq!(contains("^1.2.3-alpha", "1.2.4-beta", STRICT), Some(false));
        assert_eq!(contains("^1.2.3-alpha", "1.2.4-beta", PRE), Some(true));
        assert_eq!(contains("1.x", "1.0.0-beta", STRICT), Some(false));
        assert_eq!(contains("1.x", "1.0.0-beta", PRE), Some(true));
        assert_eq!(contains("^1.0.0", "1.0.0-beta", PRE), Some(false));
        assert_eq!(contains("* || 1.0.0-beta", "1.0.0-beta", STRICT), Some(false), "any version hides what stands beside it");
    }

    #[test]
    fn loose_ranges_pass_over_what_is_no_comparator() {
        assert_eq!(contains(">= 2 && <= 2.14", "2.3.0", STRICT), None);
        assert_eq!(contains(">= 2 && <= 2.14", "2.3.0", LOOSE), Some(true));
        assert_eq!(contains("==0.26.0", "0.26.0", STRICT), None);
        assert_eq!(contains("==0.26.0", "0.26.0", LOOSE), Some(true));
        assert_eq!(contains("latest", "1.0.0", LOOSE), None);
    }

    #[test]
    fn ranges_that_share_a_version_intersect() {
        let intersects = |a: &str, b: &str| {
            let parse = |text| Range::parse(text, RangeOptions::AUDIT).unwrap();
            assert_eq!(parse(a).intersects(&parse(b)), parse(b).intersects(&parse(a)));
            parse(a).intersects(&parse(b))
        };
        for (a, b, answer) in [
            ("^1.2.0", "<1.2.0", false),
            ("^1.2.0", "<=1.2.0", true),
            (">1.2.0", "<=1.2.0", false),
            ("1.2.3", "1.2.3", true),
            ("1.2.3", "<1.2.3 || >2", false),
            ("^1 || ^3", ">=3.5.0 <3.6.0", true),
            ("*", "<0.0.1", true),
        ] {
            assert_eq!(intersects(a, b), answer, "{a} and {b}");
        }
    }

    #[test]
    fn numbers_beyond_npm_make_no_range() {
        for range in ["9007199254740992", "^9007199254740991.0.0", "<=9007199254740991.x || *"] {
            assert_eq!(Range::parse(range, LOOSE), Err(InvalidRange), "{range}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(range in "\\PC*|[v=<>~^|x* 0-9.+-]{0,32}", version in "[v=0-9.a+-]{0,12}") {
            for options in [STRICT, LOOSE, PRE, RangeOptions::AUDIT] {
                let _ = contains(&range, &version, options);
            }
        }
    }
}
