use std::time::Duration;

use super::super::contract;
use super::*;
use crate::limit::Subject;

const NOW: Micros = Micros(1_000_000_000);

fn key(limit: u64, n: u32) -> Key {
    Key { limit, subject: Subject::of([n.to_be_bytes()]) }
}

fn of(limit: u64, n: u32, quota: Quota) -> Charge {
    Charge { key: key(limit, n), budget: quota.fixed_budget().unwrap(), cost: 1, advisory: false, creator: None }
}

fn passes(store: &MemoryStore, charge: Charge, now: Micros) -> bool {
    store.charge(&[charge], now).into_inner().unwrap().refused.is_none()
}

fn look(store: &MemoryStore, charge: Charge, now: Micros) -> Decision {
    store.change(charge.key, charge.budget, Change::Look, now).into_inner().unwrap().decisions.as_slice()[0]
}

/// Keys in a flood: all of them in an optimised build, fewer where they would take minutes.
fn flood() -> u32 {
    if cfg!(debug_assertions) { 100_000 } else { 10_000_000 }
}

#[test]
fn keeps_the_store_contract() {
    contract::check_with_time(MemoryStore::default);
}

#[test]
fn a_flood_of_new_keys_does_not_free_keys_at_their_limit() {
    let store = MemoryStore::with_capacity(1 << 14);
    let limits = [Quota::per_minute(10), Quota::per_second(100).burst(200), Quota::per_hour(5).strict(), Quota::per_hour(1)];
    let attackers: Vec<Charge> = (0..).zip(limits).map(|(n, quota)| of(n.into(), n, quota)).collect();
    for attacker in &attackers {
        while passes(&store, *attacker, NOW) {}
    }
    // Keys of limits that last far longer than the attackers', in one tick, so that no time pays anything back.
    for n in 10..flood() {
        passes(&store, of(10, n, if n % 4 == 0 { Quota::per_hour(1000).strict() } else { Quota::per_hour(3) }), NOW);
    }
    for attacker in &attackers {
        assert!(!passes(&store, *attacker, NOW), "{attacker:?}");
    }
    assert!(store.bytes() <= store.most_bytes(), "memory grew");
}

#[test]
fn a_flood_of_keys_under_a_strict_limit_does_not_free_those_at_theirs() {
    let store = MemoryStore::with_capacity(1 << 14);
    let login = Quota::per_hour(5).strict();
    for attacker in 0..20 {
        while passes(&store, of(1, attacker, login), NOW) {}
    }
    for n in 100..flood() / 4 {
        passes(&store, of(1, n, login), Micros(NOW.0 + u64::from(n)));
    }
    for attacker in 0..20 {
        assert!(!passes(&store, of(1, attacker, login), Micros(NOW.0 + u64::from(flood()))));
    }
    assert!(store.bytes() <= store.most_bytes());
}

#[test]
fn a_blocked_key_outlasts_any_flood() {
    let store = MemoryStore::with_capacity(1024);
    let quota = Quota::per_second(5);
    for blocked in 0..10 {
        store.change(key(1, blocked), quota.fixed_budget().unwrap(), Change::Block(Duration::from_secs(900)), NOW).into_inner().unwrap();
    }
    for n in 100..100_000 {
        passes(&store, of(1, n, quota), NOW);
    }
    for blocked in 0..10 {
        let decision = look(&store, of(1, blocked, quota), NOW.after(Duration::from_secs(899)));
        assert!(decision.blocked, "{blocked}");
    }
}

/// In the sketch a block and a rate can share all cells, and then the block would end a little early.
#[test]
fn a_block_lasts_to_its_end_although_there_is_no_room() {
    for quota in [Quota::per_minute(2), Quota::per_minute(2).strict()] {
        let store = MemoryStore::with_capacity(1024);
        let (full, longer) = (Quota::new(2, Duration::from_secs(910)), Duration::from_secs(900));
        let full = if is_rate(&quota.fixed_budget().unwrap()) { full } else { full.strict() };
        for n in 100..20_000 {
            while passes(&store, of(2, n, full), NOW) {}
        }
        for blocked in 0..20 {
            store.change(key(1, blocked), quota.fixed_budget().unwrap(), Change::Block(longer), NOW).into_inner().unwrap();
        }
        for blocked in 0..20 {
            let last = Micros(NOW.after(longer).0 - 1);
            assert!(!passes(&store, of(1, blocked, quota), last), "{quota} {blocked}");
        }
        assert_eq!((100..20_000).filter(|n| passes(&store, of(2, *n, full), NOW)).count(), 0, "{quota}: who made room is not forgotten");
    }
}

