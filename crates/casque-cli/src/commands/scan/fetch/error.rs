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
    /// The time is up: that of this answer, or of the whole scan.
    Timeout { limit: Duration, whole: Duration },
    /// Connecting took too long.
    ConnectTimeout { address: String, limit: Duration },
}

impl FetchError {
    /// What helps, if something is known to.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Certificate { .. } => "`--accept-invalid-certs` looks at the site all the same".to_owned(),
            Self::Tls { .. } => "if the site speaks plain http there, write its address with http://".to_owned(),
            Self::NotUnderstood { address, .. } if address.starts_with("http:") => {
                "if the site speaks TLS there, write its address with https://".to_owned()
            }
            // A page may take half of the whole.
            Self::Timeout { whole, .. } => format!("`--timeout {}s` waits longer", whole.as_secs().saturating_mul(3).max(60)),
            Self::Both(one, other) => return one.hint().or_else(|| other.hint()),
            _ => return None,
        })
    }

    /// This, and why the other half of the site gave no answer either. What is the same is said once.
    pub(super) fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Both(Box::new(self), Box::new(other)) }
    }

    pub(super) fn not_understood(address: &Address, why: &str) -> Self {
        Self::NotUnderstood { address: address.origin(), why: why.to_owned() }
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
            Self::Both(one, other) => write!(f, "{one}; and {other}"),
            Self::Timeout { limit, .. } => write!(f, "no answer within {} s", limit.as_secs_f32()),
            Self::ConnectTimeout { address, limit } => write!(f, "cannot connect to {address} within {} s", limit.as_secs_f32()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_say_why_they_failed() {
        let refused = FetchError::Refused { address: "https://shop.example".to_owned() };
        let inward = FetchError::Inward { address: "http://shop.example/".to_owned(), to: "http://10.0.0.1".to_owned() };
        let said = refused.clone().and(inward).to_string();
        assert!(said.contains("nothing listens at https://shop.example") && said.contains("redirects to http://10.0.0.1"), "{said}");
        assert_eq!(refused.clone().and(refused.clone()), refused);
    }

    #[test]
    fn hints_lead_further() {
        let late = |whole| FetchError::Timeout { limit: Duration::from_secs(1), whole: Duration::from_secs(whole) }.hint().unwrap();
        assert_eq!(late(20), "`--timeout 60s` waits longer");
        assert_eq!(late(60), "`--timeout 180s` waits longer");
        let odd = |url: &str| FetchError::not_understood(&Address::parse(url).unwrap(), "x").hint();
        assert!(odd("http://shop.example:8443/").unwrap().contains("https://"));
        assert_eq!(odd("https://shop.example/"), None);
    }
}
