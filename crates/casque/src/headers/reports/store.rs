//! Where reports are kept: the last ones whole, all of them as counts, in memory that is fixed from the start.

use std::collections::VecDeque;

use super::groups::{Evicted, Group, Groups};
use super::kind::Kind;
use super::noise::Origin;
use super::refusal::Refusal;
use super::report::Report;

/// Kinds that are counted: the known ones, and all others together.
const KINDS: usize = Kind::KNOWN.len() + 1;
/// What a recent report takes besides its texts, in bytes: its time, and the slack of the ring.
const ENTRY: usize = size_of::<Recent>();

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Recent reports. Default 1,000.
    pub recent: usize,
    /// Bytes that recent reports may take. Default 1 MiB.
    pub recent_bytes: usize,
    /// Groups. Default 2,000.
    pub groups: usize,
    /// Bytes that groups may take. Default 2 MiB, which is 1 KiB for each.
    pub group_bytes: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { recent: 1000, recent_bytes: 1 << 20, groups: 2000, group_bytes: 2 << 20 }
    }
}

/// A report, and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// Milliseconds since 1970; the thing itself happened [`Report::age`] earlier.
    pub received: u64,
    /// The report.
    pub report: Report,
}

/// How many reports of a kind were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// The app's own.
    pub ours: u64,
    /// Those about other hosts.
    pub foreign: u64,
    /// Those of extensions and of the browser.
    pub noise: u64,
}

/// Recent reports, groups and counts. Holds no more than its [`Capacity`], whatever is recorded.
///
/// Reports about other hosts are only counted: nothing that they say is of use, and all of it is a stranger's. Noise has groups,
/// which go first, and no place among the recent, which one user's extension would fill.
#[derive(Debug)]
pub struct Store {
    capacity: Capacity,
    recent: VecDeque<Recent>,
    recent_bytes: usize,
    groups: Groups,
    totals: [Totals; KINDS],
    refused: [u64; Refusal::NAMES.len()],
    evicted: Evicted,
}

impl Default for Store {
    fn default() -> Self {
        Self::new(Capacity::default())
    }
}

impl Store {
    /// An empty one. Memory is taken as reports come.
    #[must_use]
    pub fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            recent: VecDeque::new(),
            recent_bytes: 0,
            groups: Groups::new(capacity.groups, capacity.group_bytes),
            totals: [Totals::default(); KINDS],
            refused: [0; Refusal::NAMES.len()],
            evicted: Evicted::default(),
        }
    }

    /// Takes a report in.
    ///
    /// `client` tells senders apart: a hash of the address under a key that nobody outside knows, so that nobody can choose how
    /// many he is taken for. `now` is in milliseconds since 1970.
    pub fn record(&mut self, report: Report, origin: Origin, client: u64, now: u64) {
        let totals = &mut self.totals[report.kind.index()];
        let total = match origin {
            Origin::Ours => &mut totals.ours,
            Origin::Foreign => &mut totals.foreign,
            Origin::Noise => &mut totals.noise,
        };
        *total = total.saturating_add(1);
        if origin == Origin::Foreign {
            return;
        }
        let gone = self.groups.count(&report, origin, client, now);
        self.evicted.groups = self.evicted.groups.saturating_add(gone.groups);
        self.evicted.reports = self.evicted.reports.saturating_add(gone.reports);
        if origin == Origin::Ours {
            self.keep(Recent { received: now, report });
        }
    }

    fn keep(&mut self, recent: Recent) {
        let weight = ENTRY + recent.report.weight();
        if self.capacity.recent == 0 || weight > self.capacity.recent_bytes {
            return;
        }
        while self.recent.len() >= self.capacity.recent || self.recent_bytes + weight > self.capacity.recent_bytes {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= ENTRY + oldest.report.weight();
        }
        self.recent_bytes += weight;
        self.recent.push_back(recent);
    }

    /// Counts what was dropped before it was a report.
    pub fn refused(&mut self, reason: Refusal, n: u64) {
        let count = &mut self.refused[reason.index()];
        *count = count.saturating_add(n);
    }

    /// Drops recent reports that came before `time`, and groups of which none came since; in milliseconds since 1970. The totals
    /// stay.
    ///
    /// Called once in a while it makes room for what an app says today, and keeps what is kept as long as its owner promised.
    pub fn forget(&mut self, time: u64) {
        self.recent.retain(|recent| recent.received >= time);
        self.recent_bytes = self.recent.iter().map(|recent| ENTRY + recent.report.weight()).sum();
        self.groups.forget(time);
    }

    /// The memory that reports and groups take, in bytes: never more than [`Capacity`] allows.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.recent_bytes + self.groups.bytes()
    }

    /// What there is to show: the last `limit` reports, newest first, the `limit` groups that most is known of, and every count.
    #[must_use]
    pub fn snapshot(&self, limit: usize) -> Snapshot<'_> {
        Snapshot {
            recent: self.recent.iter().rev().take(limit).collect(),
            groups: self.groups.iter().take(limit).collect(),
            all_groups: self.groups.len(),
            totals: Kind::KNOWN.iter().map(|(name, _)| *name).chain(["other"]).zip(self.totals).collect(),
            refused: Refusal::NAMES.into_iter().map(|(name, refusal)| (name, self.refused[refusal.index()])).collect(),
            evicted: self.evicted,
            bytes: self.bytes(),
        }
    }
}

