//! What was written, in JSON or in TOML, as one tree with places.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::{Problem, json};

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the text it was read from.
    pub span: Range<usize>,
}

/// What a [`Value`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// JSON's `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// TOML's `false`. TOML has no `null`, so this stands for it too, wherever helmet tells the two apart.
    Off,
    /// A number, as JavaScript keeps it. From TOML it may be infinite or not a number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Keys and values in the order in which they were written, no key twice.
    Map(Vec<(Key, Value)>),
    /// A date or a time of TOML, which no option takes.
    Date,
}

/// A key of a [`Kind::Map`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// As written, without quotes and escapes.
    pub name: String,
    /// Its bytes in the text it was read from.
    pub span: Range<usize>,
}

impl Value {
    /// Reads JSON (RFC 8259, strictly): no comments, no comma after the last element, no key twice, at most 32 levels deep,
    /// 1000 keys an object and 1 MiB long. Numbers become what JavaScript makes of them; one beyond its range is an error.
    ///
    /// # Errors
    /// The first mistake, at its place.
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        json::parse(text)
    }

    /// Takes over a value of a TOML file, in the order of the file.
    ///
    /// TOML's `false` means `false` where helmet knows `false`, and `null` where it knows `null`: `imgSrc = false` takes a default
    /// directive out, as `"imgSrc": null` does in JSON.
    #[must_use]
    pub fn from_toml(value: &Spanned<DeValue<'_>>) -> Self {
        let kind = match value.get_ref() {
            DeValue::String(text) => Kind::Text(text.to_string()),
            DeValue::Integer(n) => {
                // A TOML integer is at most 64 bits; JavaScript would round it in the same way.
                Kind::Number(i64::from_str_radix(n.as_str(), n.radix()).map_or(f64::NAN, |n| n as f64))
            }
            DeValue::Float(n) => Kind::Number(n.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(true) => Kind::Bool(true),
            DeValue::Boolean(false) => Kind::Off,
            DeValue::Datetime(_) => Kind::Date,
            DeValue::Array(list) => Kind::List(list.iter().map(Self::from_toml).collect()),
            DeValue::Table(table) => {
                let mut entries: Vec<(Key, Self)> =
                    table.iter().map(|(k, v)| (Key { name: k.get_ref().to_string(), span: k.span() }, Self::from_toml(v))).collect();
                // The table is sorted by name; the order of directives is the order of the file.
                entries.sort_by_key(|(k, _)| k.span.start);
                Kind::Map(entries)
            }
        };
        Self { kind, span: value.span() }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null | Kind::Off)
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(b) => Some(b),
            Kind::Off => Some(false),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self.kind {
            Kind::Number(n) => Some(n),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn as_map(&self) -> Option<&[(Key, Self)]> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// What it is, for a message.
    pub(super) fn described(&self) -> String {
        match &self.kind {
            Kind::Null => "`null`".to_owned(),
            Kind::Bool(true) => "`true`".to_owned(),
            Kind::Bool(false) | Kind::Off => "`false`".to_owned(),
            Kind::Number(n) => format!("the number {n}"),
            Kind::Text(text) => shown(text),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a table".to_owned(),
            Kind::Date => "a date".to_owned(),
        }
    }
}

/// A text of a stranger as it may stand in a message: in quotes, without control bytes, not too long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let escaped: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    let escaped = escaped.replace("\\'", "'");
    if text.chars().nth(LONGEST).is_some() { format!("\"{escaped}...\"") } else { format!("\"{escaped}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::de::DeTable;

    fn toml(text: &str) -> Value {
        Value::from_toml(&DeTable::parse(text).unwrap().get_ref()["a"])
    }

    #[test]
    fn a_table_keeps_the_order_of_the_file() {
        let text = "[a]\nz = 1\nb = [\"x\", false, 0x10, 1.5]\n[a.k]\n[a.c]\nd = 2020-01-01\n";
        let value = toml(text);
        let entries = value.as_map().unwrap();
        let names: Vec<&str> = entries.iter().map(|(k, _)| k.name.as_str()).collect();
        assert_eq!(names, ["z", "b", "k", "c"]);
        let list = entries[1].1.as_list().unwrap();
        assert_eq!(&text[list[0].span.clone()], "\"x\"");
        assert_eq!(list.iter().map(|v| v.kind.clone()).collect::<Vec<_>>()[1..], [Kind::Off, Kind::Number(16.0), Kind::Number(1.5)]);
        assert_eq!(entries[3].1.as_map().unwrap()[0].1.kind, Kind::Date);
    }

    #[test]
    fn false_of_toml_stands_for_null_as_well() {
        let value = toml("a = false");
        assert!(value.is_null());
        assert_eq!(value.as_bool(), Some(false));
        assert!(!Value::from_json("false").unwrap().is_null());
        assert_eq!(Value::from_json("null").unwrap().as_bool(), None);
    }

    #[test]
    fn what_is_shown_holds_no_control_bytes_and_stays_short() {
        assert_eq!(shown("'self'"), "\"'self'\"");
        assert_eq!(shown("a\u{1b}[31m\n\""), "\"a\\u{1b}[31m\\n\\\"\"");
        assert_eq!(shown(&"x".repeat(1000)).len(), 65);
    }
}
