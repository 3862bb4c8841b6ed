//! One middleware's options, read key by key.

use crate::config::nearest;

use super::Result;
use super::report::{Place, Report, Reported};
use super::value::{Key, Kind, Value, shown};

/// A middleware's options being read. Each key that is asked for counts as known; [`Options::finish`] reports the rest.
#[derive(Debug)]
pub(super) struct Options<'v> {
    /// Where they stand; where the option itself stands if it was just switched on.
    pub(super) place: Place,
    pub(super) part: Part,
    /// Whether there is a table of options, be it empty.
    written: bool,
    entries: Vec<(String, &'v Key, &'v Value)>,
    known: Vec<&'static str>,
    /// Known as well, but nothing to recommend.
    retired: Vec<&'static str>,
    pub(super) report: &'v Report,
}

/// How a middleware came to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// By itself, as `helmet.hsts(...)`.
    Alone,
    /// As a part of helmet as a whole, because it was written down.
    OfTheWhole,
    /// As a part of helmet as a whole that runs unless it is switched off.
    ByDefault,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Found<'v> {
    pub(super) place: Place,
    pub(super) value: &'v Value,
}

impl<'v> Options<'v> {
    /// No options: `true`, or on by default.
    pub(super) fn none(place: Place, part: Part, report: &'v Report) -> Self {
        Self { place, part, written: false, entries: Vec::new(), known: Vec::new(), retired: Vec::new(), report }
    }

    /// The options in a table. The two spellings of one key count as the same key.
    pub(super) fn read(value: &'v Value, place: Place, part: Part, report: &'v Report) -> Result<Self> {
        let Some(map) = value.as_map() else {
            return Err(report.error(&place, format!("the options are {}", value.described()), "expected a table of options"));
        };
        let mut options = Self { written: true, ..Self::none(place, part, report) };
        let mut failed = None;
        for (key, value) in map {
            let name = camel(&key.name);
            if let Some((_, first, _)) = options.entries.iter().find(|(n, ..)| *n == name) {
                let message = format!("{} and {} are the same option", shown(&first.name), shown(&key.name));
                failed = Some(report.error(&options.place.key(&key.name, &key.span), message, "keep one of the two"));
            }
            options.entries.push((name, key, value));
        }
        failed.map_or(Ok(options), Err)
    }

    /// Treats `null` as not written, as helmet 3 does here and there.
    pub(super) fn without_nulls(mut self, keys: &[&str]) -> Self {
        self.entries.retain(|(name, _, value)| !(keys.contains(&name.as_str()) && matches!(value.kind, Kind::Null)));
        self
    }

    pub(super) fn get(&mut self, name: &'static str) -> Option<Found<'v>> {
        self.known.push(name);
        self.find(name)
    }

    /// As [`Options::get`], for a key that no mistake should be corrected to.
    pub(super) fn get_retired(&mut self, name: &'static str) -> Option<Found<'v>> {
        self.retired.push(name);
        self.find(name)
    }

    fn find(&self, name: &str) -> Option<Found<'v>> {
        let (_, key, value) = self.entries.iter().find(|(n, ..)| n == name)?;
        Some(Found { place: self.place.key(&key.name, &value.span), value })
    }

    /// `true` or `false`. `null` is as good as `false` where `false` is the default.
    pub(super) fn boolean(&mut self, name: &'static str, default: bool) -> Result<bool> {
        let Some(found) = self.get(name) else { return Ok(default) };
        match found.value.as_bool() {
            Some(b) => Ok(b),
            None if found.value.is_null() && !default => Ok(false),
            None => Err(self.wrong_type(name, &found, "`true` or `false`")),
        }
    }

    /// A text; an empty one, and `null`, are as good as none.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<&'v str>> {
        let Some(found) = self.get(name) else { return Ok(None) };
        match found.value.as_text() {
            Some(text) => Ok(Some(text).filter(|t| !t.is_empty())),
            None if found.value.is_null() => Ok(None),
            None => Err(self.wrong_type(name, &found, "a text in quotes")),
        }
    }

    /// One of a list of words, exactly as they stand there.
    pub(super) fn choice(&mut self, name: &'static str, words: &[&'static str], default: &'static str) -> Result<&'static str> {
        let Some(found) = self.get(name) else { return Ok(default) };
        let Some(text) = found.value.as_text() else { return Err(self.wrong_type(name, &found, &one_of(words))) };
        words.iter().find(|w| **w == text).copied().ok_or_else(|| {
            let message = format!("`{name}` cannot be {}", shown(text));
            self.report.error(&found.place, message, near_or(text, words.iter().copied(), &format!("expected {}", one_of(words))))
        })
    }

