//! Allocations of the header stage for one response: `cargo bench -p casque-bench --bench header_stage_allocations`.
//!
//! An app's response has a map with room for six headers. Whoever adds twelve makes it grow, which takes two allocations: `room for
//! twelve` is that and nothing else. casque copies a map that holds the twelve and gives up the app's: a table, the lines, and the
//! lines once more for the app's own. None of them is for anything but the map; with a nonce there are two small ones more, one for
//! the value and one for telling it to the app, and two if nothing stood in the request's extensions yet.

mod subjects;

use std::convert::Infallible;
use std::io::{self, Write as _};

use subjects::{Answer, Ask, Measure};
use tower_service::Service;

struct Row {
    name: String,
    allocations: u64,
    bytes: u64,
    headers: usize,
}

#[derive(Default)]
struct Counted(Vec<Row>);

impl Measure for Counted {
    fn subject<S>(&mut self, name: &str, mut service: S)
    where
        S: Service<Ask, Response = Answer, Error = Infallible>,
    {
        // The first nonce of a thread seeds its generator.
        drop(subjects::answer(&mut service, subjects::ask()));
        let (ask, mut answered) = (subjects::ask(), None);
        let counted = allocation_counter::measure(|| answered = Some(subjects::answer(&mut service, ask)));
        let headers = answered.map_or(0, |answer| answer.headers().len());
        self.0.push(Row { name: name.to_owned(), allocations: counted.count_total, bytes: counted.bytes_total, headers });
    }
}

fn main() -> io::Result<()> {
    let mut counted = Counted::default();
    subjects::each(&mut counted);
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{:18} {:>8} {:>12} {:>8}", "", "headers", "allocations", "bytes")?;
    for Row { name, allocations, bytes, headers } in counted.0 {
        writeln!(stdout, "{name:18} {headers:>8} {allocations:>12} {bytes:>8}")?;
    }
    Ok(())
}
