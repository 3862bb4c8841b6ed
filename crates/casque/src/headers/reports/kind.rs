//! The kinds of report.

use super::clean::visible;

/// Longest name that is kept of an unknown kind, in bytes.
const NAME: usize = 48;

/// What a report is about, as the Reporting API's `type` names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `csp-violation` (CSP3 5.5), and every `csp-report` (CSP3 5.3).
    CspViolation,
    /// `csp-hash`: the hash of a script that was loaded, asked for by `'report-sha256'` and its like (CSP3).
    CspHash,
    /// `coop`: Cross-Origin-Opener-Policy (HTML 7.1.3).
    Coop,
    /// `coep`: Cross-Origin-Embedder-Policy (HTML 7.1.4).
    Coep,
    /// `integrity-violation`: Integrity-Policy (Subresource Integrity).
    IntegrityViolation,
    /// `network-error` (Network Error Logging).
    NetworkError,
    /// `permissions-policy-violation`.
    PermissionsPolicyViolation,
    /// `document-policy-violation`.
    DocumentPolicyViolation,
    /// `deprecation`.
    Deprecation,
    /// `intervention`.
    Intervention,
    /// `crash`.
    Crash,
    /// A kind that did not exist when this was written: its name, at most 48 bytes. Nothing of its body is kept, because nobody can
    /// say where the secrets are in it.
    Other(Box<str>),
}

impl Kind {
    /// The kinds that are known, by the names of their types.
    pub const KNOWN: [(&'static str, Self); 11] = [
        ("csp-violation", Self::CspViolation),
        ("csp-hash", Self::CspHash),
        ("coop", Self::Coop),
        ("coep", Self::Coep),
        ("integrity-violation", Self::IntegrityViolation),
        ("network-error", Self::NetworkError),
        ("permissions-policy-violation", Self::PermissionsPolicyViolation),
        ("document-policy-violation", Self::DocumentPolicyViolation),
        ("deprecation", Self::Deprecation),
        ("intervention", Self::Intervention),
        ("crash", Self::Crash),
    ];

    /// Reads a `type`.
    pub(super) fn read(name: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Self::Other(visible(name, NAME)), |(_, kind)| kind)
    }

    /// The name of the type.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Other(name) => name,
            _ => Self::KNOWN.get(self.index()).map_or("", |(name, _)| *name),
        }
    }

    /// Its place among [`Kind::KNOWN`]; all others share the one behind.
    pub(super) fn index(&self) -> usize {
        Self::KNOWN.iter().position(|(_, kind)| kind == self).unwrap_or(Self::KNOWN.len())
    }

    pub(super) fn heap(&self) -> usize {
        if let Self::Other(name) = self { name.len() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_as_itself() {
        for (i, (name, kind)) in Kind::KNOWN.into_iter().enumerate() {
            assert_eq!((Kind::read(name), kind.name(), kind.index()), (kind.clone(), name, i));
        }
        assert_eq!(Kind::read("csp\u{7}").name(), "csp\\u{7}");
        assert_eq!(Kind::read("").index(), Kind::KNOWN.len());
    }
}
