//! Where guards live: their store, their clock, and what they know of the moment.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::guard::{AtOnce, Guard, Pulse, Rules};
use super::policy::Login;
use crate::clock::{Clock, SystemClock};
use crate::limit::{Limiter, MemoryStore, Mode, Store};

/// The state behind guards, shared by all layers and threads that guard one app. It outlives a change of policy: a guard of the
/// same name goes on counting where it was.
pub struct Guards<S = MemoryStore> {
    store: Arc<S>,
    devices: Arc<S>,
    clock: Arc<dyn Clock>,
    pulses: Mutex<HashMap<(String, bool, AtOnce), Arc<Pulse>>>,
}

impl<S> fmt::Debug for Guards<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guards").finish_non_exhaustive()
    }
}

impl<S> Guards<S> {
    /// Guards that count in `store`, which may be shared with limits.
    #[must_use]
    pub fn new(store: Arc<S>) -> Self {
        Self::with_clock(store, SystemClock)
    }

    /// The same, with another clock.
    #[must_use]
    pub fn with_clock(store: Arc<S>, clock: impl Clock) -> Self {
        Self { devices: store.clone(), store, clock: Arc::new(clock), pulses: Mutex::default() }
    }

    /// Counts known browsers elsewhere. Only who has logged in can make such a key, so a store of their own is one that no flood
    /// of strangers' keys reaches; a store in memory needs that, because it has an end.
    #[must_use]
    pub fn devices(mut self, store: Arc<S>) -> Self {
        self.devices = store;
        self
    }

    /// Seconds since 1970.
    pub(super) fn wall(&self) -> u64 {
        self.clock.wall().as_secs()
    }
}

impl<S: Store> Guards<S> {
    pub(super) fn guard(&self, login: &Login, rules: &Arc<Rules>) -> Guard<S> {
        let key = (login.name().to_owned(), login.mode == Mode::Shadow, rules.at_once());
        // Names are the operator's, so this map has as many entries as policies had guards.
        let mut pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        let pulse = pulses.entry(key).or_insert_with(|| Arc::new(Pulse::new(rules.at_once()))).clone();
        drop(pulses);
        let limiter = |store: &Arc<S>| Limiter::new(store.clone()).clock(self.clock.clone());
        Guard::new(rules.clone(), pulse, limiter(&self.store), limiter(&self.devices), self.clock.clone())
    }
}
