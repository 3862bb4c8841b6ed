//! Any bytes as an OSV record: what is read can be compiled, comes back the same, and is fit for a terminal.
#![no_main]

use casque_audit::db::{Builder, Database};
use casque_audit::osv::Record;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let Ok(record) = Record::read(json) else { return };
    for text in [&record.id, &record.summary].into_iter().chain(&record.aliases).chain(&record.references) {
        assert!(!text.chars().any(char::is_control));
    }
    let mut builder = Builder::default();
    builder.add(&record);
    let database = Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    database.verify().unwrap();
    let found = &database.find(&record.id).unwrap()[0];
    assert_eq!((&found.id, &found.aliases, &found.summary), (&record.id, &record.aliases, &record.summary));
    if record.withdrawn.is_none() {
        assert_eq!(found.affected, record.affected);
    }
});
