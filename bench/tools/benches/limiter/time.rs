//! Time of one decision of the limiter in memory, beside governor's keyed one: `cargo bench -p casque-bench --bench limiter`.
//!
//! Criterion's figures are for comparing versions. The ratios at the end are of the thread's CPU time, of rounds in turn, so that
//! whatever else the machine does falls on both.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

mod subjects;

use std::hint::black_box;
use std::net::IpAddr;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use rustix::time::{ClockId, clock_gettime};
use subjects::{Casque, Governor, Limiter, Load};

/// Decisions in a round.
const ROUND: usize = 1 << 20;
const ROUNDS: usize = 9;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20).measurement_time(Duration::from_secs(3));
    let loads = Load::all();
    for load in &loads {
        let mut group = criterion.benchmark_group(load.name);
        group.throughput(Throughput::Elements(1));
        time(&mut group, "casque", &Casque::new(load.rate), &load.keys);
        time(&mut group, "governor", &Governor::new(load.rate), &load.keys);
    }
    criterion.final_summary();
    println!("\nCPU time of a decision, the median of {ROUNDS} rounds in turn; the ratio is governor's to casque's\n");
    println!("{:<34} {:>10} {:>10} {:>7}", "load", "casque", "governor", "ratio");
    for load in &loads {
        let (casque, governor) = (Casque::new(load.rate), Governor::new(load.rate));
        // Every key is there before anything is measured.
        round(&casque, &load.keys);
        round(&governor, &load.keys);
        let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (round(&casque, &load.keys), round(&governor, &load.keys))).collect();
        let casque = median(rounds.iter().map(|r| r.0));
        let governor = median(rounds.iter().map(|r| r.1));
        let ratio = median(rounds.iter().map(|r| r.1 / r.0));
        println!("{:<34} {casque:>7.1} ns {governor:>7.1} ns {ratio:>6.2}x", load.name);
    }
}

fn time<L: Limiter>(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, name: &str, limiter: &L, keys: &[IpAddr]) {
    let keys: Vec<L::Key> = keys.iter().map(|ip| L::key(*ip)).collect();
    let mut next = keys.iter().cycle();
    group.bench_function(name, |b| b.iter(|| next.next().map(|key| limiter.passes(key))));
}

/// Nanoseconds of this thread's CPU time for one decision.
fn round<L: Limiter>(limiter: &L, keys: &[IpAddr]) -> f64 {
    let keys: Vec<L::Key> = keys.iter().map(|ip| L::key(*ip)).collect();
    let start = cpu();
    for key in keys.iter().cycle().take(ROUND) {
        black_box(limiter.passes(black_box(key)));
    }
    (cpu() - start).as_nanos() as f64 / ROUND as f64
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
