//! Why a request is refused before its names are known.

use http::StatusCode;

/// Why a request's account names cannot be told for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The body is longer than what may be read: 413.
    TooLong,
    /// The body has a content coding: 415.
    Encoding,
    /// The body is in a charset whose letters are not ASCII's: 415.
    Charset,
    /// The Content-Type is malformed, there twice, or none that can be read: 415.
    MediaType,
    /// Not JSON as RFC 8259 has it, or not UTF-8: 400.
    Json,
    /// Nested deeper than 32: 400.
    Depth,
    /// A form's key or value that servers read differently: 400.
    Form,
    /// Multipart as no browser writes it: 400.
    Multipart,
    /// An Authorization header that servers read differently: 400.
    Authorization,
    /// Something else than text where the account's name is expected: 400.
    NoName,
    /// A name that is too long, not UTF-8, or holds NUL or mark-up: 400.
    OddName,
}

impl Refusal {
    /// The status code to refuse with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding | Self::Charset | Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// One sentence for the person in front of it, with the remedy. Fixed text; nothing of the request.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::TooLong => "The request is longer than a log-in can be.",
            Self::Encoding => "A log-in must be sent without Content-Encoding.",
            Self::Charset => "A log-in must be sent as UTF-8.",
            Self::MediaType => {
                "A log-in must be sent as one of application/x-www-form-urlencoded, application/json and multipart/form-data."
            }
            Self::Json => "The request is not well-formed JSON in UTF-8.",
            Self::Depth => "The request is nested too deeply.",
            Self::Form => "The form has a field that is not well-formed.",
            Self::Multipart => "The request is not well-formed multipart/form-data.",
            Self::Authorization => "The Authorization header is not well-formed.",
            Self::NoName => "The account's name must be text.",
            Self::OddName => "The account's name has characters that no name has, or is too long.",
        }
    }

    /// A word for logs and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Encoding => "encoding",
            Self::Charset => "charset",
            Self::MediaType => "media-type",
            Self::Json => "json",
            Self::Depth => "depth",
            Self::Form => "form",
            Self::Multipart => "multipart",
            Self::Authorization => "authorization",
            Self::NoName => "no-name",
            Self::OddName => "odd-name",
        }
    }
}
