//! `[headers] helmet`: a helmet options object, as a table or as JSON in quotes.

use std::ops::Range;

use crate::config::{At, OpenValue, Section, Severity};
use crate::headers::builder::Builder;
use crate::headers::helmet::{Outcome, Problem, Release, Value, read};
use crate::headers::{HeaderPolicy, Origin, Preset};

/// What the options ask for, and where they stand.
#[derive(Debug, Clone)]
pub(super) struct WrittenHelmet(At<Outcome>);

impl WrittenHelmet {
    /// Reads the options; `None` if there are none, or they have an error.
    pub(super) fn read(section: &mut Section<'_, '_>) -> Option<Self> {
        let release = section.choice("helmet-release", &Release::NAMES);
        let Some(written) = section.value("helmet") else {
            if let Some(release) = release {
                section.error(release.span, "`helmet-release` without `helmet`", "it says which release's options `helmet` holds");
            }
            return None;
        };
        let place = written.span();
        let (options, shift) = match written.as_str() {
            None => (Ok(written.to_helmet()), Some(0)),
            Some(json) => (Value::from_json(json), start_of_text(&place, json)),
        };
        let (outcome, problems) = match options {
            Ok(options) => read(release.map(|r| r.value).unwrap_or_default(), &options),
            Err(problem) => (Outcome::default(), vec![problem]),
        };
        let mut usable = true;
        for Problem { severity, span, path, message, remedy } in problems {
            let at = shift.map_or_else(|| place.clone(), |shift| span.start + shift..span.end + shift);
            let message = if path.is_empty() { format!("`helmet` {message}") } else { format!("`helmet.{path}` {message}") };
            if severity == Severity::Error {
                usable = false;
                section.error(at, message, remedy);
            } else {
                section.warn(at, message, remedy);
            }
        }
        usable.then_some(Self(At { value: outcome, span: place }))
    }

    /// Where it stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// A policy of nothing but what helmet would do.
    pub(super) fn builder(&self) -> Builder {
        let At { value: outcome, span } = &self.0;
        let builder = HeaderPolicy::builder(Preset::Off).origin(Origin::Helmet(span.clone()));
        builder.with_helmet(&outcome.set, &outcome.remove)
    }
}

/// How far into the file the text between a pair of quotes begins, when its letters stand there as they are.
fn start_of_text(place: &Range<usize>, text: &str) -> Option<usize> {
    // One quote on each side; three; and three with the line break that TOML drops.
    [(2, 1), (6, 3), (7, 4), (8, 5)].iter().find(|(quotes, _)| place.len() == text.len() + quotes).map(|(_, before)| place.start + before)
}

impl OpenValue<'_, '_> {
    fn to_helmet(&self) -> Value {
        Value::from_toml(self.raw())
    }
}
