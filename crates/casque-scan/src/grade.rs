//! Grades as text and from points.

use std::fmt;
use std::str::FromStr;

use crate::report::Grade;

/// Each grade, from the best: how it is written and the points it starts at.
const SCALE: [(Grade, &str, u32); 13] = [
    (Grade::APlus, "A+", 100),
    (Grade::A, "A", 90),
    (Grade::AMinus, "A-", 85),
    (Grade::BPlus, "B+", 80),
    (Grade::B, "B", 70),
    (Grade::BMinus, "B-", 65),
    (Grade::CPlus, "C+", 60),
    (Grade::C, "C", 50),
    (Grade::CMinus, "C-", 45),
    (Grade::DPlus, "D+", 40),
    (Grade::D, "D", 30),
    (Grade::DMinus, "D-", 25),
    (Grade::F, "F", 0),
];

impl Grade {
    /// The grade for a number of points, on the scale of the MDN HTTP Observatory: A+ from 100, F below 25.
    #[must_use]
    pub fn of_score(score: u32) -> Self {
        SCALE.iter().find(|(_, _, from)| score >= *from).map_or(Self::F, |(grade, _, _)| *grade)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = SCALE.iter().find(|(grade, _, _)| grade == self).map_or("F", |(_, written, _)| *written);
        f.pad(written)
    }
}

impl FromStr for Grade {
    type Err = GradeError;

    fn from_str(text: &str) -> Result<Self, GradeError> {
        let wanted = text.trim();
        SCALE
            .iter()
            .find(|(_, written, _)| written.eq_ignore_ascii_case(wanted))
            .map(|(grade, _, _)| *grade)
            .ok_or_else(|| GradeError(wanted.to_owned()))
    }
}

/// A text that is no grade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradeError(String);

impl fmt::Display for GradeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no grade; grades are A+, A, A-, B+, B, B-, C+, C, C-, D+, D, D- and F", self.0)
    }
}

impl std::error::Error for GradeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_grades() {
        let grades: Vec<String> =
            [165, 100, 99, 90, 85, 84, 80, 79, 65, 60, 50, 45, 40, 30, 25, 24, 0].map(|s| Grade::of_score(s).to_string()).into();
        assert_eq!(grades.join(" "), "A+ A+ A A A- B+ B+ B B- C+ C C- D+ D D- F F");
    }

    #[test]
    fn what_is_written_is_read() {
        for (grade, written, _) in SCALE {
            assert_eq!(written.parse(), Ok(grade));
            assert_eq!(written.to_lowercase().parse(), Ok(grade));
        }
        let error = "A++".parse::<Grade>().unwrap_err().to_string();
        assert!(error.starts_with("\"A++\" is no grade; grades are A+"), "{error}");
        assert!(Grade::APlus > Grade::A && Grade::F < Grade::DMinus);
    }
}
