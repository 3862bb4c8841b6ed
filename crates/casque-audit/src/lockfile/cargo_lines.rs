//! The part of TOML that cargo writes: heads of tables, and keys with a string, a number or a list of strings.

use std::borrow::Cow;

use crate::limits::Limits;
use crate::text::json::Json;
use crate::text::{Result, fault};

/// The next thing in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// `[name]` or `[[name]]`.
    Table { at: usize, name: Cow<'a, str>, is_list: bool },
    /// `key = value`: a string or number as its text, or a list.
    Value { at: usize, key: Cow<'a, str>, value: Cow<'a, str>, list: Vec<(usize, Cow<'a, str>)> },
}

#[derive(Debug)]
pub(super) struct Items<'a> {
    text: &'a str,
    limits: &'a Limits,
    at: usize,
}

impl<'a> Items<'a> {
    pub(super) fn new(text: &'a str, limits: &'a Limits) -> Self {
        Self { text, limits, at: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<Item<'a>>> {
        self.blank(true);
        let at = self.at;
        let Some(first) = self.peek() else { return Ok(None) };
        let item = if first == b'[' {
            let is_list = self.text[at..].starts_with("[[");
            self.at += if is_list { 2 } else { 1 };
            let close = if is_list { "]]" } else { "]" };
            let line = self.line();
            let Some(end) = line.find(close) else { return fault(at, format!("expected `{close}`")) };
            let name = line[..end].trim();
            self.at += end + close.len();
            Item::Table { at, name: Cow::Borrowed(name), is_list }
        } else {
            let key = self.key()?;
            self.blank(false);
            self.eat(b'=')?;
            self.blank(false);
            let mut list = Vec::new();
            let value = match self.peek() {
                Some(b'[') => {
                    self.list(&mut list)?;
                    Cow::Borrowed("")
                }
                Some(b'"' | b'\'') => self.string()?,
                _ => self.bare("a value")?,
            };
            Item::Value { at, key, value, list }
        };
        self.blank(false);
        match self.peek() {
            None | Some(b'\n') => Ok(Some(item)),
            Some(_) => fault(self.at, "expected the end of the line"),
        }
    }

    fn list(&mut self, list: &mut Vec<(usize, Cow<'a, str>)>) -> Result<()> {
        self.at += 1;
        loop {
            self.blank(true);
            self.limits.more_edges(self.at, list.len())?;
            match self.peek() {
                Some(b']') => break,
                Some(b'"' | b'\'') => list.push((self.at, self.string()?)),
                Some(b'{' | b'[') | None => return fault(self.at, "expected a string or `]`"),
                Some(_) => list.push((self.at, self.bare("a string or `]`")?)),
            }
            self.blank(true);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return fault(self.at, "expected `,` or `]`"),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn key(&mut self) -> Result<Cow<'a, str>> {
        match self.peek() {
            Some(b'"' | b'\'') => self.string(),
            _ => self.bare("a key"),
        }
    }

    fn bare(&mut self, what: &str) -> Result<Cow<'a, str>> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | ':'))).unwrap_or(rest.len());
        if end == 0 {
            return fault(self.at, format!("expected {what}"));
        }
        self.at += end;
        Ok(Cow::Borrowed(&rest[..end]))
    }

    /// A string on one line. What cargo escapes, JSON escapes alike.
    fn string(&mut self) -> Result<Cow<'a, str>> {
        let (at, rest) = (self.at, &self.text[self.at..]);
        if rest.starts_with("\"\"\"") || rest.starts_with("'''") {
            return fault(at, "a string over several lines, which cargo does not write");
        }
        if let Some(literal) = rest.strip_prefix('\'') {
            let end = memchr::memchr2(b'\'', b'\n', literal.as_bytes()).filter(|end| literal.as_bytes()[*end] == b'\'');
            let Some(end) = end else { return fault(at, "a string has no end on its line") };
            self.at += end + 2;
            return Ok(Cow::Borrowed(&literal[..end]));
        }
        let mut json = Json::new(rest);
        match json.string() {
            Ok(text) => {
                self.at += json.offset();
                Ok(text)
            }
            Err(f) => fault(at + f.at, f.message),
        }
    }

    fn line(&self) -> &'a str {
        let rest = &self.text[self.at..];
        &rest[..memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())]
    }

    /// Goes past blanks and comments, over lines if so asked.
    fn blank(&mut self, lines: bool) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\n') if lines => self.at += 1,
                Some(b'#') => self.at += self.line().len(),
                _ => return,
            }
        }
    }

    fn eat(&mut self, b: u8) -> Result<()> {
        if self.peek() != Some(b) {
            return fault(self.at, format!("expected `{}`", char::from(b)));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
