//! `casque db diff OLD [NEW]`: what became of which records.

use std::path::Path;

use casque_audit::Ecosystem;
use casque_audit::db::{Database, Difference, Differing, compare};
use casque_scan::render::one_line;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::DbDiffArgs;
use crate::exit::Exit;
use crate::printer::{self, BOLD};

/// How many records of a kind the text names.
const NAMED: usize = 50;

pub(super) fn run(args: &DbDiffArgs) -> Result<Exit, String> {
    let new = super::place(args.new.as_deref())?;
    let now = Timestamp::now();
    let open = |path: &Path| Database::open(path, now).map_err(|e| one_line(&e.to_string()));
    let (older, newer) = (open(&args.old)?, open(&new)?);
    let difference = compare(&older, &newer).map_err(|e| one_line(&e.to_string()))?;
    if args.format == "json" {
        printer::tell(json(&args.old, &older, &new, &newer, &difference));
    } else {
        printer::tell(text(&difference).trim_end());
    }
    Ok(Exit::Clean)
}

fn kinds(difference: &Difference) -> [(&'static str, &[Differing]); 4] {
    [("added", &difference.added), ("changed", &difference.changed), ("withdrawn", &difference.withdrawn), ("removed", &difference.removed)]
}

fn count(records: &[Differing], ecosystem: Ecosystem) -> usize {
    records.iter().filter(|record| record.is_about(ecosystem)).count()
}

fn text(difference: &Difference) -> String {
    if difference.is_empty() {
        return "both say the same".to_owned();
    }
    let columns = |cells: [String; 2]| format!("{:>9} {:>11}", cells[0], cells[1]);
    let mut lines = vec![format!("{:<9} {}", "", columns(Ecosystem::ALL.map(|ecosystem| ecosystem.osv().to_owned())))];
    for (kind, records) in kinds(difference) {
        lines.push(format!("{kind:<9} {}", columns(Ecosystem::ALL.map(|ecosystem| count(records, ecosystem).to_string()))));
    }
    for (kind, records) in kinds(difference).into_iter().filter(|(_, records)| !records.is_empty()) {
        lines.push(format!("\n{BOLD}{kind}{BOLD:#}"));
        lines.extend(records.iter().take(NAMED).map(line));
        if records.len() > NAMED {
            lines.push(format!("  and {} more: --format json has them all", records.len() - NAMED));
        }
    }
    lines.join("\n")
}

fn line(record: &Differing) -> String {
    let packages: Vec<String> = record.packages.iter().map(|(ecosystem, name)| format!("{ecosystem} {name}")).collect();
    let about = if packages.is_empty() { "withdrawn before".to_owned() } else { packages.join(", ") };
    let summary = if record.summary.is_empty() { String::new() } else { format!(": {}", record.summary) };
    one_line(&format!("  {}  {about}{summary}", record.id))
}

fn json(old: &Path, older: &Database, new: &Path, newer: &Database, difference: &Difference) -> String {
    let side = |path: &Path, database: &Database| {
        let info = database.info();
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        json!({"path": path.to_string_lossy(), "records": info.records, "fetched": time(info.fetched), "newest": time(info.newest)})
    };
    let mut counts = json!({});
    let mut all = json!({"schema": 1, "old": side(old, older), "new": side(new, newer)});
    for (kind, records) in kinds(difference) {
        for ecosystem in Ecosystem::ALL {
            counts[ecosystem.osv()][kind] = count(records, ecosystem).into();
        }
        all[kind] = records.iter().map(record).collect();
    }
    all["counts"] = counts;
    format!("{all:#}")
}

fn record(record: &Differing) -> Value {
    let packages: Vec<Value> =
        record.packages.iter().map(|(ecosystem, name)| json!({"ecosystem": ecosystem.osv(), "name": name})).collect();
    json!({"id": record.id, "summary": record.summary, "packages": packages})
}
