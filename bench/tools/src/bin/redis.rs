//! Decisions of casque's limiter on Redis, so many at a time, each of one of so many keys. Prints what they took as JSON.

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use casque::clock::{Clock, SystemClock};
use casque::limit::store::redis::{OnError, RedisOptions};
use casque::limit::{Limit, Limiter, Quota, RedisStore, Subject};
use clap::Parser;
use rustix::time::{ClockId, clock_gettime};

#[derive(Parser)]
struct Options {
    url: String,
    in_flight: usize,
    seconds: f64,
    keys: u32,
}

/// Whoever asks for the next key.
type Next = Rc<Cell<u32>>;

async fn decide(store: RedisStore, next: Next, keys: u32, until: Duration) -> Result<u64, casque::limit::StoreError> {
    let limiter = Limiter::new(Arc::new(store));
    let limit = Limit::new("bench", Quota::per_hour(1_000_000_000));
    let mut decisions = 0;
    while SystemClock.wall() < until {
        next.set((next.get() + 7919) % keys);
        let subject = Subject::of([format!("192.0.2.{}", next.get())]);
        assert!(limiter.try_acquire(&limit, subject, 1).await?.decision.allowed, "the limit is there to be counted, not to be reached");
        decisions += 1;
    }
    Ok(decisions)
}

async fn run(store: &RedisStore, options: &Options, seconds: f64) -> Result<u64, Box<dyn Error>> {
    let until = SystemClock.wall() + Duration::from_secs_f64(seconds);
    let next = Next::default();
    let each: Vec<_> =
        (0..options.in_flight).map(|_| tokio::task::spawn_local(decide(store.clone(), next.clone(), options.keys, until))).collect();
    let mut decisions = 0;
    for one in each {
        decisions += one.await??;
    }
    Ok(decisions)
}

fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let secret = "a secret of a benchmark, that everybody may know";
    // An answer that does not come is an error here, and not a decision of another store.
    let store = RedisStore::new(RedisOptions::new(&options.url, secret)?.on_error(OnError::Deny).timeout(Duration::from_secs(5)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        store.connect().await?;
        run(&store, &options, 0.5).await?;
        let (start, before) = (SystemClock.wall(), cpu());
        let decisions = run(&store, &options, options.seconds).await?;
        let took = (SystemClock.wall() - start).as_secs_f64();
        let record = serde_json::json!({ "decisions": decisions, "seconds": took, "cpu": cpu() - before });
        #[expect(clippy::print_stdout, reason = "its result")]
        {
            println!("{record}");
        }
        Ok(())
    })
}
