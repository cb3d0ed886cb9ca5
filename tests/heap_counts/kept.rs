//! What is kept for good: the entries of a cache, and the workers that nobody ends.

use std::num::NonZeroUsize;

use super::asked;
use lru::LruCache;
use trapline::trap::{Point, Trap};
use trapline::traps::leaked_worker::{self, Registry, closed, inline, never_closed};
use trapline::traps::unbounded_cache::{self, CAP, DirectMapped, Page, Pages, direct_mapped, lru, unbounded};
use trapline::workload::OneState;

pub(crate) fn live() -> i64 {
    dhat::HeapStats::get().curr_bytes as i64
}

/// libtest's own thread may allocate meanwhile, a little.
fn about(live: i64, expected: u64, what: &str) {
    assert!(live.abs_diff(expected as i64) < 4_096, "{what}: {live} bytes where {expected} were expected");
}

fn page(key: u64) -> Page {
    vec![key as u8 | 1; 256].into()
}

/// Bytes of a table of so many places: an element of 24 bytes and one of control each, and 16 more of these.
fn table(places: u64) -> u64 {
    25 * places + 16
}

/// A map that grows has had tables of 4, 8, 16 … places, and the last of them is at most 7/8 full.
fn tables(entries: u64) -> Vec<u64> {
    let holds = |places: u64| if places == 4 { 3 } else { places / 8 * 7 };
    let last = (2..).find(|&at| holds(1 << at) >= entries).expect("some table is large enough");
    (2..=last).map(|at| 1 << at).collect()
}

/// A page a miss in all of them. Beside it the map has its tables; an LRU its table from the start, a node an entry,
/// and one at each end of its list; the floor its places.
pub(crate) fn a_cache_asks_for_a_page_a_miss_and_its_own_room() {
    for n in [1, 3, 4, 1_000, 4_000] {
        let keys: Vec<u64> = (0..n).collect();
        let tables = tables(n);
        let map = asked(|| unbounded(&mut Pages::default(), &keys, page));
        let rooms = tables.iter().map(|&places| table(places)).sum::<u64>();
        assert_eq!(map, (n + tables.len() as u64, 256 * n + rooms), "{n} keys, unbounded");
        let empty = || LruCache::with_hasher(NonZeroUsize::MIN.saturating_add(CAP - 1), OneState::default());
        let nodes = asked(|| lru(&mut empty(), &keys, page));
        assert_eq!(nodes, (1 + 2 + 2 * n, 17 * 8_192 + 16 + 40 * (2 + n) + 256 * n), "{n} keys, lru");
        let slots = asked(|| direct_mapped(&mut DirectMapped::default(), &keys, page));
        assert_eq!(slots, (1 + n, 24 * CAP as u64 + 256 * n), "{n} keys, direct_mapped");
    }
}

/// What the second half of so many ops leaves live, by each arm that holds.
fn second_half(trap: &Trap, point: &Point) -> Vec<i64> {
    let of = |hold: &mut dyn FnMut(u64)| {
        hold(point.n / 2);
        let half = live();
        hold(point.n / 2);
        live() - half
    };
    trap.variants.iter().map(|v| of(&mut v.hold.expect("it can be held")(point))).collect()
}

/// A key for ever is its page and its place; a full cache keeps nothing more. The table of the LRU doubles once, when
/// removed keys have used up its places, and has done so long before the half.
pub(crate) fn a_cache_without_eviction_keeps_every_key() {
    let kept = second_half(&unbounded_cache::TRAP, &Point::n(80_000).case("unique"));
    about(kept[0], 256 * 40_000 + table(131_072) - table(65_536), "unbounded");
    for (kept, variant) in kept.iter().zip(unbounded_cache::TRAP.variants).skip(1) {
        about(*kept, 0, variant.name);
    }
}

/// A worker keeps what it owns, and beside it two channels and what a thread has: less than 4 KiB, none of it its
/// stack.
pub(crate) fn a_worker_that_nobody_ends_keeps_what_it_owns() {
    const N: u64 = 64;
    for (case, own) in [("held=64KiB", 64 << 10), ("bare", 0)] {
        let kept = second_half(&leaked_worker::TRAP, &Point::n(2 * N).case(case));
        let beside = kept[0] / N as i64 - own;
        assert!((1_000..4_096).contains(&beside), "{case}: {beside} bytes a worker beside its own");
        for (kept, variant) in kept.iter().zip(leaked_worker::TRAP.variants).skip(1) {
            about(*kept, 0, variant.name);
        }
    }
    assert_eq!(asked(|| inline(7, 64 << 10)), (1, 64 << 10));
    assert_eq!(asked(|| inline(7, 0)), (0, 0));
    let before = live();
    let mut registry = Registry::default();
    (0..N).for_each(|order| assert_eq!(never_closed(&mut registry, order, 0).ok(), closed(order, 0).ok()));
    drop(registry);
    about(live() - before, 0, "when the registry has gone");
}
