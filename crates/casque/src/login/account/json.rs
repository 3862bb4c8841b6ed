//! JSON as RFC 8259 has it and nothing laxer, walked without recursion. Duplicate keys are all seen.

use super::refusal::Refusal;
use super::walk::{Value, Walk};

enum Open {
    Object,
    /// With the index of the element that is being read.
    Array(usize),
}

/// Walks the document, and returns how many elements it has if it is an array, else 0. An empty one is none, as to most servers.
pub(super) fn read(text: &[u8], walk: &mut Walk<'_>) -> Result<usize, Refusal> {
    let text = std::str::from_utf8(text).map_err(|_| Refusal::Json)?;
    let mut scan = Scan { text, at: 0, string: String::new() };
    let mut open: Vec<Open> = Vec::new();
    let mut elements = 0;
    loop {
        // A value, or the beginning of one.
        match scan.next_byte()? {
            b'{' => {
                if !scan.takes(b'}') {
                    open.push(Open::Object);
                    scan.key(walk)?;
                    continue;
                }
            }
            b'[' => {
                if !scan.takes(b']') {
                    open.push(Open::Array(0));
                    walk.index(0)?;
                    continue;
                }
            }
            b'"' => {
                scan.read_string()?;
                walk.value(Value::Text(scan.string.as_bytes()))?;
            }
            b't' => scan.word("rue").and_then(|()| walk.value(Value::Bool))?,
            b'f' => scan.word("alse").and_then(|()| walk.value(Value::Bool))?,
            b'n' => scan.word("ull").and_then(|()| walk.value(Value::Null))?,
            b'-' | b'0'..=b'9' => {
                let digits = scan.number()?;
                walk.value(Value::Number(digits))?;
            }
            _ => return Err(Refusal::Json),
        }
        // What ends behind it.
        loop {
            let depth = open.len();
            let Some(inside) = open.last_mut() else {
                scan.skip_space();
                return if scan.at == text.len() { walk.end().map(|()| elements) } else { Err(Refusal::Json) };
            };
            walk.back();
            match (scan.next_byte()?, inside) {
                (b',', Open::Object) => {
                    scan.key(walk)?;
                    break;
                }
                (b',', Open::Array(index)) => {
                    *index += 1;
                    walk.index(*index)?;
                    break;
                }
                (b']', Open::Array(index)) => {
                    if depth == 1 {
                        elements = *index + 1;
                    }
                    open.pop();
                }
                (b'}', Open::Object) => {
                    open.pop();
                }
                _ => return Err(Refusal::Json),
            }
        }
    }
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// The last string that was read, without its escapes.
    string: String,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.text.as_bytes().get(self.at).copied()
    }

    fn next_byte(&mut self) -> Result<u8, Refusal> {
        let byte = self.peek().ok_or(Refusal::Json)?;
        self.at += 1;
        // Behind the first byte of a longer character `rest` would be empty; no such character begins anything.
        if byte.is_ascii() { Ok(byte) } else { Err(Refusal::Json) }
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, rest: &str) -> Result<(), Refusal> {
        let is = self.rest().starts_with(rest);
        self.at += rest.len();
        if is { Ok(()) } else { Err(Refusal::Json) }
    }

    /// A key and its colon, and into its value.
    fn key(&mut self, walk: &mut Walk<'_>) -> Result<(), Refusal> {
        if self.next_byte()? != b'"' {
            return Err(Refusal::Json);
        }
        self.read_string()?;
        walk.key(&self.string)?;
        if self.next_byte()? == b':' { Ok(()) } else { Err(Refusal::Json) }
    }

    /// The number whose first byte was just taken.
    fn number(&mut self) -> Result<&'t str, Refusal> {
        let from = self.text.get(self.at - 1..).unwrap_or_default();
        let end = from.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(from.len());
        let number = from.get(..end).unwrap_or_default();
        self.at += end - 1;
        if is_number(number) { Ok(number) } else { Err(Refusal::Json) }
    }

    /// The string whose quote was just taken.
    fn read_string(&mut self) -> Result<(), Refusal> {
        self.string.clear();
        loop {
            let rest = self.rest();
            let end = rest.find(|c: char| matches!(c, '"' | '\\') || c < ' ').ok_or(Refusal::Json)?;
            self.string.push_str(rest.get(..end).unwrap_or_default());
            self.at += end + 1;
            match rest.as_bytes().get(end) {
                Some(b'"') => return Ok(()),
                Some(b'\\') => {
                    let escaped = self.escape()?;
                    self.string.push(escaped);
                }
                _ => return Err(Refusal::Json),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refusal> {
        let byte = self.text.as_bytes().get(self.at).copied().ok_or(Refusal::Json)?;
        if !byte.is_ascii() {
            return Err(Refusal::Json);
        }
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                let pair = [unit, if is_high(unit) && self.rest().starts_with("\\u") { self.low()? } else { 0 }];
                let units = if is_high(unit) { &pair[..] } else { &pair[..1] };
                // Half a pair is no character; what servers make of it differs.
                char::decode_utf16(units.iter().copied()).next().and_then(Result::ok).ok_or(Refusal::Json)?
            }
            _ => return Err(Refusal::Json),
        })
    }

    fn low(&mut self) -> Result<u16, Refusal> {
        self.at += 2;
        self.unit()
    }

    fn unit(&mut self) -> Result<u16, Refusal> {
        let digits = self.rest().get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())).ok_or(Refusal::Json)?;
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| Refusal::Json)
    }
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

