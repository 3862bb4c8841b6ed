//! Waits that grow with each attempt: ExpressBrute's rule, as `ExpressBruteFlexible` has it.
//!
//! After some free tries every attempt has to wait longer than the one before, in Fibonacci's steps. Whoever can lock an
//! address or an account out by trying can do so here, too: casque's login guard does not have that hole.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::answer::{Limiter, Rejected};
use super::memory::RateLimiterMemory;
use super::options::{Options, OptionsError};
use super::runtime::Runtime;

/// Options of [`Brute`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BruteOptions {
    /// `freeRetries`. Default: 2.
    pub free_retries: u32,
    /// `minWait` in milliseconds. Default: 500.
    pub min_wait: f64,
    /// `maxWait` in milliseconds. Default: 15 minutes.
    pub max_wait: f64,
    /// `lifetime` in seconds. Default: as long as it takes to use up all waits.
    pub lifetime: Option<f64>,
}

impl Default for BruteOptions {
    fn default() -> Self {
        Self { free_retries: 2, min_wait: 500.0, max_wait: 900_000.0, lifetime: None }
    }
}

impl BruteOptions {
    /// The waits in milliseconds: the least twice, then each the sum of two before, the last the greatest.
    #[must_use]
    pub fn delays(&self) -> Vec<f64> {
        let min = self.min_wait.max(1.0);
        let mut delays = vec![min];
        while let Some(last) = delays.last().copied().filter(|last| *last < self.max_wait) {
            let before = delays.len().checked_sub(2).and_then(|i| delays.get(i)).copied();
            delays.push(last + before.unwrap_or(0.0));
        }
        delays.pop();
        delays.push(self.max_wait);
        delays
    }

    /// Seconds for which attempts are remembered.
    #[must_use]
    pub fn lifetime(&self) -> f64 {
        let steps = self.delays().len() as f64 + f64::from(self.free_retries);
        self.lifetime.unwrap_or_else(|| (self.max_wait / 1000.0).ceil() * steps)
    }
}

/// What comes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Prevented {
    /// It may go on.
    Pass,
    /// It has to wait for so many milliseconds.
    Wait(f64),
}

/// Counts attempts, and sets a wait behind each that is not free.
#[derive(Debug)]
pub struct Brute {
    options: BruteOptions,
    delays: Vec<f64>,
    /// Attempts, which say how long the next wait is.
    counts: Limiter,
    /// Waits. One point, so that of attempts at once only one gets past the end of a wait.
    waits: Limiter,
}

impl Brute {
    /// In memory.
    ///
    /// # Errors
    /// Options that no limiter can have.
    pub fn new(runtime: &Arc<dyn Runtime>, options: BruteOptions) -> Result<Self, OptionsError> {
        let limiter = |prefix: &str| {
            let options = Options { points: 1.0, duration: options.lifetime(), key_prefix: prefix.to_owned(), ..Options::default() };
            RateLimiterMemory::with_keys(runtime.clone(), options, 1 << 16).map(Limiter::from)
        };
        Ok(Self { options, delays: options.delays(), counts: limiter("brutecount")?, waits: limiter("brutewait")? })
    }

    /// Asks whether an attempt of these parts (an address, a name, a key) may go on, and counts it if so.
    ///
    /// # Errors
    /// The store has trouble.
    pub async fn prevent(&self, parts: &[&str]) -> Result<Prevented, Rejected> {
        let key = key_of(parts);
        match self.waits.consume(&key, 1.0).await {
            Ok(_) => {}
            Err(Rejected::Limit(wait)) => return Ok(Prevented::Wait(wait.ms_before_next)),
            Err(trouble) => return Err(trouble),
        }
        let attempts = self.counts.penalty(&key, 1.0).await?.consumed_points;
        let step = attempts - f64::from(self.options.free_retries.max(1));
        if step < 0.0 {
            self.waits.delete(&key).await?;
        } else {
            // `as` brings what is too much to the most.
            let wait = self.delays.get(step as usize).copied().unwrap_or(self.options.max_wait);
            self.waits.set(&key, 1.0, (wait / 1000.0).ceil()).await?;
        }
        Ok(Prevented::Pass)
    }

    /// Forgets attempts.
    ///
    /// # Errors
    /// The store has trouble.
    pub async fn reset(&self, parts: &[&str]) -> Result<(), Rejected> {
        let key = key_of(parts);
        self.counts.delete(&key).await?;
        self.waits.delete(&key).await?;
        Ok(())
    }
}

/// Base64 of the SHA-256 of each part's digest, so that no part is kept as it is.
fn key_of(parts: &[&str]) -> String {
    let mut all = Sha256::new();
    for part in parts {
        all.update(Sha256::digest(part.as_bytes()));
    }
    STANDARD.encode(all.finalize())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Paused, wait};
    use super::*;

    #[test]
    fn waits_grow_as_fibonacci_has_it() {
        let options = BruteOptions { min_wait: 500.0, max_wait: 3000.0, ..BruteOptions::default() };
        assert_eq!(options.delays(), [500.0, 500.0, 1000.0, 1500.0, 2500.0, 3000.0]);
        assert_eq!(options.lifetime(), 3.0 * 8.0);
        for odd in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            let odd = BruteOptions { min_wait: odd, max_wait: odd, ..options };
            assert!(odd.delays().len() < 2000);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_wait_longer_and_longer_until_they_are_forgotten() {
        let runtime: Arc<dyn Runtime> = Paused::begin();
        let brute = Brute::new(&runtime, BruteOptions { min_wait: 2000.0, max_wait: 10_000.0, ..BruteOptions::default() }).unwrap();
        let who = ["192.0.2.1", "alice"];
        assert_eq!(brute.prevent(&who).await.unwrap(), Prevented::Pass);
        assert_eq!(brute.prevent(&who).await.unwrap(), Prevented::Pass);
        assert_eq!(brute.prevent(&who).await.unwrap(), Prevented::Wait(2000.0));
        assert_eq!(brute.prevent(&["192.0.2.1", "bob"]).await.unwrap(), Prevented::Pass, "somebody else");
        wait(2000).await;
        assert_eq!(brute.prevent(&who).await.unwrap(), Prevented::Pass);
        wait(2000).await;
        assert_eq!(brute.prevent(&who).await.unwrap(), Prevented::Pass);
        assert_eq!(brute.prevent(&who).await.unwrap(), Prevented::Wait(4000.0));
        brute.reset(&who).await.unwrap();
        assert_eq!(brute.prevent(&who).await.unwrap(), Prevented::Pass);
        assert_ne!(key_of(&["ab", "c"]), key_of(&["a", "bc"]));
    }
}
