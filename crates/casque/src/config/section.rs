//! One table, read key by key.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{At, Problem, Severity, nearest, values};

/// A table being read. Every key it is asked for counts as known; [`Section::finish`] reports the rest.
#[derive(Debug)]
pub struct Section<'d, 'i> {
    table: &'d DeTable<'i>,
    span: Range<usize>,
    /// As written in a header: `server`, `route.headers`; empty at the top.
    path: String,
    known: Vec<&'static str>,
    problems: &'d RefCell<Vec<Problem>>,
}

impl<'d, 'i> Section<'d, 'i> {
    pub(super) fn new(table: &'d DeTable<'i>, span: Range<usize>, path: String, problems: &'d RefCell<Vec<Problem>>) -> Self {
        Self { table, span, path, known: Vec::new(), problems }
    }

    /// Where the table stands.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where a key's value stands, whatever it is.
    #[must_use]
    pub fn value_span(&self, key: &str) -> Option<Range<usize>> {
        self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v.span())
    }

    /// Whether a key stands there, whatever its value.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.value_span(key).is_some()
    }

    /// Notes an error at a place.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) {
        self.note(Severity::Error, span, message, label);
    }

    /// Notes a warning at a place.
    pub fn warn(&self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) {
        self.note(Severity::Warning, span, message, label);
    }

    fn note(&self, severity: Severity, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { severity, span, message: message.into(), label: label.into() });
    }

    fn get(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'i>>, wanted: &str) {
        self.error(value.span(), format!("`{key}` is {}", a(value.get_ref().type_str())), format!("expected {wanted}"));
    }

    /// Reads a text with `parse`, whose error becomes the label under it.
    pub fn parsed<T>(&mut self, key: &'static str, wanted: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<At<T>> {
        let value = self.get(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, wanted);
            return None;
        };
        match parse(text) {
            Ok(parsed) => Some(At { value: parsed, span: value.span() }),
            Err(label) => {
                self.error(value.span(), format!("`{key}` cannot be \"{text}\""), label);
                None
            }
        }
    }

    /// A text.
    pub fn string(&mut self, key: &'static str) -> Option<At<String>> {
        self.parsed(key, "a text in quotes", |s| Ok(s.to_owned()))
    }

    /// A duration, such as `"10s"`.
    pub fn duration(&mut self, key: &'static str) -> Option<At<Duration>> {
        self.parsed(key, "a duration such as \"10s\"", values::duration)
    }

    /// A duration, or the word that means none.
    pub fn duration_or(&mut self, key: &'static str, none: &str) -> Option<At<Option<Duration>>> {
        self.parsed(key, "a duration such as \"10s\"", |s| if s == none { Ok(None) } else { values::duration(s).map(Some) })
    }

    /// A size, such as `"64KiB"`, or the word that means none.
    pub fn size_or(&mut self, key: &'static str, none: &str) -> Option<At<Option<u64>>> {
        self.parsed(key, "a size such as \"64KiB\"", |s| if s == none { Ok(None) } else { values::size(s).map(Some) })
    }

    /// A size, such as `"64KiB"`.
    pub fn size(&mut self, key: &'static str) -> Option<At<u64>> {
        self.parsed(key, "a size such as \"64KiB\"", values::size)
    }

    /// One of a list of words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&'static str, T)]) -> Option<At<T>> {
        let names: Vec<&str> = choices.iter().map(|(n, _)| *n).collect();
        let list = one_of(&names);
        self.parsed(key, &list, |s| {
            choices.iter().find(|(n, _)| *n == s).map(|(_, v)| *v).ok_or_else(|| match nearest(s, names.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("expected {list}"),
            })
        })
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &'static str) -> Option<At<bool>> {
        let value = self.get(key)?;
        let Some(b) = value.get_ref().as_bool() else {
            self.wrong_type(key, value, "`true` or `false`");
            return None;
        };
        Some(At { value: b, span: value.span() })
    }

    /// A whole number from `range`.
    pub fn integer(&mut self, key: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<At<u64>> {
        let value = self.get(key)?;
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(n) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, &wanted);
            return None;
        };
        match u64::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) if range.contains(&n) => Some(At { value: n, span: value.span() }),
            _ => {
                self.error(value.span(), format!("`{key}` cannot be {}", n.as_str()), format!("expected {wanted}"));
                None
            }
        }
    }

    /// A day, with quotes or without: `2027-01-31`. `parse` is given its text.
    pub fn day<T>(&mut self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<At<T>> {
        const WANTED: &str = "a day such as 2027-01-31";
        let value = self.get(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(day) if day.time.is_none() => day.to_string(),
            _ => {
                self.wrong_type(key, value, WANTED);
                return None;
            }
        };
        match parse(&text) {
            Ok(day) => Some(At { value: day, span: value.span() }),
            Err(label) => {
                self.error(value.span(), format!("`{key}` cannot be {text}"), label);
                None
            }
        }
    }

    /// A value whose kind is for the reader to find out.
    pub fn value(&mut self, key: &'static str) -> Option<OpenValue<'d, 'i>> {
        let value = self.get(key)?;
        Some(OpenValue { value, path: self.below(key), problems: self.problems })
    }

    /// A list of texts.
    pub fn strings(&mut self, key: &'static str) -> Option<At<Vec<At<String>>>> {
        let value = self.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of texts in quotes");
            return None;
        };
        let mut list = Vec::new();
        for item in array {
            match item.get_ref().as_str() {
                Some(s) => list.push(At { value: s.to_owned(), span: item.span() }),
                None => self.wrong_type(key, item, "a text in quotes"),
            }
        }
        Some(At { value: list, span: value.span() })
    }

    /// A table inside this one.
    pub fn section(&mut self, key: &'static str) -> Option<Self> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, &format!("a section, [{}]", self.below(key)));
            return None;
        };
        Some(Section::new(table, value.span(), self.below(key), self.problems))
    }

    /// A list of tables, `[[key]]`. `None` when it is not there at all; `key = []` is an empty list.
    pub fn sections(&mut self, key: &'static str) -> Option<Vec<Self>> {
        let value = self.get(key)?;
        let path = self.below(key);
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &format!("a list of sections, [[{path}]]"));
            return None;
        };
        let mut list = Vec::new();
        for item in array {
            match item.get_ref().as_table() {
                Some(table) => list.push(Section::new(table, item.span(), path.clone(), self.problems)),
                None => self.wrong_type(key, item, &format!("a section, [[{path}]]")),
            }
        }
        Some(list)
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The keys that nobody asked for, with their values, for a section whose keys are open (such as header names). They count
    /// as known afterwards.
    pub fn open_keys(&mut self) -> Vec<(At<String>, OpenValue<'d, 'i>)> {
        let known = std::mem::take(&mut self.known);
        let open = self
            .table
            .iter()
            .filter(|(k, _)| !known.iter().any(|n| k.get_ref() == n))
            .map(|(k, v)| {
                let key = At { value: k.get_ref().to_string(), span: k.span() };
                let path = self.below(&key.value);
                (key, OpenValue { value: v, path, problems: self.problems })
            })
            .collect();
        self.known = known;
        open
    }

    /// Reports what was not asked for.
    pub fn finish(self) {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let place = if self.path.is_empty() { "at the top of the file".to_owned() } else { format!("in [{}]", self.path) };
            let label = match nearest(name, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")),
            };
            self.error(key.span(), format!("unknown key `{name}` {place}"), label);
        }
    }

    /// Ends the reading of a section with open keys.
    pub fn finish_open(self) {}
}

