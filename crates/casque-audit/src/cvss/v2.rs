//! CVSS 2.0 (guide, section 3.2).

use super::Score;
use super::metrics::{BadVector, Levels, Metric};

const METRICS: [Metric; 14] = [
    ("AV", &["L", "A", "N"]),
    ("AC", &["H", "M", "L"]),
    ("Au", &["M", "S", "N"]),
    ("C", IMPACT),
    ("I", IMPACT),
    ("A", IMPACT),
    ("E", &["U", "POC", "F", "H", "ND"]),
    ("RL", &["OF", "TF", "W", "U", "ND"]),
    ("RC", &["UC", "UR", "C", "ND"]),
    // Environmental.
    ("CDP", &["N", "L", "LM", "MH", "H", "ND"]),
    ("TD", &["N", "L", "M", "H", "ND"]),
    ("CR", REQUIREMENT),
    ("IR", REQUIREMENT),
    ("AR", REQUIREMENT),
];
const IMPACT: &[&str] = &["N", "P", "C"];
const REQUIREMENT: &[&str] = &["L", "M", "H", "ND"];

pub(super) fn score(vector: &str) -> Result<Score, BadVector> {
    let metrics = Levels::read(vector, &METRICS)?;
    let loss = [0.0, 0.275, 0.660];
    let kept = (1.0 - metrics.weight(3, loss)?) * (1.0 - metrics.weight(4, loss)?) * (1.0 - metrics.weight(5, loss)?);
    let impact = 10.41 * (1.0 - kept);
    let exploitability =
        20.0 * metrics.weight(0, [0.395, 0.646, 1.0])? * metrics.weight(1, [0.35, 0.61, 0.71])? * metrics.weight(2, [0.45, 0.56, 0.704])?;
    let factor = if impact == 0.0 { 0.0 } else { 1.176 };
    let base = Score::nearest((0.6 * impact + 0.4 * exploitability - 1.5) * factor);
    let temporal = metrics.factor(6, [0.85, 0.9, 0.95, 1.0, 1.0])
        * metrics.factor(7, [0.87, 0.9, 0.95, 1.0, 1.0])
        * metrics.factor(8, [0.9, 0.95, 1.0, 1.0]);
    Ok(Score::nearest(base.value() * temporal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_examples() {
        // Section 3.3 of the guide: CVE-2002-0392, CVE-2003-0818, CVE-2003-0062, base and temporal.
        for (vector, tenths) in [
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 78),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C", 64),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 100),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C", 83),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C", 62),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C", 49),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:N", 0),
        ] {
            assert_eq!(score(vector).map(Score::tenths), Ok(tenths), "{vector}");
        }
    }
}
