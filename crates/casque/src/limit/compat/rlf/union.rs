//! Several limiters at once.

use std::collections::BTreeMap;

use super::answer::{Limiter, Op, Rejected, Reply, Res};
use super::options::OptionsError;
use super::promise::all;

/// All are asked at the same time, and all are charged, even if one refuses; use [`crate::limit::Limiter::reserve`] for all or
/// none. Answers stand under the limiters' key prefixes.
#[derive(Debug, Clone)]
pub struct RateLimiterUnion(Vec<Limiter>);

impl RateLimiterUnion {
    /// Of at least one.
    ///
    /// # Errors
    /// Of none.
    pub fn new(limiters: impl IntoIterator<Item = Limiter>) -> Result<Self, OptionsError> {
        let limiters: Vec<Limiter> = limiters.into_iter().collect();
        if limiters.is_empty() { Err(OptionsError("RateLimiterUnion: at least one limiter have to be passed")) } else { Ok(Self(limiters)) }
    }

    /// Uses points of all.
    ///
    /// # Errors
    /// Those that refused or had trouble, and only those.
    pub async fn consume(&self, key: &str, points: f64) -> Result<BTreeMap<String, Res>, BTreeMap<String, Rejected>> {
        let calls = self.0.iter().map(|l| l.run(key, Op::Consume { points, custom_duration: None })).collect();
        let (mut passed, mut refused) = (BTreeMap::new(), BTreeMap::new());
        for (limiter, answer) in self.0.iter().zip(all(calls).await) {
            match answer.map(Reply::res) {
                Ok(Some(res)) => drop(passed.insert(limiter.key_prefix(), res)),
                Ok(None) => {}
                Err(rejected) => drop(refused.insert(limiter.key_prefix(), rejected)),
            }
        }
        if refused.is_empty() { Ok(passed) } else { Err(refused) }
    }
}
