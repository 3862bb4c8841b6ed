//! Slips of the hand, and characters that look like others.

/// The shortest name of which any slip is told. Shorter ones are near to each other by nature.
pub(super) const SHORTEST: usize = 5;
/// From here on a letter may be missing or doubled, or another in its place.
const MIDDLE: usize = 6;
/// From here on any letter may be another, or one too many.
const LONG: usize = 8;

/// A name without what separates its words, in small letters.
pub(super) fn letters(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).flat_map(char::to_lowercase).collect()
}

/// What a name looks like: characters that are taken for each other become one. Of other scripts, those letters are known that
/// fonts draw like Latin ones (Unicode Technical Standard 39, confusables).
pub(super) fn skeleton(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let plain = match c {
            '0' | 'O' | 'о' | 'ο' | 'О' => 'o',
            '1' | 'I' | '|' | 'і' | 'ӏ' | 'ⅼ' => 'l',
            'а' | 'α' => 'a',
            'с' | 'ϲ' => 'c',
            'е' => 'e',
            'р' | 'ρ' => 'p',
            'ѕ' => 's',
            'х' => 'x',
            'у' => 'y',
            'ј' => 'j',
            'ԁ' => 'd',
            'ɡ' => 'g',
            'һ' => 'h',
            'ո' => 'n',
            'ν' => 'v',
            'к' => 'k',
            'м' => 'm',
            'т' => 't',
            'ɑ' => 'a',
            c => c.to_ascii_lowercase(),
        };
        out.push(plain);
    }
    out.replace("rn", "m").replace("vv", "w")
}

/// Whether a hand that meant `typed` could have written `name`: two neighbours swapped, a letter doubled, missing, too many, or
/// another. Digits and a plural's `s` at the end are no slips, as such names are made on purpose; nor is another first letter.
pub(super) fn is_slip(name: &str, typed: &str) -> bool {
    if typed.len() < SHORTEST || !name.is_ascii() || name == typed {
        return false;
    }
    let (a, b) = (name.as_bytes(), typed.as_bytes());
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..], &b[same..]);
    let is_letter = |c: u8| c.is_ascii_lowercase();
    if same == 0 {
        return false;
    }
    let before = typed.as_bytes().get(same - 1).copied();
    match (a, b) {
        // Two neighbours swapped.
        ([a0, a1, a_rest @ ..], [b0, b1, b_rest @ ..]) if a0 == b1 && a1 == b0 && a_rest == b_rest => is_letter(*a0) && is_letter(*a1),
        // Another letter.
        ([a0, a_rest @ ..], [b0, b_rest @ ..]) if a_rest == b_rest => {
            typed.len() >= LONG && is_letter(*a0) && is_letter(*b0) && !(b_rest.is_empty() && *a0 == b's')
        }
        // One too many.
        ([extra, a_rest @ ..], b) if a_rest == b => {
            let doubled = before == Some(*extra);
            let plural = *extra == b's' && b.is_empty() && !doubled;
            is_letter(*extra) && !plural && (doubled || typed.len() >= LONG)
        }
        // One too few.
        (a, [missing, b_rest @ ..]) if a == b_rest => {
            let doubled = before == Some(*missing);
            let plural = *missing == b's' && a.is_empty() && !doubled;
            is_letter(*missing) && !plural && (doubled || typed.len() > MIDDLE)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slips_are_told_from_other_names() {
        for (name, typed, slip) in [
            ("lodahs", "lodash", true),
            ("expresss", "express", true),
            ("expres", "express", true),
            ("mongose", "mongoose", true),
            ("typescirpt", "typescript", true),
            ("webpeck", "webpack", false),
            ("commender", "commander", true),
            ("validater", "validator", true),
            ("chalks", "chalk", false),
            ("lodash3", "lodash", false),
            ("preact", "react", false),
            ("through", "through2", false),
            ("sass", "sas", false),
            ("mysql2", "mysql", false),
            ("validators", "validator", false),
            ("serve-statics", "serve-static", false),
            ("express", "express", false),
        ] {
            assert_eq!(is_slip(name, typed), slip, "{name} {typed}");
        }
    }

    proptest! {
        #[test]
        fn no_name_panics_and_slips_are_one_edit(name in "\\PC{0,12}", typed in "[a-z]{0,12}") {
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            if is_slip(&name, &typed) {
                prop_assert_eq!(crate::nearest::distance(&chars(&name), &chars(&typed)), 1);
            }
            let _ = (skeleton(&name), letters(&name));
        }
    }
}
