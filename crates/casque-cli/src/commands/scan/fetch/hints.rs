//! What helps when a site gave no answer.

use crate::net::FetchError;

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
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use casque_scan::Address;

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
