//! What a call comes to: plain functions over options and counters.

use super::answer::{Reply, Res};
use super::counters::Counter;
use super::options::Options;

/// What a consume call comes to, before anything is done about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decided {
    pub(super) res: Res,
    pub(super) allowed: bool,
    /// Milliseconds by which to delay what is allowed.
    pub(super) delay: f64,
    /// Milliseconds for which to block the key in the store.
    pub(super) block: Option<f64>,
    /// Milliseconds for which to block it in the process.
    pub(super) block_here: Option<f64>,
}

/// A window's or a block's time in the store: `None` is for ever.
pub(super) fn lasting(seconds: f64) -> Option<u64> {
    (seconds > 0.0).then_some((seconds * 1000.0) as u64)
}

/// The same as it is told.
pub(super) fn told(seconds: f64) -> f64 {
    if seconds == 0.0 { -1.0 } else { seconds * 1000.0 }
}

fn left(counter: &Counter) -> f64 {
    counter.left.map_or(-1.0, |ms| ms as f64)
}

pub(super) fn res_of(options: &Options, counter: &Counter, is_first: bool) -> Res {
    Res {
        remaining_points: (options.points - counter.points).max(0.0),
        ms_before_next: left(counter),
        consumed_points: counter.points,
        is_first_in_duration: is_first,
    }
}

/// The window of a key that this call begins.
pub(super) fn window(options: &Options, custom_duration: Option<f64>) -> Option<u64> {
    lasting(custom_duration.filter(|d| *d >= 0.0).unwrap_or(options.duration))
}

/// Whether this call took the key over what blocks it; later ones do not block it anew.
fn crosses(options: &Options, res: &Res, added: f64) -> bool {
    let line = if options.block_on_consumed > 0.0 { (options.block_on_consumed - 1.0).max(options.points) } else { options.points };
    options.block_duration > 0.0 && res.consumed_points > line && res.consumed_points <= line + added
}

/// How long to hold back what passes, so that the others spread over the rest of the window. Less than nothing for a key that
/// was rewarded: it is not held back, and its window is told longer than it is.
fn delay(options: &Options, res: &Res) -> f64 {
    if !options.exec_evenly || options.points <= 0.0 || res.is_first_in_duration || res.ms_before_next <= 0.0 {
        return 0.0;
    }
    let even = (res.ms_before_next / (res.remaining_points + 2.0)).ceil();
    let least = options.exec_evenly_min_delay();
    if even < least { res.consumed_points * least } else { even }
}

/// What a call that added `added` points comes to.
pub(super) fn decide(options: &Options, res: Res, added: f64) -> Decided {
    let mut decided = Decided { res, allowed: res.consumed_points <= options.points, delay: 0.0, block: None, block_here: None };
    let caught = options.in_memory_block_on_consumed > 0.0 && res.consumed_points >= options.in_memory_block_on_consumed;
    if caught && options.in_memory_block_duration <= 0.0 {
        // To the end of the window; then `blockDuration` does not count, as its users know.
        decided.block_here = (res.ms_before_next > 0.0).then_some(res.ms_before_next);
    } else if !decided.allowed {
        if crosses(options, &res, added) {
            decided.block = Some(options.block_duration * 1000.0);
            decided.res.ms_before_next = options.block_duration * 1000.0;
        }
        if caught {
            decided.block_here = Some(options.in_memory_block_duration * 1000.0);
            decided.res.ms_before_next = options.in_memory_block_duration * 1000.0;
        }
    }
    if decided.allowed && decided.block_here.is_none() {
        decided.delay = delay(options, &res);
        decided.res.ms_before_next = if decided.delay == 0.0 { res.ms_before_next } else { (res.ms_before_next - decided.delay).max(0.0) };
    }
    decided
}

/// The points that `block` leaves a key with.
pub(super) fn blocked_points(options: &Options) -> f64 {
    options.block_on_consumed.max(options.points + 1.0)
}

