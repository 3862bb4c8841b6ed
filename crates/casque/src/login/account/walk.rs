//! The way to a value, step by step, and what stands at its end. Forms, multipart and JSON all walk here.

use std::collections::HashMap;

use super::Found;
use super::fields::{AccountFields, fold, is_index};
use super::name::Name;
use super::refusal::Refusal;

/// Values that are looked at. A log-in has one or two.
const MOST_VALUES: usize = 16;
/// How deep a value may be.
pub(super) const DEEPEST: usize = 32;
/// Names in different fields of one request, beyond those that one field may have.
const MORE_FIELDS: usize = 3;

/// Where in the request a name was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Query,
    Form,
    Json,
    Multipart,
    Header,
    Basic,
}

/// A value at the end of a way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'v> {
    Text(&'v [u8]),
    /// As it is written.
    Number(&'v str),
    Bool,
    Null,
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    source: Source,
    way: String,
    /// The indexes on the way. Values that differ in nothing else are one.
    place: Vec<usize>,
    value: Vec<u8>,
}

/// The values found so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    seen: Vec<Seen>,
    overflow: bool,
    /// Elements of the array that is the whole body.
    elements: usize,
}

impl Gathered {
    pub(super) fn add(&mut self, source: Source, way: &str, place: &[usize], value: &[u8]) {
        let same = |s: &Seen| s.source == source && s.way == way && s.place == place && s.value == value;
        if self.overflow || self.seen.iter().any(same) {
            return;
        }
        if self.seen.len() == MOST_VALUES {
            self.overflow = true;
            return;
        }
        self.seen.push(Seen { source, way: way.to_owned(), place: place.to_vec(), value: value.to_vec() });
    }

    /// The whole body is an array of so many elements.
    pub(super) fn batch(&mut self, elements: usize) {
        self.elements = self.elements.max(elements);
    }

    pub(super) fn names(self, fields: &AccountFields) -> Result<Found, Refusal> {
        if self.overflow {
            return Ok(Found::TooMany(MOST_VALUES + 1));
        }
        if self.elements > fields.most_names() {
            return Ok(Found::TooMany(self.elements));
        }
        let mut read: Vec<(Name, &Seen)> = Vec::new();
        for seen in &self.seen {
            let name = if seen.source == Source::Header { Name::read_key(&seen.value) } else { Name::read(&seen.value) };
            let Some(name) = name? else { continue };
            let known = |(n, s): &(Name, &Seen)| *n == name && s.source == seen.source && s.way == seen.way && s.place == seen.place;
            if !fields.is_label(&seen.way, name.as_str()) && !read.iter().any(known) {
                read.push((name, seen));
            }
        }
        let same_field = |a: &Seen, b: &Seen| a.source == b.source && a.way == b.way;
        let largest = read.iter().map(|(_, a)| read.iter().filter(|(_, b)| same_field(a, b)).count()).max().unwrap_or(0);
        if largest > fields.most_names() {
            return Ok(Found::TooMany(largest));
        }
        let mut names: Vec<Name> = Vec::new();
        for (name, _) in &read {
            if names.contains(name) {
                continue;
            }
            let times = |field: &Seen| read.iter().filter(|(n, s)| n == name && same_field(field, s)).count();
            let times = read.iter().map(|(_, field)| times(field)).max().unwrap_or(1);
            let joined = read.iter().filter(|(n, _)| n == name).fold(name.clone(), |joined, (n, _)| joined.joined(n));
            names.extend(std::iter::repeat_n(joined, times));
        }
        Ok(match names.len() {
            0 => Found::Nothing,
            many if many > fields.most_names() + MORE_FIELDS => Found::TooMany(many),
            _ => Found::Names(names),
        })
    }
}

#[derive(Debug)]
struct Step {
    /// How long the way and the place were before it.
    way: usize,
    place: usize,
    /// A key, not an index.
    key: bool,
    /// The way up to here leads to a name.
    hit: bool,
}

/// A walk through one reading of a request.
#[derive(Debug)]
pub(super) struct Walk<'w> {
    fields: &'w AccountFields,
    source: Source,
    gathered: &'w mut Gathered,
    way: String,
    place: Vec<usize>,
    steps: Vec<Step>,
    /// Fields that turned out to hold an object: whether a field that is known was in it.
    objects: HashMap<(Vec<usize>, String), bool>,
    /// The index that the next `[]` gets, from above, so that it meets no written one.
    next: usize,
}

