//! The members of a HAR file that are read; all others are skipped without being stored.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::MAX_ENTRIES;

#[derive(Deserialize)]
pub(super) struct File<'a> {
    #[serde(borrow)]
    pub(super) log: Log<'a>,
}

#[derive(Deserialize)]
pub(super) struct Log<'a> {
    #[serde(borrow)]
    pub(super) entries: Entries<'a>,
}

/// The first [`MAX_ENTRIES`] entries; the rest is only counted.
pub(super) struct Entries<'a> {
    pub(super) kept: Vec<Indexed<'a>>,
    pub(super) left_out: usize,
}

/// An entry and its place in the recording.
pub(super) struct Indexed<'a>(pub(super) usize, pub(super) Entry<'a>);

#[derive(Deserialize)]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    pub(super) request: Request<'a>,
    #[serde(borrow)]
    pub(super) response: Response<'a>,
}

#[derive(Deserialize)]
pub(super) struct Request<'a> {
    #[serde(default, borrow)]
    pub(super) method: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) url: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) headers: Vec<Field<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Response<'a> {
    pub(super) status: i64,
    #[serde(default, borrow)]
    pub(super) headers: Vec<Field<'a>>,
    #[serde(default, borrow)]
    pub(super) content: Content<'a>,
}

#[derive(Deserialize)]
pub(super) struct Field<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) value: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
pub(super) struct Content<'a> {
    #[serde(default, borrow)]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub(super) encoding: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;

        impl<'de> Visitor<'de> for First {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the array of entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Entries { kept: Vec::new(), left_out: 0 };
                while entries.kept.len() < MAX_ENTRIES {
                    match seq.next_element::<Entry<'de>>()? {
                        Some(entry) => entries.kept.push(Indexed(entries.kept.len(), entry)),
                        None => return Ok(entries),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    entries.left_out += 1;
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_seq(First)
    }
}
