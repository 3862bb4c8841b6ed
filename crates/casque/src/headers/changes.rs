//! What was done to an app's own headers, for the log.

use std::fmt;

use http::HeaderName;

/// Something that whoever runs the app should know of, because the app sent it and the client did not get it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The header.
    pub header: HeaderName,
    /// What became of it.
    pub what: What,
}

/// What became of an app's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It was weaker than the policy's, or the policy says to override it.
    Replaced,
    /// It was weaker in one way and stricter in another: the stricter of both was sent.
    Joined,
    /// Several lines said the same, which voids the header in browsers: one was kept.
    Folded,
    /// Several lines contradicted each other: the strictest was kept, or the first where the standard says so.
    Settled,
    /// It let shared caches keep a response that sets cookies.
    NotShared,
    /// It let caches keep a page with a nonce.
    NotStored,
    /// The app named a profile that the policy does not have.
    UnknownProfile,
    /// The app wants sources added to a policy, and sends one of its own.
    Unused,
    /// The app asked for sources that may not be added to a policy, or could not be read.
    RefusedAddition,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Replaced => "replaced",
            What::Joined => "joined",
            What::Folded => "folded",
            What::Settled => "settled",
            What::NotShared => "not-shared",
            What::NotStored => "not-stored",
            What::UnknownProfile => "unknown",
            What::Unused => "unused",
            What::RefusedAddition => "refused",
        };
        write!(f, "{}:{what}", self.header)
    }
}

/// In a response's extensions when there is anything to tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderChanges(Vec<Change>);

impl HeaderChanges {
    pub(super) fn note(&mut self, header: HeaderName, what: What) {
        self.0.push(Change { header, what });
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was done, in the order it was done.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }
}