impl<'w> Walk<'w> {
    pub(super) fn new(fields: &'w AccountFields, source: Source, gathered: &'w mut Gathered) -> Self {
        Self {
            fields,
            source,
            gathered,
            way: String::new(),
            place: Vec::new(),
            steps: Vec::new(),
            objects: HashMap::new(),
            next: usize::MAX,
        }
    }

    /// Into an object's value.
    pub(super) fn key(&mut self, key: &str) -> Result<(), Refusal> {
        if key == "__proto__" || key.contains('\0') {
            return Err(Refusal::NoName);
        }
        if is_index(key) {
            return self.index(key.parse().unwrap_or(usize::MAX));
        }
        if self.in_field() {
            if key.trim_start().starts_with('$') {
                return Err(Refusal::NoName);
            }
            self.objects.entry((self.place.clone(), self.way.clone())).or_insert(false);
        }
        let step = Step { way: self.way.len(), place: self.place.len(), key: true, hit: false };
        self.push(step)?;
        fold(key, &mut self.way);
        let starts = self.steps.iter().filter(|s| s.key).map(|s| s.way).take(self.fields.parents() + 1);
        let hit = starts.filter_map(|start| self.way.get(start..)).any(|way| self.fields.is_named(way)) || self.fields.is_flattened(key);
        if let Some(step) = self.steps.last_mut() {
            step.hit = hit;
        }
        Ok(())
    }

    /// Into an array's element.
    pub(super) fn index(&mut self, index: usize) -> Result<(), Refusal> {
        let hit = self.in_field();
        self.push(Step { way: self.way.len(), place: self.place.len(), key: false, hit })?;
        self.place.push(index);
        Ok(())
    }

    /// Into the next element of a form's `[]`.
    pub(super) fn next_index(&mut self) -> Result<(), Refusal> {
        self.next -= 1;
        self.index(self.next)
    }

    /// `[]` counts from the start again.
    pub(super) fn again(&mut self) {
        self.next = usize::MAX;
    }

    fn push(&mut self, step: Step) -> Result<(), Refusal> {
        if self.steps.len() == DEEPEST {
            return Err(Refusal::Depth);
        }
        self.steps.push(step);
        Ok(())
    }

    /// A step back.
    pub(super) fn back(&mut self) {
        if let Some(step) = self.steps.pop() {
            self.way.truncate(step.way);
            self.place.truncate(step.place);
        }
    }

    /// All the way back.
    pub(super) fn home(&mut self) {
        self.steps.clear();
        self.way.clear();
        self.place.clear();
    }

    /// Whether a value here is a name.
    pub(super) fn in_field(&self) -> bool {
        self.steps.last().is_some_and(|s| s.hit)
    }

    /// The value here.
    pub(super) fn value(&mut self, value: Value<'_>) -> Result<(), Refusal> {
        if !self.in_field() {
            // GraphQL servers read `variables` out of a string too.
            let is_document = |text: &[u8]| matches!(text.trim_ascii_start(), [b'{' | b'[', ..]);
            return match value {
                Value::Text(text) if is_document(text) && self.fields.is_above(&self.way) => Err(Refusal::NoName),
                _ => Ok(()),
            };
        }
        for pair in self.steps.windows(2) {
            if let [upper, Step { way, place, key: true, .. }] = pair
                && upper.hit
            {
                let object = (self.place.get(..*place).unwrap_or_default().to_vec(), self.way.get(..*way).unwrap_or_default().to_owned());
                self.objects.insert(object, true);
            }
        }
        let text = match value {
            Value::Null => return Ok(()),
            Value::Bool => return Err(Refusal::NoName),
            Value::Number(digits) => whole_number(digits).ok_or(Refusal::NoName)?,
            Value::Text(text) => text,
        };
        self.gathered.add(self.source, &self.way, &self.place, text);
        Ok(())
    }

    /// The end of the walk.
    ///
    /// # Errors
    /// A field held an object, in which no other field was.
    pub(super) fn end(&self) -> Result<(), Refusal> {
        if self.objects.values().all(|known| *known) { Ok(()) } else { Err(Refusal::NoName) }
    }
}

/// A number that has one spelling: whole, without exponent, and small enough for every language.
fn whole_number(digits: &str) -> Option<&[u8]> {
    (digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits.as_bytes())
}
