//! A second limiter for what the first refuses.

use std::sync::Arc;

use super::answer::{Answer, Limiter, Op, RateLimiter, Rejected, Reply, Res};
use super::promise::all;

/// What the main limiter refuses is let through as long as the burst limiter has points. The main one is charged all the same.
/// Only consume and get; everything else is for one of the two.
#[derive(Debug)]
pub struct BurstyRateLimiter {
    main: Limiter,
    burst: Limiter,
}

impl BurstyRateLimiter {
    /// Of these two.
    #[must_use]
    pub fn new(main: Limiter, burst: Limiter) -> Arc<Self> {
        Arc::new(Self { main, burst })
    }
}

/// The main limiter's numbers, until the sooner of the two.
fn combined(main: Res, burst_ms: f64) -> Res {
    Res { ms_before_next: main.ms_before_next.min(burst_ms), ..main }
}

impl RateLimiter for BurstyRateLimiter {
    fn run(self: Arc<Self>, key: String, op: Op) -> Answer {
        Box::pin(async move {
            match op {
                Op::Consume { .. } => {
                    let main = match self.main.run(&key, op).await {
                        Err(Rejected::Limit(main)) => main,
                        answer => return answer,
                    };
                    match self.burst.run(&key, op).await {
                        Ok(burst) => Ok(Reply::Res(combined(main, burst.res().map_or(f64::INFINITY, |b| b.ms_before_next)))),
                        Err(Rejected::Limit(burst)) => Err(Rejected::Limit(combined(main, burst.ms_before_next))),
                        Err(trouble) => Err(trouble),
                    }
                }
                Op::Get => {
                    let mut both = all(vec![self.main.run(&key, op), self.burst.run(&key, op)]).await.into_iter();
                    let mut next = || both.next().transpose().map(|reply| reply.and_then(Reply::res));
                    let (main, burst) = (next()?, next()?);
                    // There, a burst that is not there is one that ends now.
                    Ok(Reply::Found(main.map(|main| combined(main, burst.map_or(0.0, |b| b.ms_before_next)))))
                }
                _ => Err(Rejected::Trouble("a bursty limiter can only consume and get; ask one of its two".to_owned())),
            }
        })
    }

    fn points(&self) -> f64 {
        self.main.points()
    }

    fn key_prefix(&self) -> String {
        self.main.key_prefix()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Paused, memory, options, refused, wait};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_let_through_and_the_main_limiter_charged() {
        let runtime = Paused::begin();
        let (main, burst) = (memory(&runtime, options(1.0, 1.0)), memory(&runtime, options(2.0, 5.0)));
        let both = Limiter::from(BurstyRateLimiter::new(main.clone(), burst.clone()));
        assert_eq!(both.get("a").await.unwrap(), None);
        for left in [None, None, None, Some(1000.0)] {
            assert_eq!(refused(both.consume("a", 1.0).await), left);
        }
        assert_eq!(main.get("a").await.unwrap().unwrap().consumed_points, 4.0);
        assert_eq!(burst.get("a").await.unwrap().unwrap().consumed_points, 3.0);
        wait(1000).await;
        assert_eq!(refused(both.consume("a", 1.0).await), None);
        assert_eq!(both.get("a").await.unwrap().unwrap().ms_before_next, 1000.0, "the sooner of the two");
        assert_eq!((both.points(), both.key_prefix().as_str()), (1.0, "rlflx"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_for_one_of_the_two_is_said_so() {
        let runtime = Paused::begin();
        let both = Limiter::from(BurstyRateLimiter::new(memory(&runtime, options(1.0, 1.0)), memory(&runtime, options(1.0, 1.0))));
        assert!(matches!(both.block("a", 1.0).await, Err(Rejected::Trouble(why)) if why.contains("ask one of its two")));
    }
}
