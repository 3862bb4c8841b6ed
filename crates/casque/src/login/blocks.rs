//! How long a source is blocked that used up its budget: longer each time in a day, never longer for knocking.

use std::time::Duration;

use crate::limit::Subject;

/// After the first, second, third and every further time within a day.
const STEPS: [Duration; 4] =
    [Duration::from_secs(15 * 60), Duration::from_secs(3600), Duration::from_secs(4 * 3600), Duration::from_secs(24 * 3600)];

/// The length of the block after so many earlier ones within a day, up to a tenth longer: else all whom an event blocked together
/// come back together. `seed` is anything that differs from time to time.
pub(super) fn length(earlier: u32, source: Subject, seed: u64) -> Duration {
    let step = STEPS[(earlier as usize).min(STEPS.len() - 1)];
    let mixed = source.as_bytes().iter().fold(seed ^ 0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    let tenth = u32::try_from(mixed >> 48).unwrap_or(0);
    step + step / 10 * tenth / 65_536
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_longer_and_none_is_over_a_tenth_more() {
        let of = |n, seed| length(n, Subject::of(["somebody"]), seed);
        for seed in [0, 1, 77, u64::MAX] {
            for (n, step) in STEPS.iter().enumerate() {
                let long = of(u32::try_from(n).unwrap(), seed);
                assert!(long >= *step && long <= *step + *step / 10, "{long:?}");
            }
            assert!(of(99, seed) >= STEPS[3]);
        }
        assert_ne!(of(0, 1), of(0, 2));
    }
}
