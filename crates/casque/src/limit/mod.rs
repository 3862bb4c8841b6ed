//! Rate limits: so many requests of one client in so much time, decided before the app is asked.
//!
//! ```
//! use casque::limit::{Limit, LimitLayer, Quota};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = LimitLayer::new(Quota::per_second(100));
//! // or several, all of which must agree:
//! let layer = LimitLayer::of([
//!     Limit::new("per-client", Quota::per_second(100).burst(200)),
//!     Limit::new("login", Quota::per_minute(20)).methods([http::Method::POST]).paths(["/login"])?,
//! ]);
//! # drop(layer); Ok(()) }
//! ```
//!
//! The algorithm is GCRA, the generic cell rate algorithm (ITU-T I.371 annex A; the same rule as a token bucket, kept in one
//! number per key): see [`Gcra`]. State lives in a [`Store`]; [`MemoryStore`] is a table of fixed size, and `store::redis` (feature
//! `redis`) is what several processes share.
//!
//! **Attacks and answers.** *Spending a victim's budget*: keys are client addresses that only a trusted proxy can name
//! ([`crate::client_ip`]). *A new key per request*: IPv6 counts by /64. *Spelling the path differently*: paths are compared in
//! normal form ([`crate::path`]). *Filling the memory*: the table never grows; where a bucket is full the key with the least
//! debt makes room, so a flood of new keys does not free the key that is being limited. *Aiming at one bucket*: the table is
//! indexed by SipHash with a key drawn at start. *Racing*: a request is charged before the app sees it, in one step; there is
//! no check-then-count. *Leaning on a full limit*: refused requests are not charged, so hammering does not extend the wait.

mod budget;
mod calendar;
pub mod compat;
#[cfg(feature = "config")]
pub mod config;
mod count_by;
mod counted;
mod decision;
pub mod fields;
mod future;
mod inflight;
mod layer;
mod limiter;
mod name;
mod quota;
pub mod replay;
mod reply;
mod rule;
mod service;
pub mod store;
mod subject;
#[cfg(test)]
mod tests;

pub use budget::{Budget, Change, Gcra, Log, State, Strict, Used, Window};
pub use count_by::{CountBy, Part};
pub use decision::{Decision, Decisions, MAX_LIMITS};
pub use fields::{Fields, FieldsWhen};
pub use future::ResponseFuture;
pub use inflight::{Full, Inflight, Slot};
pub use layer::{LOGIN_PATHS, LimitLayer, LimitedRequest, Limits};
pub use limiter::{Answer, Ask, Limiter, Reservation, Reserved, Settle};
pub use name::normalize_name;
pub use quota::Quota;
pub use reply::{Reason, Refusal, Refused, retry_after_seconds};
pub use rule::{Limit, Mode};
pub use service::{Limited, ShadowRefused};
pub use store::memory::MemoryStore;
#[cfg(feature = "redis")]
pub use store::redis::RedisStore;
pub use store::{Charge, Outcome, Pending, Receipt, Store, StoreError};
pub use subject::{Key, Subject};
