//! Taking a vector apart.

use std::fmt;

/// Why a vector has no score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadVector {
    /// The metric at fault, as far as it is one.
    pub metric: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// A base metric is not given.
    Missing,
    /// It is given twice.
    Repeated,
    /// The version has no such metric, or not that value of it.
    Unknown,
}

impl fmt::Display for BadVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::Missing => "is missing",
            Problem::Repeated => "is given twice",
            Problem::Unknown => "is not known, or not with that value",
        };
        write!(f, "{:?} {problem} in this CVSS vector", self.metric)
    }
}

impl std::error::Error for BadVector {}

impl BadVector {
    fn new(metric: &str, problem: Problem) -> Self {
        Self { metric: metric.chars().take(16).collect(), problem }
    }
}

/// A metric's name and its values. A value's place in the list is its level.
pub(super) type Metric = (&'static str, &'static [&'static str]);

/// The levels of a version's metrics, by their place in the version's list.
#[derive(Debug)]
pub(super) struct Levels<const N: usize> {
    metrics: &'static [Metric; N],
    levels: [Option<u8>; N],
}

impl<const N: usize> Levels<N> {
    /// Reads the part of a vector behind its version.
    pub(super) fn read(vector: &str, metrics: &'static [Metric; N]) -> Result<Self, BadVector> {
        let mut levels = [None; N];
        for part in vector.split('/') {
            let unknown = || BadVector::new(part, Problem::Unknown);
            let (name, value) = part.split_once(':').ok_or_else(unknown)?;
            let place = metrics.iter().position(|(known, _)| *known == name).ok_or_else(unknown)?;
            let level = metrics[place].1.iter().position(|known| *known == value).ok_or_else(unknown)?;
            if levels[place].replace(level as u8).is_some() {
                return Err(BadVector::new(name, Problem::Repeated));
            }
        }
        Ok(Self { metrics, levels })
    }

    /// The level of a metric by its place in the list, if it is given.
    pub(super) fn given(&self, place: usize) -> Option<usize> {
        self.levels.get(place).copied().flatten().map(usize::from)
    }

    /// The level of a metric that must be given.
    pub(super) fn required(&self, place: usize) -> Result<usize, BadVector> {
        let name = self.metrics.get(place).map_or("", |metric| metric.0);
        self.given(place).ok_or_else(|| BadVector::new(name, Problem::Missing))
    }

    /// The weight of a metric that must be given.
    pub(super) fn weight<const W: usize>(&self, place: usize, weights: [f64; W]) -> Result<f64, BadVector> {
        Ok(weights.get(self.required(place)?).copied().unwrap_or_default())
    }

    /// The weight of a metric that may be left out; then it is 1.
    pub(super) fn factor<const W: usize>(&self, place: usize, weights: [f64; W]) -> f64 {
        self.given(place).and_then(|level| weights.get(level).copied()).unwrap_or(1.0)
    }
}
