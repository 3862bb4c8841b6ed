//! Waiting for points instead of being refused.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::answer::{Limiter, Op, Rejected, Reply};
use super::promise::{Promise, Resolver, Yield, promise};
use super::runtime::{Runtime, duration};

/// There, the most that an array can hold.
const MAX_QUEUE_SIZE: usize = 4_294_967_295;
/// How long to wait for what never ends, in milliseconds, before it is looked at again.
const NEVER: f64 = 1000.0;

/// Requests wait in the order in which they came, for each key.
#[derive(Debug, Clone)]
pub struct RateLimiterQueue(Arc<Queues>);

struct Queues {
    runtime: Arc<dyn Runtime>,
    limiter: Limiter,
    most: usize,
    /// Of keys for which somebody waits; a queue goes with its last.
    waiting: Mutex<HashMap<String, VecDeque<Waiting>>>,
}

struct Waiting {
    tokens: f64,
    /// Seconds since 1970.
    deadline: Option<f64>,
    resolver: Resolver<Result<f64, QueueError>>,
}

/// Why tokens were not removed.
#[derive(Debug, Clone, PartialEq)]
pub enum QueueError {
    /// More than there ever are: asked for, there are.
    TooMany(f64, f64),
    /// So many wait already.
    Full(usize),
    /// The deadline passed. Found out when the queue moves.
    Expired,
    /// The limiter's store could not answer.
    Trouble(String),
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(asked, most) => write!(f, "Requested tokens {asked} exceeds maximum {most} tokens per interval"),
            Self::Full(most) => write!(f, "Number of requests reached it's maximum {most}"),
            Self::Expired => f.write_str("The request to remove tokens expired before it could be fulfilled"),
            Self::Trouble(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for QueueError {}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queues").field("limiter", &self.limiter).field("most", &self.most).finish_non_exhaustive()
    }
}

/// What came of asking the limiter.
enum Asked {
    Got(f64),
    /// Milliseconds until it may be asked again.
    Wait(f64),
    Trouble(String),
}

impl RateLimiterQueue {
    /// In front of this limiter; `max_queue_size` for each key, 4,294,967,295 if it is not given: give it.
    #[must_use]
    pub fn new(runtime: Arc<dyn Runtime>, limiter: Limiter, max_queue_size: Option<usize>) -> Self {
        Self(Arc::new(Queues { runtime, limiter, most: max_queue_size.unwrap_or(MAX_QUEUE_SIZE), waiting: Mutex::default() }))
    }

    /// Removes tokens, when there are so many; then how many are left. `deadline` is in seconds since 1970.
    ///
    /// # Errors
    /// They cannot be removed.
    pub async fn remove_tokens(&self, tokens: f64, key: &str, deadline: Option<f64>) -> Result<f64, QueueError> {
        let most = self.0.limiter.points();
        if tokens > most {
            return Err(QueueError::TooMany(tokens, most));
        }
        if !self.0.is_waiting(key) {
            let wait = match self.0.ask(key, tokens).await {
                Asked::Got(left) => return Ok(left),
                Asked::Trouble(why) => return Err(QueueError::Trouble(why)),
                Asked::Wait(ms) => ms,
            };
            // Those who came at the same moment have asked by now, too.
            Yield::default().await;
            return self.wait(key, tokens, deadline, Some(wait)).await;
        }
        self.wait(key, tokens, deadline, None).await
    }

    /// How many tokens there are.
    pub async fn tokens_remaining(&self, key: &str) -> f64 {
        match self.0.limiter.get(key).await {
            Ok(Some(res)) => res.remaining_points,
            // There, a store's trouble looks like a full bucket here; nothing hangs on it but this number.
            Ok(None) | Err(_) => self.0.limiter.points(),
        }
    }

    /// Gets into the queue; `begin` is how long to wait before it moves, for whoever begins it.
    async fn wait(&self, key: &str, tokens: f64, deadline: Option<f64>, begin: Option<f64>) -> Result<f64, QueueError> {
        let (promise, first) = self.0.enqueue(key, tokens, deadline)?;
        if first {
            let (queues, key) = (self.0.clone(), key.to_owned());
            self.0.runtime.spawn(Box::pin(async move { queues.drive(&key, begin.unwrap_or(0.0)).await }));
        }
        promise.await.unwrap_or_else(|| Err(QueueError::Trouble("the queue was given up".to_owned())))
    }
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_waiting(&self, key: &str) -> bool {
        self.lock().contains_key(key)
    }

    async fn ask(&self, key: &str, tokens: f64) -> Asked {
        match self.limiter.run(key, Op::Consume { points: tokens, custom_duration: None }).await.map(Reply::res) {
            Ok(res) => Asked::Got(res.map_or(0.0, |r| r.remaining_points)),
            Err(Rejected::Limit(res)) => Asked::Wait(res.ms_before_next),
            Err(Rejected::Trouble(why)) => Asked::Trouble(why),
        }
    }

