//! rate-limiter-flexible's classes and words, for a Node team that brings its rules along.
//!
//! ```
//! use casque::limit::compat::rlf::{Limiter, Options, RateLimiterMemory, Rejected};
//!
//! # async fn example<R: casque::limit::compat::rlf::Runtime>(runtime: R) -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options { points: 6.0, duration: 1.0, ..Options::default() };
//! let limiter = Limiter::from(RateLimiterMemory::new(runtime, options)?);
//! match limiter.consume("192.0.2.1", 2.0).await {
//!     Ok(res) => println!("{} left", res.remaining_points),
//!     Err(Rejected::Limit(res)) => println!("again in {} ms", res.ms_before_next),
//!     Err(Rejected::Trouble(why)) => println!("the store: {why}"),
//! }
//! # Ok(()) }
//! ```
//!
//! The answers are those of rate-limiter-flexible 11.4.0: a fixed window from a key's first point, of which twice the points
//! pass within a moment at its edge; numbers are JavaScript's, durations seconds. For a rule that holds use
//! [`crate::limit::Quota`]. What is different:
//!
//! - A limit and a store's trouble are two cases of one `enum`; there, a handler that forgets `instanceof Error` answers an
//!   outage with 429.
//! - Memory is bounded ([`Counters`]); there, it is a map that grows with keys, and a timer each.
//! - In-process blocks cost a logarithm; there, each new one above 999 looks at all.
//! - Nothing overflows: a block of a month is a month.

mod answer;
mod blocked;
mod brute;
mod bursty;
mod counters;
mod decide;
mod dump;
mod lists;
mod memory;
mod options;
mod promise;
mod queue;
mod runtime;
mod shared;
mod store;
#[cfg(test)]
mod testing;
mod timeouts;
mod union;

pub use answer::{Answer, Limiter, Op, RateLimiter, Rejected, Reply, Res};
pub use blocked::BlockedKeys;
pub use brute::{Brute, BruteOptions, Prevented};
pub use bursty::BurstyRateLimiter;
pub use counters::{Count, Counter, Counters, MemoryCounters};
pub use dump::Restored;
pub use lists::{BlackAndWhite, Lists};
pub use memory::RateLimiterMemory;
pub use options::{Options, OptionsError};
pub use queue::{QueueError, RateLimiterQueue};
#[cfg(feature = "serve")]
pub use runtime::TokioRuntime;
pub use runtime::{Runtime, Task};
pub use store::RateLimiterStore;
pub use timeouts::{TimeoutOptions, Timeouts};
pub use union::RateLimiterUnion;

#[cfg(feature = "redis")]
pub use crate::limit::store::redis::RedisCounters;
