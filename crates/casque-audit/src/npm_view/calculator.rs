//! Which versions of a package are affected by an advisory, or through a dependency that is.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::packuments::Packuments;
use super::releases::{Release, Releases};
use super::sample::sample;
use super::spans;
use crate::cvss::Severity;
use crate::graph::{EdgeKind, Graph, InstanceId};
use crate::package::Ecosystem;
use crate::version::{Grammar, Range, RangeOptions, VersionSet};

/// How many questions about single versions are answered for one project. The lockfiles of large projects need a few million;
/// beyond this, dependents are no longer looked at. It bounds memory too: what is kept of an answer is paid for before. Advisories
/// themselves are always answered; their number is bounded by the findings.
pub(super) const BUDGET: u64 = 200_000_000;

/// A package, by its place among the names of the lockfile.
pub(super) type Name = usize;
/// What was calculated, by its place.
pub(super) type Id = usize;

/// An advisory as npm asks the registry for: one range of one package.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) name: Name,
    /// Its affected versions.
    pub(super) set: VersionSet,
    pub(super) range: String,
    pub(super) severity: Severity,
    /// Versions that cannot be read are affected too, for all that is known.
    pub(super) unreadable: bool,
}

/// An advisory, or a package that is affected through another.
#[derive(Debug)]
pub(super) struct Calculated {
    pub(super) name: Name,
    pub(super) cause: Cause,
    pub(super) severity: Severity,
    pub(super) range: String,
    pub(super) releases: Rc<Releases>,
    /// The answer for each release.
    affected: Vec<bool>,
    /// Whether the range has it, which need not be the same: prereleases are not asked about.
    inside: Vec<bool>,
    /// The answers for versions that the registry does not have.
    others: HashMap<Box<str>, bool>,
    /// The answers for what was asked of this package.
    asked: HashMap<Box<str>, bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Cause {
    /// The advisory by its place among the rows.
    Row(usize),
    /// The package depends on this.
    Through(Id),
}

pub(super) struct Calculator<'a> {
    graph: &'a Graph,
    packuments: &'a Packuments,
    pub(super) names: Vec<&'a str>,
    by_name: HashMap<&'a str, Name>,
    /// The instances of each name.
    instances: Vec<Vec<InstanceId>>,
    rows: Vec<Row>,
    releases: HashMap<Name, Rc<Releases>>,
    known: HashMap<(Name, Cause), Id>,
    all: Vec<Calculated>,
    left: u64,
    /// Whether dependencies' ranges are in the lockfile.
    ranges: bool,
}

impl<'a> Calculator<'a> {
    /// `ranges`: whether the lockfile has what packages ask for, and not only what they got.
    pub(super) fn new(graph: &'a Graph, packuments: &'a Packuments, ranges: bool, budget: u64) -> Self {
        let (mut names, mut by_name, mut instances) = (Vec::new(), HashMap::new(), Vec::<Vec<InstanceId>>::new());
        for (id, instance) in graph.iter().filter(|(_, instance)| instance.package.ecosystem == Ecosystem::Npm) {
            let name: Name = *by_name.entry(&*instance.package.name).or_insert_with(|| {
                names.push(&*instance.package.name);
                instances.push(Vec::new());
                names.len() - 1
            });
            instances[name].push(id);
        }
        Self {
            graph,
            packuments,
            names,
            by_name,
            instances,
            rows: Vec::new(),
            releases: HashMap::new(),
            known: HashMap::new(),
            all: Vec::new(),
            left: budget,
            ranges,
        }
    }

    /// Takes the advisories, in the order in which they are looked at. All of them come before anything is calculated: the versions
    /// that they call fixed exist.
    pub(super) fn advisories(&mut self, rows: Vec<Row>) -> Vec<Id> {
        self.rows = rows;
        (0..self.rows.len()).filter_map(|row| self.calculate(self.rows[row].name, Cause::Row(row))).collect()
    }

