//! How far apart two names are, and which one was meant.

/// Names are compared by their first characters, so that no long one costs more than another.
const COMPARED: usize = 64;

/// The candidate that a typing mistake could have made `word` of, if there is one: at most a third of its letters wrong, in any case
/// of letters.
#[must_use]
pub fn nearest<S: AsRef<str>>(word: &str, candidates: impl IntoIterator<Item = S>) -> Option<S> {
    let wanted: Vec<char> = word.chars().flat_map(char::to_lowercase).take(COMPARED).collect();
    let mut best: Option<(usize, S)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.as_ref().chars().flat_map(char::to_lowercase).take(COMPARED).collect();
        let most = wanted.len().max(other.len()).div_ceil(3);
        let most = best.as_ref().map_or(most, |(distance, _)| most.min(distance.saturating_sub(1)));
        if wanted.len().abs_diff(other.len()) > most {
            continue;
        }
        let distance = distance(&wanted, &other);
        if distance <= most {
            best = Some((distance, candidate));
        }
        if distance == 0 {
            break;
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap neighbours) between two words: optimal string alignment.
pub(crate) fn distance(a: &[char], b: &[char]) -> usize {
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn between(a: &str, b: &str) -> usize {
        distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
    }

    #[test]
    fn near_misses_are_found_and_strangers_are_not() {
        let names = ["lodash", "express", "ghsa-jf85-cpcp-j695"];
        assert_eq!(nearest("lodahs", names), Some("lodash"));
        assert_eq!(nearest("GHSA-jf85-cpcp-j696", names), Some("ghsa-jf85-cpcp-j695"));
        assert_eq!(nearest("vue", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!((between("ca", "ac"), between("", "abc"), between("abc", "abd")), (1, 3, 1));
    }

    proptest! {
        #[test]
        fn distances_are_distances(a in "[ab]{0,6}", b in "[ab]{0,6}") {
            let d = between(&a, &b);
            prop_assert_eq!(d, between(&b, &a));
            prop_assert_eq!(d == 0, a == b);
            prop_assert!(d >= a.len().abs_diff(b.len()) && d <= a.len().max(b.len()));
        }
    }
}