#[test]
fn keys_beyond_what_there_is_room_for_are_counted_not_waved_through() {
    let store = MemoryStore::with_capacity(1024);
    for quota in [Quota::per_hour(10), Quota::per_hour(10).strict()] {
        let rate = quota.fixed_budget().is_some_and(|b| is_rate(&b));
        let mut passed: Vec<u32> = Vec::new();
        for n in 0u32..20_000 {
            passed.push(if passes(&store, Charge { cost: 10, ..of(1, n, quota) }, NOW) { 10 } else { 0 });
        }
        let light = if rate { Quota::per_minute(10) } else { Quota::per_minute(10).strict() };
        for newcomer in 30_000..30_100 {
            let passed = (0..100).filter(|_| passes(&store, of(2, newcomer, light), NOW)).count();
            assert!(passed <= 10, "{passed} passed");
        }
        for (n, passed) in (0u32..).zip(&mut passed) {
            *passed += (0..11).map(|_| u32::from(passes(&store, of(1, n, quota), NOW))).sum::<u32>();
        }
        let forgotten = passed.iter().filter(|p| **p > 10).count();
        assert_eq!(forgotten, 0, "{quota}");
        // Keys of a strict quota beyond the table may use half at once; that is stricter than they were promised, not looser.
        assert!(rate || passed.iter().any(|p| *p < 10));
    }
}

#[test]
fn memory_stays_within_what_was_allowed() {
    for allowed in [1 << 20, 5_000_000, 64 << 20] {
        let store = MemoryStore::with_bytes(allowed);
        for n in 0..20_000 {
            passes(&store, of(1, n, Quota::per_hour(3).strict()), NOW);
            passes(&store, of(1, n, Quota::per_hour(3)), NOW);
        }
        assert!(store.most_bytes() <= allowed && store.most_bytes() > allowed * 9 / 10, "{} of {allowed}", store.most_bytes());
        assert!(store.bytes() <= store.most_bytes());
    }
}

#[test]
fn parallel_charges_let_exactly_the_limit_through() {
    for quota in [Quota::per_hour(10), Quota::per_hour(10).strict()] {
        let store = MemoryStore::with_capacity(1024);
        let passed: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|worker| {
                    let store = &store;
                    scope.spawn(move || {
                        (0..125)
                            .filter(|n| {
                                // Others come and go in the same buckets.
                                passes(store, of(2, worker * 1000 + n, Quota::per_second(100)), NOW);
                                passes(store, of(1, 0, quota), NOW)
                            })
                            .count()
                    })
                })
                .collect();
            workers.into_iter().map(|w| w.join().unwrap()).sum()
        });
        assert_eq!(passed, 10, "{quota}");
    }
}

/// Four ways, many threads, few buckets: keys are evicted while they are charged, and yet none that is not evicted gets more.
#[test]
fn no_charge_is_lost_while_keys_change_places() {
    let store = MemoryStore::with_capacity(1024);
    let quota = Quota::per_hour(1000);
    std::thread::scope(|scope| {
        for worker in 0..4u32 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..10_000u32 {
                    passes(store, of(1, n % 7, quota), NOW);
                    passes(store, of(2, worker << 20 | n, Quota::per_second(50)), Micros(NOW.0 + u64::from(n)));
                }
            });
        }
    });
    for n in 0..7 {
        assert_eq!(look(&store, of(1, n, quota), NOW).remaining, 0);
    }
}

#[test]
fn the_worst_are_listed_until_they_are_unblocked() {
    let store = MemoryStore::default();
    let quota = Quota::per_hour(2);
    for (n, tries) in [(1, 10), (2, 50), (3, 2)] {
        for _ in 0..tries {
            passes(&store, of(1, n, quota), NOW);
        }
    }
    let top: Vec<(Key, u64)> = store.top(5).into_iter().map(|o| (o.key, o.refused)).collect();
    assert_eq!(top, [(key(1, 2), 48), (key(1, 1), 8)]);
    store.change(key(1, 2), quota.fixed_budget().unwrap(), Change::Reset, NOW).into_inner().unwrap();
    assert_eq!(store.top(5).len(), 1);
    assert!(passes(&store, of(1, 2, quota), NOW));
}

