//! Time of the header stage for one response: `cargo bench -p casque-bench --bench header_stage`.
//!
//! What a stage adds is its time less that of `nothing`, the same call without a stage.

mod subjects;

use std::convert::Infallible;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion};
use subjects::{Answer, Ask, Measure};
use tower_service::Service;

/// One response at a time, as a connection has them: the memory that one gives back is the next one's.
const BATCH: BatchSize = BatchSize::PerIteration;

struct Timed<'c>(BenchmarkGroup<'c, WallTime>);

impl Measure for Timed<'_> {
    fn subject<S>(&mut self, name: &str, mut service: S)
    where
        S: Service<Ask, Response = Answer, Error = Infallible>,
    {
        self.0.bench_function(name, |b| b.iter_batched(subjects::ask, |ask| subjects::answer(&mut service, ask), BATCH));
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    subjects::each(&mut Timed(criterion.benchmark_group("header stage")));
    criterion.final_summary();
}
