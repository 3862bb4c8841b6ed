//! Why a site could not be asked, in words that say whose fault it is and what to do.

use std::fmt;
use std::time::Duration;

use casque_scan::Address;
use casque_scan::render::one_line;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FetchError {
    /// The name has no address.
    Resolve { host: String, why: String },
    /// Nothing listens there.
    Refused { address: String },
    /// It could not be connected to.
    Unreachable { address: String, why: String },
    /// The certificate is not valid.
    Certificate { host: String, why: String },
    /// TLS could not be set up for another reason.
    Tls { address: String, why: String },
    /// What came is no HTTP, or not within bounds.
    NotHttp { address: String, why: String },
    /// It redirects without end.
    Redirects { address: String, count: usize },
    /// It redirects from outside to what is reached from here only.
    Inward { address: String, to: String },
    /// The time is up.
    Timeout { limit: Duration },
    /// Connecting took too long.
    ConnectTimeout { address: String, limit: Duration },
}

impl FetchError {
    /// What helps, if something is known to.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Certificate { .. } => Some("`--accept-invalid-certs` looks at the site all the same"),
            Self::Tls { .. } => Some("if the site speaks plain http there, write its address with http://"),
            Self::Timeout { .. } => Some("`--timeout 60s` waits longer"),
            _ => None,
        }
    }

    pub(super) fn not_http(address: &Address, why: &str) -> Self {
        Self::NotHttp { address: address.origin(), why: why.to_owned() }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve { host, why } => write!(f, "cannot resolve `{host}`: {}", one_line(why)),
            Self::Refused { address } => write!(f, "nothing listens at {address}: the connection was refused"),
            Self::Unreachable { address, why } => write!(f, "cannot connect to {address}: {}", one_line(why)),
            Self::Certificate { host, why } => write!(f, "the certificate of `{host}` is not valid: {}", one_line(why)),
            Self::Tls { address, why } => write!(f, "no TLS with {address}: {}", one_line(why)),
            Self::NotHttp { address, why } => write!(f, "no usable answer from {address}: {}", one_line(why)),
            Self::Redirects { address, count } => write!(f, "{address} redirects without end: {count} redirects were followed"),
            Self::Inward { address, to } => {
                write!(f, "{address} redirects to {to}, which is reached from this machine or network only; that was not followed")
            }
            Self::Timeout { limit } => write!(f, "no answer within {} s", limit.as_secs_f32()),
            Self::ConnectTimeout { address, limit } => write!(f, "cannot connect to {address} within {} s", limit.as_secs_f32()),
        }
    }
}
