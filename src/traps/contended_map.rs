//! # One mutex around a shared map
//!
//! Many threads look up and count in one map, and all of them go through its one lock.
//!
//! ## In Go
//!
//! ```go
//! func (c *Counters) Get(k uint64) (uint64, bool) {
//!     c.mu.Lock() // the one lock of the one map[uint64]uint64
//!     defer c.mu.Unlock()
//!     v, ok := c.m[k]
//!     return v, ok
//! }
//! ```
//!
//! ## In Rust
//!
//! `std::sync::Mutex<HashMap>`, against `DashMap` where Go has `sync.Map` or hand-made shards. A lock is alike in both:
//! a compare-and-swap when it is free, some spinning, then sleep. Only similar: a goroutine that waits gives its thread
//! to another goroutine, here the thread itself sleeps and the kernel wakes it; and Go's mutex turns fair when a waiter
//! starves, std's never does. What differs most is what Rust refuses: the map can't be reached without the lock, so the
//! corruption that Go finds at run time does not compile.
//!
//! ## Why it costs
//!
//! One lock makes the critical sections queue, and it makes its cache line travel to every core that asks, also when
//! nobody waits. Sharding divides both by the number of shards. A readers-writer lock does not: readers run together,
//! but each of them writes the lock's count of readers, so the line travels as before; it pays only where the section
//! is long. A lock-free map lets readers write nothing shared, and pays in writes: papaya allocates a new entry and
//! retires the old one. Private maps have nothing to travel.
//!
//! ## When the fix loses
//!
//! - On one thread: a plain lock is one compare-and-swap, and most other maps do more around the same look-up.
//! - When threads do their own work between operations, as services do. The lock is then mostly free, and the choice of
//!   map does not show. The case with `work=` is there to find where that begins.
//! - With more threads than cores: a holder that loses its core stops all who queue, which no average shows.
//! - When keys are skewed: the hottest key's shard is one mutex again. The keys here are uniform, which flatters
//!   shards.
//! - `DashMap` takes its number of shards from the machine, and deadlocks when a guard is held over another operation
//!   on its shard.
//! - Private maps multiply the working set by the threads, and answers are complete only after a merge.
//!
//! ## What to measure it with
//!
//! Time, over threads, the share of writes and the work between: totals, not medians, since a queue shows in the sum.
//! Context switches say how many slept. Instructions are blind: callgrind runs one thread at a time. Heap counts are
//! blind: the map is filled before the clock and keeps its size.
//!
//! ## Sources
//!
//! - Herlihy and Shavit, "The Art of Multiprocessor Programming", the chapters on spin locks and on concurrent hashing
//! - Go's `sync.Map` documentation, and `sync/mutex.go` on starvation mode
//! - `DashMap`'s documentation, on locking behaviour; papaya's documentation, on consistency and guards
//! - Nikolaev and Ravindran, "Snapshot-Free, Transparent, and Robust Memory Reclamation for Lock-Free Data
//!   Structures", PLDI 2021: the scheme that papaya builds on

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;

use crossbeam_utils::CachePadded;
use dashmap::DashMap;
use parking_lot::RwLock;

use crate::trap::{Instrument, Point, Routine, Trap, Turn, Variant, team};
use crate::workload::{OneState, POOL, STEPS_PER_MICROSECOND, Windows, own_work, rng};

/// Counters by key.
pub type Counters = HashMap<u64, u64, OneState>;

const KEYS: usize = 10_000;

/// A map of counters that threads share.
pub trait SharedMap: Send + Sync + 'static {
    /// The counter of a key.
    fn read(&self, key: u64) -> Option<u64>;
    /// Adds to the counter of a key, if the key is there, and returns it.
    fn add(&self, key: u64, delta: u64) -> Option<u64>;
}

fn bump(count: &mut u64, delta: u64) -> u64 {
    *count += delta;
    *count
}

/// The trap: one lock, the standard one.
impl SharedMap for Mutex<Counters> {
    fn read(&self, key: u64) -> Option<u64> {
        self.lock().expect("no holder panics").get(&key).copied()
    }

