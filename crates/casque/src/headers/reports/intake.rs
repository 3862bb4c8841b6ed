//! The order of things at the endpoint: who may report, how much, and where it goes.

use super::answer::{Endpoint, is_welcome};
use super::budget::Budget;
use super::parse::Batch;
use super::refusal::Refusal;
use super::report::Agent;
use super::store::Store;

/// Who sent a body.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'s> {
    /// Tells senders apart: a hash of the address (of IPv6, the /64) under a key that nobody outside knows.
    pub client: u64,
    /// The host the request was sent to, without port, or all names the app is reached by.
    pub hosts: &'s [&'s str],
    /// The request's `User-Agent`, for reports that do not name the browser. Only its family is kept.
    pub user_agent: Option<&'s str>,
}

/// An endpoint: its ration and its store.
///
/// Both calls are short, so it may stand behind a lock; [`super::parse`] comes between them and needs none.
#[derive(Debug, Default)]
pub struct Intake {
    /// Who may report.
    pub endpoint: Endpoint,
    /// How much may be taken in.
    pub budget: Budget,
    /// What was.
    pub store: Store,
}

impl Intake {
    /// Whether to read a request's body at all; a refusal is counted. `sec_fetch_site` is the request's field of that name, `now`
    /// is in milliseconds since 1970.
    pub fn admit(&mut self, sec_fetch_site: Option<&[u8]>, client: u64, now: u64) -> bool {
        let admitted = is_welcome(self.endpoint, sec_fetch_site).and_then(|()| self.budget.admit(client, now));
        admitted.inspect_err(|refusal| self.store.refused(*refusal, 1)).is_ok()
    }

    /// Records what was read from a body that was admitted. Of a batch, every report after the first is charged too; those beyond
    /// the ration are counted as [`Refusal::ClientRate`].
    pub fn keep(&mut self, parsed: Result<Batch, Refusal>, sender: &Sender<'_>, now: u64) {
        let batch = match parsed {
            Ok(batch) => batch,
            Err(refusal) => return self.store.refused(refusal, 1),
        };
        for (refusal, n) in batch.refused {
            self.store.refused(refusal, n);
        }
        let further = u32::try_from(batch.reports.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let granted = self.budget.grant(sender.client, further, now);
        if granted < further {
            self.store.refused(Refusal::ClientRate, u64::from(further - granted));
        }
        let agent = sender.user_agent.map(Agent::of);
        for (mut report, _) in batch.reports.into_iter().zip(0..=granted) {
            report.agent = report.agent.or(agent);
            let origin = report.origin(sender.hosts);
            self.store.record(report, origin, sender.client, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::reports::{Limits, Rate, parse};

    const SENDER: Sender<'_> = Sender { client: 7, hosts: &["shop.example"], user_agent: Some("Firefox/142.0") };

    fn many(n: usize) -> Result<Batch, Refusal> {
        let one = r#"{"type":"csp-violation","url":"https://shop.example/","body":{"blockedURL":"inline"}}"#;
        parse(b"application/reports+json", format!("[{}]", vec![one; n].join(",")).as_bytes(), &Limits::default())
    }

    fn refused(intake: &Intake) -> Vec<(&str, u64)> {
        intake.store.snapshot(0).refused.into_iter().filter(|(_, n)| *n > 0).collect()
    }

    #[test]
    fn a_batch_is_charged_by_the_report() {
        let rate = Rate { burst: 30, per_second: 1 };
        let mut intake = Intake { budget: Budget::new(rate, rate), ..Intake::default() };
        assert!(intake.admit(Some(b"same-origin"), 7, 0));
        intake.keep(many(52), &SENDER, 0);
        assert!(!intake.admit(None, 7, 0));
        let seen = intake.store.snapshot(1000);
        assert_eq!((seen.recent.len(), seen.recent[0].report.agent), (30, Some(Agent::Firefox)));
        assert_eq!(refused(&intake), [("client-rate", 20), ("total-rate", 1), ("too-many-reports", 2)]);
    }

    #[test]
    fn what_is_refused_is_counted() {
        let mut intake = Intake::default();
        assert!(!intake.admit(Some(b"cross-site"), 7, 0));
        intake.keep(Err(Refusal::NotJson), &SENDER, 0);
        intake.keep(Ok(Batch::default()), &SENDER, 0);
        assert_eq!(refused(&intake), [("cross-origin", 1), ("not-json", 1)]);
        assert_eq!(intake.store.bytes(), 0);
    }
}
