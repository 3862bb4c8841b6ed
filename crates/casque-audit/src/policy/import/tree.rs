//! A small file as a tree, whatever it is written in: text, lists and tables, each with its place.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::text::json::{Json, Shape as JsonShape};
use crate::text::yaml::{Shape as YamlShape, Yaml};
use crate::text::{Result, fault};

/// A value. Numbers, truths and dates are kept as they are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Its offset, or near it.
    pub(super) at: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nothing,
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: usize,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn entries(&self) -> &[Entry] {
        if let Value::Table(entries) = &self.value { entries } else { &[] }
    }

    pub(super) fn list(&self) -> &[Self] {
        if let Value::List(list) = &self.value { list } else { &[] }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The value of a key, in any case of letters: the tools differ on whether that matters, and nobody writes both.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key.eq_ignore_ascii_case(key)).map(|entry| &entry.node)
    }

    /// The text of a key.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Whether a key is `true`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.text_of(key) == Some("true")
    }
}

/// JSON, with all that JSON5 files have in practice.
pub(super) fn json(text: &str) -> Result<Node> {
    let mut json = Json::new(text).by_hand();
    let node = of_json(text, &mut json)?;
    json.end()?;
    Ok(node)
}

/// The reader bounds how deep values nest, and so this.
fn of_json(text: &str, json: &mut Json<'_>) -> Result<Node> {
    let at = json.place()?;
    let value = match json.shape()? {
        JsonShape::Object => {
            let mut entries = Vec::new();
            json.object(|json, key| {
                entries.push(Entry { key: key.name.into_owned(), at: key.at, node: of_json(text, json)? });
                Ok(())
            })?;
            Value::Table(entries)
        }
        JsonShape::Array => {
            let mut list = Vec::new();
            json.array(|json| {
                list.push(of_json(text, json)?);
                Ok(())
            })?;
            Value::List(list)
        }
        JsonShape::String => Value::Text(json.string()?.into_owned()),
        JsonShape::Null => {
            json.skip()?;
            Value::Nothing
        }
        JsonShape::Number | JsonShape::Bool => {
            json.skip()?;
            Value::Text(text[at..json.offset()].to_owned())
        }
    };
    Ok(Node { at, value })
}

/// The first document of a YAML file.
pub(super) fn yaml(text: &str) -> Result<Node> {
    let mut yaml = Yaml::new(text);
    if !yaml.document()? {
        return Ok(Node { at: 0, value: Value::Nothing });
    }
    let node = of_yaml(&mut yaml)?;
    yaml.document()?;
    Ok(node)
}

fn of_yaml(yaml: &mut Yaml<'_>) -> Result<Node> {
    let shape = yaml.shape()?;
    let at = yaml.place();
    let value = match shape {
        YamlShape::Mapping => {
            let mut entries = Vec::new();
            yaml.mapping(|yaml, key| {
                entries.push(Entry { key: key.name.into_owned(), at: key.at, node: of_yaml(yaml)? });
                Ok(())
            })?;
            Value::Table(entries)
        }
        YamlShape::Sequence => {
            let mut list = Vec::new();
            yaml.sequence(|yaml| {
                list.push(of_yaml(yaml)?);
                Ok(())
            })?;
            Value::List(list)
        }
        YamlShape::Scalar => match yaml.scalar()?.into_owned() {
            text if matches!(text.as_str(), "null" | "~") => Value::Nothing,
            text => Value::Text(text),
        },
        YamlShape::Null => Value::Nothing,
    };
    Ok(Node { at, value })
}

/// TOML.
pub(super) fn toml(text: &str) -> Result<Node> {
    match DeTable::parse(text) {
        Ok(table) => Ok(Node { at: 0, value: of_table(table.get_ref()) }),
        Err(error) => fault(error.span().map_or(0, |span| span.start), error.message()),
    }
}

fn of_table(table: &DeTable<'_>) -> Value {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &Spanned<std::borrow::Cow<'_, str>> = key;
        Entry { key: key.get_ref().to_string(), at: key.span().start, node: of_toml(value) }
    };
    Value::Table(table.iter().map(entry).collect())
}

/// The parser bounds how deep values nest, and so this.
fn of_toml(value: &Spanned<DeValue<'_>>) -> Node {
    let at = value.span().start;
    let value = match value.get_ref() {
        DeValue::Table(table) => of_table(table),
        DeValue::Array(array) => Value::List(array.iter().map(of_toml).collect()),
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => Value::Text(number.as_str().to_owned()),
        DeValue::Float(number) => Value::Text(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Value::Text(truth.to_string()),
        DeValue::Datetime(date) => Value::Text(date.to_string()),
    };
    Node { at, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree without its places, as one line.
    fn flat(node: &Node) -> String {
        match &node.value {
            Value::Nothing => "-".to_owned(),
            Value::Text(text) => text.clone(),
            Value::List(list) => format!("[{}]", list.iter().map(flat).collect::<Vec<_>>().join(" ")),
            Value::Table(entries) => {
                format!("{{{}}}", entries.iter().map(|e| format!("{}:{}", e.key, flat(&e.node))).collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn three_languages_are_one_tree() {
        let wanted = "{a:[1 {b:true}] c:2026-01-31 d:x y}";
        assert_eq!(flat(&json("{a: [1, {'b': true}], \"c\": \"2026-01-31\", d: 'x y'} // done").unwrap()), wanted);
        assert_eq!(flat(&yaml("a:\n  - 1\n  - b: true\nc: 2026-01-31\nd: >-\n  x\n  y\n").unwrap()), wanted);
        assert_eq!(flat(&toml("a = [1, {b = true}]\nc = 2026-01-31\nd = 'x y'\n").unwrap()), wanted);
    }

    #[test]
    fn places_are_where_values_stand() {
        let text = "a = 1\n[b]\nc = \"x\"\n";
        let tree = toml(text).unwrap();
        let c = &tree.get("B").unwrap().entries()[0];
        assert_eq!((&text[c.at..c.at + 1], &text[c.node.at..c.node.at + 3]), ("c", "\"x\""));
        assert_eq!(toml("a = 1\nb = = 2\n").unwrap_err().at, 10);
    }
}
