//! Which limits count a request, and what each is to charge.

use std::cell::OnceCell;

use http::Method;

use super::count_by::Asking;
use super::decision::MAX_LIMITS;
use super::layer::Limits;
use super::rule::Limit;
use super::store::Charge;
use super::subject::{Key, Subject};
use crate::clock::Clock;
use crate::path::Readings;

/// The indices of the limits that count a request, in order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    indices: [u8; MAX_LIMITS],
    len: u8,
}

impl Counted {
    /// Of these limits, those that count a request.
    #[inline]
    pub(super) fn of(limits: &Limits, method: &Method, path: &str) -> Self {
        let mut counted = Self::default();
        let readings = OnceCell::new();
        for (i, limit) in limits.as_slice().iter().enumerate() {
            if limit.counts(method, || readings.get_or_init(|| Readings::of(path))) {
                counted.push(i);
            }
        }
        counted
    }

    /// Those for which `keep` holds.
    pub(super) fn filter(self, limits: &Limits, keep: impl Fn(&Limit) -> bool) -> Self {
        let mut kept = Self::default();
        self.iter().filter(|i| limits.as_slice().get(*i).is_some_and(&keep)).for_each(|i| kept.push(i));
        kept
    }

    fn push(&mut self, index: usize) {
        if let (Some(slot), Ok(index)) = (self.indices.get_mut(usize::from(self.len)), u8::try_from(index)) {
            *slot = index;
            self.len += 1;
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.len == 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..usize::from(self.len)).map(move |i| usize::from(self.indices[i]))
    }

    /// Gives the store what a request costs. At least one limit has to count it.
    #[inline]
    pub(super) fn charge<R>(self, limits: &Limits, asking: Asking<'_>, clock: &dyn Clock, store: impl FnOnce(&[Charge]) -> R) -> R {
        let all = limits.as_slice();
        let charge = |i: usize| {
            let limit = &all[i];
            let (subject, creator) =
                if limit.count_by().is_client() { (Subject::client(asking.client), None) } else { limit.count_by().subject(asking) };
            let key = Key { limit: limit.id(), subject };
            Charge { key, budget: limit.budget(clock), cost: 1, advisory: !limit.is_enforced(), creator }
        };
        let mut indices = self.iter();
        let first = charge(indices.next().unwrap_or_default());
        if self.len == 1 {
            return store(std::slice::from_ref(&first));
        }
        let mut charges = [first; MAX_LIMITS];
        for (slot, i) in charges.iter_mut().skip(1).zip(indices) {
            *slot = charge(i);
        }
        store(&charges[..usize::from(self.len)])
    }
}