/// A look into a [`Store`].
#[derive(Debug, Clone)]
pub struct Snapshot<'s> {
    /// The last reports, newest first.
    pub recent: Vec<&'s Recent>,
    /// Groups: first those seen on most days, by most clients, most often.
    pub groups: Vec<&'s Group>,
    /// How many groups there are in all.
    pub all_groups: usize,
    /// How many reports were recorded, by the name of their kind; unknown kinds together as `other`.
    pub totals: Vec<(&'static str, Totals)>,
    /// How many bodies and reports were dropped, by the name of the reason.
    pub refused: Vec<(&'static str, u64)>,
    /// Groups that had to go for lack of room, and the reports in them.
    pub evicted: Evicted,
    /// The memory that is used, in bytes.
    pub bytes: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::headers::reports::{Limits, parse};

    const NOON: u64 = 1_767_355_200_000;
    const DAY: u64 = 86_400_000;

    fn report(path: &str, directive: &str, blocked: &str) -> Report {
        let body = serde_json::json!({ "csp-report": {
            "document-uri": format!("https://shop.example{path}"), "effective-directive": directive, "blocked-uri": blocked, "script-sample": "x",
        } });
        parse(b"application/csp-report", body.to_string().as_bytes(), &Limits::default()).unwrap().reports.remove(0)
    }

    fn paths(store: &Store) -> Vec<&str> {
        store.snapshot(usize::MAX).groups.iter().map(|g| g.key.path.as_deref().unwrap_or("")).collect()
    }

    #[test]
    fn the_same_violation_is_one_group() {
        let mut store = Store::default();
        store.record(report("/a", "img-src", "https://cdn.example/1.png"), Origin::Ours, 1, NOON);
        store.record(report("/a", "img-src", "https://cdn.example/2.png"), Origin::Ours, 2, NOON + DAY);
        store.record(report("/a", "img-src", "https://cdn.example/2.png"), Origin::Ours, 2, NOON - DAY);
        store.record(report("/b", "img-src", "https://cdn.example/2.png"), Origin::Noise, 2, NOON);
        store.record(report("/c", "img-src", "https://cdn.example/2.png"), Origin::Foreign, 2, NOON);
        store.refused(Refusal::NotJson, 3);
        let seen = store.snapshot(10);
        assert_eq!(paths(&store), ["/a", "/b"]);
        let group = seen.groups[0];
        assert_eq!((group.count, group.enforced, group.days, group.clients()), (3, 3, 2, 2));
        assert_eq!((group.first_seen, group.last_seen), (NOON, NOON + DAY));
        assert_eq!(seen.recent.iter().map(|r| r.received).collect::<Vec<_>>(), [NOON - DAY, NOON + DAY, NOON]);
        assert_eq!(seen.totals[0], ("csp-violation", Totals { ours: 3, foreign: 1, noise: 1 }));
        let json = seen.to_json();
        assert_eq!(json["refused"], serde_json::json!({ "not-json": 3 }));
        assert_eq!(json["groups"][0]["blocked"], serde_json::json!({ "class": "url", "value": "https://cdn.example" }));
        assert_eq!(json["recent"][0]["blocked"]["value"], "https://cdn.example/2.png");
        assert_eq!((&json["totals"]["csp-violation"]["foreign"], &json["groups"][0]["clients"]), (&1.into(), &2.into()));
        assert_eq!(store.snapshot(1).groups.len(), 1);
    }

    #[test]
    fn a_flood_of_new_groups_turns_over_among_itself() {
        let mut store = Store::new(Capacity { groups: 80, ..Capacity::default() });
        for (i, client) in (0..60).flat_map(|i| [(i, 1), (i, 2)]) {
            store.record(report(&format!("/real/r{i}"), "script-src", "inline"), Origin::Ours, client, NOON);
        }
        for i in 0..5000 {
            store.record(report(&format!("/fake/f{i}"), "script-src", "inline"), Origin::Ours, 7, NOON + i);
        }
        let real = paths(&store).iter().filter(|path| path.starts_with("/real/")).count();
        assert_eq!((real, store.snapshot(0).all_groups), (60, 80));
        assert_eq!(store.evicted, Evicted { groups: 4980, reports: 4980 });
    }

    #[test]
    fn a_flood_of_settled_groups_goes_before_what_was_seen_on_several_days() {
        let mut store = Store::new(Capacity { groups: 40, ..Capacity::default() });
        for (i, day) in (0..20).flat_map(|i| [(i, 0), (i, 1)]) {
            store.record(report(&format!("/real/r{i}"), "script-src", "inline"), Origin::Ours, 1, NOON + day * DAY);
        }
        for (i, client) in (0..1000).flat_map(|i| (0..5).map(move |client| (i, client))) {
            store.record(report(&format!("/fake/f{i}"), "script-src", "inline"), Origin::Ours, client, NOON + DAY);
        }
        assert_eq!(paths(&store).iter().filter(|path| path.starts_with("/real/")).count(), 20);
    }

    #[test]
    fn a_newcomer_finds_room_among_the_settled() {
        let mut store = Store::new(Capacity { groups: 16, ..Capacity::default() });
        for (i, client) in (0..16).flat_map(|i| [(i, 1), (i, 2)]) {
            store.record(report(&format!("/old/o{i}"), "script-src", "inline"), Origin::Ours, client, NOON);
        }
        for client in [1, 2] {
            store.record(report("/new", "script-src", "inline"), Origin::Ours, client, NOON + 1);
            store.record(report(&format!("/other/o{client}"), "script-src", "inline"), Origin::Ours, client, NOON + 1);
        }
        assert!(paths(&store).contains(&"/new"));
    }

    #[test]
    fn noise_goes_first_and_is_not_among_the_recent() {
        let mut store = Store::new(Capacity { groups: 8, ..Capacity::default() });
        for i in 0..8 {
            store.record(report(&format!("/noise/n{i}"), "script-src", "inline"), Origin::Noise, i, NOON);
        }
        for i in 0..8 {
            store.record(report(&format!("/ours/o{i}"), "script-src", "inline"), Origin::Ours, 1, NOON);
        }
        assert!(paths(&store).iter().all(|path| path.starts_with("/ours/")));
        assert!(store.snapshot(100).recent.iter().all(|r| r.report.document.as_ref().unwrap().path.starts_with("/ours")));
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut store = Store::default();
        for i in 0..10 {
            store.record(report(&format!("/p{i}"), "script-src", "inline"), Origin::Ours, 1, NOON + i);
        }
        store.forget(NOON + 7);
        assert_eq!((store.snapshot(100).recent.len(), paths(&store).len()), (3, 3));
        store.forget(u64::MAX);
        assert_eq!(store.bytes(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// Whatever is recorded: never more than the capacity, and no count is lost.
        #[test]
        fn memory_is_bounded_and_counts_add_up(
            recent in 0usize..30, recent_bytes in 0usize..20_000, groups in 0usize..20, group_bytes in 0usize..20_000,
            fed in proptest::collection::vec((".{0,300}", "[a-d]", 0usize..3, 0u64..5, 0u64..400_000_000), 0..120),
        ) {
            let mut store = Store::new(Capacity { recent, recent_bytes, groups, group_bytes });
            for (before, (path, directive, origin, client, now)) in fed.into_iter().enumerate() {
                store.record(report(&format!("/{path}"), &directive, "inline"), Origin::ALL[origin], client, now);
                prop_assert!(store.recent_bytes <= recent_bytes && store.recent.len() <= recent);
                prop_assert!(store.groups.bytes() <= group_bytes && store.groups.len() <= groups);
                prop_assert_eq!(store.recent_bytes, store.recent.iter().map(|r| ENTRY + r.report.weight()).sum::<usize>());
                let seen = store.snapshot(usize::MAX);
                let total: u64 = seen.totals.iter().map(|(_, t)| t.ours + t.foreign + t.noise).sum();
                let grouped: u64 = seen.totals.iter().map(|(_, t)| t.ours + t.noise).sum();
                prop_assert_eq!(total, before as u64 + 1);
                prop_assert_eq!(seen.groups.iter().map(|g| g.count).sum::<u64>() + seen.evicted.reports, grouped);
                prop_assert_eq!(seen.groups.len(), seen.all_groups);
            }
            let _ = store.snapshot(5).to_json().to_string();
            store.forget(u64::MAX);
            prop_assert_eq!(store.bytes(), 0);
        }
    }
}
