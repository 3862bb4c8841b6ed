//! What can go wrong with one request, and whose doing it was.

use std::fmt;
use std::io;

use casque::serve::Refusal;

/// Why a request has no answer from the app.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The client: its request was not well formed, or came too slowly.
    Refused(Refusal),
    /// The client: the body is larger than the policy allows.
    BodyTooLarge,
    /// The client: it went away before the end of its request.
    ClientGone,
    /// Another website: it made the browser ask, and the policy does not let it.
    CrossSite,
    /// The operator: the request has been through here too often.
    Loop,
    /// The app: nothing accepts connections there.
    Connect(io::Error),
    /// The app: its address did not accept in time.
    ConnectTimeout,
    /// The app: no response head came in time.
    ResponseTimeout,
    /// The app: it hung up, or what it sent is no HTTP.
    BadResponse(hyper::Error),
    /// The operator: no app is named for this host and path.
    NoApp,
    /// The app: it switched protocols without being asked to, or to another.
    UnexpectedSwitch,
    /// The app: its response has a transfer coding besides `chunked`.
    TransferCoding,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => f.write_str(refusal.reason),
            Self::BodyTooLarge => f.write_str("the request body is too large"),
            Self::ClientGone => f.write_str("the client went away"),
            Self::CrossSite => f.write_str("another website started the request"),
            Self::Loop => f.write_str("the request goes in circles"),
            Self::Connect(error) => write!(f, "the app does not accept connections: {error}"),
            Self::ConnectTimeout => f.write_str("the app did not accept the connection in time"),
            Self::ResponseTimeout => f.write_str("the app did not answer in time"),
            Self::BadResponse(error) => write!(f, "the app's response failed: {error}"),
            Self::NoApp => f.write_str("no app is named for this host and path"),
            Self::UnexpectedSwitch => f.write_str("the app switched protocols without being asked, or to another one"),
            Self::TransferCoding => f.write_str("the app's response has a transfer coding besides chunked"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect(error) => Some(error),
            Self::BadResponse(error) => Some(error),
            _ => None,
        }
    }
}

impl Error {
    /// The status it is answered with. One match without a wildcard: a new error must choose.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Refused(refusal) => refusal.status,
            Self::BodyTooLarge => 413,
            Self::ClientGone => 400,
            Self::CrossSite => 403,
            Self::Loop => 508,
            Self::NoApp => 404,
            Self::Connect(_) | Self::BadResponse(_) | Self::UnexpectedSwitch | Self::TransferCoding => 502,
            Self::ConnectTimeout | Self::ResponseTimeout => 504,
        }
    }

    /// What the client is told. Nothing about the app but that it did not answer.
    pub(crate) fn detail(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.reason,
            Self::BodyTooLarge => "The request body is larger than this server takes.",
            Self::ClientGone => "The request ended too early.",
            Self::NoApp => "Nothing is served under this address.",
            Self::CrossSite => "Another website started this request. Go to this site yourself and try again.",
            Self::Loop => "The request goes in circles between proxies.",
            Self::Connect(_) | Self::BadResponse(_) | Self::UnexpectedSwitch | Self::TransferCoding => {
                "The app behind this address is not answering properly."
            }
            Self::ConnectTimeout | Self::ResponseTimeout => "The app behind this address took too long to answer.",
        }
    }

    /// Whether what is left of the client's connection cannot be trusted.
    pub(crate) fn closes(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::BodyTooLarge | Self::ClientGone)
    }
}
