//! One pass over a body before it is parsed: whatever the parser will build is bounded here, before it builds it.

use std::borrow::Cow;

use super::parse::Limits;
use super::refusal::Refusal;

/// The body as text that the parser can read, or why not.
///
/// Counts depth and values outside strings: every value but the first of a container follows a comma, and every container opens
/// with a bracket, so commas and brackets bound the values of any text, JSON or not. Bytes that are not UTF-8 become U+FFFD.
/// Escapes of lone surrogates, which cut samples may have and no string can hold, become visible text.
pub(super) fn scan<'b>(body: &'b [u8], limits: &Limits) -> Result<Cow<'b, str>, Refusal> {
    let text = String::from_utf8_lossy(body);
    let bytes = text.as_bytes();
    let (mut depth, mut values, mut in_string, mut i) = (0usize, 1usize, false, 0);
    let mut lone = Vec::new();
    while let Some(byte) = bytes.get(i) {
        let mut step = 1;
        match (in_string, byte) {
            (true, b'\\') => {
                let escape = surrogate(&bytes[i..]);
                if escape == Surrogate::Lone {
                    lone.push(i);
                }
                step = escape.len();
            }
            (_, b'"') => in_string = !in_string,
            (true, _) => {}
            (false, b'[' | b'{') => {
                depth += 1;
                values += 1;
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, b',') => values += 1,
            (false, _) => {}
        }
        if depth > limits.depth {
            return Err(Refusal::TooDeep);
        }
        if values > limits.values {
            return Err(Refusal::TooManyValues);
        }
        i += step;
    }
    if lone.is_empty() {
        return Ok(text);
    }
    let mut mended = String::with_capacity(text.len() + lone.len());
    let mut from = 0;
    for at in lone {
        // A backslash before the escape's own: `\\ud800` is the text `\ud800`.
        mended.push_str(&text[from..at]);
        mended.push('\\');
        from = at;
    }
    mended.push_str(&text[from..]);
    Ok(Cow::Owned(mended))
}

/// What begins with a backslash inside a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surrogate {
    /// Another escape: the backslash and the byte after it.
    No,
    /// Two escapes that make one character.
    Pair,
    /// Half of such.
    Lone,
}

impl Surrogate {
    fn len(self) -> usize {
        match self {
            Self::No => 2,
            Self::Pair => 12,
            Self::Lone => 6,
        }
    }
}

fn surrogate(text: &[u8]) -> Surrogate {
    match unit(text) {
        Some(0xd800..=0xdbff) => match text.get(6..).and_then(unit) {
            Some(0xdc00..=0xdfff) => Surrogate::Pair,
            _ => Surrogate::Lone,
        },
        Some(0xdc00..=0xdfff) => Surrogate::Lone,
        _ => Surrogate::No,
    }
}

/// The UTF-16 code unit of a `\uXXXX` that `text` begins with.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |n, d| Some(n * 16 + char::from(*d).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(body: &str) -> Result<Value, Refusal> {
        serde_json::from_str(&scan(body.as_bytes(), &Limits::default())?).map_err(|_| Refusal::NotJson)
    }

    #[test]
    fn lone_surrogates_are_written_out_and_pairs_stay() {
        let cases = [
            (r#""\ud83d\ude00""#, "😀"),
            (r#""cut \ud83d""#, "cut \\ud83d"),
            (r#""\ude00\ud83d""#, "\\ude00\\ud83d"),
            (r#""\ud83d\ud83d\ude00""#, "\\ud83d😀"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\"\\\"\ud83d""#, "\"\\\"\\ud83d"),
            (r#""\uD83Dx""#, "\\uD83Dx"),
        ];
        for (json, text) in cases {
            assert_eq!(read(json).unwrap(), text, "{json}");
        }
        assert!(read(r#""\ud8""#).is_err());
    }

    #[test]
    fn depth_and_values_are_counted_outside_strings_only() {
        let limits = Limits { depth: 3, values: 8, ..Limits::default() };
        let scan = |text: &str| scan(text.as_bytes(), &limits).map(|_| ());
        assert_eq!(scan(r#"[[["[[[[{{{{,,,,,,,,,,,,"]]]"#), Ok(()));
        assert_eq!(scan("[[[[]]]]"), Err(Refusal::TooDeep));
        assert_eq!(scan("[1,2,3,4,5,6,7]"), Ok(()));
        assert_eq!(scan("[1,2,3,4,5,6,7,8]"), Err(Refusal::TooManyValues));
        assert_eq!(scan(r#"[{"a":[],"b":[],"c":[],"#), Err(Refusal::TooManyValues));
    }

    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(all) => all.iter().map(count).sum(),
            Value::Object(all) => all.values().map(count).sum(),
            _ => 0,
        }
    }

    proptest! {
        /// Nothing that passes can make the parser build more than was allowed.
        #[test]
        fn the_parser_builds_no_more_than_was_counted(text in r#"[\[\]{},:"\\ux1a]{0,60}"#, values in 1usize..20) {
            let limits = Limits { values, ..Limits::default() };
            if let Ok(text) = scan(text.as_bytes(), &limits)
                && let Ok(value) = serde_json::from_str::<Value>(&text)
            {
                prop_assert!(count(&value) <= values);
            }
        }

        /// Mending breaks nothing that was right.
        #[test]
        fn good_json_stays_as_it_was(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(&*scan(json.as_bytes(), &Limits::default()).unwrap(), json.as_str());
        }

        #[test]
        fn any_escapes_end_up_readable(units in proptest::collection::vec(any::<u16>(), 0..20)) {
            let json = format!("\"{}\"", units.iter().map(|u| format!("\\u{u:04x}")).collect::<String>());
            prop_assert!(read(&json).is_ok(), "{}", json);
        }
    }
}