    /// Seconds for a `max-age`: at least 0, rounded by `round`, written as JavaScript writes them.
    pub(super) fn seconds(&mut self, name: &'static str, default: f64, round: fn(f64) -> f64) -> Result<String> {
        let Some(found) = self.get(name) else { return Ok(decimal(default)) };
        let Some(n) = found.value.as_number() else { return Err(self.wrong_type(name, &found, "a number of seconds")) };
        // From 1e21 on JavaScript writes an exponent, which no `max-age` may hold (RFC 9111 1.2.2: digits only).
        if !(0.0..1e21).contains(&n) {
            let remedy = "expected a number of seconds, 0 or more: a year is 31536000";
            return Err(self.report.error(&found.place, format!("`{name}` cannot be {n}"), remedy));
        }
        Ok(decimal(round(n)))
    }

    pub(super) fn wrong_type(&self, name: &str, found: &Found<'_>, wanted: &str) -> Reported {
        self.report.error(&found.place, format!("`{name}` is {}", found.value.described()), format!("expected {wanted}"))
    }

    /// An option that stands there and cannot be taken.
    pub(super) fn refuse(&mut self, name: &'static str, why: &str, remedy: &str) -> Result<()> {
        match self.get_retired(name) {
            Some(found) => Err(self.report.error(&found.place, format!("`{name}` {why}"), remedy)),
            None => Ok(()),
        }
    }

    /// An option that an older release had and that does nothing here.
    pub(super) fn outdated(&mut self, name: &'static str, why: &str, remedy: &str) {
        if let Some(found) = self.get_retired(name) {
            self.report.warn(&found.place, format!("`{name}` {why}"), remedy);
        }
    }

    /// A function of JavaScript in helmet, which no file can hold.
    pub(super) fn function(&mut self, name: &'static str) -> Result<()> {
        self.refuse(name, "is a function in helmet", "casque asks no function: take it out; routes of the policy file choose by request")
    }

    /// Reports what was not asked for.
    pub(super) fn finish(self) -> Result<()> {
        let mut result = Ok(());
        for (name, key, _) in &self.entries {
            if self.known.iter().chain(&self.retired).any(|k| k == name) {
                continue;
            }
            let known: Vec<String> = self.known.iter().map(|k| format!("`{k}`")).collect();
            let known = if known.is_empty() { "it takes no options".to_owned() } else { format!("known here: {}", known.join(", ")) };
            let message = format!("unknown option {}", shown(&key.name));
            let place = self.place.key(&key.name, &key.span);
            result = Err(self.report.error(&place, message, near_or(name, self.known.iter().copied(), &known)));
        }
        result
    }

    /// For a middleware that takes no options: helmet runs it all the same, and as a whole says so.
    pub(super) fn ignore_all(&self, header: &str) {
        if self.written && self.part == Part::OfTheWhole {
            self.warn_of_options(header);
        }
    }

    pub(super) fn warn_of_options(&self, header: &str) {
        self.report.warn(&self.place, format!("{header} takes no options, these do nothing"), "write `true`, or leave it out");
    }
}

/// "did you mean", or what else there is to say.
pub(super) fn near_or<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>, otherwise: &str) -> String {
    match nearest(word, candidates) {
        Some(near) if !near.is_empty() => format!("did you mean \"{near}\"?"),
        _ => otherwise.to_owned(),
    }
}

pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A key in camelCase: `include-sub-domains` is `includeSubDomains`. What is no kebab-case is left alone.
pub(super) fn camel(key: &str) -> String {
    let mut words = key.split('-');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) => out.extend(first.to_uppercase().chain(letters)),
            None => out.push('-'),
        }
    }
    out
}

/// A whole number below 1e21 as JavaScript writes it.
fn decimal(n: f64) -> String {
    // Adding zero takes the sign off -0.
    format!("{}", n + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_one_key() {
        assert_eq!(camel("include-sub-domains"), "includeSubDomains");
        assert_eq!(camel("x-dns-prefetch-control"), "xDnsPrefetchControl");
        assert_eq!(camel("maxAge"), "maxAge");
        assert_eq!(camel("a--b-"), "a-B-");
        let value = Value::from_json("{\"max-age\": 1, \"maxAge\": 2}").unwrap();
        let report = Report::default();
        assert!(Options::read(&value, Place::default(), Part::Alone, &report).is_err());
        assert_eq!(report.into_problems()[0].message, "\"max-age\" and \"maxAge\" are the same option");
    }

    #[test]
    fn seconds_are_written_as_javascript_writes_them() {
        for (json, floor, round) in [
            ("-0", "0", "0"),
            ("1.5", "1", "2"),
            ("1.4", "1", "1"),
            ("123456789012345680000", "123456789012345680000", "123456789012345680000"),
        ] {
            let value = Value::from_json(&format!("{{\"maxAge\": {json}}}")).unwrap();
            let report = Report::default();
            let mut options = Options::read(&value, Place::default(), Part::Alone, &report).unwrap();
            assert_eq!(options.seconds("maxAge", 1.0, f64::floor).unwrap(), floor);
            assert_eq!(options.seconds("maxAge", 1.0, f64::round).unwrap(), round);
        }
    }
}
