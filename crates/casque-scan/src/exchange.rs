//! What was seen of one response.

/// A response, as it was captured.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// The status code.
    pub status: u16,
    /// The header fields in order, names in any case, values as they came.
    pub headers: Vec<(String, String)>,
}

impl Exchange {
    /// All values of a header, in order.
    pub fn values<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}
