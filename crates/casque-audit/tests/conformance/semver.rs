//! Versions and ranges, as npm's own library answered.

use casque_audit::version::{Grammar, Range, RangeOptions};
use serde_json::Value;

use crate::group::{Group, audit};

fn text(name: &str) -> Option<String> {
    audit().map(|folder| std::fs::read_to_string(folder.join("semver").join(name)).unwrap())
}

#[test]
fn ranges_hold_the_versions_that_npm_says() {
    let Some(rows) = text("satisfies.jsonl") else { return };
    let mut strict = Group::new("npm ranges, strict", &[]);
    let mut audit = Group::new("npm ranges, loose with prereleases", &[]);
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let (range, version) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
        let holds = |options| Range::parse(range, options).is_ok_and(|range| range.contains_text(version));
        let id = format!("{range:?} {version}");
        strict.case(&id, &holds(RangeOptions::default()), &(row[2] == 1));
        audit.case(&id, &holds(RangeOptions::AUDIT), &(row[3] == 1));
    }
}

#[test]
fn versions_are_in_npms_order() {
    let Some(lists) = text("sorted.json") else { return };
    let mut group = Group::new("version lists in npm's order", &[]);
    let lists: Vec<Vec<String>> = serde_json::from_str(&lists).unwrap();
    for (number, list) in lists.iter().enumerate() {
        let versions: Vec<_> = list.iter().map(|v| Grammar::NpmLoose.version(v).unwrap_or_else(|_| panic!("{v}"))).collect();
        group.case(&number.to_string(), &versions.is_sorted(), &true);
    }
}

#[test]
fn what_is_no_range_is_refused() {
    let Some(specs) = text("invalid-ranges.json") else { return };
    let mut group = Group::new("dependency specs that are no range", &[]);
    let specs: Vec<String> = serde_json::from_str(&specs).unwrap();
    for spec in &specs {
        group.case(spec, &Range::parse(spec, RangeOptions::default()).is_ok(), &false);
        group.case(spec, &Range::parse(spec, RangeOptions::AUDIT).is_ok(), &false);
    }
}

#[test]
fn bounds_are_in_the_order_of_osv() {
    let Some(rows) = text("osv-scalibr/semver-versions.txt") else { return };
    let mut group = Group::new("osv-scalibr's order of versions", &[]);
    for row in rows.lines().filter(|row| !row.is_empty() && !row.starts_with("//")) {
        let [left, relation, right] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let version = |text| Grammar::Lenient.version(text).unwrap_or_else(|_| panic!("{text}"));
        let ours = match version(left).cmp(&version(right)) {
            std::cmp::Ordering::Less => "<",
            std::cmp::Ordering::Equal => "=",
            std::cmp::Ordering::Greater => ">",
        };
        group.case(row, &ours, &relation);
    }
}
