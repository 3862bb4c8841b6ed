//! What the tests in here have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::clock::{Clock, Micros};

/// tokio's paused time: every wait is exact and takes none.
#[derive(Clone, Copy)]
pub(super) struct Paused(tokio::time::Instant);

impl Paused {
    pub(super) fn begin() -> Arc<Self> {
        Arc::new(Self(tokio::time::Instant::now()))
    }
}

impl Clock for Paused {
    fn now(&self) -> Micros {
        Micros(1_700_000_000_000_000).after(self.0.elapsed())
    }
}

impl Runtime for Paused {
    fn sleep(&self, time: Duration) -> Task {
        Box::pin(tokio::time::sleep(time))
    }

    fn spawn(&self, task: Task) {
        tokio::spawn(task);
    }
}

pub(super) async fn wait(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// So many points in so many seconds.
pub(super) fn options(points: f64, duration: f64) -> Options {
    Options { points, duration, ..Options::default() }
}

pub(super) fn memory(runtime: &Arc<Paused>, options: Options) -> Limiter {
    RateLimiterMemory::with_keys(runtime.clone(), options, 1000).unwrap().into()
}

/// How long a refused call has to wait, in milliseconds; `None`: it passed.
pub(super) fn refused(answer: Result<Res, Rejected>) -> Option<f64> {
    match answer {
        Ok(_) => None,
        Err(Rejected::Limit(res)) => Some(res.ms_before_next),
        Err(Rejected::Trouble(why)) => panic!("trouble: {why}"),
    }
}

/// A store that answers late, or not at all.
pub(super) struct Remote {
    pub(super) counters: Arc<MemoryCounters>,
    pub(super) broken: AtomicBool,
    pub(super) calls: AtomicU32,
    latency: Duration,
}

impl Remote {
    pub(super) fn new(runtime: &Arc<Paused>, latency_ms: u64) -> Arc<Self> {
        let counters = Arc::new(MemoryCounters::new(runtime.clone(), 1000));
        Arc::new(Self { counters, broken: AtomicBool::new(false), calls: AtomicU32::new(0), latency: Duration::from_millis(latency_ms) })
    }

    fn call<T: Send + 'static>(&self, count: impl FnOnce(&MemoryCounters) -> Count<T> + Send + 'static) -> Count<T> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (counters, broken, latency) = (self.counters.clone(), self.broken.load(Ordering::Relaxed), self.latency);
        Box::pin(async move {
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            if broken { Err("no route to host".to_owned()) } else { count(&counters).await }
        })
    }
}

impl Counters for Remote {
    fn add(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter> {
        let key = key.to_owned();
        self.call(move |c| c.add(&key, points, time))
    }

    fn put(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter> {
        let key = key.to_owned();
        self.call(move |c| c.put(&key, points, time))
    }

    fn get(&self, key: &str) -> Count<Option<Counter>> {
        let key = key.to_owned();
        self.call(move |c| c.get(&key))
    }

    fn delete(&self, key: &str) -> Count<bool> {
        let key = key.to_owned();
        self.call(move |c| c.delete(&key))
    }
}
