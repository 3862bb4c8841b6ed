//! Which of an app's headers a policy has something to do with.

use http::HeaderName;

/// What a policy has to do with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concern {
    /// It is taken out.
    Removed,
    /// The policy has a rule for it.
    Ruled,
}

/// The names that a policy knows, by their length. Nearly every name that an app sends is not among them, and then there is seldom
/// one of its length to compare it with; a hash would have to read all of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(Vec<Vec<(HeaderName, Concern)>>);

impl Names {
    /// Where a name is in both lists, it is taken out: nothing of the app's is left that a rule could meet.
    pub(super) fn new<'n>(removed: impl IntoIterator<Item = &'n HeaderName>, ruled: impl IntoIterator<Item = &'n HeaderName>) -> Self {
        let mut by_length: Vec<Vec<(HeaderName, Concern)>> = Vec::new();
        let removed = removed.into_iter().map(|name| (name, Concern::Removed));
        let ruled = ruled.into_iter().map(|name| (name, Concern::Ruled));
        for (name, concern) in removed.chain(ruled) {
            let length = name.as_str().len();
            if by_length.len() <= length {
                by_length.resize_with(length + 1, Vec::new);
            }
            by_length[length].push((name.clone(), concern));
        }
        Self(by_length)
    }

    pub(super) fn concern(&self, name: &HeaderName) -> Option<Concern> {
        let same_length = self.0.get(name.as_str().len())?;
        same_length.iter().find(|(known, _)| known == name).map(|(_, concern)| *concern)
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ETAG, SERVER, VARY, VIA};

    use super::*;

    #[test]
    fn only_names_that_were_put_in_are_of_concern() {
        let long = HeaderName::from_bytes("x".repeat(300).as_bytes()).unwrap();
        let known = HeaderName::from_static("x-powered-by");
        let names = Names::new([&known, &SERVER], [&VARY, &SERVER]);
        assert_eq!([&known, &SERVER, &VARY].map(|n| names.concern(n)), [Concern::Removed, Concern::Removed, Concern::Ruled].map(Some));
        for other in [ETAG, VIA, HeaderName::from_static("x-powered-bx"), long.clone()] {
            assert_eq!((names.concern(&other), Names::default().concern(&other)), (None, None), "{other}");
        }
        assert_eq!(Names::new([], [&long]).concern(&long), Some(Concern::Ruled));
    }
}
