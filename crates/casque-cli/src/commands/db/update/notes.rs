//! What an update leaves in the database for the next one: where it was from, and for each ecosystem when it was fetched, the tags of
//! its files, and the records that are of no use here, so that they are not fetched again and again.
//!
//! All of it is a shortcut. What the database lacks is found by comparing it with the list; what cannot be read here counts as not
//! known.

use std::collections::BTreeMap;

use casque_audit::Ecosystem;
use casque_audit::db::Info;
use jiff::Timestamp;
use serde_json::{Value, json};

/// How many records of no use are noted for one ecosystem.
const MAX_USELESS: usize = 5000;

/// The notes on one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Notes {
    /// When it was fetched.
    pub(super) fetched: Option<Timestamp>,
    /// The tag of the list of changes, if all that it names was had.
    pub(super) list: Option<String>,
    /// The tag of the archive that was loaded last.
    pub(super) archive: Option<String>,
    /// Records that cannot be used, by id, as they were when they last changed: in seconds since 1970.
    pub(super) useless: BTreeMap<String, i64>,
}

/// The notes in a database, as far as they are about this source: tags of another one say nothing.
pub(super) fn read(info: &Info, source: &str) -> BTreeMap<Ecosystem, Notes> {
    let all: Value = serde_json::from_slice(&info.notes).unwrap_or_default();
    let same = all["source"] == source;
    let one = |ecosystem: Ecosystem| {
        let notes = &all[ecosystem.osv()];
        let text = |name: &str| notes[name].as_str().filter(|_| same).map(str::to_owned);
        let useless = notes["useless"].as_object().filter(|_| same);
        let useless = useless.into_iter().flatten().filter_map(|(id, seconds)| Some((id.clone(), seconds.as_i64()?)));
        Notes {
            fetched: notes["fetched"].as_str().and_then(|time| time.parse().ok()),
            list: text("list"),
            archive: text("archive"),
            useless: useless.collect(),
        }
    };
    Ecosystem::ALL.into_iter().map(|ecosystem| (ecosystem, one(ecosystem))).collect()
}

/// Notes as they stand in a database.
pub(super) fn write(source: &str, notes: &BTreeMap<Ecosystem, Notes>) -> Vec<u8> {
    let mut all = json!({ "source": source });
    for (ecosystem, notes) in notes {
        let useless: BTreeMap<&String, &i64> = notes.useless.iter().take(MAX_USELESS).collect();
        all[ecosystem.osv()] = json!({
            "fetched": notes.fetched.map(|time| time.to_string()),
            "list": notes.list,
            "archive": notes.archive,
            "useless": useless,
        });
    }
    all.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_for_the_same_source() {
        let time: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let npm = Notes {
            fetched: Some(time),
            list: Some("\"a\"".to_owned()),
            archive: Some("\"b\"".to_owned()),
            useless: BTreeMap::from([("GHSA-1".to_owned(), 7)]),
        };
        let all = BTreeMap::from([(Ecosystem::Npm, npm), (Ecosystem::Cargo, Notes::default())]);
        let notes = write("https://a.example", &all);
        let info = |notes| Info {
            notes,
            built: time,
            fetched: None,
            newest: None,
            records: 0,
            withdrawn: 0,
            malware: 0,
            packages: [0; 2],
            size: 0,
        };
        assert_eq!(read(&info(notes.clone()), "https://a.example"), all);
        let elsewhere = read(&info(notes), "https://b.example");
        assert_eq!(elsewhere[&Ecosystem::Npm], Notes { fetched: Some(time), ..Notes::default() });
        for odd in [&b""[..], b"[]", b"{\"npm\":[]}", b"\xff", b"{\"source\":\"https://a.example\",\"npm\":{\"useless\":{\"a\":\"b\"}}}"] {
            assert_eq!(read(&info(odd.to_vec()), "https://a.example")[&Ecosystem::Npm], Notes::default());
        }
    }
}
