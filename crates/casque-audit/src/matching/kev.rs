//! KEV: CISA's catalogue of vulnerabilities that are known to be exploited.

use std::collections::HashMap;

use jiff::civil::Date;
use serde::Deserialize;

use super::Cve;

/// An entry of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exploited {
    /// When it was entered.
    pub added: Option<Date>,
    /// By when authorities of the United States have to have mended it.
    pub due: Option<Date>,
    /// Whether blackmailers are known to use it.
    pub ransomware: bool,
}

/// The catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kev {
    entries: HashMap<Cve, Exploited>,
}

#[derive(Deserialize)]
struct Catalogue {
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    id: String,
    #[serde(default)]
    date_added: String,
    #[serde(default)]
    due_date: String,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

impl Kev {
    /// Reads the catalogue's JSON. Entries whose id is none of CVE's are passed over.
    ///
    /// # Errors
    /// It is no JSON of that form; where, is in the error.
    pub fn read(json: &[u8]) -> serde_json::Result<Self> {
        let catalogue: Catalogue = serde_json::from_slice(json)?;
        let entries = catalogue.vulnerabilities.iter().filter_map(|entry| {
            let exploited = Exploited {
                added: entry.date_added.parse().ok(),
                due: entry.due_date.parse().ok(),
                ransomware: entry.known_ransomware_campaign_use.eq_ignore_ascii_case("known"),
            };
            Some((Cve::parse(&entry.id)?, exploited))
        });
        Ok(Self { entries: entries.collect() })
    }

    /// The entry of a CVE.
    pub fn get(&self, cve: Cve) -> Option<Exploited> {
        self.entries.get(&cve).copied()
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_is_read() {
        let json = r#"{"catalogVersion":"2026.11.01","vulnerabilities":[
            {"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known"},
            {"cveID":"CVE-2020-0001","dateAdded":"soon","knownRansomwareCampaignUse":"Unknown"},{"cveID":"other"}]}"#;
        let kev = Kev::read(json.as_bytes()).unwrap();
        let entry = kev.get(Cve::parse("CVE-2021-44228").unwrap()).unwrap();
        assert_eq!((kev.len(), entry.ransomware, entry.added), (2, true, Some(jiff::civil::date(2021, 12, 10))));
        assert!(!kev.get(Cve::parse("CVE-2020-0001").unwrap()).unwrap().ransomware);
        assert!(Kev::read(b"{}").unwrap_err().to_string().contains("line 1"));
    }
}
