//! The database as a whole.

use std::sync::LazyLock;

use super::zip::tests::archive;
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn record(id: &str, modified: i64, package: &str, fixed: &str) -> Record {
    let json = format!(
        r#"{{"id":"{id}","modified":"{}","published":"2020-01-01T00:00:00Z","aliases":["CVE-2020-{modified:04}"],"summary":"Something",
        "database_specific":{{"severity":"HIGH","cwe_ids":["CWE-79"]}},"references":[{{"type":"WEB","url":"https://example.com/{id}"}}],
        "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
        "affected":[{{"package":{{"ecosystem":"npm","name":"{package}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}},
                    {{"package":{{"ecosystem":"crates.io","name":"{package}"}},"versions":["1.0.0","odd"]}}]}}"#,
        at(modified)
    );
    Record::read(json.as_bytes()).unwrap()
}

fn built(records: &[Record]) -> Vec<u8> {
    let mut builder = Builder::default();
    records.iter().for_each(|record| builder.add(record));
    builder.finish(at(1_000_000)).unwrap()
}

fn sample() -> Vec<Record> {
    let mut records: Vec<Record> =
        (0..300).map(|n| record(&format!("GHSA-{n:04}"), n, &format!("a-package-of-number-{}", n % 97), "2.0.0")).collect();
    records[7].withdrawn = Some(at(9));
    records[7].affected.clear();
    records.push(record("MAL-1", 50, "evil", "9.0.0"));
    records
}

fn verdict(database: &Database, ecosystem: Ecosystem, name: &str, version: &Version) -> Option<Vec<Verdict>> {
    let posting = database.posting(ecosystem, name).unwrap()?;
    Some(posting.entries().unwrap().iter().map(|entry| entry.judge(Some(version), "").unwrap()).collect())
}

#[test]
fn every_record_and_package_is_found_again() {
    let records = sample();
    let database = Database::from_bytes(built(&records)).unwrap();
    database.verify().unwrap();
    let mut sorted = records.clone();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(database.records().collect::<Result<Vec<_>, _>>().unwrap(), sorted);
    for record in &records {
        assert_eq!(database.find(&record.id).unwrap(), std::slice::from_ref(record));
    }
    let of_alias: Vec<String> = database.find("CVE-2020-0050").unwrap().into_iter().map(|record| record.id).collect();
    assert_eq!(of_alias, ["GHSA-0050", "MAL-1"]);
    assert_eq!(database.find("GHSA-9999").unwrap(), []);
    assert_eq!(verdict(&database, Ecosystem::Npm, "evil", &Version::new(1, 0, 0)), Some(vec![Verdict::Affected]));
    assert_eq!(verdict(&database, Ecosystem::Cargo, "evil", &Version::new(2, 0, 0)), Some(vec![Verdict::Safe]));
    assert_eq!(verdict(&database, Ecosystem::Npm, "evi", &Version::new(1, 0, 0)), None);
    assert_eq!(verdict(&database, Ecosystem::Npm, "a-package-of-number-", &Version::new(1, 0, 0)), None);
    assert_eq!(verdict(&database, Ecosystem::Npm, "a-package-of-number-96", &Version::new(1, 0, 0)).unwrap().len(), 3);
    let info = database.info();
    assert_eq!((info.records, info.withdrawn, info.malware, info.packages, info.newest), (301, 1, 1, [98, 98], Some(at(299))));
}

#[test]
fn the_order_of_records_makes_no_difference() {
    let mut records = sample();
    let forth = built(&records);
    records.reverse();
    // The numbers that packages get on the way differ; nothing of that may be left.
    assert_eq!(forth, built(&records));
    let again: Vec<Record> = Database::from_bytes(forth.clone()).unwrap().records().map(Result::unwrap).collect();
    assert_eq!(forth, built(&again));
}

#[test]
fn of_two_records_with_one_id_the_later_change_stays() {
    let (old, new) = (record("GHSA-1", 5, "before", "1.0.0"), record("GHSA-1", 6, "after", "1.0.0"));
    for records in [[old.clone(), new.clone()], [new.clone(), old]] {
        let database = Database::from_bytes(built(&records)).unwrap();
        assert_eq!(database.find("GHSA-1").unwrap(), std::slice::from_ref(&new));
        assert!(database.posting(Ecosystem::Npm, "before").unwrap().is_none());
    }
}

#[test]
fn a_file_that_is_something_else_is_told_apart() {
    let problem = |bytes: &[u8]| Database::from_bytes(bytes.to_vec()).map(drop).unwrap_err().problem;
    assert!(matches!(problem(b""), Problem::NotADatabase));
    assert!(matches!(problem(b"{\"id\": 1, \"and\": \"more\"}"), Problem::NotADatabase));
    let mut bytes = built(&sample());
    assert!(matches!(problem(&bytes[..bytes.len() - 1]), Problem::Corrupt(_)));
    bytes.push(0);
    assert!(matches!(problem(&bytes), Problem::Corrupt(_)));
    bytes[8] = 9;
    assert!(matches!(problem(&bytes), Problem::OtherFormat(9)));
}

#[test]
fn a_file_is_read_as_its_bytes_are() {
    let path = std::env::temp_dir().join(format!("casque-db-{}.db", std::process::id()));
    let bytes = built(&sample());
    store(&path, &bytes).unwrap();
    let database = Database::open(&path, at(0)).unwrap();
    assert_eq!(database.find("GHSA-0003").unwrap(), Database::from_bytes(bytes).unwrap().find("GHSA-0003").unwrap());
    // Who cuts it short while it is open meets an error, not the end of the process.
    std::fs::write(&path, b"casqueDB").unwrap();
    assert!(database.verify().is_err());
    std::fs::remove_file(&path).unwrap();
    let error = Database::open(&path, at(0)).unwrap_err().to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
}

#[test]
fn archives_and_folders_are_loaded_and_what_is_wrong_is_told() {
    let good = br#"{"id":"GHSA-1","modified":"2020-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0"]}]}"#;
    let other = br#"{"id":"PYSEC-1","modified":"2020-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"a"}}]}"#;
    let files: [(&str, &[u8]); 3] = [("a.json", good), ("b.json", b"{"), ("c.json", other)];
    let folder = std::env::temp_dir().join(format!("casque-load-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("below")).unwrap();
    std::fs::write(folder.join("all.zip"), archive(&files, false)).unwrap();
    for (name, content) in files {
        std::fs::write(folder.join("below").join(name), content).unwrap();
    }
    for source in [folder.clone(), folder.join("all.zip")] {
        let mut builder = Builder::default();
        let loaded = load(&source, &mut builder).unwrap();
        assert_eq!((loaded.records, loaded.others, loaded.unreadable, builder.len()), (1, 1, 1, 1));
        assert_eq!(loaded.damaged, 0);
        assert!(loaded.reasons[0].0.ends_with("b.json") && loaded.reasons[0].1.contains("line 1"), "{:?}", loaded.reasons);
    }
    assert!(Database::open(&folder, at(0)).unwrap_err().to_string().contains("b.json: "));
    let mut damaged = archive(&files, false);
    let place = damaged.windows(2).position(|bytes| bytes == b"b.").unwrap();
    damaged[place + 6] ^= 1;
    std::fs::write(folder.join("all.zip"), damaged).unwrap();
    let loaded = load(&folder.join("all.zip"), &mut Builder::default()).unwrap();
    assert_eq!((loaded.records, loaded.unreadable, loaded.damaged), (1, 1, 1));
    std::fs::remove_file(folder.join("below/b.json")).unwrap();
    assert_eq!(Database::open(&folder, at(0)).unwrap().info().records, 1);
    std::fs::remove_dir_all(&folder).unwrap();
}

fn ids(differing: &[Differing]) -> Vec<&str> {
    differing.iter().map(|record| record.id.as_str()).collect()
}

/// A database of what is kept of an older one and of newer records.
fn kept(older: &Database, wanted: impl FnMut(&Record) -> bool, newer: &[Record]) -> Database {
    let mut builder = Builder::default().fetched(at(100));
    builder.keep(older, wanted).unwrap();
    newer.iter().for_each(|record| builder.add(record));
    Database::from_bytes(builder.finish(at(100)).unwrap()).unwrap()
}

#[test]
fn an_update_replaces_adds_and_removes() {
    let older = Database::from_bytes(built(&[
        record("GHSA-1", 1, "a", "1.0.0"),
        record("GHSA-2", 2, "b", "1.0.0"),
        record("GHSA-3", 3, "c", "1.0.0"),
    ]))
    .unwrap();
    let list = format!("{},npm/GHSA-4\n{},GHSA-2\n{},GHSA-1\n\n", at(9), at(8), at(1));
    let changes = read_changes(&list).unwrap();
    let both = outdated(&older, Ecosystem::Npm, &changes).unwrap();
    // GHSA-3 is about a crate as well, so npm's list alone does not say that it is gone.
    assert_eq!((both.fetch, both.gone), (vec!["GHSA-2".to_owned(), "GHSA-4".to_owned()], vec![]));
    let fetched = [record("GHSA-2", 8, "b", "2.0.0"), record("GHSA-4", 9, "d", "1.0.0")];
    let newer = kept(&older, |record| record.id != "GHSA-3", &fetched);
    assert_eq!(newer.info().fetched, Some(at(100)));
    let difference = compare(&older, &newer).unwrap();
    assert_eq!((ids(&difference.added), ids(&difference.changed)), (vec!["GHSA-4"], vec!["GHSA-2"]));
    assert_eq!((ids(&difference.withdrawn), ids(&difference.removed)), (vec![], vec!["GHSA-3"]));
    let of = |name: &str| vec![(Ecosystem::Npm, name.to_owned()), (Ecosystem::Cargo, name.to_owned())];
    assert_eq!((&difference.added[0].packages, &difference.removed[0].packages), (&of("d"), &of("c")));
    assert!(difference.added[0].is_about(Ecosystem::Cargo) && difference.added[0].summary == "Something");
    assert!(compare(&newer, &newer).unwrap().is_empty());
    let mut taken_back = record("GHSA-4", 10, "d", "1.0.0");
    taken_back.withdrawn = Some(at(10));
    let last = kept(&newer, |_| true, &[taken_back]);
    let difference = compare(&newer, &last).unwrap();
    // What it was about is known to the older one alone.
    assert_eq!((ids(&difference.withdrawn), &difference.withdrawn[0].packages), (vec!["GHSA-4"], &of("d")));
    assert!(last.posting(Ecosystem::Npm, "d").unwrap().is_none());
}

#[test]
fn notes_are_found_again() {
    let noted = |notes: &[u8]| {
        let mut builder = Builder::default().notes(notes.to_vec());
        sample().iter().for_each(|record| builder.add(record));
        Database::from_bytes(builder.finish(at(0)).unwrap()).unwrap().info().notes.clone()
    };
    assert_eq!(noted(b""), b"");
    let older = Database::from_bytes(built(&sample())).unwrap();
    let dated = Database::from_bytes(older.dated(at(7), b"later".to_vec()).unwrap()).unwrap();
    dated.verify().unwrap();
    assert!(compare(&older, &dated).unwrap().is_empty());
    assert_eq!((dated.info().fetched, &dated.info().notes[..], dated.info().newest), (Some(at(7)), &b"later"[..], older.info().newest));
    assert_eq!(noted(b"from far away"), b"from far away");
    assert_eq!(noted(&vec![1; MAX_NOTES]).len(), MAX_NOTES);
    assert_eq!(noted(&vec![1; MAX_NOTES + 1]), b"");
}

#[test]
fn a_list_of_changes_has_a_form() {
    for bad in ["GHSA-1", "2020-01-01T00:00:00Z,", "2020-01-01T00:00:00Z,npm/../x y", "yesterday,GHSA-1", "2020-01-01T00:00:00Z,.."] {
        let error = read_changes(&format!("2020-01-01T00:00:00Z,GHSA-1\n{bad}\n")).unwrap_err();
        assert!(error.to_string().starts_with("line 2 "), "{bad}: {error}");
    }
}

/// Does everything that can be done with a database.
fn use_all(bytes: Vec<u8>) -> Result<(), Error> {
    let database = Database::from_bytes(bytes)?;
    for name in ["a-package-of-number-5", "evil", "none"] {
        for ecosystem in Ecosystem::ALL {
            if let Some(posting) = database.posting(ecosystem, name)? {
                for entry in posting.entries()? {
                    entry.judge(Some(&Version::new(1, 0, 0)), "1.0.0")?;
                    database.record_for(&entry)?;
                }
            }
        }
    }
    database.find("CVE-2020-0050")?;
    database.records().try_for_each(|record| record.map(drop))?;
    database.verify()
}

/// Puts right sums on changed bytes: what a hostile writer would do.
fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    if length < 20 || length > bytes.len() {
        return bytes;
    }
    let (header, data) = bytes.split_at_mut(length);
    let sums = pages::sums(data);
    if let Some(place) = (length - 20).checked_sub(4 * sums.len()) {
        for (to, sum) in header[20 + place..].chunks_exact_mut(4).zip(sums) {
            to.copy_from_slice(&sum.to_le_bytes());
        }
    }
    header[16..20].fill(0);
    let sum = crc32fast::hash(header);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Small enough to be read whole many times.
static SMALL: LazyLock<Vec<u8>> = LazyLock::new(|| built(&sample()[..40]));

proptest::proptest! {
    #[test]
    fn a_changed_bit_is_found(at: proptest::sample::Index, bit in 0u8..8) {
        let mut bytes = SMALL.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        proptest::prop_assert!(use_all(bytes).is_err());
    }

    #[test]
    fn a_hostile_file_is_no_trouble(changes in proptest::collection::vec(proptest::arbitrary::any::<(proptest::sample::Index, u8)>(), 1..12)) {
        let mut bytes = SMALL.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = use_all(signed(bytes));
    }

    #[test]
    fn a_header_of_any_fields_is_no_trouble(fields: Vec<u8>, at in 20usize..60) {
        let mut bytes = SMALL.clone();
        let end = (at + fields.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&fields[..end - at]);
        let _ = use_all(signed(bytes));
    }
}
