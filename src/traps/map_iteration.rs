//! # Walking a hash map
//!
//! A map is walked from end to end, again and again, and its table is larger than what it holds.
//!
//! ## In Go
//!
//! ```go
//! func total(sessions map[uint64]uint64) (sum uint64) {
//!     for id, bytes := range sessions { // goes through the whole table
//!         sum += id ^ bits.RotateLeft64(bytes, 17)
//!     }
//!     return sum
//! }
//! // after delete(sessions, id) for nine in ten, the table is as large as before
//! ```
//!
//! ## In Rust
//!
//! `for (key, value) in &map`. Alike: the entries lie in a table with holes, in the order of their hashes, and neither map
//! gives its table back when entries are removed. Weaker here: Go begins each walk at a random place and asks more of each
//! step, for the map may change meanwhile; hashbrown walks straight through and looks at 16 control bytes at once. And
//! `shrink_to_fit` makes the table small again; in Go the way is to copy the map into a new one.
//!
//! ## Why it costs
//!
//! A walk visits every group of 16 places, taken or not, so that it costs by the table and not by what is left. In each
//! group the taken places are found one by one, with a branch that asks whether there is another: how many there are is
//! chance, and the predictor guesses wrong. The entries lie in memory with the holes between them. A table that is mostly
//! empty after removals has all of that and few entries to share it.
//!
//! An `IndexMap` keeps its entries in a vector, next to a table of positions that a walk does not touch; a removal moves
//! the last entry into the hole (`swap_remove`). The floor is a vector of pairs. Its loop is vectorised, as the others' can't
//! be: part of what it wins is SIMD and not the layout. `shrunk` is the trap's own map after `shrink_to_fit`. In the cases
//! `full` there is nothing to shrink, so that it is the trap once more: a second A/A, and no fix.
//!
//! Expected: the vector of entries wins by two to three where the map is full, the plain vector by more; after removals
//! both win by more and shrinking by up to two; an ordered map ties with the hash map. With 20 ns of work a visit, little is
//! left: the walk does not wait for that work, and a core overlaps the two.
//!
//! ## When the fix loses
//!
//! - When each visit does something: `full,work=20ns` shows how little that has to be.
//! - When the map is mostly looked up: an `IndexMap` goes through its table and then to the entry, two misses for one.
//! - `swap_remove` changes the order of what is left, and `shift_remove`, which keeps it, moves all that follows.
//! - `shrink_to_fit` moves every entry, and a map that fills again grows again. It pays after a bulk removal, once.
//! - When the walk can be avoided: a sum that is kept up to date costs nothing a walk.
//!
//! ## What to measure it with
//!
//! Time, over the share that was removed and the work a visit. Instructions see the groups and the steps, but not the
//! wrong guesses nor the memory's latency. Heap counts are blind, for a walk allocates nothing; what a table keeps
//! is counted in `tests/heap_counts.rs`. Latency is blind, for a walk has no tail of its own, and so is usage: one thread
//! that never waits uses the time that it takes.
//!
//! ## Sources
//!
//! - `std::collections::HashMap::iter`, section "Performance"; `shrink_to_fit`; `indexmap::IndexMap`, "Performance"
//! - Abseil, "Swiss Tables Design Notes", from which hashbrown comes
//! - The Go specification, "For statements with range clause"; `internal/runtime/maps` in Go's runtime
//! - Go issue 20135, "maps do not shrink after elements removal (delete)"

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::trap::{Instrument, Point, Routine, Trap, Variant, routine};
use crate::workload::{OneState, STEPS_PER_MICROSECOND, Shifted, Turns, Windows, rng, shared};

/// A key and its value.
pub type Pair = (u64, u64);

/// The trap: through the table, taken places and holes. Given a map that was shrunk, the same loop is a fix.
pub fn hash_map(map: &HashMap<u64, u64, OneState>, visit: impl Fn(u64, u64) -> u64) -> u64 {
    let mut sum = 0_u64;
    for (key, value) in map {
        sum = sum.wrapping_add(visit(*key, *value));
    }
    sum
}

/// The advice: through a vector of entries, beside which lies the table.
pub fn index_map(map: &IndexMap<u64, u64, OneState>, visit: impl Fn(u64, u64) -> u64) -> u64 {
    let mut sum = 0_u64;
    for (key, value) in map {
        sum = sum.wrapping_add(visit(*key, *value));
    }
    sum
}

/// The ordered map: from leaf to leaf, up to eleven entries in each.
pub fn btree_map(map: &BTreeMap<u64, u64>, visit: impl Fn(u64, u64) -> u64) -> u64 {
    let mut sum = 0_u64;
    for (key, value) in map {
        sum = sum.wrapping_add(visit(*key, *value));
    }
    sum
}

