//! Lines in the order of their time.
//!
//! Servers log a request when its answer has ended, so a log is in order only by and large.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use super::line::Request;

/// So many requests wait for an earlier one at most, ...
const MOST: usize = 4096;
/// ... whose paths have so many bytes.
const MOST_BYTES: usize = 4 << 20;

#[derive(Debug, Default)]
pub(super) struct Order {
    waiting: BinaryHeap<Reverse<Waiting>>,
    bytes: usize,
    pushed: u64,
    /// The time of the last that was given out.
    last: Duration,
    late: u64,
}

#[derive(Debug)]
struct Waiting {
    /// Those of one moment stay in the order of their lines.
    number: u64,
    request: Request,
}

impl Waiting {
    fn place(&self) -> (Duration, u64) {
        (self.request.at, self.number)
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Waiting {}

impl Order {
    pub(super) fn push(&mut self, request: Request) {
        self.bytes += request.path.len();
        self.pushed += 1;
        self.waiting.push(Reverse(Waiting { number: self.pushed, request }));
    }

    /// The earliest, if so many wait that it has waited for long enough.
    pub(super) fn next_if_full(&mut self) -> Option<Request> {
        if self.waiting.len() > MOST || self.bytes > MOST_BYTES { self.next() } else { None }
    }

    /// The earliest.
    pub(super) fn next(&mut self) -> Option<Request> {
        let Reverse(Waiting { request, .. }) = self.waiting.pop()?;
        self.bytes -= request.path.len();
        if request.at < self.last {
            self.late += 1;
        }
        self.last = self.last.max(request.at);
        Some(request)
    }

    /// How many came after a later one was given out.
    pub(super) fn late(&self) -> u64 {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(at: u64, path: &str) -> Request {
        let (at, client) = (Duration::from_secs(at), [192, 0, 2, 1].into());
        Request { at, whole_seconds: true, client, method: http::Method::GET, path: path.to_owned(), ended_before: false }
    }

    fn all(order: &mut Order) -> Vec<u64> {
        std::iter::from_fn(|| order.next()).map(|r| r.at.as_secs()).collect()
    }

    #[test]
    fn lines_a_little_out_of_order_are_put_right() {
        let mut order = Order::default();
        for at in [5, 3, 4, 9, 7] {
            order.push(request(at, "/"));
        }
        assert_eq!((order.next_if_full(), all(&mut order), order.late()), (None, vec![3, 4, 5, 7, 9], 0));
    }

    #[test]
    fn what_comes_far_too_late_is_counted_and_no_flood_is_kept() {
        let mut order = Order::default();
        let mut out = 0;
        for at in 100..100 + 2 * MOST as u64 {
            order.push(request(at, "/"));
            out += usize::from(order.next_if_full().is_some());
        }
        assert_eq!((out, order.waiting.len()), (MOST, MOST));
        order.push(request(1, "/"));
        all(&mut order);
        assert_eq!(order.late(), 1);
        let long = "/".repeat(1 << 20);
        for _ in 0..100 {
            order.push(request(1, &long));
            while order.next_if_full().is_some() {}
        }
        assert!(order.bytes <= MOST_BYTES);
    }
}
