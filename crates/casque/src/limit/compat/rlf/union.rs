//! Several limiters at once.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;

use super::answer::{Answer, Limiter, Op, Rejected, Reply, Res};
use super::options::OptionsError;

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
    pub async fn consume(
        &self,
        key: &str,
        points: f64,
        custom_duration: Option<f64>,
    ) -> Result<BTreeMap<String, Res>, BTreeMap<String, Rejected>> {
        let calls = self.0.iter().map(|l| l.run(key, Op::Consume { points, custom_duration })).collect();
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

/// Waits for all, at the same time.
async fn all(mut calls: Vec<Answer>) -> Vec<Result<Reply, Rejected>> {
    let mut answers: Vec<Option<Result<Reply, Rejected>>> = calls.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (call, answer) in calls.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(ready) = call.as_mut().poll(cx) {
                *answer = Some(ready);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}
