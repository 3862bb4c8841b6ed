//! Why something was not taken in. The sender is never told; the owner sees the counts.

/// A reason for which a body or a report was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The request came from another origin's page ([`super::is_welcome`]).
    CrossOrigin,
    /// The endpoint is switched off ([`super::Endpoint::Retired`]).
    Retired,
    /// The client has sent too much for now ([`super::Budget`]).
    ClientRate,
    /// All clients together have.
    TotalRate,
    /// Not one of the three content types.
    ContentType,
    /// The body is longer than [`super::Limits::body`].
    TooLarge,
    /// Nested deeper than [`super::Limits::depth`].
    TooDeep,
    /// More values than [`super::Limits::values`].
    TooManyValues,
    /// Not JSON (RFC 8259).
    NotJson,
    /// JSON, but no report; counted per report in an array.
    NoReport,
    /// Beyond [`super::Limits::reports`] in one body; counted per report.
    TooManyReports,
}

impl Refusal {
    /// All reasons with the names that [`super::Snapshot::to_json`] uses.
    pub const NAMES: [(&'static str, Self); 11] = [
        ("cross-origin", Self::CrossOrigin),
        ("retired", Self::Retired),
        ("client-rate", Self::ClientRate),
        ("total-rate", Self::TotalRate),
        ("content-type", Self::ContentType),
        ("too-large", Self::TooLarge),
        ("too-deep", Self::TooDeep),
        ("too-many-values", Self::TooManyValues),
        ("not-json", Self::NotJson),
        ("no-report", Self::NoReport),
        ("too-many-reports", Self::TooManyReports),
    ];

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_dense() {
        for (i, (_, refusal)) in Refusal::NAMES.into_iter().enumerate() {
            assert_eq!(refusal.index(), i);
        }
    }
}