/// The value of an open key: what it is is for the reader to find out.
#[derive(Debug)]
pub struct OpenValue<'d, 'i> {
    value: &'d Spanned<DeValue<'i>>,
    path: String,
    problems: &'d RefCell<Vec<Problem>>,
}

impl<'d, 'i> OpenValue<'d, 'i> {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// As the parser gave it.
    pub(crate) fn raw(&self) -> &'d Spanned<DeValue<'i>> {
        self.value
    }

    /// If it is a text.
    #[must_use]
    pub fn as_str(&self) -> Option<&'d str> {
        self.value.get_ref().as_str()
    }

    /// If it is a list of texts: each with its place.
    #[must_use]
    pub fn as_texts(&self) -> Option<Vec<At<&'d str>>> {
        let array = self.value.get_ref().as_array()?;
        array.iter().map(|item| item.get_ref().as_str().map(|value| At { value, span: item.span() })).collect()
    }

    /// If it is `true` or `false`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    /// If it is a table.
    #[must_use]
    pub fn as_section(&self) -> Option<Section<'d, 'i>> {
        let table = self.value.get_ref().as_table()?;
        Some(Section::new(table, self.value.span(), self.path.clone(), self.problems))
    }

    /// What it is instead, for a message.
    #[must_use]
    pub fn kind(&self) -> String {
        a(self.value.get_ref().type_str())
    }
}

