//! Counters that end so long after they began: what [`crate::limit::compat::rlf`] counts in.

use std::fmt;
use std::sync::Arc;

use redis::Value;

use super::script::Step;
use super::server::Trouble;
use super::{OnError, RedisStore};
use crate::clock::{Clock, Micros};
use crate::limit::compat::rlf::{Count, Counter, Counters, MemoryCounters};
use crate::limit::subject::{Key, Subject};

/// Counters in memory, for when Redis does not answer.
const LOCAL: usize = 1 << 16;
/// The greatest points that are exact both here and there.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Counters of `compat::rlf` in a store's Redis, on its connections. Whole points only.
///
/// Every call is one script, blocks too. With [`OnError::Local`] what Redis said last is counted on here while it cannot
/// answer, and is not charged to it afterwards; else its trouble is the limiter's, who may have an `insuranceLimiter`.
#[derive(Clone)]
pub struct RedisCounters {
    store: RedisStore,
    local: Arc<MemoryCounters>,
}

/// The store's clock, for what counts in its place.
struct ClockOf(Arc<dyn Clock>);

impl Clock for ClockOf {
    fn now(&self) -> Micros {
        self.0.now()
    }
}

impl fmt::Debug for RedisCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCounters").field("store", &self.store).finish_non_exhaustive()
    }
}

impl RedisCounters {
    /// Counters beside a store's limits.
    #[must_use]
    pub fn new(store: &RedisStore) -> Self {
        let clock = Arc::new(ClockOf(store.inner.clock.clone()));
        Self { store: store.clone(), local: Arc::new(MemoryCounters::new(clock, LOCAL)) }
    }

    async fn ask(&self, key: &str, step: Step, points: f64, time: Option<u64>) -> Result<Counted, String> {
        if points.fract() != 0.0 || points.abs() > EXACT {
            return Err(format!("Redis counts whole points, not {points}"));
        }
        let inner = &self.store.inner;
        if !inner.may_ask() {
            return Err(inner.counts.health().trouble.unwrap_or_default());
        }
        // No limit's id, and no other prefix of keys could be one that this user may not use.
        let key = Key { limit: u64::MAX, subject: Subject::of([key]) };
        let call = inner.scripts.count(&inner.names, &key, step, points as i64, time);
        inner.in_time(async { Counted::read(&inner.send(&call).await?).ok_or_else(Trouble::no_answer) }).await.map_err(|t| t.to_string())
    }

    fn counts_on(&self) -> bool {
        self.store.inner.options.on_error == OnError::Local
    }

    fn change(&self, key: &str, step: Step, points: f64, time: Option<u64>) -> Count<Counter> {
        let (this, key) = (self.clone(), key.to_owned());
        Box::pin(async move {
            match this.ask(&key, step, points, time).await {
                Ok(counted) => {
                    this.local.put(&key, counted.points, counted.left).await?;
                    Ok(Counter { points: counted.points, left: counted.left, begun: counted.flag })
                }
                Err(_) if this.counts_on() && step == Step::Add => this.local.add(&key, points, time).await,
                Err(_) if this.counts_on() => this.local.put(&key, points, time).await,
                Err(why) => Err(why),
            }
        })
    }
}

impl Counters for RedisCounters {
    fn add(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter> {
        self.change(key, Step::Add, points, time)
    }

    fn put(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter> {
        self.change(key, Step::Put, points, time)
    }

    fn get(&self, key: &str) -> Count<Option<Counter>> {
        let (this, key) = (self.clone(), key.to_owned());
        Box::pin(async move {
            match this.ask(&key, Step::Get, 0.0, None).await {
                Ok(counted) => Ok(counted.is_there.then_some(Counter { points: counted.points, left: counted.left, begun: false })),
                Err(_) if this.counts_on() => this.local.get(&key).await,
                Err(why) => Err(why),
            }
        })
    }

    fn delete(&self, key: &str) -> Count<bool> {
        let (this, key) = (self.clone(), key.to_owned());
        Box::pin(async move {
            let asked = this.ask(&key, Step::Delete, 0.0, None).await;
            let was_here = this.local.delete(&key).await?;
            match asked {
                Ok(counted) => Ok(counted.flag),
                Err(_) if this.counts_on() => Ok(was_here),
                Err(why) => Err(why),
            }
        })
    }
}

/// The script's answer.
struct Counted {
    points: f64,
    left: Option<u64>,
    is_there: bool,
    /// Whether it began, or was there.
    flag: bool,
}

impl Counted {
    fn read(answer: &Value) -> Option<Self> {
        let Value::Array(list) = answer else { return None };
        let [Value::Int(points), Value::Int(left), Value::Int(flag)] = list.as_slice() else { return None };
        Some(Self { points: *points as f64, left: u64::try_from(*left).ok(), is_there: *left != -2, flag: *flag != 0 })
    }
}