/// The floor: the entries and nothing else. The compiler vectorises it, where the visit allows it.
pub fn vec_of_pairs(pairs: &[Pair], visit: impl Fn(u64, u64) -> u64) -> u64 {
    let mut sum = 0_u64;
    for (key, value) in pairs {
        sum = sum.wrapping_add(visit(*key, *value));
    }
    sum
}

/// A visit that costs next to nothing. It reads key and value: of a walk that reads one of them, half the memory is unused.
fn mix(key: u64, value: u64) -> u64 {
    key ^ value.rotate_left(17)
}

/// A visit of 20 ns. The sum holds what was visited and not what the work made of it, for the sum is to know no order.
fn work() -> impl Fn(u64, u64) -> u64 {
    let turns = Turns::of(20 * STEPS_PER_MICROSECOND / 1_000);
    move |key, value| {
        let mixed = mix(key, value);
        turns.take(mixed);
        mixed
    }
}

/// How many entries the tables of a point are filled with, all together, if one alone takes no more. A small table that is
/// walked over and over is learnt by the branch predictor, and lies in the nearest cache: small points have many tables.
const ENTRIES: usize = 50_000;

/// What the maps of a point are filled with, map by map.
struct Load {
    pairs: Vec<Pair>,
    /// How many pairs each map is filled with.
    filled: usize,
    /// What is left, in the order in which it was filled in: `n` of each map.
    kept: Windows<Pair>,
}

/// Whether a pair stays: the value's lowest bit says so. The others are removed again.
fn stays(value: u64) -> bool {
    value & 1 == 1
}

impl Load {
    /// What stays is a random tenth, so that the holes are scattered in every map and order.
    fn new(p: &Point) -> Self {
        let (mut rng, mut which) = (rng(32), rng(33));
        let filled = if p.case == "removed=90" { 10 * p.len() } else { p.len() };
        let mut pairs = Vec::new();
        for _ in 0..(ENTRIES / filled).max(1) {
            let mut stay: Vec<bool> = (0..filled).map(|at| at < p.len()).collect();
            which.shuffle(&mut stay);
            pairs.extend(stay.into_iter().map(|stays| (rng.u64(), rng.u64() & !1 | u64::from(stays))));
        }
        let kept = pairs.iter().copied().filter(|pair| stays(pair.1)).collect();
        Self { pairs, filled, kept: Windows::of(Shifted::new(kept), p.len()) }
    }

    /// Maps that are filled one by one, and from which then all goes that does not stay. It is outside every clock.
    fn maps<M: Default + Extend<Pair>>(&self, keep: impl Fn(&mut M, &[Pair])) -> Vec<M> {
        let fill = |pairs: &[Pair]| {
            let mut map = M::default();
            map.extend(pairs.iter().copied());
            keep(&mut map, pairs);
            map
        };
        self.pairs.chunks(self.filled).map(fill).collect()
    }
}

/// The maps of the trap. A table keeps its size, and a place that was emptied is a hole, whoever empties it.
fn hash_maps(load: &Load) -> Vec<HashMap<u64, u64, OneState>> {
    load.maps(|map: &mut HashMap<_, _, _>, _| map.retain(|_, value| stays(*value)))
}

fn shrunk(load: &Load) -> Vec<HashMap<u64, u64, OneState>> {
    let mut maps = hash_maps(load);
    maps.iter_mut().for_each(HashMap::shrink_to_fit);
    maps
}

/// Here the way of removing shows: `retain` keeps the order of the entries, `swap_remove` is what a service calls.
fn index_maps(load: &Load) -> Vec<IndexMap<u64, u64, OneState>> {
    load.maps(|map: &mut IndexMap<_, _, _>, pairs| {
        for (key, _) in pairs.iter().filter(|pair| !stays(pair.1)) {
            map.swap_remove(key);
        }
    })
}

fn btree_maps(load: &Load) -> Vec<BTreeMap<u64, u64>> {
    load.maps(|map: &mut BTreeMap<_, _>, _| map.retain(|_, value| stays(*value)))
}

/// Each run walks the next map. Each kind of visit is code of its own, so that the plain walk has no call in it.
fn arm<M: 'static>(
    p: &Point,
    maps: impl Fn(&Load) -> Vec<M>,
    plain: impl Fn(&M) -> u64 + 'static,
    working: impl Fn(&M) -> u64 + 'static,
) -> Box<dyn Routine> {
    let load = shared(p, Load::new);
    let maps = Windows::new(maps(&load), 1);
    // The load stays with its arms, so that it is made once.
    let input = (maps, 0, load);
    match p.case {
        "full,work=20ns" => routine(input, move |(maps, at, _)| working(&maps.advance(at)[0])),
        _ => routine(input, move |(maps, at, _)| plain(&maps.advance(at)[0])),
    }
}

