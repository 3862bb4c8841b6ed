//! A strict reader of JSON that keeps places and order.
//!
//! serde_json keeps neither the places of values nor, without a feature that would change it for every user of it, the order of
//! keys; and it lets the last of two equal keys win, which in a security policy hides the first.
//!
//! **Attacks and answers.** The text may be a stranger's (pasted, or a file of the app). Depth is bounded, so that no text can
//! exhaust the stack; so are length and the number of keys in one object, because whoever reads the tree compares keys with each
//! other. All else is one pass over the bytes.

use std::collections::HashSet;

use super::value::{Key, Kind, Value, shown};
use super::{Problem, Severity};

const DEEPEST: usize = 32;
const LONGEST: usize = 1 << 20;
const MOST_KEYS: usize = 1000;

pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    if text.len() > LONGEST {
        return Err(reader.error(0, 0, "the text is longer than 1 MiB", "helmet's options take a few hundred bytes"));
    }
    reader.space();
    let value = reader.value()?;
    reader.space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.here("more text after the value", "end the text after the last bracket")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn error(&self, from: usize, to: usize, message: impl Into<String>, remedy: &str) -> Problem {
        Problem { severity: Severity::Error, span: from..to, path: String::new(), message: message.into(), remedy: remedy.to_owned() }
    }

    /// An error at the next character, or at the end of the text.
    fn here(&self, message: impl Into<String>, remedy: &str) -> Problem {
        let width = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.error(self.at, self.at + width, message, remedy)
    }

    fn unexpected(&self, wanted: &str, remedy: &str) -> Problem {
        let found = self.text[self.at..].chars().next().map_or_else(|| "the end of the text".to_owned(), |c| shown(&c.to_string()));
        self.here(format!("{found} where {wanted} should be"), remedy)
    }

    fn value(&mut self) -> Result<Value, Problem> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$') => self.word()?,
            Some(b'\'' | b'`') => return Err(self.here("a text in single quotes", "JSON knows double quotes only: \"'self'\"")),
            Some(b'/') => return Err(self.here("a comment", "JSON knows no comments: take it out, or write the options as TOML")),
            _ => return Err(self.unexpected("a value", "")),
        };
        Ok(Value { kind, span: start..self.at })
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Kind, Problem>) -> Result<Kind, Problem> {
        if self.depth == DEEPEST {
            return Err(self.here(format!("more than {DEEPEST} levels"), "helmet's options are four levels deep at most"));
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn word(&mut self) -> Result<Kind, Problem> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.')).count();
        let kind = match &rest[..length] {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            word => {
                let message = format!("{} is not JSON", shown(word));
                return Err(self.error(
                    self.at,
                    self.at + length,
                    message,
                    "a value is a text in double quotes, a number, true, false or null",
                ));
            }
        };
        self.at += length;
        Ok(kind)
    }

    fn list(&mut self) -> Result<Kind, Problem> {
        let mut list = Vec::new();
        if self.eat(b']') {
            return Ok(Kind::List(list));
        }
        loop {
            self.space();
            if !list.is_empty() && self.peek() == Some(b']') {
                return Err(self.here("a comma before the end of the list", "JSON allows none after the last element"));
            }
            list.push(self.value()?);
            self.space();
            if self.eat(b']') {
                return Ok(Kind::List(list));
            }
            if !self.eat(b',') {
                return Err(self.unexpected("a comma or \"]\"", ""));
            }
        }
    }

    fn map(&mut self) -> Result<Kind, Problem> {
        let mut entries: Vec<(Key, Value)> = Vec::new();
        let mut names = HashSet::new();
        if self.eat(b'}') {
            return Ok(Kind::Map(entries));
        }
        loop {
            self.space();
            let start = self.at;
            if entries.len() == MOST_KEYS {
                return Err(self.here(format!("more than {MOST_KEYS} keys in one object"), "helmet's options have a few dozen at most"));
            }
            match self.peek() {
                Some(b'"') => {}
                Some(b'}') => return Err(self.here("a comma before the end of the object", "JSON allows none after the last key")),
                _ => return Err(self.unexpected("a key", "JSON wants keys in double quotes: \"hsts\": true")),
            }
            let key = Key { name: self.string()?, span: start..self.at };
            if !names.insert(key.name.clone()) {
                let message = format!("the key {} stands here twice", shown(&key.name));
                return Err(self.error(key.span.start, key.span.end, message, "keep one of the two"));
            }
            self.space();
            if !self.eat(b':') {
                return Err(self.unexpected("\":\"", ""));
            }
            self.space();
            let value = self.value()?;
            entries.push((key, value));
            self.space();
            if self.eat(b'}') {
                return Ok(Kind::Map(entries));
            }
            if !self.eat(b',') {
                return Err(self.unexpected("a comma or \"}\"", ""));
            }
        }
    }

    /// A string, from its opening quote.
    fn string(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().take_while(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)).count();
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => {
                    return Err(self.here("a control byte inside a text", "write line breaks and the like as escapes, or leave them out"));
                }
                None => return Err(self.error(start, self.at, "a text without its closing quote", "")),
            }
        }
    }

    /// An escape, from its backslash.
    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at;
        self.at += 1;
        let simple = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => return Err(self.error(start, self.at, "an escape that JSON does not know", "")),
        };
        self.at += 1;
        Ok(simple)
    }

    /// `\uXXXX`, or the two of them that make one character beyond the first plane.
    fn unicode(&mut self, start: usize) -> Result<char, Problem> {
        let first = self.four_digits();
        let code = match first {
            Some(high @ 0xd800..=0xdbff) if self.text[self.at..].starts_with("\\u") => {
                self.at += 1;
                self.four_digits()
                    .filter(|low| (0xdc00..=0xdfff).contains(low))
                    .map(|low| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            }
            other => other,
        };
        code.and_then(char::from_u32).ok_or_else(|| self.error(start, self.at, "an escape that is no character", ""))
    }

    /// The digits after `u`, which stands at the reader.
    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at + 1..self.at + 5)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 5;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Result<f64, Problem> {
        let start = self.at;
        self.eat(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        let mut well_formed = whole == 1 || (whole > 1 && !leading_zero);
        if self.eat(b'.') {
            well_formed &= self.digits() > 0;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            well_formed &= self.digits() > 0;
        }
        let text = &self.text[start..self.at];
        let number = text.parse::<f64>().ok().filter(|n| well_formed && n.is_finite());
        number.ok_or_else(|| self.error(start, self.at, format!("{} is no number of JSON", shown(text)), ""))
    }

    fn digits(&mut self) -> usize {
        let count = self.text.as_bytes()[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(value: &Value) -> serde_json::Value {
        match &value.kind {
            Kind::Null | Kind::Off | Kind::Date => serde_json::Value::Null,
            Kind::Bool(b) => (*b).into(),
            Kind::Number(n) => serde_json::json!(n),
            Kind::Text(t) => t.as_str().into(),
            Kind::List(list) => list.iter().map(plain).collect(),
            Kind::Map(map) => map.iter().map(|(k, v)| (k.name.clone(), plain(v))).collect(),
        }
    }

    /// serde_json's numbers as JavaScript has them, to compare with.
    fn floats(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Number(n) => serde_json::json!(n.as_f64().unwrap()),
            serde_json::Value::Array(list) => list.into_iter().map(floats).collect(),
            serde_json::Value::Object(map) => map.into_iter().map(|(k, v)| (k, floats(v))).collect(),
            other => other,
        }
    }

    #[test]
    fn places_and_order_are_kept() {
        let text = " {\"z\": [1, -2.5e3], \"a\": {\"é\": \"\\ud83d\\ude00\\n\"}} ";
        let value = parse(text).unwrap();
        let map = value.as_map().unwrap();
        assert_eq!(map.iter().map(|(k, _)| k.name.as_str()).collect::<Vec<_>>(), ["z", "a"]);
        assert_eq!(&text[map[0].0.span.clone()], "\"z\"");
        let list = map[0].1.as_list().unwrap();
        assert_eq!(&text[list[1].span.clone()], "-2.5e3");
        assert_eq!(list[1].as_number(), Some(-2500.0));
        let inner = &map[1].1.as_map().unwrap()[0];
        assert_eq!((inner.0.name.as_str(), inner.1.as_text()), ("é", Some("😀\n")));
        assert_eq!(&text[value.span], text.trim());
    }

    #[test]
    fn every_mistake_has_its_place_and_what_javascript_allows_has_a_remedy() {
        for (text, at, says) in [
            ("{hsts: true}", "h", "double quotes"),
            ("{\"a\": 'x'}", "'", "double quotes"),
            ("{\"a\": 1,}", "}", "none after the last key"),
            ("[1,]", "]", "none after the last element"),
            ("{\"a\": undefined}", "undefined", "true, false or null"),
            ("// c\n1", "/", "no comments"),
            ("{\"a\": 1, \"a\": 2}", "\"a\"", "keep one"),
            ("1 2", "2", "last bracket"),
        ] {
            let problem = parse(text).unwrap_err();
            assert_eq!(&text[problem.span.clone()], at, "{text}");
            assert!(problem.remedy.contains(says), "{text}: {problem:?}");
        }
        for text in [
            "",
            "[",
            "{",
            "[1",
            "{\"a\"",
            "{\"a\":",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\n\"",
            "01",
            "1.",
            ".5",
            "-",
            "1e",
            "1e999",
            "+1",
            "nul",
            "\u{feff}1",
            "[1 2]",
            "NaN",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_length_and_keys_are_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(DEEPEST)).is_ok());
        assert!(parse(&nested(DEEPEST + 1)).is_err());
        assert!(parse(&"[".repeat(900_000)).is_err());
        assert!(parse(&format!("\"{}\"", "x".repeat(LONGEST))).is_err());
        let object = |n: usize| format!("{{{}}}", (0..n).map(|i| format!("\"{i}\": 1")).collect::<Vec<_>>().join(","));
        assert!(parse(&object(MOST_KEYS)).is_ok());
        assert!(parse(&object(MOST_KEYS + 1)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_both_readers_agree(text in "([\\[\\]{}:,\"\\\\ \n0-9eE.+-]|true|null|\"a\"|\"b\"|\\\\u00e9|\\\\ud83d|\\\\ude00|é){0,24}") {
            match (parse(&text), serde_json::from_str::<serde_json::Value>(&text)) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(plain(&ours), floats(theirs)),
                (Err(_), Err(_)) => {}
                (Ok(ours), Err(e)) => prop_assert!(false, "we read {ours:?}: {e}"),
                // Two equal keys are where we are stricter.
                (Err(ours), Ok(_)) => prop_assert!(ours.message.contains("twice"), "{ours:?}"),
            }
        }

        #[test]
        fn what_is_written_is_read_again(value in tree()) {
            let text = value.to_string();
            prop_assert_eq!(plain(&parse(&text).unwrap()), floats(value));
        }
    }

    fn tree() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }
}
