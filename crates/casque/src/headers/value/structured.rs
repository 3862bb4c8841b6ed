//! Structured field values (RFC 9651), read strictly: a browser drops a field with one wrong letter.

use sfv::{Dictionary, Item, Parser};

use super::Findings;

/// A value that must be one item.
pub(super) fn item(found: &mut Findings<'_>) -> Option<Item> {
    match Parser::new(found.value).parse::<Item>() {
        Ok(item) => Some(item),
        Err(error) => {
            found.error(found.value, format!("is not a structured item (RFC 9651): {error}"), "browsers ignore the header then");
            None
        }
    }
}

/// A value that must be a dictionary.
pub(super) fn dictionary(found: &mut Findings<'_>) -> Option<Dictionary> {
    match Parser::new(found.value).parse::<Dictionary>() {
        Ok(dictionary) => Some(dictionary),
        Err(error) => {
            found.error(found.value, format!("is not a structured dictionary (RFC 9651): {error}"), "browsers ignore the header then");
            None
        }
    }
}

/// The part of a value that a word stands in, to point at it.
pub(super) fn part_of<'v>(value: &'v str, word: &str) -> &'v str {
    value.find(word).map_or(value, |at| &value[at..at + word.len()])
}
