//! The keys of one object, to find doubled ones.

use std::borrow::Cow;
use std::collections::HashSet;

/// Few are compared one by one, many are hashed.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    Few(Vec<Cow<'a, str>>),
    Many(HashSet<Cow<'a, str>>),
}

impl Default for Seen<'_> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<'a> Seen<'a> {
    const FEW: usize = 16;

    /// False when it was there already.
    pub(super) fn insert(&mut self, key: &Cow<'a, str>) -> bool {
        match self {
            Self::Few(keys) if keys.contains(key) => false,
            Self::Few(keys) if keys.len() < Self::FEW => {
                keys.push(key.clone());
                true
            }
            Self::Few(keys) => {
                *self = Self::Many(keys.drain(..).chain([key.clone()]).collect());
                true
            }
            Self::Many(keys) => keys.insert(key.clone()),
        }
    }
}
