//! Finding out whether Redis is back, and bringing to it what was charged meanwhile.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use super::outage::{Debt, Ends};
use super::script::{self, Edit, What};
use super::server::Trouble;
use crate::clock::{Micros, as_micros};
use crate::limit::budget::{Budget, Gcra};
use crate::limit::store::StoreError;
use crate::limit::subject::{Key, Subject};

/// Keys that are brought in one call.
const BATCH: usize = 64;
/// The least time that a call of a recovery may take: nobody waits for it.
const PATIENCE: Duration = Duration::from_millis(500);
/// A key of nobody's, to try a write with.
const TRIED: Key = Key { limit: 0, subject: Subject::ALL };

impl Inner {
    /// Begins a task that finds out whether Redis is back.
    pub(super) fn probe(self: &Arc<Self>) {
        let this = self.clone();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move { this.recover().await })),
            Err(_) => self.breaker().probed(false, self.clock.now(), rand::random()),
        }
    }

    /// Sees to it that this thread has a connection and that Redis takes charges.
    pub(super) async fn connect(self: Arc<Self>) -> Result<(), StoreError> {
        // In a task of its own: the caller may not wait for the end of it.
        let this = self.clone();
        let done = tokio::spawn(async move { this.recover().await }).await;
        done.unwrap_or_else(|_| Err(Trouble::Connection("connecting was given up".to_owned()))).map_err(|t| StoreError::new(t.to_string()))
    }

    async fn recover(self: Arc<Self>) -> Result<(), Trouble> {
        let recovered = match self.try_write().await {
            Ok(()) => self.merge().await,
            error => error,
        };
        self.breaker().probed(recovered.is_ok(), self.clock.now(), rand::random());
        match &recovered {
            Ok(()) => {
                self.counts.came_back();
                // What was charged here between the last look and now.
                return self.merge().await;
            }
            Err(trouble) => {
                self.renew_connections();
                self.counts.went_down(trouble);
            }
        }
        recovered
    }

    /// Whether Redis answers and takes writes: a replica does not.
    async fn try_write(&self) -> Result<(), Trouble> {
        let budget = Budget::Rate(Gcra::new(1, 1));
        self.patiently(&[Edit { key: TRIED, budget, what: What::Reset }]).await
    }

    /// Brings everything that was charged here.
    async fn merge(&self) -> Result<(), Trouble> {
        let batch = if self.server.is_cluster() { 1 } else { BATCH };
        loop {
            let debts = self.outage.take(batch);
            if debts.is_empty() {
                return Ok(());
            }
            let now = self.clock.now();
            let edits: Vec<Edit> = debts.iter().flat_map(|debt| self.settled(debt, now)).collect();
            let keys = debts.len();
            if let Err(trouble) = self.patiently(&edits).await {
                self.outage.put_back(debts);
                return Err(trouble);
            }
            self.counts.merged(keys);
        }
    }

    /// What settles a debt: what was done by hand, then what was charged; and never more is left than here.
    fn settled(&self, debt: &Debt, now: Micros) -> Vec<Edit> {
        let here = self.local.look(&debt.key, &debt.budget, now);
        let mut steps = Vec::new();
        match debt.first {
            Some(Ends::All) => steps.push(What::Reset),
            Some(Ends::Block) => steps.push(What::Unblock),
            None => {}
        }
        if debt.rewarded > 0 {
            steps.push(What::Reward(debt.rewarded));
        }
        steps.push(match here.retry_after {
            Some(left) if here.blocked => What::Block(as_micros(left)),
            _ => What::Merge { charged: debt.charged, left: here.remaining },
        });
        steps.into_iter().map(|what| Edit { key: debt.key, budget: debt.budget, what }).collect()
    }

    async fn patiently(&self, edits: &[Edit]) -> Result<(), Trouble> {
        let call = self.scripts.change(&self.names, edits, self.clock.now());
        match tokio::time::timeout(self.options.timeout.max(PATIENCE), self.send(&call)).await {
            Ok(answer) => script::is_answer(&answer?, &call).then_some(()).ok_or_else(Trouble::no_answer),
            Err(_) => Err(Trouble::TimedOut),
        }
    }
}
