//! The part of YAML that pnpm and yarn write, read in passing, as [`super::json`] does it.
//!
//! Block and flow mappings and sequences, plain and quoted scalars on one line, block scalars, explicit keys (`? key`), comments and
//! several documents. What those writers never write (anchors, aliases, tags, tabs, scalars over several lines) is refused
//! rather than guessed at: an alias is also how ten lines of YAML become ten gigabytes.

mod lines;
mod scalar;

use std::borrow::Cow;

use super::seen::Seen;
use super::{DEPTH, Key, Result, fault, quote};

/// What the next value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Mapping,
    Sequence,
    Scalar,
    /// Nothing stands there.
    Null,
}

#[derive(Debug)]
pub(crate) struct Yaml<'a> {
    text: &'a str,
    at: usize,
    /// Where the line begins that `at` is in, or one before it that `{}` or `[]` began in.
    line_start: usize,
    depth: u32,
    /// Values of the block being read stand further right than this many columns.
    parent: Option<usize>,
    /// Inside `{}` or `[]`, lines count for nothing.
    flow: bool,
    begun: bool,
}

impl<'a> Yaml<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, line_start: 0, depth: 0, parent: None, flow: false, begun: false }
    }

    /// Goes to the next document; false when there is none.
    pub(crate) fn document(&mut self) -> Result<bool> {
        let mut marked = !std::mem::replace(&mut self.begun, true);
        while let Some(line) = self.line()? {
            if !self.is_marker(line) {
                return if marked { Ok(true) } else { fault(line.start, "expected the end of the file or `---`") };
            }
            marked = true;
            self.at = line.start + 3;
            self.line_end()?;
        }
        Ok(false)
    }

    /// Where the reader is: at the value of the key that was given last, or near it.
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    pub(crate) fn shape(&mut self) -> Result<Shape> {
        if self.flow {
            self.flow_blank()?;
            return Ok(match self.peek() {
                Some(b'{') => Shape::Mapping,
                Some(b'[') => Shape::Sequence,
                Some(b',' | b'}' | b']') | None => Shape::Null,
                Some(_) => Shape::Scalar,
            });
        }
        if !self.at_line_start() {
            self.spaces();
            match self.peek() {
                Some(b'{') => return Ok(Shape::Mapping),
                Some(b'[') => return Ok(Shape::Sequence),
                Some(b) if !self.at_line_end(b) => return Ok(self.on_this_line()),
                _ => {}
            }
        }
        let Some(line) = self.line()? else { return Ok(Shape::Null) };
        if self.is_marker(line) {
            return Ok(Shape::Null);
        }
        let deeper = self.parent.is_none_or(|p| line.indent > p);
        let flow = if deeper { self.text.as_bytes().get(line.start) } else { None };
        match (deeper, self.is_dash(line.start), flow) {
            (true, _, Some(b @ (b'{' | b'['))) => {
                self.at = line.start;
                Ok(if *b == b'{' { Shape::Mapping } else { Shape::Sequence })
            }
            (true, dash, _) => Ok(if dash { Shape::Sequence } else { Shape::Mapping }),
            // A sequence may stand as far left as its key.
            (false, true, _) if self.parent == Some(line.indent) => Ok(Shape::Sequence),
            (false, ..) => Ok(Shape::Null),
        }
    }

    /// Reads a mapping, giving each key to `each`, which must read or skip its value. What is no mapping is an error, but for nothing.
    pub(crate) fn mapping(&mut self, mut each: impl FnMut(&mut Self, Key<'a>) -> Result<()>) -> Result<()> {
        match self.shape()? {
            Shape::Null => Ok(()),
            Shape::Mapping if self.peek() == Some(b'{') => self.flow_mapping(&mut each),
            Shape::Mapping => self.block_mapping(&mut each),
            Shape::Sequence => fault(self.at, "expected a mapping, found a sequence"),
            Shape::Scalar => fault(self.at, "expected a mapping, found a scalar"),
        }
    }

    /// Reads a sequence, letting `each` read or skip every element.
    pub(crate) fn sequence(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        match self.shape()? {
            Shape::Null => Ok(()),
            Shape::Sequence if self.peek() == Some(b'[') => self.flow_sequence(&mut each),
            Shape::Sequence => self.block_sequence(&mut each),
            Shape::Mapping => fault(self.at, "expected a sequence, found a mapping"),
            Shape::Scalar => fault(self.at, "expected a sequence, found a scalar"),
        }
    }

    /// A mapping if it is one; another value is skipped.
    pub(crate) fn mapping_or_skip(&mut self, each: impl FnMut(&mut Self, Key<'a>) -> Result<()>) -> Result<()> {
        if self.shape()? == Shape::Mapping { self.mapping(each) } else { self.skip() }
    }

    /// A scalar's text, or nothing where the value is of another kind, which is skipped.
    pub(crate) fn scalar_or_skip(&mut self) -> Result<Option<Cow<'a, str>>> {
        if self.shape()? == Shape::Scalar {
            return self.scalar().map(Some);
        }
        self.skip()?;
        Ok(None)
    }

    /// Whether the value is the scalar `true`.
    pub(crate) fn flag(&mut self) -> Result<bool> {
        Ok(self.scalar_or_skip()?.is_some_and(|s| s == "true"))
    }

    /// Reads a scalar: its text, whatever YAML would make of it (`1.10` stays `1.10`).
    pub(crate) fn scalar(&mut self) -> Result<Cow<'a, str>> {
        match self.shape()? {
            Shape::Scalar => {}
            Shape::Null => return fault(self.at, "expected a scalar, found nothing"),
            Shape::Mapping => return fault(self.at, "expected a scalar, found a mapping"),
            Shape::Sequence => return fault(self.at, "expected a scalar, found a sequence"),
        }
        if !self.flow && matches!(self.peek(), Some(b'|' | b'>')) {
            let (text, end) = scalar::block(self.text, self.at, self.parent)?;
            (self.at, self.line_start) = (end, end);
            return Ok(text);
        }
        let (text, end) = scalar::inline(self.text, self.at, self.flow)?;
        self.at = end;
        if !self.flow {
            self.line_end()?;
        }
        Ok(text)
    }

    /// Reads past a value, checking its syntax.
    pub(crate) fn skip(&mut self) -> Result<()> {
        match self.shape()? {
            Shape::Null => Ok(()),
            Shape::Scalar => self.scalar().map(drop),
            Shape::Mapping => self.mapping(|yaml, _| yaml.skip()),
            Shape::Sequence => self.sequence(Self::skip),
        }
    }

    fn block_mapping(&mut self, each: &mut impl FnMut(&mut Self, Key<'a>) -> Result<()>) -> Result<()> {
        let Some(indent) = self.block_start()? else { return Ok(()) };
        let outer = self.enter(indent)?;
        let mut seen = Seen::default();
        loop {
            let at = self.at;
            let name = self.key()?;
            seen.insert(at, name.clone())?;
            each(self, Key { name, at })?;
            if !self.next_at(indent)? {
                break;
            }
            if self.is_dash(self.at) {
                return fault(self.at, "expected a key, found `-`");
            }
        }
        self.leave(outer);
        Ok(())
    }

    fn block_sequence(&mut self, each: &mut impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let Some(indent) = self.block_start()? else { return Ok(()) };
        let outer = self.enter(indent)?;
        loop {
            self.at += 1;
            each(self)?;
            // A key at the same column ends a sequence that stood as far left as its own key.
            if !self.next_at(indent)? || !self.is_dash(self.at) {
                break;
            }
        }
        self.leave(outer);
        Ok(())
    }

    /// Goes to the first key or dash of a block; its column.
    fn block_start(&mut self) -> Result<Option<usize>> {
        self.spaces();
        if self.peek().is_some_and(|b| !self.at_line_end(b)) {
            return Ok(Some(self.at - self.line_start));
        }
        let line = self.line()?;
        Ok(line.map(|line| {
            self.at = line.start;
            line.indent
        }))
    }

    fn enter(&mut self, indent: usize) -> Result<Option<usize>> {
        if self.depth == DEPTH {
            return fault(self.at, format!("nested deeper than {DEPTH} levels"));
        }
        self.depth += 1;
        Ok(self.parent.replace(indent))
    }

    fn leave(&mut self, outer: Option<usize>) {
        self.depth -= 1;
        self.parent = outer;
    }

    /// Goes to the next line of a block at this column; false when the block has ended.
    fn next_at(&mut self, indent: usize) -> Result<bool> {
        match self.line()? {
            Some(line) if line.indent > indent => fault(line.start, "indented where nothing may be, or a scalar over several lines"),
            Some(line) if line.indent == indent && !self.is_marker(line) => {
                self.at = line.start;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Reads a key and its colon.
    fn key(&mut self) -> Result<Cow<'a, str>> {
        let explicit = self.text[self.at..].starts_with("? ");
        if explicit {
            self.at += 2;
            self.spaces();
        }
        let at = self.at;
        let (name, end) = if explicit { scalar::inline(self.text, at, false)? } else { scalar::key(self.text, at, false)? };
        self.at = end;
        if explicit {
            self.line_end()?;
            match self.line()? {
                Some(line) if self.text[line.start..].starts_with(':') => self.at = line.start,
                _ => return fault(at, "this key has no value"),
            }
        }
        if self.peek() != Some(b':') {
            return fault(self.at, format!("expected `:` after {}", quote(&name)));
        }
        self.at += 1;
        Ok(name)
    }

    fn flow_mapping(&mut self, each: &mut impl FnMut(&mut Self, Key<'a>) -> Result<()>) -> Result<()> {
        let mut seen = Seen::default();
        self.flow_list(b'}', |yaml| {
            let at = yaml.at;
            let (name, end) = scalar::key(yaml.text, at, true)?;
            yaml.at = end;
            seen.insert(at, name.clone())?;
            yaml.flow_blank()?;
            if yaml.peek() != Some(b':') {
                return fault(yaml.at, format!("expected `:` after {}", quote(&name)));
            }
            yaml.at += 1;
            each(yaml, Key { name, at })
        })
    }

    fn flow_sequence(&mut self, each: &mut impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.flow_list(b']', each)
    }

    fn flow_list(&mut self, close: u8, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if self.depth == DEPTH {
            return fault(self.at, format!("nested deeper than {DEPTH} levels"));
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.flow, true);
        self.at += 1;
        loop {
            self.flow_blank()?;
            if self.peek() == Some(close) {
                break;
            }
            each(self)?;
            self.flow_blank()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b) if b == close => break,
                _ => return fault(self.at, format!("expected `,` or `{}`", char::from(close))),
            }
        }
        self.at += 1;
        self.flow = outer;
        self.depth -= 1;
        if !self.flow {
            self.line_end()?;
        }
        Ok(())
    }

    /// What begins in the middle of a line: a block after `- ` or an explicit key's `:`, or else a scalar.
    fn on_this_line(&self) -> Shape {
        let before = self.text[self.line_start..self.at].trim_end_matches(' ');
        let opened = before.bytes().all(|b| matches!(b, b' ' | b'-')) || before.trim_start() == ":";
        if opened && self.is_dash(self.at) {
            Shape::Sequence
        } else if opened && scalar::key(self.text, self.at, false).is_ok_and(|(_, end)| self.text[end..].starts_with(':')) {
            Shape::Mapping
        } else {
            Shape::Scalar
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The whole value, scalars as strings.
    fn value(yaml: &mut Yaml<'_>) -> Result<Value> {
        Ok(match yaml.shape()? {
            Shape::Null => Value::Null,
            Shape::Scalar => yaml.scalar()?.into_owned().into(),
            Shape::Sequence => {
                let mut list = Vec::new();
                yaml.sequence(|yaml| {
                    list.push(value(yaml)?);
                    Ok(())
                })?;
                list.into()
            }
            Shape::Mapping => {
                let mut map = serde_json::Map::new();
                yaml.mapping(|yaml, key| {
                    map.insert(key.name.into_owned(), value(yaml)?);
                    Ok(())
                })?;
                map.into()
            }
        })
    }

    fn parse(text: &str) -> Result<Vec<Value>> {
        let mut yaml = Yaml::new(text);
        let mut documents = Vec::new();
        while yaml.document()? {
            documents.push(value(&mut yaml)?);
        }
        Ok(documents)
    }

    #[test]
    fn what_pnpm_and_yarn_write_is_read() {
        let text = "# head\n\nlockfileVersion: '9.0'\nempty: {}\nnothing:\nimporters:\n\n  .:\n    a: 1.10 # why\n    'b''c': \"d\\u0065\"\n\npackages:\n  /@a/b@1(c@2):\n    \
                    resolution: {integrity: sha512-x==, tarball: https://h/x.tgz}\n    engines: {node: '>=4', 'a b': [x, y,]}\n    list:\n    - p\n    - q: 1\n      r:\n        - s\n    - - t\n      \
                    - u\n    deprecated: >-\n      one\n      two\n\n      three\n    text: |\n      x\n        y\n    after: yes\n? \"long, key\"\n:\n  v: 1\n? k2\n: w\n";
        let wanted = json!({
            "lockfileVersion": "9.0", "empty": {}, "nothing": null,
            "importers": {".": {"a": "1.10", "b'c": "de"}},
            "packages": {"/@a/b@1(c@2)": {
                "resolution": {"integrity": "sha512-x==", "tarball": "https://h/x.tgz"},
                "engines": {"node": ">=4", "a b": ["x", "y"]},
                "list": ["p", {"q": "1", "r": ["s"]}, ["t", "u"]],
                "deprecated": "one two\nthree", "text": "x\n  y", "after": "yes",
            }},
            "long, key": {"v": "1"}, "k2": "w",
        });
        assert_eq!(parse(text), Ok(vec![wanted.clone()]));
        assert_eq!(parse(&text.replace('\n', "\r\n")), Ok(vec![wanted]));
    }

    #[test]
    fn documents_are_kept_apart() {
        assert_eq!(parse("---\na: 1\n\n---\nb: 2\n...\n"), Ok(vec![json!({"a": "1"}), json!({"b": "2"})]));
        assert_eq!(parse("# only\n"), Ok(vec![]));
    }

    #[test]
    fn what_lockfiles_never_have_is_refused_with_its_place() {
        for (text, at, said) in [
            ("a: &x 1\n", 3, "an anchor"),
            ("a: *x\n", 3, "an alias"),
            ("a: !!str 1\n", 3, "a tag"),
            ("a:\n\tb: 1\n", 3, "a tab"),
            ("a: b\n  c\n", 7, "several lines"),
            ("a: \"b\n  c\"\n", 3, "no end on its line"),
            ("a: 1\na: 2\n", 5, "appears twice"),
            ("a: {b: 1, b: 2}\n", 10, "appears twice"),
            ("a: {b: [c}\n", 9, "expected `,`"),
            ("a: b: c\n", 4, "a key where"),
            ("- a\nb: 1\n", 4, "expected the end of the file"),
            ("a:\n    b: 1\n  c: 1\n", 14, "indented"),
        ] {
            let e = parse(text).unwrap_err();
            assert!(e.at == at && e.message.contains(said), "{text:?}: {e:?}");
        }
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        assert!(parse(&format!("a: {}", "[".repeat(100_000))).unwrap_err().message.contains("nested deeper"));
        assert!(parse(&"- ".repeat(100_000)).unwrap_err().message.contains("nested deeper"));
        let steps: String = (0..3000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
        assert!(parse(&steps).unwrap_err().message.contains("nested deeper"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([ \\n'\"{}\\[\\],:#|>?&*!\\\\\\r\\t-]|[ab1]|\\PC){0,40}") {
            let _ = parse(&text);
        }
    }
}