#[test]
fn a_dump_brings_back_every_kind_of_state() {
    let wall = Duration::from_secs(1_700_000_000);
    let store = MemoryStore::with_capacity(4096);
    let charges = [of(1, 1, Quota::per_hour(10)), of(1, 2, Quota::per_hour(10).strict())];
    let window =
        Budget::Window(crate::limit::Window { limit: 10, index: 5, ends: NOW.after(Duration::from_secs(7200)), length_micros: 1 << 40 });
    let charges = [charges[0], charges[1], Charge { budget: window, ..of(1, 3, Quota::per_hour(1)) }];
    for charge in charges {
        for _ in 0..7 {
            passes(&store, charge, NOW);
        }
    }
    store.change(key(1, 4), charges[0].budget, Change::Block(Duration::from_secs(600)), NOW).into_inner().unwrap();
    store.change(key(1, 5), charges[1].budget, Change::Block(Duration::from_secs(600)), NOW).into_inner().unwrap();
    store.change(key(1, 6), charges[0].budget, Change::Block(Duration::from_secs(5)), NOW).into_inner().unwrap();
    let dump = store.dump(NOW, wall);

    // Another process, whose monotonic clock stands elsewhere, ten seconds later.
    let now = Micros(77_000_000);
    let (other, restored) = MemoryStore::restore(2048, &dump, now, wall + Duration::from_secs(10)).unwrap();
    assert_eq!(restored, Restored { restored: 5, expired: 1 });
    for charge in charges {
        assert_eq!(look(&other, charge, now).remaining, 3, "{charge:?}");
    }
    let strict = look(&other, charges[1], now);
    assert_eq!(strict.reset_after, Duration::from_secs(3590));
    for (n, budget) in [(4, charges[0].budget), (5, charges[1].budget)] {
        let decision = look(&other, Charge { budget, ..of(1, n, Quota::per_hour(10)) }, now);
        assert_eq!((decision.blocked, decision.retry_after), (true, Some(Duration::from_secs(590))));
    }
    // A wall clock that was set back ages nothing.
    let (back, _) = MemoryStore::restore(2048, &dump, now, wall - Duration::from_secs(1000)).unwrap();
    assert_eq!(look(&back, charges[1], now).reset_after, Duration::from_secs(3600));
}

#[test]
fn a_dump_read_into_a_smaller_store_forgets_nobody_at_a_limit() {
    let store = MemoryStore::with_capacity(1 << 20);
    let (login, wall) = (Quota::per_hour(2).strict(), Duration::from_secs(1_700_000_000));
    for n in 0..500 {
        while passes(&store, of(1, n, login), NOW) {}
    }
    let (small, restored) = MemoryStore::restore(1024, &store.dump(NOW, wall), NOW, wall).unwrap();
    assert_eq!(restored.restored, 500);
    let forgotten = (0..500).filter(|n| passes(&small, of(1, *n, login), NOW)).count();
    assert_eq!(forgotten, 0);
}

#[test]
fn no_quota_is_so_wide_that_it_refuses_nothing() {
    let store = MemoryStore::with_capacity(1024);
    for (limit, quota) in
        [(1, Quota::new(1, Duration::MAX)), (2, Quota::per_minute(1).burst(u32::MAX)), (3, Quota::new(u32::MAX, Duration::MAX))]
    {
        let one = of(limit, 1, quota);
        assert!(passes(&store, Charge { cost: one.budget.burst(), ..one }, NOW), "{quota}");
        assert!(!passes(&store, one, NOW), "{quota}");
    }
}

#[test]
fn what_a_change_tells_is_what_stands_even_where_there_is_no_room() {
    for quota in [Quota::per_hour(5), Quota::per_hour(5).strict()] {
        let store = MemoryStore::with_capacity(1024);
        for n in 0..5000 {
            while passes(&store, of(1, n, quota), NOW) {}
        }
        let mut free = 0;
        for n in 0..5000 {
            let one = of(1, n, quota);
            let told = store.change(one.key, one.budget, Change::Reset, NOW).into_inner().unwrap().decisions.as_slice()[0];
            assert_eq!(told.allowed, passes(&store, one, NOW), "{quota} {n}");
            free += u32::from(told.allowed);
        }
        assert!(free > 1000 / 16, "{free}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_restore_with_a_panic(bytes: Vec<u8>, keep in 0usize..400, flip in 0usize..400, with: u8) {
        let _ = MemoryStore::restore(1024, &bytes, NOW, Duration::ZERO);
        let store = MemoryStore::with_capacity(1024);
        for n in 0..5 {
            passes(&store, of(1, n, Quota::per_hour(10)), NOW);
            passes(&store, of(1, n, Quota::per_hour(10).strict()), NOW);
        }
        let mut dump = store.dump(NOW, Duration::ZERO);
        if let Some(byte) = dump.get_mut(flip) {
            *byte ^= with;
        }
        dump.truncate(keep.max(flip));
        if let Ok((store, _)) = MemoryStore::restore(1024, &dump, NOW, Duration::ZERO) {
            for n in 0..5 {
                passes(&store, of(1, n, Quota::per_hour(10).strict()), NOW);
            }
        }
    }
}
