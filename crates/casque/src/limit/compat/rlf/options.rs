//! A limiter's options, under their names there.

use std::fmt;

use serde_json::Value;

use super::answer::Limiter;

/// Options of the limiters that count. Numbers are JavaScript's.
#[derive(Debug, Clone)]
pub struct Options {
    /// `points`: so many in a window. Required; 0 or less refuses everything.
    pub points: f64,
    /// `duration`: the window's seconds, from a key's first point. Required; 0: it never ends.
    pub duration: f64,
    /// `keyPrefix`: what keys begin with in the store, before a colon; empty: nothing. Default `rlflx`.
    pub key_prefix: String,
    /// `blockDuration`: seconds for which a key is refused when it first exceeds its points. 0 (the default): to the window's
    /// end. Hits do not extend it.
    pub block_duration: f64,
    /// `blockOnConsumed`: points on which that happens, at least `points`. Stores only. 0 (the default): when they are exceeded.
    pub block_on_consumed: f64,
    /// `execEvenly`: delay what passes so that it is spread over the window. Default: false.
    pub exec_evenly: bool,
    /// `execEvenlyMinDelayMs`. Default: `duration` in milliseconds by `points`, rounded up.
    pub exec_evenly_min_delay_ms: Option<f64>,
    /// `inMemoryBlockOnConsumed`: points from which on the store is not asked any more, at least `points`. Stores only. 0 (the
    /// default): it always is.
    pub in_memory_block_on_consumed: f64,
    /// `inMemoryBlockDuration`: for so many seconds. 0 (the default): to the window's end; `blockDuration` then does not count
    /// for what this catches.
    pub in_memory_block_duration: f64,
    /// `insuranceLimiter`: who is asked when the store has trouble. Stores only.
    pub insurance_limiter: Option<Limiter>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            points: f64::NAN,
            duration: f64::NAN,
            key_prefix: "rlflx".to_owned(),
            block_duration: 0.0,
            block_on_consumed: 0.0,
            exec_evenly: false,
            exec_evenly_min_delay_ms: None,
            in_memory_block_on_consumed: 0.0,
            in_memory_block_duration: 0.0,
            insurance_limiter: None,
        }
    }
}

/// Options that no limiter can have, in the words that its users know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionsError(pub(super) &'static str);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for OptionsError {}

impl Options {
    /// Reads options as they stand in JavaScript, but for `insuranceLimiter`. Keys that are not known are passed over, as there.
    ///
    /// # Errors
    /// What no limiter can have.
    pub fn read(written: &Value) -> Result<Self, OptionsError> {
        let number = |key: &str| written.get(key).and_then(Value::as_f64);
        let defaults = Self::default();
        let key_prefix = match written.get("keyPrefix") {
            None => defaults.key_prefix,
            Some(Value::String(prefix)) => prefix.clone(),
            Some(_) => return Err(OptionsError("keyPrefix must be string")),
        };
        let truthy = |value: &Value| match value {
            Value::Null => false,
            Value::Bool(b) => *b,
            Value::Number(n) => n.as_f64() != Some(0.0),
            Value::String(s) => !s.is_empty(),
            Value::Array(_) | Value::Object(_) => true,
        };
        let options = Self {
            points: number("points").unwrap_or(f64::NAN),
            duration: number("duration").unwrap_or(f64::NAN),
            key_prefix,
            block_duration: number("blockDuration").unwrap_or(0.0),
            block_on_consumed: number("blockOnConsumed").unwrap_or(0.0),
            exec_evenly: written.get("execEvenly").is_some_and(truthy),
            exec_evenly_min_delay_ms: number("execEvenlyMinDelayMs"),
            in_memory_block_on_consumed: number("inMemoryBlockOnConsumed").unwrap_or(0.0),
            in_memory_block_duration: number("inMemoryBlockDuration").unwrap_or(0.0),
            insurance_limiter: None,
        };
        options.check()?;
        Ok(options)
    }

    /// What every limiter needs.
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        if !self.points.is_finite() {
            return Err(OptionsError("points must be set and must be a finite number"));
        }
        if !(self.duration.is_finite() && self.duration >= 0.0) {
            return Err(OptionsError("duration must be set and must be a finite, non-negative number"));
        }
        Ok(())
    }

    /// What limiters with a store need besides.
    pub(super) fn check_store(&self) -> Result<(), OptionsError> {
        self.check()?;
        if self.block_on_consumed > 0.0 && self.block_on_consumed < self.points {
            return Err(OptionsError("blockOnConsumed option must be greater or equal \"points\" option"));
        }
        if self.in_memory_block_on_consumed > 0.0 && self.in_memory_block_on_consumed < self.points {
            return Err(OptionsError("inMemoryBlockOnConsumed option must be greater or equal \"points\" option"));
        }
        if self.in_memory_block_duration > 0.0 && self.in_memory_block_on_consumed == 0.0 {
            return Err(OptionsError("inMemoryBlockOnConsumed option must be set up"));
        }
        Ok(())
    }

    /// `execEvenlyMinDelayMs`, computed if it is not set.
    #[must_use]
    pub fn exec_evenly_min_delay(&self) -> f64 {
        let even = if self.points > 0.0 { (self.duration * 1000.0 / self.points).ceil() } else { 0.0 };
        self.exec_evenly_min_delay_ms.unwrap_or(even)
    }

    /// The key as it is in the store.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        if self.key_prefix.is_empty() { key.to_owned() } else { format!("{}:{key}", self.key_prefix) }
    }

    /// The key without its prefix.
    #[must_use]
    pub fn parse_key<'k>(&self, key: &'k str) -> &'k str {
        // There, the prefix's length is cut off, whatever stands there.
        let length = if self.key_prefix.is_empty() { 0 } else { self.key_prefix.len() + 1 };
        key.get(length..).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_read_as_they_stand_there() {
        let read = Options::read(&json!({ "points": 4, "duration": 0.5, "execEvenly": "yes", "blockDuration": 9, "unknown": 1 })).unwrap();
        assert_eq!((read.points, read.duration, read.exec_evenly, read.block_duration), (4.0, 0.5, true, 9.0));
        assert_eq!((read.key_prefix.as_str(), read.exec_evenly_min_delay()), ("rlflx", 125.0));
        for (bad, told) in [
            (json!({}), "points must be set"),
            (json!({ "points": 1 }), "duration must be set"),
            (json!({ "points": 1, "duration": -1 }), "non-negative"),
            (json!({ "points": 1, "duration": 1, "keyPrefix": 7 }), "keyPrefix must be string"),
            (json!(null), "points must be set"),
        ] {
            assert!(Options::read(&bad).unwrap_err().to_string().contains(told), "{bad}");
        }
    }

    #[test]
    fn keys_have_their_prefix_and_lose_it_again() {
        let plain = Options { key_prefix: String::new(), ..Options::default() };
        for options in [Options::default(), plain] {
            assert_eq!(options.parse_key(&options.key("a:b")), "a:b");
        }
        assert_eq!(Options::default().parse_key("x"), "");
        assert_eq!(Options::default().parse_key("\u{e9}\u{e9}\u{e9}\u{e9}"), "\u{e9}");
    }
}
