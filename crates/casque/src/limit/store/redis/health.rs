//! How a store is, for logs and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::server::Trouble;

/// How a store is. Numbers are since its start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Why Redis is not asked at the moment; `None`: it is.
    pub trouble: Option<String>,
    /// Calls that Redis answered.
    pub answered: u64,
    /// Calls that it did not answer, or not in time.
    pub failed: u64,
    /// Decisions that were known without asking, because Redis had just refused the same.
    pub cached: u64,
    /// Decisions and changes that were made by [`super::OnError`].
    pub instead: u64,
    /// Keys whose charges of an outage were brought to Redis.
    pub merged: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    trouble: Mutex<Option<String>>,
    answered: AtomicU64,
    failed: AtomicU64,
    cached: AtomicU64,
    instead: AtomicU64,
    merged: AtomicU64,
}

impl Counts {
    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn cached(&self) {
        self.cached.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn instead(&self) {
        self.instead.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn merged(&self, keys: usize) {
        self.merged.fetch_add(keys as u64, Ordering::Relaxed);
    }

    pub(super) fn went_down(&self, why: &Trouble) {
        *self.trouble() = Some(why.to_string());
    }

    pub(super) fn is_down(&self) -> bool {
        self.trouble().is_some()
    }

    pub(super) fn came_back(&self) {
        *self.trouble() = None;
    }

    pub(super) fn health(&self) -> Health {
        let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
        Health {
            trouble: self.trouble().clone(),
            answered: get(&self.answered),
            failed: get(&self.failed),
            cached: get(&self.cached),
            instead: get(&self.instead),
            merged: get(&self.merged),
        }
    }
}
