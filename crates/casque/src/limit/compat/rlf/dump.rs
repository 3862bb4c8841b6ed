//! Counters as JSON, to outlive the process.

use serde_json::{Value, json};

use super::limiter::RateLimiterMemory;
use crate::clock::as_micros;

/// The keys of a dump, by what became of them. A key that was none is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restored {
    /// They are counted on.
    pub restored: Vec<Option<String>>,
    /// Their windows have ended.
    pub expired: Vec<Option<String>>,
    /// What stands there is no counter.
    pub invalid: Vec<Option<String>>,
}

impl RateLimiterMemory {
    /// All counters, as `dump()` gives them there: keys without the prefix, ends in milliseconds since 1970.
    #[must_use]
    pub fn dump(&self) -> Value {
        let options = self.options();
        let (now, wall) = self.times();
        let storage: Vec<Value> = self
            .counters
            .list()
            .into_iter()
            .map(|(key, points, ends)| {
                let expires_at = ends.map(|ends| wall.saturating_add(ends.saturating_sub(now)));
                json!({ "key": options.parse_key(&key), "value": points, "expiresAt": expires_at })
            })
            .collect();
        json!({ "version": 1, "dumpedAt": wall, "storage": storage })
    }

    /// Takes over the counters of a dump; `None` if it is none of version 1. Never fails: a dump is read from a disk.
    pub fn restore(&self, dump: &Value) -> Option<Restored> {
        if dump.get("version").and_then(Value::as_f64) != Some(1.0) {
            return None;
        }
        let options = self.options();
        let (_, wall) = self.times();
        let mut restored = Restored::default();
        for entry in dump.get("storage").and_then(Value::as_array).into_iter().flatten() {
            let key = entry.get("key").and_then(|key| match key {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
            let value = entry.get("value").and_then(Value::as_f64);
            // For ever is written `null`; nothing at all is a mistake.
            let expires_at = match entry.get("expiresAt") {
                Some(Value::Null) => Some(None),
                Some(Value::Number(number)) => number.as_f64().map(Some),
                _ => None,
            };
            match (&key, value, expires_at) {
                (Some(_), Some(_), Some(Some(at))) if at <= wall as f64 => restored.expired.push(key),
                (Some(name), Some(value), Some(at)) => {
                    let time = at.map(|at| (at - wall as f64) as u64);
                    self.counters.put_now(&options.key(name), value.trunc(), time);
                    restored.restored.push(key);
                }
                _ => restored.invalid.push(key),
            }
        }
        Some(restored)
    }

    /// Milliseconds of the counters' clock and since 1970.
    fn times(&self) -> (u64, u64) {
        let runtime = self.runtime();
        (super::runtime::millis(runtime), as_micros(runtime.wall()) / 1000)
    }
}
