//! Where advisories are downloaded from, and over what.
//!
//! OSV exports all records to a public bucket: for each ecosystem `all.zip`, each record as `ID.json`, and `modified_id.csv`, which
//! says when each last changed, the latest first (google.github.io/osv.dev/data, "Data dumps"). A mirror has the same names.

use std::net::IpAddr;

use casque_audit::Ecosystem;
use casque_scan::Address;

use crate::commands::scan::fetch::without_userinfo;

/// The public export.
pub(super) const PUBLIC: &str = "https://storage.googleapis.com/osv-vulnerabilities";

/// An export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    base: Address,
    /// Whether plain http to other machines was asked for.
    insecure: bool,
}

impl Source {
    /// Reads the address of the folder in which the ecosystems' folders are.
    ///
    /// # Errors
    /// It is no such address, or one on another machine over plain http although that was not asked for.
    pub(super) fn parse(text: &str, insecure: bool) -> Result<Self, String> {
        let shown = without_userinfo(text);
        if shown != text {
            return Err(format!("`{shown}`: a user and password in an address are not sent; serve the export without"));
        }
        let base = Address::parse(text).filter(|_| !text.contains(['?', '#']));
        let mut base = base.ok_or_else(|| format!("`{shown}` is no address of an export: expected one such as {PUBLIC}"))?;
        base.path.truncate(base.path.trim_end_matches('/').len());
        let source = Self { base, insecure };
        source.allows(&source.base)?;
        Ok(source)
    }

    /// A file of an ecosystem.
    pub(super) fn file(&self, ecosystem: Ecosystem, name: &str) -> Address {
        self.base.with_path(&format!("{}/{}/{name}", self.base.path, ecosystem.osv()))
    }

    /// Whether an address may be asked: over plain http only what is on this machine, for whoever is on the way could take
    /// advisories out.
    pub(super) fn allows(&self, address: &Address) -> Result<(), String> {
        if address.https || self.insecure || is_here(&address.host) {
            return Ok(());
        }
        Err(format!(
            "{} would be asked over plain http, where anybody on the way can change the advisories: use https, or --insecure-http",
            address.origin()
        ))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.base.fmt(f)
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stand_below_the_address() {
        for base in ["https://mirror.example/osv", "https://mirror.example/osv/"] {
            let source = Source::parse(base, false).unwrap();
            assert_eq!(source.file(Ecosystem::Cargo, "all.zip").to_string(), "https://mirror.example/osv/crates.io/all.zip");
        }
        let source = Source::parse("http://localhost:8000", false).unwrap();
        assert_eq!(source.file(Ecosystem::Npm, "GHSA-1.json").to_string(), "http://localhost:8000/npm/GHSA-1.json");
        assert!(Source::parse(PUBLIC, false).is_ok());
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for here in ["http://127.0.0.1:1/", "http://[::1]/x", "http://osv.localhost/"] {
            assert!(Source::parse(here, false).is_ok(), "{here}");
        }
        for away in ["http://mirror.example/", "http://10.0.0.1/", "http://localhost.example/"] {
            assert!(Source::parse(away, false).unwrap_err().contains("--insecure-http"), "{away}");
            assert!(Source::parse(away, true).is_ok(), "{away}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_without_a_password() {
        for bad in ["", "mirror.example", "ftp://mirror.example/", "https://mirror.example/?x", "file:///tmp"] {
            assert!(Source::parse(bad, false).is_err(), "{bad}");
        }
        let why = Source::parse("https://kim:geheim@mirror.example/", false).unwrap_err();
        assert!(why.contains("mirror.example") && !why.contains("geheim"), "{why}");
    }
}
