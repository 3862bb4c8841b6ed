//! JSON (RFC 8259), read in passing: the caller is given each key and takes or skips its value.
//!
//! Relaxed, it also takes comments and trailing commas, as bun.lock and deno.jsonc have them; by hand, what people write into JSON5
//! besides: keys without quotes, and single quotes.

use std::borrow::Cow;

use super::seen::Seen;
use super::{DEPTH, Fault, Key, Result, fault, quote};

/// What the next value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

#[derive(Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    relaxed: bool,
    by_hand: bool,
    doubles: bool,
}

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, relaxed: false, by_hand: false, doubles: false }
    }

    /// Takes comments and trailing commas.
    pub(crate) fn relaxed(mut self) -> Self {
        self.relaxed = true;
        self
    }

    /// Takes what people write as JSON5: comments, trailing commas, keys without quotes, strings in single quotes.
    pub(crate) fn by_hand(mut self) -> Self {
        self.by_hand = true;
        self.relaxed()
    }

    /// Takes a key that appears twice; whoever reads lets the last one count, as every reader of package.json does.
    pub(crate) fn doubles(mut self) -> Self {
        self.doubles = true;
        self
    }

    /// Where the next value starts.
    pub(crate) fn place(&mut self) -> Result<usize> {
        self.blank()?;
        Ok(self.at)
    }

    /// How far it has read.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn shape(&mut self) -> Result<Shape> {
        self.blank()?;
        match self.peek() {
            Some(b'{') => Ok(Shape::Object),
            Some(b'[') => Ok(Shape::Array),
            Some(b'"') => Ok(Shape::String),
            Some(b'\'') if self.by_hand => Ok(Shape::String),
            Some(b'-' | b'0'..=b'9') => Ok(Shape::Number),
            Some(b't' | b'f') => Ok(Shape::Bool),
            Some(b'n') => Ok(Shape::Null),
            _ => fault(self.at, format!("expected a value, found {}", self.found())),
        }
    }

    /// Reads an object, giving each key to `each`, which must read or skip its value. What is no object is an error.
    pub(crate) fn object(&mut self, mut each: impl FnMut(&mut Self, Key<'a>) -> Result<()>) -> Result<()> {
        let mut seen = Seen::default();
        self.list(b'{', b'}', "an object", |json| {
            let at = json.place()?;
            let name = json.key()?;
            if !json.doubles {
                seen.insert(at, name.clone())?;
            }
            json.blank()?;
            json.eat(b':')?;
            each(json, Key { name, at })
        })
    }

    fn key(&mut self) -> Result<Cow<'a, str>> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$')).count();
        if !self.by_hand || length == 0 {
            return self.string();
        }
        self.at += length;
        Ok(Cow::Borrowed(&rest[..length]))
    }

    /// Reads an array, letting `each` read or skip every element.
    pub(crate) fn array(&mut self, each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.list(b'[', b']', "an array", each)
    }

    fn list(&mut self, open: u8, close: u8, what: &str, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.blank()?;
        if self.peek() != Some(open) {
            return fault(self.at, format!("expected {what}, found {}", self.found()));
        }
        if self.depth == DEPTH {
            return fault(self.at, format!("nested deeper than {DEPTH} levels"));
        }
        self.depth += 1;
        self.at += 1;
        self.blank()?;
        if self.peek() != Some(close) {
            loop {
                each(self)?;
                self.blank()?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b) if b == close => break,
                    _ => return fault(self.at, format!("expected `,` or `{}`, found {}", char::from(close), self.found())),
                }
                self.blank()?;
                if self.relaxed && self.peek() == Some(close) {
                    break;
                }
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    /// Reads a string; borrowed where nothing in it is escaped.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>> {
        self.blank()?;
        let quote = match self.peek() {
            Some(quote @ b'"') => quote,
            Some(quote @ b'\'') if self.by_hand => quote,
            _ => return fault(self.at, format!("expected a string, found {}", self.found())),
        };
        let start = self.at + 1;
        let mut owned = String::new();
        let mut from = start;
        loop {
            let rest = &self.text.as_bytes()[from..];
            let Some(stop) = memchr::memchr2(quote, b'\\', rest) else {
                return fault(self.text.len(), "a string has no end");
            };
            if let Some(bad) = rest[..stop].iter().position(|b| *b < 0x20) {
                return fault(from + bad, "a string with a raw control character in it");
            }
            let plain = &self.text[from..from + stop];
            self.at = from + stop + 1;
            if rest[stop] == quote {
                return Ok(if from == start {
                    Cow::Borrowed(plain)
                } else {
                    owned.push_str(plain);
                    Cow::Owned(owned)
                });
            }
            owned.push_str(plain);
            owned.push(self.escape()?);
            from = self.at;
        }
    }

    fn escape(&mut self) -> Result<char> {
        let at = self.at - 1;
        let Some(b) = self.peek() else { return fault(self.at, "a string has no end") };
        self.at += 1;
        Ok(match b {
            b'"' | b'\\' | b'/' => char::from(b),
            b'\'' if self.by_hand => '\'',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex(at)?;
                let is_pair = (0xd800..0xdc00).contains(&high) && self.text.as_bytes()[self.at..].starts_with(b"\\u");
                if !is_pair {
                    return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                let back = self.at;
                self.at += 2;
                let low = self.hex(at)?;
                if !(0xdc00..0xe000).contains(&low) {
                    self.at = back;
                    return Ok(char::REPLACEMENT_CHARACTER);
                }
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return fault(at, "an escape that JSON does not have"),
        })
    }

    fn hex(&mut self, at: usize) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|d| u32::from_str_radix(d, 16).ok()) else {
            return fault(at, "`\\u` wants four hexadecimal digits");
        };
        self.at += 4;
        Ok(code)
    }

    /// A string, or nothing where the value is of another kind, which is skipped.
    pub(crate) fn string_or_skip(&mut self) -> Result<Option<Cow<'a, str>>> {
        if self.shape()? == Shape::String {
            return self.string().map(Some);
        }
        self.skip()?;
        Ok(None)
    }

    /// A truth, or nothing where the value is of another kind, which is skipped.
    pub(crate) fn flag(&mut self) -> Result<bool> {
        let start = self.place()?;
        self.skip()?;
        Ok(self.text[start..self.at].starts_with("true"))
    }

    /// A whole number, or a string of digits.
    pub(crate) fn whole(&mut self) -> Result<u32> {
        let start = self.place()?;
        let number = if self.shape()? == Shape::String {
            self.string()?.parse().ok()
        } else {
            self.skip()?;
            self.text[start..self.at].parse().ok()
        };
        number.ok_or_else(|| Fault { at: start, message: format!("expected a whole number, found {}", quote(&self.text[start..self.at])) })
    }

    /// An object if it is one; another value is skipped.
    pub(crate) fn object_or_skip(&mut self, each: impl FnMut(&mut Self, Key<'a>) -> Result<()>) -> Result<()> {
        if self.shape()? == Shape::Object { self.object(each) } else { self.skip() }
    }

    /// An array if it is one; another value is skipped.
    pub(crate) fn array_or_skip(&mut self, each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if self.shape()? == Shape::Array { self.array(each) } else { self.skip() }
    }

    /// Reads past a value, checking its syntax.
    pub(crate) fn skip(&mut self) -> Result<()> {
        match self.shape()? {
            Shape::Object => self.object(|json, _| json.skip()),
            Shape::Array => self.array(Self::skip),
            Shape::String => self.string().map(drop),
            Shape::Number => self.number(),
            Shape::Bool | Shape::Null => {
                let word = ["true", "false", "null"].into_iter().find(|w| self.text[self.at..].starts_with(w));
                let Some(word) = word else { return fault(self.at, format!("expected a value, found {}", self.found())) };
                self.at += word.len();
                Ok(())
            }
        }
    }

    fn number(&mut self) -> Result<()> {
        let start = self.at;
        while self.peek().is_some_and(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        if self.text[start..self.at].parse::<f64>().is_err() {
            return fault(start, format!("{} is no number", quote(&self.text[start..self.at])));
        }
        Ok(())
    }

    /// Checks that nothing follows.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.blank()?;
        if self.at < self.text.len() {
            return fault(self.at, format!("expected the end of the file, found {}", self.found()));
        }
        Ok(())
    }

    fn blank(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        loop {
            while bytes.get(self.at).is_some_and(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')) {
                self.at += 1;
            }
            if !self.relaxed || bytes.get(self.at) != Some(&b'/') {
                return Ok(());
            }
            let rest = &self.text[self.at..];
            if rest.starts_with("//") {
                self.at += memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let Some(end) = memchr::memmem::find(&rest.as_bytes()[2..], b"*/") else {
                    return fault(self.at, "a comment has no end");
                };
                self.at += end + 4;
            } else {
                return fault(self.at, "expected a value, found `/`");
            }
        }
    }

    fn eat(&mut self, b: u8) -> Result<()> {
        if self.peek() != Some(b) {
            return fault(self.at, format!("expected `{}`, found {}", char::from(b), self.found()));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn found(&self) -> String {
        self.text[self.at..].chars().next().map_or_else(|| "the end of the file".to_owned(), |c| quote(c.encode_utf8(&mut [0; 4])))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The whole value, by our reader.
    fn value(json: &mut Json<'_>) -> Result<Value> {
        Ok(match json.shape()? {
            Shape::Object => {
                let mut map = serde_json::Map::new();
                json.object(|json, key| {
                    map.insert(key.name.into_owned(), value(json)?);
                    Ok(())
                })?;
                map.into()
            }
            Shape::Array => {
                let mut list = Vec::new();
                json.array(|json| {
                    list.push(value(json)?);
                    Ok(())
                })?;
                list.into()
            }
            Shape::String => json.string()?.into_owned().into(),
            Shape::Bool => json.flag()?.into(),
            Shape::Null => {
                json.skip()?;
                Value::Null
            }
            Shape::Number => {
                let start = json.place()?;
                json.skip()?;
                serde_json::from_str(&json.text[start..json.at]).unwrap_or(Value::Null)
            }
        })
    }

    fn parse(text: &str) -> Result<Value> {
        let mut json = Json::new(text);
        let v = value(&mut json)?;
        json.end()?;
        Ok(v)
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 64, 24, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..24).prop_map(|m| m.into_iter().collect())
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_read_back(v in any_json()) {
            prop_assert_eq!(parse(&v.to_string()), Ok(v.clone()));
            prop_assert_eq!(parse(&serde_json::to_string_pretty(&v).unwrap()), Ok(v));
        }

        #[test]
        fn what_serde_refuses_is_refused(text in r#"[\[\]{}",:\\u0-9a-ftrnls.eE +/*-]{0,24}"#) {
            if serde_json::from_str::<Value>(&text).is_err() {
                // Lone surrogates and numbers of any size are taken, as JSON.parse does; escapes are in no key here.
                prop_assert!(parse(&text).is_err() || text.contains("\\u") || text.contains(['e', 'E', '.', '0', '+']), "{}", text);
            }
            let _ = value(&mut Json::new(&text).relaxed());
        }
    }

    #[test]
    fn doubled_keys_are_refused_at_their_place() {
        let e = parse("{\"a\": 1,\n \"\\u0061\": 2}").unwrap_err();
        assert_eq!(e, Fault { at: 10, message: "the key `a` appears twice".to_owned() });
        let many: Vec<String> = (0..40).chain([3]).map(|i| format!("\"k{i}\": 0")).collect();
        assert!(parse(&format!("{{{}}}", many.join(","))).unwrap_err().message.contains("twice"));
        assert!(Json::new("{\"a\":1,\"a\":2}").doubles().skip().is_ok());
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        assert!(parse(&"[".repeat(100_000)).unwrap_err().message.contains("nested deeper"));
        assert!(parse(&"{\"a\":".repeat(100_000)).unwrap_err().message.contains("nested deeper"));
    }

    #[test]
    fn comments_and_trailing_commas_only_where_they_belong() {
        let text = "// one\n{\"a\": [1, /* two */ 2,],}\n//";
        let mut json = Json::new(text).relaxed();
        assert!(json.skip().and_then(|()| json.end()).is_ok());
        assert!(parse(text).is_err());
        assert!(parse("[1,]").is_err());
        assert!(Json::new("/* no end").relaxed().skip().is_err());
    }

    #[test]
    fn what_people_write_by_hand_is_taken_where_it_is_asked_for() {
        let text = r#"{$schema: 'it\'s "here"', low_1: true, 'a': ["b",],}"#;
        let mut json = Json::new(text).by_hand();
        assert_eq!(value(&mut json).unwrap(), serde_json::json!({"$schema": "it's \"here\"", "low_1": true, "a": ["b"]}));
        assert!(Json::new(text).relaxed().skip().is_err());
        assert!(Json::new("{a-b: 1}").by_hand().skip().is_err());
    }
}
