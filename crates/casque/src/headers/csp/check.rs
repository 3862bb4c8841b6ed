//! Whether a directive is what its author means: every kind of directive, every byte of it.

use std::collections::HashSet;
use std::ops::Range;

use super::names::{self, Known, Shape};
use super::policy::Directive;
use super::{source_check, words_check};
use crate::nearest::nearest;
use crate::problem::{Problem, Severity};

/// More than a reader takes in at once; a text of a thousand mistakes is not a policy.
const MOST_PROBLEMS: usize = 50;

/// A word, and where it begins in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) text: &'t str,
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

/// The problems so far, and the names that were seen.
#[derive(Debug, Default)]
pub(super) struct Checked {
    problems: Vec<Problem>,
    failed: bool,
    seen: HashSet<String>,
}

impl Checked {
    pub(super) fn error(&mut self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) {
        self.failed = true;
        self.note(Severity::Error, span, message.into(), label.into());
    }

    pub(super) fn warn(&mut self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) {
        self.note(Severity::Warning, span, message.into(), label.into());
    }

    fn note(&mut self, severity: Severity, span: Range<usize>, message: String, label: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { severity, span, message, label });
        }
    }

    /// Whether there is still room to say more; hints that take long to find are not looked for after that.
    pub(super) fn has_room(&self) -> bool {
        self.problems.len() < MOST_PROBLEMS
    }

    /// The problems in their order, and whether none is an error.
    pub(super) fn finish(mut self) -> (Vec<Problem>, bool) {
        self.problems.sort_by_key(|p| (p.span.start, p.span.end));
        (self.problems, !self.failed)
    }
}

/// Checks a directive. What is returned may be used only if nothing was wrong with it.
pub(super) fn directive(name: Token<'_>, values: &[Token<'_>], checked: &mut Checked) -> Directive {
    let lower = name.text.to_ascii_lowercase();
    let known = bytes(name, checked).then(|| directive_name(name, &lower, checked)).flatten();
    if !checked.seen.insert(lower.clone()) {
        checked.error(
            name.span(),
            format!("`{}` stands twice, and browsers heed the first alone", shown(name.text)),
            "put all its values into one",
        );
    }
    let shape = known.map_or(Shape::Words, |k| k.shape);
    // What comes after a swallowed directive belongs to that one.
    let own = values.iter().position(|v| is_swallowed(*v, shape, checked)).unwrap_or(values.len());
    let clean: Vec<Token<'_>> = values[..own].iter().copied().filter(|v| bytes(*v, checked)).collect();
    match shape {
        Shape::Sources | Shape::Ancestors => source_check::list(&lower, name, &clean, values.len(), checked),
        _ => words_check::words(shape, name, &clean, values.len(), checked),
    }
    Directive { name: lower, values: values.iter().map(|v| v.text.to_owned()).collect() }
}

fn directive_name(name: Token<'_>, lower: &str, checked: &mut Checked) -> Option<&'static Known> {
    let known = names::known(lower);
    if let Some(known) = known {
        if let Some(instead) = known.retired {
            checked.warn(name.span(), format!("browsers no longer heed `{lower}`"), instead);
        }
        return Some(known);
    }
    let bare = lower.trim_end_matches(':');
    let near = if checked.has_room() { nearest(bare, names::DIRECTIVES.iter().map(|d| d.name)) } else { None };
    let is_name = !lower.is_empty() && lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match near {
        Some(near) => checked.error(name.span(), format!("unknown directive `{}`", shown(name.text)), format!("did you mean `{near}`?")),
        None if is_name => checked.warn(
            name.span(),
            format!("unknown directive `{}`", shown(name.text)),
            "browsers skip what they do not know; it is sent as it is",
        ),
        None => checked.error(
            name.span(),
            format!("`{}` stands where a directive begins", shown(name.text)),
            "a directive begins with its name, such as script-src; is a `;` too many before this?",
        ),
    }
    None
}

/// A directive's name among the values of another: the `;` between them was forgotten.
fn is_swallowed(value: Token<'_>, shape: Shape, checked: &mut Checked) -> bool {
    let swallowed = shape != Shape::Endpoint && names::known(&value.text.to_ascii_lowercase()).is_some_and(|k| k.name.contains('-'));
    if swallowed {
        checked.error(value.span(), format!("the directive `{}` is read as a value here", value.text), "put a `;` before it");
    }
    swallowed
}

/// Whether every byte may stand in a header's value, inside of a word.
fn bytes(token: Token<'_>, checked: &mut Checked) -> bool {
    let Some((at, bad)) = token.text.char_indices().find(|(_, c)| !c.is_ascii_graphic() || matches!(c, ';' | ',')) else {
        if token.text.is_empty() {
            checked.error(token.span(), "an empty value", "leave it out");
        }
        return !token.text.is_empty();
    };
    let (what, remedy) = match bad {
        '\r' | '\n' => ("a line break would end the header".to_owned(), "write the policy on one line"),
        ' ' | '\t' => ("a space parts two values".to_owned(), "make each an entry of its own"),
        ';' => ("`;` ends a directive".to_owned(), "in an address write %3B"),
        ',' => ("`,` begins another policy".to_owned(), "values are parted by spaces; in an address write %2C"),
        '\u{2018}' | '\u{2019}' => (format!("`{bad}` is not the quote that browsers read"), "write the straight one: '"),
        c if c.is_ascii() || c.is_control() => (format!("the control character {} cannot be in a header", c.escape_debug()), "take it out"),
        c => (format!("`{}` is not ASCII", c.escape_debug()), "write a host in punycode (xn--...) and percent-encode a path"),
    };
    let start = token.start + at;
    checked.error(start..start + bad.len_utf8(), format!("in `{}`: {what}", shown(token.text)), remedy);
    false
}

/// A word as it may stand in a message: cut short, no byte that a terminal would act on.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    // Quotes are part of what is talked about.
    shown = shown.replace("\\'", "'").replace("\\\"", "\"");
    if text.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}
