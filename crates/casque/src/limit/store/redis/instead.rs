//! What is answered in place of a Redis that cannot.

use std::sync::atomic::Ordering;

use super::{Inner, OnError};
use crate::clock::Micros;
use crate::limit::budget::{Budget, Change, State};
use crate::limit::store::creators::counted_under;
use crate::limit::store::memory::MemoryStore;
use crate::limit::store::{Charge, Outcome, Receipt, Store, StoreError};
use crate::limit::subject::Key;

impl Inner {
    /// Charges in this process, or what the options say. If it `may_be_charged`, Redis was asked, and nobody knows whether it
    /// has charged: then it is not charged again, only brought to where this process stands.
    pub(super) fn charge_instead(&self, charges: &[Charge], now: Micros, may_be_charged: bool) -> Result<Outcome, StoreError> {
        self.counts.instead();
        match self.options.on_error {
            OnError::Local => {
                let mut outcome = now_of(self.local.charge(charges, now))?;
                outcome.receipt.fallback = true;
                if outcome.refused.is_none() {
                    for (i, (charge, decision)) in charges.iter().zip(outcome.decisions.as_slice()).enumerate() {
                        if charge.cost > 0 && decision.allowed {
                            let charged = if may_be_charged { 0 } else { charge.cost };
                            let key = counted_under(charge, outcome.receipt, i);
                            self.outage.note(key, charge.budget, Change::Penalise(charged));
                        }
                    }
                }
                Ok(outcome)
            }
            OnError::Allow => Ok(all_pass(charges, now)),
            OnError::Deny => Err(self.cannot()),
        }
    }

    /// Takes charges back in this process. Those that Redis made stay in Redis.
    pub(super) fn refund_instead(&self, charges: &[Charge], receipt: Receipt, now: Micros) -> Result<Outcome, StoreError> {
        match self.options.on_error {
            OnError::Local => {
                let is_down = self.counts.is_down();
                // Once Redis knows of them, they are old: taking them off there would be more than time has left of them.
                for (i, charge) in charges.iter().enumerate().filter(|_| receipt.fallback && is_down) {
                    self.outage.note(counted_under(charge, receipt, i), charge.budget, Change::Reward(charge.cost));
                }
                let ahead = if receipt.fallback { 0 } else { self.ahead.load(Ordering::Relaxed) };
                let at = Micros(receipt.at.0.saturating_add_signed(-ahead).min(now.0));
                let outcome = now_of(self.local.refund(charges, Receipt { at, ..receipt }, now))?;
                Ok(Outcome { receipt, ..outcome })
            }
            OnError::Allow => Ok(all_pass(charges, now)),
            OnError::Deny => Err(self.cannot()),
        }
    }

    /// Changes a key in this process, and notes it for Redis's return.
    pub(super) fn change_instead(&self, key: Key, budget: Budget, change: Change, now: Micros) -> Result<Outcome, StoreError> {
        if self.options.on_error != OnError::Local {
            return Err(self.cannot());
        }
        self.counts.instead();
        if change != Change::Look {
            self.outage.note(key, budget, change);
        }
        now_of(self.local.change(key, budget, change, now))
    }

    fn cannot(&self) -> StoreError {
        StoreError::new(self.counts.health().trouble.unwrap_or_else(|| "Redis did not answer in time".to_owned()))
    }
}

/// The memory's answer, which is there at once.
fn now_of(answer: <MemoryStore as Store>::Future) -> Result<Outcome, StoreError> {
    answer.into_inner()
}

fn all_pass(charges: &[Charge], now: Micros) -> Outcome {
    let mut outcome = Outcome { receipt: Receipt { at: now, shared: 0, fallback: true }, ..Outcome::default() };
    for charge in charges {
        let mut decision = charge.budget.look(State::Fresh, now);
        decision.allowed = true;
        decision.remaining = decision.remaining.saturating_sub(charge.cost);
        outcome.decisions.push(decision);
    }
    outcome
}
