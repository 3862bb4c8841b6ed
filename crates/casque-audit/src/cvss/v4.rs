//! CVSS 4.0 (specification, section 8).
//!
//! A vector belongs to one of 270 macrovectors, each with a score that experts gave it. Within one, a vector loses a part of the
//! way to the next lower macrovectors: as far as it is from the worst vector of its own. All of it is done in whole numbers, so
//! that rounding is exact.

use super::Score;
use super::metrics::{BadVector, Levels, Metric};
use super::v4_table::{NO, SCORES};

/// A value's level is its distance from the worst, in steps; `X` is last, for it stands for another value.
const METRICS: [Metric; 32] = [
    ("AV", &["N", "A", "L", "P"]),
    ("AC", &["L", "H"]),
    ("AT", &["N", "P"]),
    ("PR", &["N", "L", "H"]),
    ("UI", &["N", "P", "A"]),
    ("VC", IMPACT),
    ("VI", IMPACT),
    ("VA", IMPACT),
    // The first place is kept for "safety", which only the modified metrics know; no value can be a slash.
    ("SC", &["/", "H", "L", "N"]),
    ("SI", &["/", "H", "L", "N"]),
    ("SA", &["/", "H", "L", "N"]),
    ("E", &["A", "P", "U", "X"]),
    ("CR", REQUIREMENT),
    ("IR", REQUIREMENT),
    ("AR", REQUIREMENT),
    ("MAV", &["N", "A", "L", "P", "X"]),
    ("MAC", &["L", "H", "X"]),
    ("MAT", &["N", "P", "X"]),
    ("MPR", &["N", "L", "H", "X"]),
    ("MUI", &["N", "P", "A", "X"]),
    ("MVC", &["H", "L", "N", "X"]),
    ("MVI", &["H", "L", "N", "X"]),
    ("MVA", &["H", "L", "N", "X"]),
    ("MSC", &["/", "H", "L", "N", "X"]),
    ("MSI", &["S", "H", "L", "N", "X"]),
    ("MSA", &["S", "H", "L", "N", "X"]),
    // Supplemental: they have no part in the score.
    ("S", &["X", "N", "P"]),
    ("AU", &["X", "N", "Y"]),
    ("R", &["X", "A", "U", "I"]),
    ("V", &["X", "D", "C"]),
    ("RE", &["X", "L", "M", "H"]),
    ("U", &["X", "Clear", "Green", "Amber", "Red"]),
];
const IMPACT: &[&str] = &["H", "L", "N"];
const REQUIREMENT: &[&str] = &["H", "M", "L", "X"];

/// How many base metrics there are; their modified forms stand behind the requirements.
const BASE: usize = 11;
const MODIFIED: usize = 15;

const AV: usize = 0;
const AC: usize = 1;
const AT: usize = 2;
const PR: usize = 3;
const UI: usize = 4;
const VC: usize = 5;
const VI: usize = 6;
const VA: usize = 7;
const SC: usize = 8;
const SI: usize = 9;
const SA: usize = 10;
const E: usize = 11;
const CR: usize = 12;
const IR: usize = 13;
const AR: usize = 14;

/// The level of each metric that counts, once modified metrics and defaults have had their say.
type Vector = [usize; 15];

pub(super) fn score(vector: &str) -> Result<Score, BadVector> {
    let given = Levels::read(vector, &METRICS)?;
    let mut levels: Vector = [0; 15];
    for (place, level) in levels.iter_mut().enumerate() {
        let undefined = METRICS[place].1.len() - 1;
        *level = if place < BASE {
            let modified = MODIFIED + place;
            let base = given.required(place)?;
            given.given(modified).filter(|level| *level + 1 < METRICS[modified].1.len()).unwrap_or(base)
        } else {
            // Threat and requirements: not defined is the worst.
            given.given(place).filter(|level| *level < undefined).unwrap_or(0)
        };
    }
    Ok(Score::from_tenths(tenths(&levels)))
}

fn tenths(v: &Vector) -> u8 {
    let none = |place: usize| v[place] + 1 == METRICS[place].1.len();
    if (VC..=SA).all(none) {
        return 0;
    }
    let eq = macrovector(v);
    let value = lookup(eq);
    let [eq1, eq2, eq3, eq4, _, eq6] = eq;
    let lower = |places: &[usize]| {
        let mut next = eq;
        for place in places {
            next[*place] += 1;
        }
        lookup(next)
    };
    // EQ3 and EQ6 move together: the better of the two ways down.
    let lower_3_6 = match (eq3, eq6) {
        (0, 0) => match (lower(&[5]), lower(&[2])) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        },
        (1, 0) => lower(&[5]),
        (_, 1) if eq3 < 2 => lower(&[2]),
        _ => None,
    };
    let distances = distances(v, eq);
    // Per set: the score of the next lower macrovector, how far down this vector is, and how deep the macrovector is.
    let sets = [
        (lower(&[0]), distances[0], [1, 4, 5][eq1]),
        (lower(&[1]), distances[1], [1, 2][eq2]),
        (lower_3_6, distances[2], [[7, 6], [8, 8], [10, 10]][eq3][eq6]),
        (lower(&[3]), distances[3], [6, 5, 4][eq4]),
        (lower(&[4]), 0, 1),
    ];
    let value = i64::from(value.unwrap_or_default());
    // The least common multiple of the depths.
    const UNIT: i64 = 840;
    let (mut lost, mut count) = (0, 0);
    for (lower, distance, depth) in sets {
        if let Some(lower) = lower {
            count += 1;
            lost += (value - i64::from(lower)) * distance * (UNIT / depth);
        }
    }
    if count == 0 {
        return value as u8;
    }
    let whole = UNIT * count;
    let halves_up = (2 * (value * whole - lost) + whole).div_euclid(2 * whole);
    halves_up.clamp(0, 100) as u8
}