    /// The instances that a cause may concern. For other causes than advisories, looking at them is paid for; there are none, if the
    /// budget is used up.
    pub(super) fn instances(&mut self, id: Id) -> Vec<InstanceId> {
        let Calculated { name, cause, .. } = self.all[id];
        let found = self.instances[name].clone();
        let paid = self.pay(found.len() as u64);
        if paid.is_some() || matches!(cause, Cause::Row(_)) { found } else { Vec::new() }
    }

    pub(super) fn name(&self, name: &str) -> Option<Name> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, id: Id) -> &Calculated {
        &self.all[id]
    }

    /// Whether there was more to look at than the budget has.
    pub(super) fn is_exhausted(&self) -> bool {
        self.left == 0
    }

    /// Names of which only what the lockfile and the advisories say is known.
    pub(super) fn incomplete(&self) -> impl Iterator<Item = Name> {
        self.releases.iter().filter(|(_, releases)| !releases.complete).map(|(name, _)| *name)
    }

    /// What a cause means for a package. Nothing, if the budget is used up.
    pub(super) fn calculate(&mut self, name: Name, cause: Cause) -> Option<Id> {
        if let Some(known) = self.known.get(&(name, cause)) {
            return Some(*known);
        }
        let releases = self.releases(name);
        let paid = self.pay(releases.list.len() as u64 * 8 + 64);
        if matches!(cause, Cause::Through(_)) {
            paid?;
        }
        let severity = match cause {
            Cause::Row(row) => self.rows[row].severity,
            Cause::Through(id) => self.all[id].severity,
        };
        let mut affected = Vec::new();
        let sampled = sample(&releases, |n| {
            let release = &releases.list[n];
            // By its other name the registry does not have it.
            let is_lost = release.odd && matches!(cause, Cause::Through(_));
            !is_lost && self.release_is_affected(name, cause, release)
        });
        for (n, release) in releases.list.iter().enumerate() {
            let known = sampled.tested[n].or_else(|| sampled.affected[n].then_some(true)).filter(|_| !release.odd);
            affected.push(known.unwrap_or_else(|| self.release_is_affected(name, cause, release)));
        }
        let range = match cause {
            Cause::Row(row) => self.rows[row].range.clone(),
            // A package that needs another version of itself: npm takes that for an advisory about every version.
            Cause::Through(id) if self.all[id].name == name => "*".to_owned(),
            Cause::Through(_) => spans::range(&releases, &sampled.affected),
        };
        let mut inside = vec![false; releases.list.len()];
        match cause {
            Cause::Row(row) => {
                for (slot, release) in inside.iter_mut().zip(&releases.list) {
                    *slot = self.rows[row].set.contains(&release.version) || self.rows[row].set.unclear;
                }
            }
            Cause::Through(_) => releases.within(&range, RangeOptions::AUDIT).for_each(|n| inside[n] = true),
        }
        let (others, asked) = (HashMap::new(), HashMap::new());
        self.all.push(Calculated { name, cause, severity, range, releases, affected, inside, others, asked });
        self.known.insert((name, cause), self.all.len() - 1);
        Some(self.all.len() - 1)
    }

    /// Whether an installed version is affected. `asks` is what its package asks of the affected dependency, for a version that the
    /// registry does not have.
    pub(super) fn version_is_affected(&mut self, id: Id, version: &str, asks: Option<&str>) -> bool {
        if let Some(n) = self.all[id].releases.find(version) {
            return self.all[id].affected[n];
        }
        if let Some(known) = self.all[id].others.get(version) {
            return *known;
        }
        let (name, cause) = (self.all[id].name, self.all[id].cause);
        let answer = match (cause, Grammar::NpmLoose.version(version)) {
            (Cause::Row(row), read) => {
                let row = &self.rows[row];
                let literal = row.set.literal.iter().any(|literal| **literal == *version);
                literal || read.map_or(row.unreadable, |version| row.set.contains(&version) || row.set.unclear)
            }
            (Cause::Through(source), _) if self.all[source].name == name => true,
            (Cause::Through(source), _) => asks.filter(|_| self.ranges).is_some_and(|asks| self.only_affected(source, asks)),
        };
        self.all[id].others.insert(version.into(), answer);
        answer
    }

    /// Whether everything that this would take of a package's versions is in its vulnerable range. What is no range of versions
    /// (an address, a folder) takes what it is given.
    pub(super) fn is_trapped(&mut self, causes: &[Id], range: &str) -> bool {
        let Some(releases) = causes.first().map(|id| Rc::clone(&self.all[*id].releases)) else { return true };
        if self.pay(releases.list.len() as u64 * causes.len() as u64).is_none() {
            return true;
        }
        releases.within(range, RangeOptions::default()).all(|n| self.is_inside(causes, n))
    }

    /// Whether the vulnerable range has this release.
    pub(super) fn is_inside(&self, causes: &[Id], release: usize) -> bool {
        causes.iter().any(|id| self.all[*id].inside.get(release) == Some(&true))
    }

    pub(super) fn releases_of(&mut self, name: Name) -> Rc<Releases> {
        self.releases(name)
    }

    fn release_is_affected(&mut self, name: Name, cause: Cause, release: &Release) -> bool {
        let source = match cause {
            Cause::Row(row) => {
                let row = &self.rows[row];
                return row.set.contains(&release.version) || row.set.unclear;
            }
            Cause::Through(source) if self.all[source].name == name => return true,
            Cause::Through(source) => source,
        };
        let dependency = self.names[self.all[source].name];
        let Some(asks) = release.needs.get(dependency) else { return release.unread };
        let Ok(range) = Range::parse(asks, RangeOptions::AUDIT) else { return true };
        if release.bundles(dependency) {
            let affected = Range::parse(&self.all[source].range, RangeOptions::AUDIT);
            return affected.is_ok_and(|affected| range.intersects(&affected));
        }
        self.only_affected(source, asks)
    }

    /// Whether what is asked of a package can be met by affected versions alone, or by none.
    fn only_affected(&mut self, source: Id, asks: &str) -> bool {
        if let Some(known) = self.all[source].asked.get(asks) {
            return *known;
        }
        let releases = Rc::clone(&self.all[source].releases);
        if self.pay(releases.list.len() as u64 + asks.len() as u64).is_none() {
            return false;
        }
        let answer = releases.within(asks, RangeOptions::AUDIT).all(|n| self.all[source].affected[n]);
        self.all[source].asked.insert(asks.into(), answer);
        answer
    }

    /// Takes from the budget; nothing, if it is used up.
    pub(super) fn pay(&mut self, cost: u64) -> Option<()> {
        self.left = self.left.saturating_sub(cost);
        (self.left > 0).then_some(())
    }

    fn releases(&mut self, name: Name) -> Rc<Releases> {
        if let Some(known) = self.releases.get(&name) {
            return Rc::clone(known);
        }
        // One that is no packument after all is as good as none.
        let read =
            self.packuments.get(self.names[name]).and_then(|text| Releases::read(text, &|name| self.by_name.contains_key(name)).ok());
        let releases = Rc::new(read.unwrap_or_else(|| self.pieced_together(name)));
        self.releases.insert(name, Rc::clone(&releases));
        releases
    }

    /// Without a packument: the versions that are installed, with what they ask for, and those that advisories call fixed.
    fn pieced_together(&self, name: Name) -> Releases {
        let (mut list, mut seen) = (Vec::new(), HashSet::new());
        for id in &self.instances[name] {
            let instance = self.graph.instance(*id);
            let Some(mut release) = Release::new(&instance.package.version) else { continue };
            if !instance.is_from_registry() || !seen.insert(release.version.clone()) {
                continue;
            }
            for edge in self.graph.requests(*id).iter().filter(|edge| self.ranges && edge.kind != EdgeKind::Link) {
                let Some(to) = edge.to else { continue };
                release.needs.insert((*self.graph.instance(to).package.name).into(), (*edge.range).into());
            }
            list.push(release);
        }
        for version in self.rows.iter().filter(|row| row.name == name).flat_map(|row| row.set.fixed()) {
            if seen.insert(version.clone()) {
                list.extend(Release::new(&version.to_string()).map(|release| Release { unread: self.ranges, ..release }));
            }
        }
        Releases::new(list, Vec::new(), false)
    }
}
