//! What has been reported so far, to all workers together.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use casque::client_ip::ClientIp;
use casque::headers::reports::{self, Batch, Refusal, Sender};

/// Groups that nobody has seen for so long are of pages that are gone.
const FORGET_AFTER_MS: u64 = 30 * 24 * 3600 * 1000;

/// Shared by all workers and the admin pages.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    intake: Mutex<reports::Intake>,
    /// So that nobody can choose an address whose hash is another's.
    key: RandomState,
}

impl Inbox {
    /// Milliseconds since 1970.
    fn now() -> u64 {
        u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
    }

    fn intake(&self) -> MutexGuard<'_, reports::Intake> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells senders apart.
    pub(crate) fn sender(&self, client: ClientIp) -> u64 {
        self.key.hash_one(client.key())
    }

    /// Whether a body is worth reading. Charges the sender for one report.
    pub(crate) fn admit(&self, sender: u64, sec_fetch_site: Option<&[u8]>) -> bool {
        self.intake().admit(sec_fetch_site, sender, Self::now())
    }

    /// Takes what was made of a body that was admitted.
    pub(crate) fn keep(&self, parsed: Result<Batch, Refusal>, sender: &Sender<'_>) {
        self.intake().keep(parsed, sender, Self::now());
    }

    /// Everything as JSON, with up to `limit` recent reports and groups.
    pub(crate) fn to_json(&self, limit: usize) -> serde_json::Value {
        let mut intake = self.intake();
        intake.store.forget(Self::now().saturating_sub(FORGET_AFTER_MS));
        intake.store.snapshot(limit).to_json()
    }
}