/// RFC 8259 section 6.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::super::fields::AccountFields;
    use super::super::walk::{Gathered, Source};
    use super::*;

    fn read_with(text: &[u8]) -> Result<usize, Refusal> {
        let fields = AccountFields::none().form("email").unwrap();
        read(text, &mut Walk::new(&fields, Source::Json, &mut Gathered::default()))
    }

    #[test]
    fn only_json_is_json() {
        for fine in ["{}", "[]", " [1,-0.5e+7 , \"a\\u00e9\\ud83d\\ude00\"]\n", "{\"a\":{\"b\":[[],{}]},\"a\":null}", "true", "\"x\"", "0"]
        {
            assert!(read_with(fine.as_bytes()).is_ok(), "{fine}");
        }
        for lax in [
            "",
            " ",
            "{",
            "[",
            "{}{}",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "/**/{}",
            "{}//",
            "[01]",
            "[1.]",
            "[.5]",
            "[+1]",
            "[NaN]",
            "[0x1]",
            "[\"\n\"]",
            "[\"\\x41\"]",
            "[\"\\ud800\"]",
            "[\"\\udc00\"]",
            "[\"\\ud800\\u0041\"]",
            "[1 2]",
            "{\"a\" 1}",
            "{\"a\":}",
            "]",
            "{]",
            "[}",
            "{\"a\"}",
            "nul",
            "tru",
            "é",
            "\u{a0}{}",
            "[\"\\u+041\"]",
            "{\"a\":1;\"b\":2}",
            "\"",
        ] {
            assert_eq!(read_with(lax.as_bytes()), Err(Refusal::Json), "{lax}");
        }
        assert_eq!(read_with(b"[\"\xff\"]"), Err(Refusal::Json));
        assert_eq!(read_with(b"{\0\"\0a\0\"\0:\x001\0}\0"), Err(Refusal::Json), "UTF-16");
        assert_eq!(read_with("[".repeat(60_000).as_bytes()), Err(Refusal::Depth));
        assert_eq!(read_with("{\"a\":".repeat(10_000).as_bytes()), Err(Refusal::Depth));
        assert_eq!(read_with(b"[1,[2,3],{}]"), Ok(3));
        assert_eq!(read_with(b"{\"a\":[1,2]}"), Ok(0));
    }

    proptest::proptest! {
        #[test]
        fn what_serde_json_reads_we_read_and_nothing_else(text in "[\\[\\]{}\",:0-9a\\\\ue. \\-+tfn]{0,16}") {
            // Values without keys, so that only the grammar speaks; numbers too large for it are its own matter.
            let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
            let too_large = theirs.as_ref().is_err_and(|e| e.to_string().contains("out of range"));
            if !too_large {
                proptest::prop_assert_eq!(read_with(text.as_bytes()) != Err(Refusal::Json), theirs.is_ok());
            }
        }
    }
}
