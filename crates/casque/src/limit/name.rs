//! Account names in normal form: every spelling that reaches one account is one key.
//!
//! Apps fold case, trim, and normalise Unicode before they look a user up; a limit that compared bytes would give each of these
//! spellings a budget of its own. The form errs towards the stricter side: it folds spellings that some apps tell apart.

use unicode_normalization::UnicodeNormalization;

/// Characters of a name that are looked at. Longer names share their budget with others that begin so; no account has one.
const MOST: usize = 1024;

/// The normal form of an account's name or mail address: compatibility characters folded (NFKC, UAX #15), without case, white
/// space, control characters and what Unicode calls default-ignorable (zero-width spaces, soft hyphens, variation selectors).
///
/// An empty result means that there is no name; do not count by it, or all who send none share one budget.
#[must_use]
pub fn normalize_name(name: &str) -> String {
    let mut name: String = name.chars().take(MOST).collect();
    // What is taken out or folded can make what is left combine anew. Three rounds settle every name that people have; the
    // bound is for names made to need more.
    for _ in 0..8 {
        let next: String = name.nfkc().filter(|c| !is_nothing(*c)).flat_map(fold).collect();
        if next == name {
            break;
        }
        name = next;
    }
    name
}

/// Upper case first: it joins what lower case alone keeps apart, such as the long s and the final sigma.
fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// What a reader does not see. The ranges are Unicode 16's Default_Ignorable_Code_Point.
fn is_nothing(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_account_are_one_name() {
        for other in [
            "Victim@Example.ORG",
            " victim@example.org\t",
            "victim@example.org\0",
            "vic\u{200b}tim@example.org",
            "\u{ff56}ictim@example.org",
            "vic\u{ad}tim@exa mple.org",
            "victim@example.org\u{fe0f}",
        ] {
            assert_eq!(normalize_name(other), "victim@example.org", "{other:?}");
        }
        assert_eq!(normalize_name("STRASSE"), normalize_name("Straße"));
        assert_eq!(normalize_name("ὈΔΥΣΣΕΎΣ"), normalize_name("ὀδυσσεύς"));
        assert_eq!(normalize_name("e\u{301}ve"), normalize_name("\u{c9}VE"));
        assert_ne!(normalize_name("alice"), normalize_name("a1ice"));
        assert_eq!(normalize_name(" \u{200b}\n"), "");
    }

    #[test]
    fn a_long_name_costs_no_more_than_a_short_one() {
        assert!(normalize_name(&"\u{fdfa}".repeat(100_000)).chars().count() <= 18 * MOST);
    }

    proptest::proptest! {
        #[test]
        fn the_form_is_stable_and_blind_to_case(name in "\\PC{0,40}") {
            let normal = normalize_name(&name);
            proptest::prop_assert_eq!(&normalize_name(&normal), &normal);
            proptest::prop_assert_eq!(&normalize_name(&name.to_uppercase()), &normal);
            proptest::prop_assert_eq!(&normalize_name(&name.to_lowercase()), &normal);
        }
    }
}
