//! What was seen of one response.

/// A response, as it was captured, and the part of its request that matters for judging it.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// The address that was asked for; empty when it is not known.
    pub url: String,
    /// The method; empty means GET.
    pub method: String,
    /// The request's header fields that bear on the answer (`Origin`, say), in order.
    pub request_headers: Vec<(String, String)>,
    /// The names, in lower case, of the request's fields that said who asks (`cookie`, `authorization`) because the user gave them;
    /// never their values.
    pub credentials: Vec<String>,
    /// The status code.
    pub status: u16,
    /// The header fields in order, names in any case, values as they came.
    pub headers: Vec<(String, String)>,
    /// The start of the body; empty when it was not kept.
    pub body: Vec<u8>,
    /// Whether the body was longer than what was kept.
    pub truncated: bool,
    /// Whether the certificate was valid for the name (always `false` over plain http).
    pub verified: bool,
}

impl Exchange {
    /// All values of a header, in order.
    pub fn values<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}