pub(super) fn put_res(points: f64, ms: f64) -> Reply {
    Reply::Res(Res { remaining_points: 0.0, ms_before_next: ms, consumed_points: points, is_first_in_duration: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { points: 5.0, duration: 10.0, ..Options::default() }
    }

    fn decided(options: &Options, consumed: f64, left: f64, added: f64) -> Decided {
        let counter = Counter { points: consumed, left: Some(left as u64), begun: false };
        decide(options, res_of(options, &counter, consumed == added), added)
    }

    #[test]
    fn points_are_there_to_the_last() {
        let d = decided(&options(), 5.0, 4000.0, 1.0);
        assert_eq!((d.allowed, d.res.remaining_points, d.res.ms_before_next, d.delay), (true, 0.0, 4000.0, 0.0));
        let d = decided(&options(), 6.0, 4000.0, 1.0);
        assert_eq!((d.allowed, d.res.remaining_points, d.block, d.block_here), (false, 0.0, None, None));
        let d = decided(&options(), -3.0, 4000.0, 1.0);
        assert_eq!((d.allowed, d.res.remaining_points), (true, 8.0));
    }

    #[test]
    fn a_key_is_blocked_by_the_call_that_takes_it_over() {
        let blocking = Options { block_duration: 60.0, ..options() };
        let block = |consumed, added| decided(&blocking, consumed, 4000.0, added).block;
        assert_eq!(block(5.0, 1.0), None);
        assert_eq!(block(6.0, 1.0), Some(60_000.0));
        assert_eq!(block(8.0, 3.0), Some(60_000.0));
        assert_eq!(block(7.0, 1.0), None, "hits do not extend it");
        assert_eq!(decided(&blocking, 6.0, 4000.0, 1.0).res.ms_before_next, 60_000.0);
        let later = Options { block_on_consumed: 8.0, ..blocking };
        assert_eq!([6.0, 7.0, 8.0, 9.0].map(|c| decided(&later, c, 4000.0, 1.0).block), [None, None, Some(60_000.0), None]);
    }

    #[test]
    fn what_the_process_blocks_by_itself_ends_with_the_window_or_when_it_is_told_to() {
        let here = Options { in_memory_block_on_consumed: 5.0, block_duration: 60.0, ..options() };
        let d = decided(&here, 6.0, 4000.0, 1.0);
        assert_eq!((d.block_here, d.block), (Some(4000.0), None), "as its users know it");
        assert_eq!(decided(&here, 5.0, 4000.0, 1.0).block_here, Some(4000.0), "the last that passes is caught already");
        let told = Options { in_memory_block_duration: 7.0, ..here };
        let d = decided(&told, 6.0, 4000.0, 1.0);
        assert_eq!((d.block_here, d.block, d.res.ms_before_next), (Some(7000.0), Some(60_000.0), 7000.0));
    }

    #[test]
    fn what_passes_is_spread_over_the_rest_of_the_window() {
        let even = Options { exec_evenly: true, ..options() };
        assert_eq!(decided(&even, 1.0, 10_000.0, 1.0).delay, 0.0, "the first is not held back");
        let d = decided(&even, 2.0, 10_000.0, 1.0);
        assert_eq!((d.delay, d.res.ms_before_next), (2000.0, 8000.0));
        assert_eq!(decided(&even, 2.0, 500.0, 1.0).delay, 4000.0, "below the least: so many times the least");
        assert_eq!(decided(&even, 6.0, 500.0, 1.0).delay, 0.0);
    }

    proptest::proptest! {
        #[test]
        fn no_numbers_panic(points: f64, duration: f64, consumed: f64, added: f64, left: u64, block: f64) {
            let options = Options { points, duration, block_duration: block, block_on_consumed: added, exec_evenly: true, ..Options::default() };
            let counter = Counter { points: consumed, left: Some(left), begun: false };
            let d = decide(&options, res_of(&options, &counter, false), added);
            proptest::prop_assert!(d.delay == 0.0 || d.allowed);
            let _ = (lasting(duration), told(duration), window(&options, Some(added)), blocked_points(&options));
        }
    }
}
