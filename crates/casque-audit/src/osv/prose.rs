//! Text for people.

/// Prose that is safe to print: no control characters but newlines, none that turn the direction of writing or hide, and at most
/// `limit` bytes.
pub(crate) fn plain(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.len() <= limit && text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\n')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(limit));
    for c in text.chars().map(|c| if c == '\t' { ' ' } else { c }) {
        if out.len() + c.len_utf8() > limit {
            break;
        }
        if c == '\n' || !(c.is_control() || steers(c)) {
            out.push(c);
        }
    }
    out
}

/// Whether a character is invisible and changes how others are shown (Unicode, bidirectional controls, zero width, tags).
fn steers(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a text can be an id or a name: nothing that is blank, hidden or a control character.
pub(crate) fn token(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control() || steers(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(plain(" a\u{1b}[31mb\r\nc\u{202e}d\te ", 99), "a[31mb\ncd e");
        assert_eq!(plain("äöü", 5), "äö");
        assert!(token("@scope/Name") && !token("a b") && !token("") && !token("a\u{200b}"));
    }
}
