//! A database file with any changes and right sums, as a hostile writer makes it: whatever can be asked is answered or refused.
#![no_main]

use std::sync::LazyLock;

use casque_audit::db::{Builder, Database, Error};
use casque_audit::matching::{Context, check};
use casque_audit::osv::Record;
use casque_audit::{Ecosystem, Package};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const PAGE: usize = 4096;

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    for (id, name) in [
        ("GHSA-1", "a"),
        ("GHSA-2", "a"),
        ("NSWG-3", "a"),
        ("MAL-4", "a-package-with-a-long-name"),
        ("GHSA-5", "a-package-with-a-longer-name"),
    ] {
        let json = format!(
            r#"{{"id":"{id}","modified":"2024-01-10T00:00:00Z","aliases":["CVE-2024-0001"],"summary":"s","affected":[{{"package":{{"ecosystem":"npm",
            "name":"{name}"}},"versions":["x","3.0.0-a.1"],"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"2.0.0"}}]}}]}}]}}"#
        );
        builder.add(&Record::read(json.as_bytes()).unwrap());
    }
    builder.finish(Timestamp::UNIX_EPOCH).unwrap()
});

fuzz_target!(|changes: Vec<(u16, u8)>| {
    let mut bytes = GOOD.clone();
    for (at, byte) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] = byte;
    }
    sign(&mut bytes);
    let _ = ask(bytes);
});

fn ask(bytes: Vec<u8>) -> Result<(), Error> {
    let database = Database::from_bytes(bytes)?;
    let packages = ["1.0.0", "x", "3.0.0-a.1"].map(|version| Package::new(Ecosystem::Npm, "a", version));
    for finding in check(&packages, &database, &Context::default())? {
        assert!(!finding.members.is_empty());
        assert!(!finding.ids().concat().chars().any(char::is_control));
    }
    database.find("CVE-2024-0001")?;
    database.records().try_for_each(|record| record.map(drop))?;
    database.verify()
}

/// Puts right sums in, as far as the header has its place for them.
fn sign(bytes: &mut [u8]) {
    let length = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize;
    if length < 20 || length > bytes.len() {
        return;
    }
    let (header, data) = bytes.split_at_mut(length);
    let sums: Vec<u8> = data.chunks(PAGE).flat_map(|page| crc32fast::hash(page).to_le_bytes()).collect();
    if let Some(place) = (length - 20).checked_sub(sums.len()) {
        header[20 + place..].copy_from_slice(&sums);
    }
    header[16..20].fill(0);
    let sum = crc32fast::hash(header).to_le_bytes();
    header[16..20].copy_from_slice(&sum);
}