    fn add(&self, key: u64, delta: u64) -> Option<u64> {
        self.lock().expect("no holder panics").get_mut(&key).map(|count| bump(count, delta))
    }
}

/// The advice: shards, each under a lock of its own.
impl SharedMap for DashMap<u64, u64, OneState> {
    fn read(&self, key: u64) -> Option<u64> {
        self.get(&key).map(|count| *count)
    }

    fn add(&self, key: u64, delta: u64) -> Option<u64> {
        self.get_mut(&key).map(|mut count| bump(&mut count, delta))
    }
}

/// One lock of another make: smaller, and without poisoning.
impl SharedMap for parking_lot::Mutex<Counters> {
    fn read(&self, key: u64) -> Option<u64> {
        self.lock().get(&key).copied()
    }

    fn add(&self, key: u64, delta: u64) -> Option<u64> {
        self.lock().get_mut(&key).map(|count| bump(count, delta))
    }
}

/// One lock that lets readers in together.
impl SharedMap for RwLock<Counters> {
    fn read(&self, key: u64) -> Option<u64> {
        RwLock::read(self).get(&key).copied()
    }

    fn add(&self, key: u64, delta: u64) -> Option<u64> {
        RwLock::write(self).get_mut(&key).map(|count| bump(count, delta))
    }
}

/// No lock: each operation pins the memory that it may read, as a service would.
impl SharedMap for papaya::HashMap<u64, u64, OneState> {
    fn read(&self, key: u64) -> Option<u64> {
        self.pin().get(&key).copied()
    }

    fn add(&self, key: u64, delta: u64) -> Option<u64> {
        self.pin().update(key, |count| count + delta).copied()
    }
}

/// A key, and what is added to its counter: 0 for a read.
type Op = (u64, u64);

/// What a point asks of a worker: its operations, and its own work between them.
struct Load {
    ops: Windows<Op>,
    threads: usize,
    steps: u32,
}

impl Load {
    fn new(p: &Point) -> Self {
        let (keys, mut rng) = (keys(), rng(7));
        let writes = if p.case.starts_with("reads=90") { 10 } else { 1 };
        let mut op = |_| (keys[rng.usize(..KEYS)], u64::from(rng.u64(..100) < writes) * rng.u64(1..10));
        let ops = Windows::new((0..POOL).map(&mut op).collect(), p.len() / p.threads);
        let steps = if p.case.ends_with("work=500ns") { STEPS_PER_MICROSECOND / 2 } else { 0 };
        Self { ops, threads: p.threads, steps }
    }

    /// Does this turn's operations, each worker those of a window of its own, and counts the keys that were there. What
    /// a map returns depends on the other threads, so it is looked at and not added up.
    fn run(&self, turn: Turn, mut apply: impl FnMut(Op) -> Option<u64>) -> u64 {
        let mut found = 0;
        for op in self.ops.window(turn.run * self.threads + turn.worker) {
            found += u64::from(black_box(apply(*op)).is_some());
            if self.steps > 0 {
                let _ = own_work(self.steps, op.0);
            }
        }
        found
    }
}

fn keys() -> Vec<u64> {
    let mut rng = rng(6);
    (0..KEYS).map(|_| rng.u64(..)).collect()
}

/// Any map with a counter for each key.
fn zeros<M: FromIterator<(u64, u64)>>() -> M {
    keys().into_iter().map(|key| (key, 0)).collect()
}

/// Adds Σ key × counter to `sum`, which depends on neither the order of keys nor the number of maps that share them.
fn weigh(sum: u64, read: impl Fn(u64) -> Option<u64>) -> u64 {
    keys().into_iter().fold(sum, |sum, key| sum.wrapping_add(key.wrapping_mul(read(key).unwrap_or(0))))
}

/// The map is on lines of its own, so that its lock does not slow the reading of the load.
fn shared<M: SharedMap>(p: &Point, map: M) -> Box<dyn Routine> {
    let apply = |map: &M, (key, delta): Op| if delta == 0 { map.read(key) } else { map.add(key, delta) };
    let run = move |(load, map): &(Load, CachePadded<M>), turn: Turn| load.run(turn, |op| apply(map, op));
    let view = |(_, map): &(Load, CachePadded<M>), found| weigh(found, |key| map.read(key));
    team(p.threads, (Load::new(p), CachePadded::new(map)), run, view)
}

