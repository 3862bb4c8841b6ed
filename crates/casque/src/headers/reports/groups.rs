//! Counts of reports that say the same thing, in a table that no flood of new keys can empty of what is well known.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::address::Address;
use super::kind::Kind;
use super::noise::Origin;
use super::report::{Disposition, Report};
use super::resource::Resource;

/// One part in so many of the table is kept for groups that are not yet settled.
const NEWCOMERS: usize = 8;
/// What a group takes besides its key's texts, in bytes: the key and its counter, the group, its rank, and the slack of the two maps.
const GROUP: usize = size_of::<Key>() + 16 + 2 * (size_of::<Group>() + size_of::<Rank>() + 3 * size_of::<usize>());
const DAY_MS: u64 = 86_400_000;

/// What makes two reports the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Ours or noise; foreign reports have no group.
    pub origin: Origin,
    /// What the reports are about.
    pub kind: Kind,
    /// The document's path, with `…` for numbers and ids, so that `/orders/1` and `/orders/2` are one page. `None` where it has none,
    /// and for `csp-hash`, which lists scripts and not pages.
    pub path: Option<Box<str>>,
    /// The rule that was broken.
    pub directive: Option<Box<str>>,
    /// What was blocked. Of a URL only the origin, because policies name hosts; for `csp-hash`, which lists scripts, all of it.
    pub blocked: Option<Resource>,
    /// The script's hash, for `csp-hash`.
    pub hash: Option<Box<str>>,
}

impl Key {
    fn of(report: &Report, origin: Origin) -> Self {
        let lists_scripts = report.kind == Kind::CspHash;
        let blocked = report.blocked.clone();
        Self {
            origin,
            kind: report.kind.clone(),
            path: report.document.as_ref().filter(|_| !lists_scripts).map(Address::route),
            directive: report.directive.clone(),
            blocked: if lists_scripts { blocked } else { blocked.map(Resource::origin_only) },
            hash: report.hash.clone(),
        }
    }

    fn weight(&self) -> usize {
        let texts = [&self.path, &self.directive, &self.hash].into_iter().flatten().map(|t| t.len()).sum::<usize>();
        GROUP + texts + self.kind.heap() + self.blocked.as_ref().map_or(0, Resource::heap)
    }
}

/// Reports that say the same thing.
#[derive(Debug, Clone)]
pub struct Group {
    /// What they say.
    pub key: Arc<Key>,
    /// How many there were.
    pub count: u64,
    /// How many of them were enforced.
    pub enforced: u64,
    /// On how many days (UTC) they came.
    pub days: u32,
    /// When the first came, in milliseconds since 1970.
    pub first_seen: u64,
    /// When the last came, in milliseconds since 1970.
    pub last_seen: u64,
    /// One bit for each sixty-fourth of all client keys.
    clients: u64,
    /// Tells groups apart that are otherwise alike.
    serial: u64,
}

impl Group {
    /// How many clients sent them, at least: clients are told apart by six bits of their key, so it never says more than there
    /// were, and never more than 64.
    #[must_use]
    pub fn clients(&self) -> u32 {
        self.clients.count_ones()
    }

    /// Whether more than one client says so, or one on more than one day.
    fn is_settled(&self) -> bool {
        self.key.origin == Origin::Ours && (self.days > 1 || self.clients() > 1)
    }

    fn rank(&self) -> Rank {
        Rank {
            settled: self.is_settled(),
            ours: self.key.origin == Origin::Ours,
            days: self.days,
            clients: self.clients(),
            count: self.count,
            last_seen: self.last_seen,
            serial: self.serial,
        }
    }
}

/// What had to go for lack of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evicted {
    /// Groups.
    pub groups: u64,
    /// The reports that they had counted.
    pub reports: u64,
}

/// How much a group is worth, by what is hardest to make up: days take time, clients take addresses, counts take nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Rank {
    settled: bool,
    ours: bool,
    days: u32,
    clients: u32,
    count: u64,
    last_seen: u64,
    serial: u64,
}

/// The table. Bounded in number and in bytes.
///
/// What has to go is the group of least worth. As long as the newcomers hold more than their eighth of the table it is one of
/// them: a flood of made-up groups turns over among itself, and a real new one stays unless it is the least seen of all.
#[derive(Debug)]
pub(super) struct Groups {
    most: usize,
    most_bytes: usize,
    by_key: HashMap<Arc<Key>, Group>,
    by_rank: BTreeMap<Rank, Arc<Key>>,
    settled: usize,
    bytes: usize,
    serial: u64,
}

impl Groups {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self { most, most_bytes, by_key: HashMap::new(), by_rank: BTreeMap::new(), settled: 0, bytes: 0, serial: 0 }
    }

    /// Counts a report, and tells what had to go for it.
    pub(super) fn count(&mut self, report: &Report, origin: Origin, client: u64, now: u64) -> Evicted {
        let key = Key::of(report, origin);
        let mut group = match self.by_key.get(&key).map(|group| group.key.clone()).and_then(|key| self.remove(&key)) {
            Some(known) => known,
            None => {
                self.serial += 1;
                let (key, serial) = (Arc::new(key), self.serial);
                Group { key, count: 0, enforced: 0, days: 0, first_seen: now, last_seen: now, clients: 0, serial }
            }
        };
        // Days are counted forwards only: a clock that is set back and forth must not make one report a week of them.
        if group.days == 0 || now / DAY_MS > group.last_seen / DAY_MS {
            group.days = group.days.saturating_add(1);
        }
        group.count = group.count.saturating_add(1);
        group.enforced = group.enforced.saturating_add(u64::from(report.disposition == Disposition::Enforce));
        group.last_seen = group.last_seen.max(now);
        group.clients |= 1 << (client % 64);
        let newest = group.serial;
        self.insert(group);
        let mut gone = Evicted::default();
        while self.by_key.len() > self.most || self.bytes > self.most_bytes {
            let Some(victim) = self.victim(newest).and_then(|key| self.remove(&key)) else { break };
            gone.groups += 1;
            gone.reports = gone.reports.saturating_add(victim.count);
        }
        gone
    }

    /// The group that goes next. The one that has just been counted goes last.
    fn victim(&self, newest: u64) -> Option<Arc<Key>> {
        let newcomers = self.by_key.len() - self.settled;
        let floor = Rank { settled: newcomers <= self.most / NEWCOMERS, ..Rank::default() };
        let other = |(rank, _): &(&Rank, &Arc<Key>)| rank.serial != newest;
        let first = self.by_rank.range(floor..).find(other).or_else(|| self.by_rank.iter().find(other));
        first.or_else(|| self.by_rank.first_key_value()).map(|(_, key)| key.clone())
    }

    fn insert(&mut self, group: Group) {
        self.bytes += group.key.weight();
        self.settled += usize::from(group.is_settled());
        self.by_rank.insert(group.rank(), group.key.clone());
        self.by_key.insert(group.key.clone(), group);
    }

    fn remove(&mut self, key: &Arc<Key>) -> Option<Group> {
        let group = self.by_key.remove(key)?;
        self.by_rank.remove(&group.rank());
        self.settled -= usize::from(group.is_settled());
        self.bytes -= group.key.weight();
        Some(group)
    }

    /// Drops the groups that were last seen before `time`, in milliseconds since 1970.
    pub(super) fn forget(&mut self, time: u64) {
        let old: Vec<Arc<Key>> = self.by_key.values().filter(|g| g.last_seen < time).map(|g| g.key.clone()).collect();
        for key in old {
            self.remove(&key);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The groups by worth, the greatest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.by_rank.values().rev().filter_map(|key| self.by_key.get(key))
    }
}
