//! The keys of one object, to find doubled ones.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Result, fault, quote};

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
    /// More than any lockfile has of anything, and what is kept of them stays small.
    const MOST: usize = 1 << 19;

    /// Takes a key, unless it was there already.
    pub(super) fn insert(&mut self, at: usize, key: Cow<'a, str>) -> Result<()> {
        match self {
            Self::Few(keys) if keys.contains(&key) => return double(at, &key),
            Self::Few(keys) if keys.len() < Self::FEW => {
                keys.push(key);
            }
            Self::Few(keys) => {
                *self = Self::Many(keys.drain(..).chain([key]).collect());
            }
            Self::Many(keys) if keys.contains(&key) => return double(at, &key),
            Self::Many(keys) if keys.len() >= Self::MOST => return fault(at, format!("more than {} keys in one object", Self::MOST)),
            Self::Many(keys) => {
                keys.insert(key);
            }
        }
        Ok(())
    }
}

fn double(at: usize, key: &str) -> Result<()> {
    fault(at, format!("the key {} appears twice", quote(key)))
}
