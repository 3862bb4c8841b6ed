//! CVSS 3.0 and 3.1 (specification, section 7), with 3.1's rounding for both.

use super::Score;
use super::metrics::{BadVector, Levels, Metric};

const METRICS: [Metric; 22] = [
    ("AV", &["N", "A", "L", "P"]),
    ("AC", &["L", "H"]),
    ("PR", &["N", "L", "H"]),
    ("UI", &["N", "R"]),
    ("S", &["U", "C"]),
    ("C", IMPACT),
    ("I", IMPACT),
    ("A", IMPACT),
    ("E", &["X", "H", "F", "P", "U"]),
    ("RL", &["X", "U", "W", "T", "O"]),
    ("RC", &["X", "C", "R", "U"]),
    // Environmental.
    ("CR", REQUIREMENT),
    ("IR", REQUIREMENT),
    ("AR", REQUIREMENT),
    ("MAV", &["X", "N", "A", "L", "P"]),
    ("MAC", &["X", "L", "H"]),
    ("MPR", &["X", "N", "L", "H"]),
    ("MUI", &["X", "N", "R"]),
    ("MS", &["X", "U", "C"]),
    ("MC", MODIFIED),
    ("MI", MODIFIED),
    ("MA", MODIFIED),
];
const IMPACT: &[&str] = &["N", "L", "H"];
const MODIFIED: &[&str] = &["X", "N", "L", "H"];
const REQUIREMENT: &[&str] = &["X", "H", "M", "L"];

pub(super) fn score(vector: &str) -> Result<Score, BadVector> {
    let metrics = Levels::read(vector, &METRICS)?;
    let changed = metrics.required(4)? == 1;
    let loss = [0.0, 0.22, 0.56];
    let subscore = 1.0 - (1.0 - metrics.weight(5, loss)?) * (1.0 - metrics.weight(6, loss)?) * (1.0 - metrics.weight(7, loss)?);
    let impact = if changed { 7.52 * (subscore - 0.029) - 3.25 * (subscore - 0.02).powi(15) } else { 6.42 * subscore };
    let privileges = if changed { [0.85, 0.68, 0.5] } else { [0.85, 0.62, 0.27] };
    let exploitability = 8.22
        * metrics.weight(0, [0.85, 0.62, 0.55, 0.2])?
        * metrics.weight(1, [0.77, 0.44])?
        * metrics.weight(2, privileges)?
        * metrics.weight(3, [0.85, 0.62])?;
    let base = if impact <= 0.0 {
        0.0
    } else {
        let scope = if changed { 1.08 } else { 1.0 };
        round_up((scope * (impact + exploitability)).min(10.0))
    };
    let temporal = metrics.factor(8, [1.0, 1.0, 0.97, 0.94, 0.91])
        * metrics.factor(9, [1.0, 1.0, 0.97, 0.96, 0.95])
        * metrics.factor(10, [1.0, 1.0, 0.96, 0.92]);
    Ok(Score::nearest(round_up(base * temporal)))
}

/// Up to the next tenth, by way of integers (3.1, appendix A): what floats add in the sixth place does not count.
fn round_up(number: f64) -> f64 {
    let scaled = (number * 100_000.0).round() as u32;
    if scaled.is_multiple_of(10_000) { f64::from(scaled) / 100_000.0 } else { f64::from(scaled / 10_000 + 1) / 10.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_first() {
        // CVSS v3.1 examples document, and two with temporal metrics by the formula of section 7.2.
        for (vector, tenths) in [
            ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61),
            ("AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64),
            ("AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31),
            ("AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 99),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75),
            ("AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 68),
            ("AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:X/RL:X/RC:X", 84),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C", 88),
            ("AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N", 0),
        ] {
            assert_eq!(score(vector).map(Score::tenths), Ok(tenths), "{vector}");
        }
    }
}