    /// The promise, and whether nobody waited before.
    fn enqueue(&self, key: &str, tokens: f64, deadline: Option<f64>) -> Result<(Promise<Result<f64, QueueError>>, bool), QueueError> {
        let mut waiting = self.lock();
        if waiting.get(key).map_or(0, VecDeque::len) >= self.most {
            return Err(QueueError::Full(self.most));
        }
        let queue = waiting.entry(key.to_owned()).or_default();
        let (resolver, promise) = promise();
        queue.push_back(Waiting { tokens, deadline, resolver });
        Ok((promise, queue.len() == 1))
    }

    /// Serves a queue until it is empty.
    async fn drive(&self, key: &str, mut wait: f64) {
        loop {
            self.runtime.sleep(duration(if wait < 0.0 { NEVER } else { wait.max(1.0) })).await;
            wait = loop {
                let Some(tokens) = self.next(key) else { return };
                match self.ask(key, tokens).await {
                    Asked::Got(left) => self.serve(key, Ok(left)),
                    Asked::Wait(ms) => break ms,
                    Asked::Trouble(why) => self.serve(key, Err(QueueError::Trouble(why))),
                }
            };
        }
    }

    /// What the first wants; those whose time is over are told, and who has gone away takes nothing. An empty queue is dropped.
    fn next(&self, key: &str) -> Option<f64> {
        let now = self.runtime.wall().as_secs_f64();
        let mut waiting = self.lock();
        let queue = waiting.get_mut(key)?;
        let (over, rest): (VecDeque<Waiting>, VecDeque<Waiting>) =
            std::mem::take(queue).into_iter().partition(|w| w.deadline.is_some_and(|deadline| deadline <= now) || !w.resolver.is_awaited());
        *queue = rest;
        let tokens = queue.front().map(|w| w.tokens);
        if tokens.is_none() {
            waiting.remove(key);
        }
        drop(waiting);
        for expired in over {
            expired.resolver.resolve(Err(QueueError::Expired));
        }
        tokens
    }

    fn serve(&self, key: &str, result: Result<f64, QueueError>) {
        let first = self.lock().get_mut(key).and_then(VecDeque::pop_front);
        if let Some(first) = first {
            first.resolver.resolve(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Paused, memory, options, wait};
    use super::*;

    fn queue(points: f64, most: Option<usize>) -> RateLimiterQueue {
        let runtime = Paused::begin();
        let limiter = memory(&runtime, options(points, 1.0));
        RateLimiterQueue::new(runtime, limiter, most)
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_are_served_in_their_order_and_then_nothing_is_kept() {
        let queue = queue(2.0, None);
        let begin = tokio::time::Instant::now();
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for n in 0..5 {
            let (queue, served) = (queue.clone(), served.clone());
            tasks.push(tokio::spawn(async move {
                queue.remove_tokens(1.0, "a", None).await.unwrap();
                served.lock().unwrap().push((n, begin.elapsed().as_millis()));
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let order: Vec<i32> = served.lock().unwrap().iter().map(|(n, _)| *n).collect();
        assert_eq!(order, [0, 1, 2, 3, 4]);
        let last = served.lock().unwrap()[4].1;
        assert!((2000..2100).contains(&last), "{last}");
        wait(1).await;
        assert!(queue.0.lock().is_empty());
        assert_eq!(queue.tokens_remaining("a").await, 1.0);
        assert_eq!(queue.tokens_remaining("nobody").await, 2.0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_can_never_be_served_is_told_at_once() {
        let queue = queue(1.0, Some(1));
        assert_eq!(queue.remove_tokens(2.0, "a", None).await, Err(QueueError::TooMany(2.0, 1.0)));
        queue.remove_tokens(1.0, "a", None).await.unwrap();
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { queue.remove_tokens(1.0, "a", None).await }
        });
        wait(1).await;
        assert_eq!(queue.remove_tokens(1.0, "a", None).await, Err(QueueError::Full(1)));
        assert_eq!(waiting.await.unwrap(), Ok(0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_kept_and_who_went_away_uses_nothing() {
        let queue = queue(1.0, None);
        queue.remove_tokens(1.0, "a", None).await.unwrap();
        let wait_in = |deadline: Option<f64>| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.remove_tokens(1.0, "a", deadline).await })
        };
        let hopeless = wait_in(Some(1_700_000_000.5));
        let gone = wait_in(None);
        let patient = wait_in(None);
        wait(10).await;
        gone.abort();
        wait(1100).await;
        assert_eq!(hopeless.await.unwrap(), Err(QueueError::Expired));
        assert!(patient.is_finished(), "the one that went away is not served");
        assert_eq!(patient.await.unwrap(), Ok(0.0));
    }
}
