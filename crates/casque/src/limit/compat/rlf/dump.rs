//! Counters as JSON, to outlive the process.

use serde_json::{Value, json};

use super::memory::RateLimiterMemory;
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

#[cfg(test)]
mod tests {
    use super::super::answer::Limiter;
    use super::super::testing::{Paused, options, wait};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_dumped_comes_back() {
        let runtime = Paused::begin();
        let limiter = |points| RateLimiterMemory::with_keys(runtime.clone(), options(points, 10.0), 100).unwrap();
        let (from, to) = (limiter(5.0), limiter(5.0));
        let asked = Limiter::from(from.clone());
        asked.consume("a", 2.0).await.unwrap();
        asked.set("ever", 3.0, 0.0).await.unwrap();
        asked.block("short", 1.0).await.unwrap();
        let dump = from.dump();
        assert_eq!(
            (&dump["version"], &dump["storage"][0]["key"], &dump["storage"][1]["expiresAt"]),
            (&json!(1), &json!("a"), &Value::Null)
        );
        wait(4000).await;
        let restored = to.restore(&dump).unwrap();
        assert_eq!(restored.restored, [Some("a".to_owned()), Some("ever".to_owned())]);
        assert_eq!((restored.expired, restored.invalid), (vec![Some("short".to_owned())], vec![]));
        let a = Limiter::from(to.clone()).get("a").await.unwrap().unwrap();
        assert_eq!((a.consumed_points, a.ms_before_next), (2.0, 6000.0));
    }

    #[tokio::test(start_paused = true)]
    async fn no_dump_from_a_disk_panics() {
        let to = RateLimiterMemory::with_keys(Paused::begin(), options(5.0, 10.0), 100).unwrap();
        for none in [json!(null), json!([]), json!({}), json!({ "version": 2, "storage": [] }), json!("x")] {
            assert_eq!(to.restore(&none), None, "{none}");
        }
        let odd = json!({ "version": 1, "storage": [
            7, null, [], {}, { "key": {}, "value": 1, "expiresAt": null }, { "key": "k", "value": "1", "expiresAt": null },
            { "key": "k", "value": 1 }, { "key": "far", "value": 1e300, "expiresAt": 1e300 }, { "key": 7, "value": -1.5, "expiresAt": null },
        ] });
        let restored = to.restore(&odd).unwrap();
        assert_eq!((restored.invalid.len(), restored.restored.len()), (7, 2));
        assert_eq!(to.restore(&json!({ "version": 1, "storage": {} })), Some(Restored::default()));
    }
}
