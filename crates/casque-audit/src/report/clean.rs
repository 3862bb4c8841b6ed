//! Text of others made harmless to look at.

use std::fmt::Write;

/// How much of one piece of text is shown, in characters.
const MAX_SHOWN: usize = 300;

/// Whether a character does something other than being seen: control bytes steer a terminal, and the direction marks of Unicode
/// make a line read differently from what it says (CVE-2021-42574).
pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// One line in which such characters are shown as escapes: `\u{1b}`. What is longer than 300 characters is cut.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_SHOWN));
    for (n, c) in text.chars().enumerate() {
        if n == MAX_SHOWN {
            out.push('…');
            break;
        }
        if is_harmful(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// JSON with such characters outside ASCII escaped too. They occur in strings only, where `\u` is always right.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        // Reports are nearly all ASCII, and large.
        let plain = rest.bytes().take_while(|b| matches!(b, b' '..=b'~' | b'\n')).count();
        let (run, after) = rest.split_at(plain);
        out.push_str(run);
        let Some(c) = after.chars().next() else { return out };
        if is_harmful(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
        rest = after.get(c.len_utf8()..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_act_is_shown_instead() {
        assert_eq!(plain("a\u{1b}[31mb\nd\u{202e}e Ü"), "a\\u{1b}[31mb\\u{a}d\\u{202e}e Ü");
        assert!(plain(&"x".repeat(1000)).ends_with("x…"));
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in any::<String>()) {
            prop_assert!(!plain(&text).contains(is_harmful));
            let quoted = json(&serde_json::to_string(&text).unwrap());
            prop_assert!(!quoted.contains(is_harmful));
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}