fn a(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("\"{n}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::*;

    fn problems(text: &str, read: impl FnOnce(&mut Section<'_, '_>)) -> Vec<String> {
        let document = Document::parse(text);
        let mut root = document.root();
        read(&mut root);
        root.finish();
        document.problems().into_iter().map(|p| format!("{}: {} ({})", &text[p.span], p.message, p.label)).collect()
    }

    #[test]
    fn all_problems_come_at_once_each_at_its_place() {
        let found = problems("listen = 3\nthraeds = 2\nmode = \"enfroce\"\ntimeout = \"10\"\n", |root| {
            root.string("listen");
            root.integer("threads", 0..=64);
            root.choice("mode", &[("enforce", 1), ("observe", 2)]);
            root.duration("timeout");
        });
        assert_eq!(
            found,
            [
                "3: `listen` is an integer (expected a text in quotes)",
                "thraeds: unknown key `thraeds` at the top of the file (did you mean `threads`?)",
                "\"enfroce\": `mode` cannot be \"enfroce\" (did you mean \"enforce\"?)",
                "\"10\": `timeout` cannot be \"10\" (write a number and a unit: \"500ms\", \"10s\", \"5m\", \"2h\" or \"7d\")",
            ]
        );
    }

    #[test]
    fn syntax_errors_are_problems_and_the_rest_is_still_read() {
        let text = "a = \n[b]\nc = 1\nunknown = 1\n";
        let document = Document::parse(text);
        let mut root = document.root();
        root.string("a");
        let mut b = root.section("b").unwrap();
        assert_eq!(b.integer("c", 0..=9).unwrap().value, 1);
        b.finish();
        root.finish();
        assert_eq!(document.problems().len(), 2, "{:?}", document.problems());
    }

    #[test]
    fn wrong_kinds_are_named() {
        let found = problems("server = 1\n[[limit]]\nx = 1\n[paths]\n", |root| {
            assert!(root.section("server").is_none());
            for s in root.sections("limit").unwrap() {
                s.finish();
            }
            assert!(root.strings("paths").is_none());
        });
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("expected a section, [server]"));
        assert!(found[1].contains("unknown key `x` in [limit]"));
    }

    #[test]
    fn days_are_written_with_quotes_or_without() {
        let day = |text: &str| if text == "2027-01-31" { Ok(1) } else { Err("no".to_owned()) };
        let found = problems("a = 2027-01-31\nb = '2027-01-31'\nc = 2027-01-31T10:00:00Z\nd = 'soon'\n", |root| {
            assert_eq!(root.day("a", day).unwrap().value, 1);
            assert_eq!(root.day("b", day).unwrap().value, 1);
            assert!(root.day("c", day).is_none() && root.day("d", day).is_none());
        });
        assert_eq!(
            found,
            ["2027-01-31T10:00:00Z: `c` is a datetime (expected a day such as 2027-01-31)", "'soon': `d` cannot be soon (no)"]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]a-c=\"'\\n .0-9{}#,]{0,60}") {
            problems(&text, |root| {
                root.string("a");
                if let Some(mut s) = root.section("b") { s.duration("a"); s.finish(); }
                for s in root.sections("c").unwrap_or_default() { s.finish(); }
            });
        }
    }
}
