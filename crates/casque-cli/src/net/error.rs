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
    /// The other end did not take what was sent for HTTP, or answered with something else. Over plain http it may speak TLS.
    NotUnderstood { address: String, why: String },
    /// A public name led to addresses that it may not lead to.
    LeadsInside { host: String },
    /// Neither half of a site answered, and why.
    Both(Box<Self>, Box<Self>),
    /// It redirects without end.
    Redirects { address: String, count: usize },
    /// It redirects from outside to what is reached from here only.
    Inward { address: String, to: String },
    /// The proxy did not let it through.
    Proxy { address: String, why: String },
    /// The time is up: that of this answer, or of all of them.
    Timeout { limit: Duration, whole: Duration },
    /// Connecting took too long.
    ConnectTimeout { address: String, limit: Duration },
}

impl FetchError {
    pub(crate) fn not_understood(address: &Address, why: &str) -> Self {
        Self::NotUnderstood { address: address.origin(), why: why.to_owned() }
    }

    pub(crate) fn not_http(address: &Address, why: &str) -> Self {
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
            Self::NotHttp { address, why } | Self::NotUnderstood { address, why } => {
                write!(f, "no usable answer from {address}: {}", one_line(why))
            }
            Self::Redirects { address, count } => write!(f, "{address} redirects without end: {count} redirects were followed"),
            Self::Inward { address, to } => {
                write!(f, "{address} redirects to {to}, which is reached from this machine or network only; that was not followed")
            }
            Self::LeadsInside { host } => write!(
                f,
                "`{host}` has no address that may be asked: a public name may not lead into this machine or network, nor change from one to the other"
            ),
            Self::Proxy { address, why } => write!(f, "no way through the proxy {address}: {}", one_line(why)),
            Self::Both(one, other) => write!(f, "{one}; and {other}"),
            Self::Timeout { limit, .. } => write!(f, "no answer within {} s", limit.as_secs_f32()),
            Self::ConnectTimeout { address, limit } => write!(f, "cannot connect to {address} within {} s", limit.as_secs_f32()),
        }
    }
}
