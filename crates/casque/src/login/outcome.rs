//! What the app's answer means.

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The password was right.
    Success,
    /// It was wrong.
    Failure,
    /// The answer says nothing about it.
    Neutral,
}
