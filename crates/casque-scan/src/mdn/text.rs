//! Text as ECMAScript treats it, where the Observatory's results depend on that.

use std::cmp::Ordering;

/// Printable ASCII in the order of the root collation of CLDR, by which `localeCompare` sorts. There are no capitals: what is sorted
/// here is in lower case.
const COLLATION: &str = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz";
/// Where evidence is cut.
const LONGEST_EVIDENCE: usize = 1000;

/// ECMAScript's white space: `U+FEFF` is, `U+0085` is not.
pub(super) fn is_white(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// Without white space at both ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_white)
}

/// Trimmed and in lower case.
pub(super) fn folded(text: &str) -> String {
    trim(text).to_lowercase()
}

/// The order of two texts in lower case. What is not ASCII comes last, by code point; a policy has no such sources.
pub(super) fn collate(a: &str, b: &str) -> Ordering {
    let rank = |c: char| COLLATION.find(c).map_or((1, c as usize), |place| (0, place));
    a.chars().map(rank).cmp(b.chars().map(rank))
}

/// `parseInt(text, 10)`: white space, a sign, digits, and then anything. `None` is not a number.
pub(super) fn leading_integer(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(is_white);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let value: f64 = digits.get(..end)?.parse().ok()?;
    Some(if negative && value != 0.0 { -value } else { value })
}

/// Lines of evidence as one text of a length that can be shown.
pub(super) fn evidence(lines: impl IntoIterator<Item = String>) -> Option<String> {
    let mut shown = String::new();
    for line in lines {
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown.push_str(&line);
        if shown.len() > LONGEST_EVIDENCE {
            let end = (0..=LONGEST_EVIDENCE).rev().find(|end| shown.is_char_boundary(*end)).unwrap_or(0);
            shown.truncate(end);
            shown.push('…');
            break;
        }
    }
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        let read: Vec<_> = [" 31536000abc", "+5", "-1", "1.5e9", "0x10", "-0"].map(leading_integer).into();
        assert_eq!(read, [Some(31_536_000.0), Some(5.0), Some(-1.0), Some(1.0), Some(0.0), Some(0.0)]);
        for none in ["", "abc", "\"5\"", "--5", "- 5", "Infinity"] {
            assert_eq!(leading_integer(none), None, "{none}");
        }
        assert_eq!(leading_integer(&"9".repeat(400)), Some(f64::INFINITY));
    }

    #[test]
    fn punctuation_has_its_order() {
        let mut texts = ["a1", "ab", "a/p", "a:80", "a", "a-b", "a.b", "'self'", "*", "é"];
        texts.sort_by(|a, b| collate(a, b));
        assert_eq!(texts, ["'self'", "*", "a", "a-b", "a:80", "a.b", "a/p", "a1", "ab", "é"]);
    }

    #[test]
    fn evidence_is_cut_between_characters() {
        let shown = evidence(["x".repeat(999), "äöü".repeat(500)]).unwrap();
        assert!(shown.len() <= LONGEST_EVIDENCE + 4 && shown.ends_with('…'));
        assert_eq!(evidence(["a: b".to_owned(), "a: c".to_owned()]).as_deref(), Some("a: b\na: c"));
        assert_eq!(evidence([]), None);
    }
}
