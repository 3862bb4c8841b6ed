//! A limit to waiting for a store.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::answer::{Answer, Limiter, Op, RateLimiter, Rejected};
use super::promise::{begun, promise};
use super::runtime::{Runtime, duration};

/// Options of [`Timeouts`].
#[derive(Debug, Clone)]
pub struct TimeoutOptions {
    /// `timeoutMs`. Default: 0, which only what is known at once meets.
    pub timeout_ms: f64,
    /// `keyPrefix`, under which a union shows it. Default `rlflx`.
    pub key_prefix: String,
    /// `insuranceLimiter`. Default: the wrapped limiter's.
    pub insurance_limiter: Option<Limiter>,
    /// `blockDuration` that the insurance takes over. Default: 0.
    pub block_duration: f64,
    /// `execEvenly` that the insurance takes over. Default: false.
    pub exec_evenly: bool,
}

impl Default for TimeoutOptions {
    fn default() -> Self {
        Self { timeout_ms: 0.0, key_prefix: "rlflx".to_owned(), insurance_limiter: None, block_duration: 0.0, exec_evenly: false }
    }
}

/// `RLWrapperTimeouts`: whoever waits too long is told so, or asked by the insurance. The late call still does its work, so it
/// is counted in both.
pub struct Timeouts {
    runtime: Arc<dyn Runtime>,
    limiter: Limiter,
    options: TimeoutOptions,
    insurance: Option<Limiter>,
}

impl fmt::Debug for Timeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeouts").field("limiter", &self.limiter).field("options", &self.options).finish_non_exhaustive()
    }
}

impl Timeouts {
    /// Around this one.
    #[must_use]
    pub fn new(runtime: Arc<dyn Runtime>, limiter: Limiter, options: TimeoutOptions) -> Arc<Self> {
        let insurance = options.insurance_limiter.clone().or_else(|| limiter.0.insurance());
        if let Some(insurance) = &insurance {
            insurance.0.inherit(options.block_duration, options.exec_evenly);
        }
        Arc::new(Self { runtime, limiter, options, insurance })
    }

    async fn in_time(&self, key: &str, op: Op) -> Answered {
        let mut call = self.limiter.run(key, op);
        // What is known at once needs no timer.
        if let Poll::Ready(answer) = begun(&mut call).await {
            return answer;
        }
        let (resolver, mut answer) = promise();
        self.runtime.spawn(Box::pin(async move { resolver.resolve(call.await) }));
        let mut timer = self.runtime.sleep(duration(self.options.timeout_ms));
        poll_fn(move |cx| {
            if let Poll::Ready(answer) = std::pin::Pin::new(&mut answer).poll(cx) {
                return Poll::Ready(answer.unwrap_or_else(|| Err(Rejected::Trouble("the call was given up".to_owned()))));
            }
            timer.as_mut().poll(cx).map(|()| Err(Rejected::Trouble("Operation timed out".to_owned())))
        })
        .await
    }
}

type Answered = Result<super::answer::Reply, Rejected>;

impl RateLimiter for Timeouts {
    fn run(self: Arc<Self>, key: String, op: Op) -> Answer {
        Box::pin(async move {
            match (self.in_time(&key, op).await, &self.insurance) {
                (Err(Rejected::Trouble(_)), Some(insurance)) => insurance.run(&key, op).await,
                (answer, _) => answer,
            }
        })
    }

    fn points(&self) -> f64 {
        // There, the wrapper has none of its own; nobody can queue behind it.
        0.0
    }

    fn key_prefix(&self) -> String {
        self.options.key_prefix.clone()
    }

    fn insurance(&self) -> Option<Limiter> {
        self.insurance.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::RateLimiterStore;
    use super::super::testing::{Paused, Remote, memory, options, refused, wait};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_told_and_the_late_call_counts() {
        let runtime = Paused::begin();
        let remote = Remote::new(&runtime, 100);
        let inner = Limiter::from(RateLimiterStore::new(runtime.clone(), remote.clone(), options(5.0, 10.0)).unwrap());
        let within = |ms, insurance| {
            let options = TimeoutOptions { timeout_ms: ms, insurance_limiter: insurance, ..TimeoutOptions::default() };
            Limiter::from(Timeouts::new(runtime.clone(), inner.clone(), options))
        };
        assert_eq!(within(50.0, None).consume("a", 1.0).await, Err(Rejected::Trouble("Operation timed out".to_owned())));
        wait(100).await;
        assert_eq!(inner.get("a").await.unwrap().unwrap().consumed_points, 1.0);
        assert_eq!(refused(within(150.0, None).consume("a", 1.0).await), None);
        let insurance = memory(&runtime, options(1.0, 1.0));
        let insured = within(50.0, Some(insurance.clone()));
        assert_eq!(refused(insured.consume("b", 2.0).await), Some(1000.0), "the insurance has answered");
        wait(100).await;
        assert_eq!(inner.get("b").await.unwrap().unwrap().consumed_points, 2.0, "counted in both");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_known_at_once_needs_no_time() {
        let runtime = Paused::begin();
        let inner = memory(&runtime, options(1.0, 1.0));
        let limiter = Limiter::from(Timeouts::new(runtime, inner, TimeoutOptions::default()));
        assert_eq!(refused(limiter.consume("a", 1.0).await), None);
        assert_eq!(refused(limiter.consume("a", 1.0).await), Some(1000.0));
    }
}