fn floor(p: &Point) -> Box<dyn Routine> {
    let input = (shared(p, Load::new), 0);
    match p.case {
        "full,work=20ns" => {
            routine(input, |(load, at): &mut (Arc<Load>, _)| vec_of_pairs(load.kept.advance(at), work()))
        }
        _ => routine(input, |(load, at): &mut (Arc<Load>, _)| vec_of_pairs(load.kept.advance(at), mix)),
    }
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "map_iteration",
    title: "Walking a hash map",
    section: "collections",
    habit: "range over a large map on every tick, long after most of its entries were deleted",
    claims: &["G3"],
    counts: "entries visited",
    op: "one entry visited and added up",
    points: &[
        Point::n(100).case("full"),
        Point::n(10_000).case("full"),
        Point::n(100_000).case("full").headline(),
        Point::n(1_000).case("removed=90"),
        Point::n(10_000).case("removed=90").headline(),
        Point::n(10_000).case("full,work=20ns"),
    ],
    cases: &[
        ("full", "the map has all the entries that it was filled with"),
        ("removed", "percent of the entries that were removed again, at random, before the walk"),
        ("work", "own work of each visit"),
    ],
    variants: &[
        Variant::trap("hash_map", |p| arm(p, hash_maps, |m| hash_map(m, mix), |m| hash_map(m, work()))),
        Variant::fix("index_map", |p| arm(p, index_maps, |m| index_map(m, mix), |m| index_map(m, work()))),
        Variant::fix("shrunk", |p| arm(p, shrunk, |m| hash_map(m, mix), |m| hash_map(m, work()))),
        Variant::fix("btree_map", |p| arm(p, btree_maps, |m| btree_map(m, mix), |m| btree_map(m, work()))),
        Variant::floor("vec_of_pairs", floor),
    ],
    blind: &[
        (Instrument::Heap, "the maps are built outside the clock; a walk allocates nothing"),
        (Instrument::Latency, "a walk has no tail of its own"),
        (Instrument::Usage, "one thread that never waits: its CPU time is its time"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_walk_of_every_map_visits_what_is_left_and_nothing_else() {
        for p in [(1, "full"), (14, "full"), (15, "full"), (100, "full"), (7, "removed=90"), (1_000, "removed=90")] {
            let load = Load::new(&Point::n(p.0).case(p.1));
            let (hash, small, index, btree) = (hash_maps(&load), shrunk(&load), index_maps(&load), btree_maps(&load));
            assert_eq!(hash.len(), ENTRIES / load.filled);
            for at in (0..hash.len()).step_by(97) {
                let pairs = load.kept.window(at);
                let sum = pairs.iter().fold(0, |sum, (key, value)| mix(*key, *value).wrapping_add(sum));
                assert_eq!((pairs.len(), hash[at].len()), (p.0 as usize, p.0 as usize));
                let walks = [
                    hash_map(&hash[at], mix),
                    hash_map(&small[at], mix),
                    index_map(&index[at], mix),
                    btree_map(&btree[at], mix),
                    vec_of_pairs(pairs, mix),
                ];
                assert_eq!(walks, [sum; 5], "map {at} of {p:?}");
            }
        }
    }

    #[test]
    fn all_variants_agree_also_where_a_visit_works() {
        for p in [Point::n(100).case("full,work=20ns"), Point::n(50).case("removed=90"), Point::n(1).case("full")] {
            let expected = (TRAP.baseline().batch)(&p).digest();
            assert!(TRAP.variants.iter().all(|v| (v.batch)(&p).digest() == expected), "{p}");
        }
    }

    /// `capacity` tells less than the table's size: a place that was emptied in a crowd is no room until the next rehash. What
    /// the table takes of the heap is counted in `tests/heap_counts.rs`.
    #[test]
    fn the_table_stays_large_until_it_is_shrunk() {
        let load = Load::new(&Point::n(10_000).case("removed=90"));
        let (hash, small) = (hash_maps(&load), shrunk(&load));
        assert_eq!((hash.len(), hash[0].len(), small[0].len()), (1, 10_000, 10_000));
        assert!(hash[0].capacity() > 4 * 14_336, "{} after removal", hash[0].capacity());
        assert!(small[0].capacity() <= 14_336, "{} after shrinking", small[0].capacity());
    }

    #[test]
    fn a_full_table_has_nothing_to_shrink() {
        for p in TRAP.points.iter().filter(|p| p.case.starts_with("full")) {
            let load = Load::new(p);
            assert_eq!(shrunk(&load)[0].capacity(), hash_maps(&load)[0].capacity(), "{p}: the second A/A is none");
        }
    }

    #[test]
    fn what_stays_is_scattered() {
        let load = Load::new(&Point::n(10_000).case("removed=90"));
        let kept: std::collections::HashSet<u64> = load.kept.window(0).iter().map(|pair| pair.0).collect();
        for tenth in load.pairs.chunks(10_000) {
            let stay = tenth.iter().filter(|pair| kept.contains(&pair.0)).count();
            assert!(stay.abs_diff(1_000) < 120, "{stay} of one tenth stay");
        }
    }
}
