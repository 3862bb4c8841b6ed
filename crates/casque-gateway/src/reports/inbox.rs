//! What has been reported so far, to all workers together.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use casque::client_ip::ClientIp;
use casque::headers::reports::{Batch, Budget, Endpoint, Limits, Refusal, Store, is_welcome, parse};

/// Shared by all workers and the admin pages.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// So that nobody can choose an address whose hash is another's.
    key: RandomState,
}

#[derive(Debug, Default)]
struct State {
    budget: Budget,
    store: Store,
}

impl Inbox {
    /// Milliseconds since 1970.
    fn now() -> u64 {
        u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sender(&self, client: Option<ClientIp>) -> u64 {
        self.key.hash_one(client.map(ClientIp::key))
    }

    /// Whether a body is worth reading. Charges the sender for one report.
    pub(crate) fn admit(&self, client: Option<ClientIp>, sec_fetch_site: Option<&[u8]>) -> bool {
        let sender = self.sender(client);
        let mut state = self.state();
        let admitted = is_welcome(Endpoint::SameOrigin, sec_fetch_site).and_then(|()| state.budget.admit(sender, Self::now()));
        if let Err(refusal) = admitted {
            state.store.refused(refusal, 1);
        }
        admitted.is_ok()
    }

    /// Takes a body that was admitted. `host` is the one that it was sent to.
    pub(crate) fn take(&self, client: Option<ClientIp>, host: &str, content_type: &[u8], body: &[u8]) {
        // Parsed before the lock: this is where a hostile body costs time.
        match parse(content_type, body, &Limits::default()) {
            Ok(batch) => self.record(client, host, batch),
            Err(refusal) => self.refuse(refusal),
        }
    }

    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.state().store.refused(refusal, 1);
    }

    fn record(&self, client: Option<ClientIp>, host: &str, batch: Batch) {
        let (sender, now) = (self.sender(client), Self::now());
        let mut state = self.state();
        for (refusal, n) in batch.refused {
            state.store.refused(refusal, n);
        }
        // The first was paid for by the admission.
        let more = u32::try_from(batch.reports.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let granted = state.budget.grant(sender, more, now);
        let total = batch.reports.len();
        for report in batch.reports.into_iter().take(granted as usize + 1) {
            let origin = report.origin(&[host]);
            state.store.record(report, origin, sender, now);
        }
        let dropped = total.saturating_sub(granted as usize + 1);
        if dropped > 0 {
            state.store.refused(Refusal::ClientRate, dropped as u64);
        }
    }

    /// Everything as JSON, with up to `limit` recent reports and groups.
    pub(crate) fn to_json(&self, limit: usize) -> serde_json::Value {
        self.state().store.snapshot(limit).to_json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_counted_and_floods_refused() {
        let inbox = Inbox::default();
        let body = br#"{"csp-report":{"document-uri":"https://shop.example/cart","blocked-uri":"inline","effective-directive":"script-src-elem"}}"#;
        for _ in 0..200 {
            if inbox.admit(None, Some(b"same-origin")) {
                inbox.take(None, "shop.example", b"application/csp-report", body);
            }
        }
        assert!(!inbox.admit(None, Some(b"cross-site")));
        inbox.take(None, "shop.example", b"application/csp-report", b"{");
        let json = inbox.to_json(10);
        let count = json["groups"][0]["count"].as_u64().unwrap();
        assert!((120..200).contains(&count), "{json}");
        assert_eq!(json["refused"]["client-rate"].as_u64().unwrap() + count, 200, "{json}");
        assert_eq!(json["groups"][0]["path"], "/cart");
        assert_eq!(json["refused"].as_object().unwrap().len(), 3, "{json}");
    }
}