/// A map for each worker, on lines of its own.
type Private = Vec<CachePadded<parking_lot::Mutex<Counters>>>;

/// The floor: no map is shared. A worker locks its own once a run and nobody else asks for it: it is a lock
/// because the team's state is shared.
fn private(p: &Point) -> Box<dyn Routine> {
    let apply = |map: &mut Counters, (key, delta): Op| match delta {
        0 => map.get(&key).copied(),
        _ => map.get_mut(&key).map(|count| bump(count, delta)),
    };
    let run = move |(load, maps): &(Load, Private), turn: Turn| {
        let mut map = maps[turn.worker].lock();
        load.run(turn, |op| apply(&mut map, op))
    };
    let view = |(_, maps): &(Load, Private), found| maps.iter().fold(found, |sum, map| weigh(sum, |key| map.read(key)));
    let maps = (0..p.threads).map(|_| CachePadded::new(parking_lot::Mutex::new(zeros()))).collect();
    team(p.threads, (Load::new(p), maps), run, view)
}

const fn at(threads: usize, case: &'static str) -> Point {
    Point::n(8_192).threads(threads).case(case)
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "contended_map",
    title: "One mutex around a shared map",
    section: "concurrency",
    habit: "guard a map that every request reads with a single sync.Mutex",
    claims: &["G1"],
    counts: "operations",
    op: "one look-up or addition",
    points: &[
        at(1, "reads=99"),
        at(2, "reads=99"),
        at(8, "reads=99").headline(),
        at(64, "reads=99"),
        at(1, "reads=90"),
        at(2, "reads=90"),
        at(8, "reads=90"),
        at(64, "reads=90"),
        at(1, "reads=99,work=500ns"),
        at(2, "reads=99,work=500ns"),
        at(8, "reads=99,work=500ns"),
        at(64, "reads=99,work=500ns"),
    ],
    variants: &[
        Variant::trap("std_mutex", |p| shared(p, Mutex::new(zeros()))),
        Variant::fix("dashmap", |p| shared(p, zeros::<DashMap<_, _, _>>())),
        Variant::fix("parking_lot_mutex", |p| shared(p, parking_lot::Mutex::new(zeros()))),
        Variant::fix("parking_lot_rwlock", |p| shared(p, RwLock::new(zeros()))),
        Variant::fix("papaya", |p| shared(p, zeros::<papaya::HashMap<_, _, _>>())),
        Variant::floor("private_maps", private),
    ],
    blind: &[
        (
            Instrument::Heap,
            "the map has a constant size and is filled outside the clock; only papaya's writes allocate",
        ),
        (Instrument::Instructions, "callgrind runs one thread at a time: there is no contention to count"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(map: &impl SharedMap) {
        let [some, other, none] = [keys()[0], keys()[1], 1];
        assert_eq!([map.add(some, 3), map.add(some, 4), map.add(none, 1)], [Some(3), Some(7), None]);
        assert_eq!([map.read(some), map.read(other), map.read(none)], [Some(7), Some(0), None]);
    }

    #[test]
    fn every_map_counts_alike() {
        counts(&Mutex::new(zeros()));
        counts(&zeros::<DashMap<_, _, _>>());
        counts(&parking_lot::Mutex::new(zeros()));
        counts(&RwLock::new(zeros()));
        counts(&zeros::<papaya::HashMap<_, _, _>>());
    }

    #[test]
    fn a_case_has_the_share_of_writes_that_it_states() {
        for (case, range) in [("reads=99", 1_000..1_700), ("reads=90", 12_000..14_200)] {
            let load = Load::new(&Point::n(POOL as u64).case(case));
            let writes = load.ops.window(0).iter().filter(|op| op.1 > 0).count();
            assert!(range.contains(&writes), "{case}: {writes} of {POOL} operations write");
        }
    }
}
