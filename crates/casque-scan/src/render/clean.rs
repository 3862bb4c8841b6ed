//! Text of others made harmless to look at.

/// How much of one piece of evidence is shown, in characters.
const MAX_SHOWN: usize = 400;

/// Whether a character does something other than being seen: control bytes move a terminal's cursor or rename its window, and
/// the direction marks of Unicode make a line read differently from what it says (CVE-2021-42574).
pub(super) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// Text in which such characters are shown as escapes: `\x1b`, `\u{202e}`. Line breaks too: the result is one line. What is
/// longer than 400 characters is cut, and says how much is missing.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_SHOWN * 4));
    for (i, c) in text.chars().enumerate() {
        if i == MAX_SHOWN {
            let more = text.chars().count() - MAX_SHOWN;
            out.push_str(&format!("… ({more} more characters)"));
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii() && is_harmful(c) => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_harmful(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// The same for messages: every such character becomes U+FFFD, and nothing is cut.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { '\u{fffd}' } else { c }).collect()
}

/// The same for lines that are meant as lines, such as a fix.
pub(super) fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| line.chars().map(|c| if is_harmful(c) { '\u{fffd}' } else { c }).collect())
}

/// JSON with such characters outside ASCII escaped too. They occur in strings only, where `\u` is always right.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Words in lines of at most `width` characters; a longer word has a line of its own.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

/// Without our own colours, for tests and files.
#[cfg(test)]
pub(super) fn without_styles(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        rest = rest[at..].split_once('m').map_or("", |(_, after)| after);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_act_is_shown_instead() {
        assert_eq!(plain("a\u{1b}[31mb\u{9b}c\r\nd\u{202e}e"), "a\\x1b[31mb\\u{9b}c\\r\\nd\\u{202e}e");
        assert_eq!(plain("Ünïcode 日本"), "Ünïcode 日本");
        assert!(plain(&"x".repeat(1000)).ends_with("… (600 more characters)"));
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrapped("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrapped("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in any::<String>()) {
            prop_assert!(!plain(&text).contains(is_harmful));
            prop_assert!(!one_line(&text).contains(is_harmful));
            let quoted = json(&serde_json::to_string(&text).unwrap());
            prop_assert!(!quoted.contains(is_harmful));
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}
