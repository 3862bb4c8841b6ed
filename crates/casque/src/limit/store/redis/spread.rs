//! Decisions over several slots of a cluster: charged one after another, and taken back where a later one refuses.
//!
//! Charges that count by the same subject are in one slot and go in one call. A charge is always made before it is known
//! whether the next one passes; so others may for a moment be refused too early, and nobody is ever let through too often.

use std::ops::Range;

use super::Inner;
use super::script::{Edit, What};
use super::server::Trouble;
use crate::clock::Micros;
use crate::limit::budget::Budget;
use crate::limit::store::creators::{begun_key, counted_under, creations_key, shared_key};
use crate::limit::store::{Charge, Outcome};
use crate::limit::subject::{Key, Subject};

impl Inner {
    /// Charges all or none.
    pub(super) async fn charge_spread(&self, charges: &[Charge], now: Micros) -> Result<Outcome, Trouble> {
        let mut all = Outcome::default();
        for run in runs(charges, |charge| (charge.key.subject, charge.creator.filter(|c| *c != charge.key.subject))) {
            let first = run.start;
            let part = match charges[first] {
                Charge { creator: Some(creator), .. } if creator != charges[first].key.subject => {
                    self.charge_made_up(&charges[first], creator, now).await
                }
                _ => self.charge_at_once(&charges[run], now).await,
            };
            let part = match part {
                Ok(part) => part,
                Err(trouble) => {
                    // What is charged already would be charged once more by whoever answers instead.
                    let _ = self.take_back(&charges[..first], &all, now).await;
                    return Err(trouble);
                }
            };
            for decision in part.decisions.as_slice() {
                all.decisions.push(*decision);
            }
            // Nodes have clocks of their own. The latest is not before any of the charges, so that a refund finds them.
            all.receipt.at = all.receipt.at.max(part.receipt.at);
            all.receipt.shared |= part.receipt.shared << first;
            if let Some(refused) = part.refused {
                self.take_back(&charges[..first], &all, now).await?;
                all.refused = Some(first + refused);
                break;
            }
        }
        Ok(all)
    }

    /// Changes keys one after another.
    pub(super) async fn edit_spread(&self, edits: &[Edit], now: Micros) -> Result<Outcome, Trouble> {
        let mut all = Outcome::default();
        for run in runs(edits, |edit| edit.key.subject) {
            let part = self.edit_at_once(&edits[run], now).await?;
            for decision in part.decisions.as_slice() {
                all.decisions.push(*decision);
            }
            all.receipt.at = all.receipt.at.max(part.receipt.at);
        }
        Ok(all)
    }

    async fn take_back(&self, charges: &[Charge], outcome: &Outcome, now: Micros) -> Result<(), Trouble> {
        let refund = |(i, (charge, decision)): (usize, (&Charge, _))| {
            let decision: &crate::limit::Decision = decision;
            let what = What::Refund { cost: charge.cost, at: outcome.receipt.at };
            let key = counted_under(charge, outcome.receipt, i);
            (decision.allowed && charge.cost > 0).then_some(Edit { key, budget: charge.budget, what })
        };
        let edits: Vec<Edit> = charges.iter().zip(outcome.decisions.as_slice()).enumerate().filter_map(refund).collect();
        self.edit_spread(&edits, now).await.map(drop)
    }

    /// A charge whose creator's keys are in another slot than its own: is the key there, else may its creator begin one?
    async fn charge_made_up(&self, charge: &Charge, creator: Subject, now: Micros) -> Result<Outcome, Trouble> {
        let own = Charge { creator: None, ..*charge };
        let count = async |key: Key| self.charge_at_once(&[Charge { key, ..own }], now).await;
        if charge.cost == 0 {
            return count(own.key).await;
        }
        let creations = Budget::Rate(self.creations);
        let begun = Edit { key: begun_key(&own.key), budget: creations, what: What::Look };
        let seen = self.edit_at_once(&[Edit { key: own.key, budget: own.budget, what: What::Look }, begun], now).await?;
        if seen.decisions.as_slice().iter().any(|d| !d.reset_after.is_zero()) {
            return count(own.key).await;
        }
        let begin = Charge { key: creations_key(&own.key, creator), budget: creations, cost: 1, advisory: false, creator: None };
        if self.charge_at_once(&[begin], now).await?.refused.is_none() {
            self.edit_at_once(&[Edit { what: What::Set(creations.burst()), ..begun }], now).await?;
            return count(own.key).await;
        }
        let mut shared = count(shared_key(&own.key, creator)).await?;
        shared.receipt.shared = 1;
        Ok(shared)
    }
}

/// Neighbours that have the same in common.
fn runs<T, C: PartialEq>(list: &[T], common: impl Fn(&T) -> C) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    for run in list.chunk_by(|a, b| common(a) == common(b)) {
        let start = runs.last().map_or(0, |last: &Range<usize>| last.end);
        runs.push(start..start + run.len());
    }
    runs
}
