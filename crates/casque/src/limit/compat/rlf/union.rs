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

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::super::testing::{Paused, memory, options};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_are_charged_and_those_that_refuse_are_named() {
        let runtime = Paused::begin();
        let of = |prefix: &str, points| memory(&runtime, Options { key_prefix: prefix.to_owned(), ..options(points, 1.0) });
        let (narrow, wide) = (of("narrow", 1.0), of("wide", 10.0));
        let union = RateLimiterUnion::new([narrow, wide.clone()]).unwrap();
        assert_eq!(union.consume("a", 1.0).await.unwrap().keys().collect::<Vec<_>>(), ["narrow", "wide"]);
        assert_eq!(union.consume("a", 1.0).await.unwrap_err().keys().collect::<Vec<_>>(), ["narrow"]);
        assert_eq!(wide.get("a").await.unwrap().unwrap().consumed_points, 2.0);
        assert!(RateLimiterUnion::new([]).is_err());
    }
}
