//! Which records of one package are about the same vulnerability.
//!
//! Aliases are symmetric and transitive (OSV schema, `aliases`), so records with a common id belong together. Two limits keep that
//! from joining what is apart:
//!
//! - One database's own records are different vulnerabilities by that database's account, unless one names the other. GitHub
//!   lists the CVE of a flaw also on the advisory of its incomplete fix, and RustSec has several advisories with one CVE; npm
//!   audit and cargo audit count them apart, and so does this.
//! - A record that touches several groups of a better database does not join them. It says that some of them are meant, not that
//!   they are one. It becomes a member of each.
//!
//! Databases are asked in order: GitHub first for npm, RustSec first for crates, as their ids are the ones that people know.

use std::collections::HashMap;

use crate::package::Ecosystem;

/// A record, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) id: &'a str,
    pub(super) aliases: &'a [&'a str],
}

/// The database that an id belongs to: `GHSA` of `GHSA-xxxx-...`.
fn home(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// How far from the best the database of an id is.
fn rank(ecosystem: Ecosystem, id: &str) -> u8 {
    match (ecosystem, home(id)) {
        (Ecosystem::Npm, "GHSA") | (Ecosystem::Cargo, "RUSTSEC") => 0,
        (Ecosystem::Cargo, "GHSA") => 1,
        (_, "MAL") => 2,
        (_, "CVE") => 4,
        _ => 3,
    }
}

/// By which ids are sorted: the best one to show is first.
pub(crate) fn preference(ecosystem: Ecosystem, id: &str) -> (u8, &str, &str) {
    (rank(ecosystem, id), home(id), id)
}

/// The groups of each member, by number. The members must be sorted by [`preference`], and the first of a group is the best.
pub(super) fn groups(members: &[Member<'_>]) -> Vec<Vec<u32>> {
    let mut groups_of: Vec<Vec<u32>> = Vec::with_capacity(members.len());
    let mut by_id: HashMap<&str, Vec<u32>> = HashMap::new();
    let mut count = 0;
    for tier in members.chunk_by(|a, b| home(a.id) == home(b.id)) {
        let named = named(tier);
        let mut together: Vec<Vec<&Member<'_>>> = vec![Vec::new(); tier.len()];
        for (member, first) in tier.iter().zip(&named) {
            together[*first].push(member);
        }
        let mut of_tier: Vec<Vec<u32>> = Vec::with_capacity(tier.len());
        for (number, first) in named.iter().enumerate() {
            // The first of those that name each other decides for all.
            let touched = if *first < number {
                of_tier[*first].clone()
            } else {
                let ids = together[number].iter().copied().flat_map(ids);
                let mut touched: Vec<u32> = ids.filter_map(|id| by_id.get(id)).flatten().copied().collect();
                touched.sort_unstable();
                touched.dedup();
                touched
            };
            let own = if touched.is_empty() {
                count += 1;
                vec![count - 1]
            } else {
                touched
            };
            of_tier.push(own);
        }
        // Only once the tier is done: its records do not see each other's ids.
        for (member, own) in tier.iter().zip(&of_tier) {
            if let [group] = own[..] {
                for id in ids(member) {
                    let known = by_id.entry(id).or_default();
                    if !known.contains(&group) {
                        known.push(group);
                    }
                }
            }
        }
        groups_of.append(&mut of_tier);
    }
    groups_of
}

fn ids<'a>(member: &Member<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    std::iter::once(member.id).chain(member.aliases.iter().copied())
}

/// For each record of one database, the first of those that it is joined with because one names the other.
fn named(tier: &[Member<'_>]) -> Vec<usize> {
    let place: HashMap<&str, usize> = tier.iter().enumerate().map(|(number, member)| (member.id, number)).collect();
    let mut parent: Vec<usize> = (0..tier.len()).collect();
    for (number, member) in tier.iter().enumerate() {
        for alias in member.aliases {
            if let Some(other) = place.get(alias) {
                let (a, b) = (root(&mut parent, number), root(&mut parent, *other));
                let (low, high) = (a.min(b), a.max(b));
                parent[high] = low;
            }
        }
    }
    (0..tier.len()).map(|number| root(&mut parent, number)).collect()
}

/// The least of a set, of which all on the way are told.
fn root(parent: &mut [usize], start: usize) -> usize {
    let mut top = start;
    while parent[top] != top {
        top = parent[top];
    }
    let mut at = start;
    while parent[at] != top {
        at = std::mem::replace(&mut parent[at], top);
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(members: &[(&str, &[&str])]) -> Vec<(String, Vec<u32>)> {
        let mut members: Vec<Member<'_>> = members.iter().map(|(id, aliases)| Member { id, aliases }).collect();
        members.sort_by_key(|member| preference(Ecosystem::Npm, member.id));
        let groups = groups(&members);
        members.iter().map(|member| member.id.to_owned()).zip(groups).collect()
    }

    fn shown(members: &[(&str, &[&str])]) -> String {
        grouped(members).iter().map(|(id, groups)| format!("{id}{groups:?}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn records_of_several_databases_with_a_common_id_are_one() {
        assert_eq!(shown(&[("NSWG-1", &["CVE-1"]), ("GHSA-1", &["CVE-1"]), ("GHSA-2", &["CVE-2"])]), "GHSA-1[0] GHSA-2[1] NSWG-1[0]");
        assert_eq!(shown(&[("NSWG-1", &["CVE-1", "X-9"]), ("GHSA-1", &["CVE-1"]), ("SNYK-1", &["X-9"])]), "GHSA-1[0] NSWG-1[0] SNYK-1[0]");
        assert_eq!(shown(&[("MAL-1", &["GHSA-1"]), ("GHSA-1", &[])]), "GHSA-1[0] MAL-1[0]");
    }

    #[test]
    fn records_of_one_database_are_apart_unless_they_name_each_other() {
        assert_eq!(shown(&[("GHSA-1", &["CVE-1", "CVE-2"]), ("GHSA-2", &["CVE-1"])]), "GHSA-1[0] GHSA-2[1]");
        assert_eq!(shown(&[("GHSA-1", &[]), ("GHSA-2", &["GHSA-1"]), ("GHSA-3", &["GHSA-2"])]), "GHSA-1[0] GHSA-2[0] GHSA-3[0]");
        assert_eq!(shown(&[("MAL-2", &["MAL-3"]), ("MAL-3", &["GHSA-1"]), ("GHSA-1", &[])]), "GHSA-1[0] MAL-2[0] MAL-3[0]");
    }

    #[test]
    fn a_record_of_several_vulnerabilities_joins_none() {
        assert_eq!(
            shown(&[("NSWG-332", &["CVE-1", "CVE-2"]), ("GHSA-1", &["CVE-1"]), ("GHSA-2", &["CVE-2"])]),
            "GHSA-1[0] GHSA-2[1] NSWG-332[0, 1]"
        );
        // Nor does it pass its ids on.
        let both = &["CVE-1", "CVE-2", "X-9"][..];
        assert_eq!(
            shown(&[("NSWG-332", both), ("GHSA-1", &["CVE-1"]), ("GHSA-2", &["CVE-2"]), ("SNYK-1", &["X-9"])]),
            "GHSA-1[0] GHSA-2[1] NSWG-332[0, 1] SNYK-1[2]"
        );
    }

    proptest::proptest! {
        #[test]
        fn the_order_of_records_changes_nothing(
            records in proptest::collection::btree_map("(GHSA|MAL|NSWG|CVE)-[0-5]", proptest::collection::vec("(GHSA|CVE|X)-[0-5]", 0..3), 1..8),
            seed: u64,
        ) {
            let aliases: Vec<(&str, Vec<&str>)> = records.iter().map(|(id, aliases)| (id.as_str(), aliases.iter().map(String::as_str).collect())).collect();
            let forth: Vec<(&str, &[&str])> = aliases.iter().map(|(id, aliases)| (*id, &aliases[..])).collect();
            let mut back = forth.clone();
            let middle = seed as usize % back.len();
            back.rotate_left(middle);
            back.reverse();
            proptest::prop_assert_eq!(grouped(&forth), grouped(&back));
        }
    }
}
