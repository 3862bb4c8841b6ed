//! A policy at work: findings that it ignores leave the report, and what is to be said of the policy itself.

use std::collections::HashSet;

use jiff::civil::Date;

use super::path::open_way;
use super::{DependencyPath, Ignore, Policy};
use crate::graph::{Graph, Instance, InstanceId};
use crate::matching::{Class, Finding};
use crate::place::Place;
use crate::report::{Hit, Ignored, IgnoredBy, Report, Scope};

/// How many remarks of one kind an entry can cause: a lockfile may hold a package many times.
const MOST: usize = 3;
/// How many packages of a way are named.
const SHOWN: usize = 8;

/// Something to know about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The entry's place among [`Policy::ignores`].
    pub ignore: usize,
    /// A sentence. Names in it are strangers' text.
    pub message: String,
}

/// A policy, the day on which it is applied, and what its entries were good for so far.
#[derive(Debug)]
pub struct Applied<'p> {
    policy: &'p Policy,
    today: Date,
    unfixable: bool,
    uses: Vec<Use>,
}

#[derive(Debug, Clone, Default)]
struct Use {
    matched: bool,
    remarks: Vec<String>,
}

impl<'p> Applied<'p> {
    /// A policy on a day, by UTC. With `unfixable`, vulnerabilities that no version mends are ignored too.
    #[must_use]
    pub fn new(policy: &'p Policy, today: Date, unfixable: bool) -> Self {
        Self { policy, today, unfixable, uses: vec![Use::default(); policy.ignores.len()] }
    }

    /// Takes what is ignored out of a report that was made of this graph, in this scope. `lockfile` is its path from the policy's
    /// folder.
    pub fn apply(&mut self, lockfile: &str, report: &mut Report, graph: &Graph, scope: Scope) {
        if self.policy.ignores.is_empty() && !self.unfixable {
            return;
        }
        for mut hit in std::mem::take(&mut report.hits) {
            for finding in std::mem::take(&mut hit.findings) {
                match self.ignored_by(lockfile, &hit, &finding, graph, scope) {
                    Some(by) => {
                        report.ignored.push(Ignored { package: hit.package.clone(), site: hit.sites.first().cloned(), finding, by })
                    }
                    None => hit.findings.push(finding),
                }
            }
            if !hit.findings.is_empty() {
                report.hits.push(hit);
            }
        }
    }

    fn ignored_by(&mut self, lockfile: &str, hit: &Hit, finding: &Finding, graph: &Graph, scope: Scope) -> Option<IgnoredBy> {
        let live = self.live(lockfile, hit, finding);
        if let Some(by) = self.covering(&live, hit, finding, graph, scope) {
            let ignore = &self.policy.ignores[by];
            if finding.class == Class::Malware
                && let Some(last) = ignore.expires
            {
                self.remark(by, format!("malware is ignored until {last}: {} in {}", ignore.id, hit.package));
            }
            return Some(IgnoredBy::Entry { reason: ignore.reason.clone(), expires: ignore.expires, vex: ignore.vex });
        }
        let unfixable = self.unfixable && finding.class == Class::Vulnerability && hit.fix(finding).is_none();
        unfixable.then_some(IgnoredBy::Unfixable)
    }

    /// The entries that hold for a finding, but for their paths.
    fn live(&mut self, lockfile: &str, hit: &Hit, finding: &Finding) -> Vec<usize> {
        let policy = self.policy;
        let mut live = Vec::new();
        for (n, ignore) in policy.ignores.iter().enumerate().filter(|(_, ignore)| ignore.is_about(&hit.package, finding, lockfile)) {
            self.uses[n].matched = true;
            match keeps_from(ignore, hit, finding) {
                _ if ignore.has_ended(self.today) => {}
                Some(why) => self.remark(n, why),
                None => live.push(n),
            }
        }
        live
    }