/// The levels of the six sets of metrics (section 8.2, tables 24 to 29).
fn macrovector(v: &Vector) -> [usize; 6] {
    let worst = |places: &[usize]| places.iter().all(|place| v[*place] == 0);
    let any_worst = |places: &[usize]| places.iter().any(|place| v[*place] == 0);
    let eq1 = if worst(&[AV, PR, UI]) {
        0
    } else if any_worst(&[AV, PR, UI]) && v[AV] != 3 {
        1
    } else {
        2
    };
    let eq2 = usize::from(!worst(&[AC, AT]));
    let eq3 = if worst(&[VC, VI]) {
        0
    } else if any_worst(&[VC, VI, VA]) {
        1
    } else {
        2
    };
    let eq4 = if any_worst(&[SI, SA]) {
        0
    } else if [SC, SI, SA].into_iter().any(|place| v[place] == 1) {
        1
    } else {
        2
    };
    let eq6 = usize::from(!(worst(&[CR, VC]) || worst(&[IR, VI]) || worst(&[AR, VA])));
    [eq1, eq2, eq3, eq4, v[E], eq6]
}

fn lookup(eq: [usize; 6]) -> Option<u8> {
    let [eq1, eq2, eq3, eq4, eq5, eq6] = eq;
    if eq1 > 2 || eq2 > 1 || eq3 > 2 || eq4 > 2 || eq5 > 2 || eq6 > 1 {
        return None;
    }
    Some(SCORES[eq1 * 6 + eq2 * 3 + eq3][eq4 * 6 + eq5 * 2 + eq6]).filter(|score| *score != NO)
}

/// The worst vectors of each level of the sets EQ1, EQ2, EQ3 with EQ6, and EQ4 (section 8.3, table 30).
type Worst<const N: usize> = &'static [[usize; N]];
const WORST_1: [Worst<3>; 3] = [&[[0, 0, 0]], &[[1, 0, 0], [0, 1, 0], [0, 0, 1]], &[[3, 0, 0], [1, 1, 1]]];
const WORST_2: [Worst<2>; 2] = [&[[0, 0]], &[[1, 0], [0, 1]]];
/// VC, VI, VA, CR, IR, AR.
const WORST_3_6: [[Worst<6>; 2]; 3] = [
    [&[[0, 0, 0, 0, 0, 0]], &[[0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]]],
    [
        &[[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]],
        &[[1, 0, 1, 0, 1, 0], [1, 0, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1], [0, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 1]],
    ],
    [&[], &[[1, 1, 1, 0, 0, 0]]],
];
const WORST_4: [Worst<3>; 3] = [&[[1, 0, 0]], &[[1, 1, 1]], &[[2, 2, 2]]];

/// How many steps the vector is below the first worst vector of its macrovector that is nowhere below it. The sets share no metric,
/// so each is looked at by itself.
fn distances(v: &Vector, eq: [usize; 6]) -> [i64; 4] {
    [
        steps([v[AV], v[PR], v[UI]], WORST_1[eq[0]]),
        steps([v[AC], v[AT]], WORST_2[eq[1]]),
        steps([v[VC], v[VI], v[VA], v[CR], v[IR], v[AR]], WORST_3_6[eq[2]][eq[5]]),
        steps([v[SC], v[SI], v[SA]], WORST_4[eq[3]]),
    ]
}

fn steps<const N: usize>(levels: [usize; N], worst: Worst<N>) -> i64 {
    let below = |worst: &&[usize; N]| worst.iter().zip(levels).all(|(worst, level)| *worst <= level);
    worst.iter().find(below).map_or(0, |worst| worst.iter().zip(levels).map(|(worst, level)| (level - worst) as i64).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_first() {
        // CVSS v4.0 examples document, and extremes.
        for (vector, tenths) in [
            ("AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 73),
            ("AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 77),
            ("AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", 52),
            ("AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 83),
            ("AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N/CR:H/IR:L/AR:L/MAV:N/MAC:H/MVC:H/MVI:L/MVA:L", 81),
            ("AV:P/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 70),
            ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100),
            ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0),
            ("AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N/E:U/CR:L/IR:L/AR:L", 1),
        ] {
            assert_eq!(score(vector).map(Score::tenths), Ok(tenths), "{vector}");
        }
    }

    #[test]
    fn a_value_of_another_metric_is_unknown() {
        assert!(score("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:S/SI:H/SA:H").is_err());
        assert!(score("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:/SI:H/SA:H").is_err());
        assert!(score("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SI:H/SA:H").is_err());
    }
}
