//! The order in which npm lists names: that of English dictionaries, as far as names have its characters.

use std::cmp::Ordering;

/// The characters before digits and letters, in the order of the Unicode collation algorithm's default table (UTS #10).
const PUNCTUATION: &str = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/// Compares: letters without regard to their case, and only between texts that are else equal the small before the large.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    a.chars().map(weight).cmp(b.chars().map(weight)).then_with(|| b.cmp(a))
}

/// A text with this order.
#[derive(PartialEq, Eq)]
pub(super) struct Key(pub(super) String);

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

fn weight(c: char) -> (u8, u32) {
    match PUNCTUATION.find(c) {
        Some(place) => (0, u32::try_from(place).unwrap_or(u32::MAX)),
        None if c.is_ascii_digit() => (1, u32::from(c)),
        None => (2, u32::from(c.to_ascii_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_a_dictionary() {
        // What `Intl.Collator("en")` makes of them.
        let sorted = ["_a", "-a", ".a", "@a/b", "1a", "a", "a_b", "a-b", "a.b", "a/b", "a1", "ab", "jquery", "jQuery", "JSONStream", "z"];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, sorted);
    }
}