    /// The entry by which a finding is ignored: one without a path, or one of those whose paths are all the ways there are.
    fn covering(&mut self, live: &[usize], hit: &Hit, finding: &Finding, graph: &Graph, scope: Scope) -> Option<usize> {
        let policy = self.policy;
        let first = *live.first()?;
        if let Some(by) = live.iter().find(|n| policy.ignores[**n].path.is_none()) {
            return Some(*by);
        }
        let paths: Vec<&DependencyPath> = live.iter().filter_map(|n| policy.ignores[*n].path.as_ref()).collect();
        let prod = scope.prod && finding.class != Class::Malware;
        let Some(way) = open_way(graph, &instances(graph, hit), &paths, prod) else { return Some(first) };
        let by = named(graph, &way);
        self.remark(
            first,
            format!("{} does not hold for {}: it is there by another way too, {by}", says(&policy.ignores[first]), hit.package),
        );
        None
    }

    fn remark(&mut self, ignore: usize, message: String) {
        let remarks = &mut self.uses[ignore].remarks;
        if remarks.len() < MOST && !remarks.contains(&message) {
            remarks.push(message);
        }
    }
    /// The entries that are of no use, by their places among [`Policy::ignores`], once everything that the policy is for was audited:
    /// those whose last day is over, and those that match nothing.
    pub fn idle(&self) -> impl Iterator<Item = usize> {
        let entries = self.policy.ignores.iter().zip(&self.uses).enumerate();
        entries.filter(|(_, (ignore, used))| ignore.has_ended(self.today) || !used.matched).map(|(n, _)| n)
    }

    /// What is to be said of the entries, in their order. `whole`: everything that the policy is for was audited, so that what
    /// matched nothing is of no use any more.
    #[must_use]
    pub fn remarks(&self, whole: bool) -> Vec<Remark> {
        let mut all = Vec::new();
        for (n, (ignore, used)) in self.policy.ignores.iter().zip(&self.uses).enumerate() {
            let ended = ignore.expires.filter(|_| ignore.has_ended(self.today));
            let own = match (ended, used.matched) {
                (Some(last), true) => Some(format!("{} ended on {last}; what it hid is reported again", says(ignore))),
                (Some(last), false) if whole => Some(format!("{} ended on {last} and matches nothing any more; take it out", says(ignore))),
                (None, false) if whole => Some(format!("{} matches nothing; take it out", says(ignore))),
                _ => None,
            };
            all.extend(own.into_iter().chain(used.remarks.iter().cloned()).map(|message| Remark { ignore: n, message }));
        }
        all
    }
}

/// Why an entry does not hold, other than by its day and path.
fn keeps_from(ignore: &Ignore, hit: &Hit, finding: &Finding) -> Option<String> {
    if finding.class == Class::Malware && !(ignore.allow_malware && ignore.expires.is_some()) {
        return Some(format!(
            "{} does not hold for {}: it is malware. If the record is wrong, say `allow-malware = true` and name a day in `expires`",
            says(ignore),
            hit.package,
        ));
    }
    let fixed = hit.fix(finding).filter(|_| ignore.until_fixable)?;
    Some(format!("{} has ended for {}: {fixed} mends it", says(ignore), hit.package))
}

fn says(ignore: &Ignore) -> String {
    format!("the ignore of {}", ignore.id)
}

/// The instances that a hit tells of.
fn instances(graph: &Graph, hit: &Hit) -> Vec<InstanceId> {
    let places: HashSet<Place> = hit.sites.iter().map(|site| site.place).collect();
    let is = |instance: &Instance| instance.package == hit.package && places.contains(&instance.place);
    graph.iter().filter(|(_, instance)| is(instance)).map(|(id, _)| id).collect()
}

/// A way from a project, links left out and a long one cut in its middle.
fn named(graph: &Graph, way: &[InstanceId]) -> String {
    let mut names: Vec<String> = way.iter().filter(|id| !graph.is_followed_link(**id)).map(|id| graph.label(*id)).collect();
    if names.len() > SHOWN {
        names.splice(SHOWN / 2..names.len() - SHOWN / 2, ["...".to_owned()]);
    }
    names.join(" > ")
}

#[cfg(test)]
mod tests;
