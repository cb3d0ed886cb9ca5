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
//! retires the old one. Where the set of keys is fixed no lock is needed at all: the floor is a plain map of atomic
//! counters, and only the line of a counter that is written travels.
//!
//! Expected: nothing to win on one thread; the shards win by multiples where two or more threads hammer the map, and come
//! close to the floor; the readers-writer locks stay near the mutexes; papaya falls behind as writes grow; with own work
//! between operations most of it is gone. Inserts lengthen the sections a little, and change no order but papaya's.
//!
//! ## When the fix loses
//!
//! - On one thread: a plain lock is one compare-and-swap, and most other maps do more around the same look-up.
//! - When threads do their own work between operations, as services do. The lock is then mostly free, and the choice of
//!   map does not show. The case with `work=` is there to find where that begins.
//! - With more threads than cores: a holder that loses its core stops all who queue, which no average shows.
//! - When keys are skewed: the hottest key's shard is one mutex again. The keys here are uniform, which flatters shards.
//! - Shards made by hand over std's map hash every key twice, for std does not take a hash that is known.
//! - `DashMap` takes its number of shards from the machine, and deadlocks when a guard is held over another operation
//!   on its shard.
//! - Atomic counters are for a set of keys that never changes: there is no floor where keys come and go.
//!
//! ## What to measure it with
//!
//! Time, over threads, the share of writes and the work between: rates of all threads together, since a queue shows in the
//! sum. Up to the number of cores in windows of time, without a lonely end; beyond it in fixed work of many time slices.
//! CPU time and context switches say how many slept. Instructions are blind: callgrind runs one thread at a time. Heap
//! counts are blind: the map is filled before the clock, with room for twice its keys, and keeps its size.
//!
//! ## Sources
//!
//! - Herlihy and Shavit, "The Art of Multiprocessor Programming", the chapters on spin locks and on concurrent hashing
//! - Go's `sync.Map` documentation, `sync/mutex.go` on starvation mode, and orcaman's `concurrent-map`, 32 shards
//! - `DashMap`'s documentation, on locking behaviour; papaya's documentation, on consistency and guards
//! - Nikolaev and Ravindran, "Snapshot-Free, Transparent, and Robust Memory Reclamation for Lock-Free Data
//!   Structures", PLDI 2021: the scheme that papaya builds on

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use crossbeam_utils::CachePadded;
use dashmap::DashMap;

use crate::trap::{Instrument, Point, Routine, Trap, Turn, Variant, team};
use crate::workload::{OneState, POOL, STEPS_PER_MICROSECOND, Windows, own_work, rng, shared};

/// Counters by key.
pub type Counters = HashMap<u64, u64, OneState>;

/// A map of counters that threads share.
pub trait SharedMap: Send + Sync + 'static {
    /// The counter of a key.
    fn read(&self, key: u64) -> Option<u64>;
    /// Adds to the counter of a key, if the key is there, and returns it.
    fn add(&self, key: u64, delta: u64) -> Option<u64>;
    /// Lets a new key in, with a counter of 1, and then an old one out; says whether the one was new and the other there.
    /// A map of fixed keys does neither.
    fn replace(&self, _new: u64, _old: u64) -> bool {
        false
    }
}

/// A map behind a lock: the one lock, or the one of this key.
pub trait Locked: Send + Sync + 'static {
    /// Writes under the lock.
    fn change<R>(&self, key: u64, write: impl FnOnce(&mut Counters) -> R) -> R;
    /// Reads under the lock, beside other readers if it lets them in.
    fn look<R>(&self, key: u64, read: impl FnOnce(&Counters) -> R) -> R {
        self.change(key, |map| read(map))
    }
}

impl<L: Locked> SharedMap for L {
    fn read(&self, key: u64) -> Option<u64> {
        self.look(key, |map| map.get(&key).copied())
    }

    fn add(&self, key: u64, delta: u64) -> Option<u64> {
        self.change(key, |map| map.get_mut(&key).map(|count| bump(count, delta)))
    }

    fn replace(&self, new: u64, old: u64) -> bool {
        self.change(new, |map| map.insert(new, 1).is_none()) & self.change(old, |map| map.remove(&old).is_some())
    }
}

fn bump(count: &mut u64, delta: u64) -> u64 {
    *count += delta;
    *count
}

/// The trap: one lock, the standard one.
impl Locked for Mutex<Counters> {
    fn change<R>(&self, _key: u64, write: impl FnOnce(&mut Counters) -> R) -> R {
        write(&mut self.lock().expect("no holder panics"))
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

    fn replace(&self, new: u64, old: u64) -> bool {
        self.insert(new, 1).is_none() & self.remove(&old).is_some()
    }
}

/// One lock of another make: smaller, and without poisoning.
impl Locked for parking_lot::Mutex<Counters> {
    fn change<R>(&self, _key: u64, write: impl FnOnce(&mut Counters) -> R) -> R {
        write(&mut self.lock())
    }
}

/// One lock that lets readers in together.
impl Locked for RwLock<Counters> {
    fn look<R>(&self, _key: u64, read: impl FnOnce(&Counters) -> R) -> R {
        read(&self.read().expect("no holder panics"))
    }

    fn change<R>(&self, _key: u64, write: impl FnOnce(&mut Counters) -> R) -> R {
        write(&mut self.write().expect("no holder panics"))
    }
}

/// The same of another make.
impl Locked for parking_lot::RwLock<Counters> {
    fn look<R>(&self, _key: u64, read: impl FnOnce(&Counters) -> R) -> R {
        read(&self.read())
    }

    fn change<R>(&self, _key: u64, write: impl FnOnce(&mut Counters) -> R) -> R {
        write(&mut self.write())
    }
}

/// Shards made by hand: standard mutexes on lines of their own.
pub struct Sharded([CachePadded<Mutex<Counters>>; 32]);

impl Sharded {
    /// By five high bits of the hash, but for the seven highest: by these a shard tells its own entries apart.
    fn shard(&self, key: u64) -> &Mutex<Counters> {
        &self.0[(OneState::default().hash_one(key) << 7 >> (64 - 5)) as usize]
    }
}

impl Locked for Sharded {
    fn change<R>(&self, key: u64, write: impl FnOnce(&mut Counters) -> R) -> R {
        self.shard(key).change(key, write)
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

    fn replace(&self, new: u64, old: u64) -> bool {
        self.pin().insert(new, 1).is_none() & self.pin().remove(&old).is_some()
    }
}

/// The floor: the keys are fixed, so that only the counters are shared, and nothing is locked.
impl SharedMap for HashMap<u64, AtomicU64, OneState> {
    fn read(&self, key: u64) -> Option<u64> {
        self.get(&key).map(|count| count.load(Ordering::Relaxed))
    }

    fn add(&self, key: u64, delta: u64) -> Option<u64> {
        self.get(&key).map(|count| count.fetch_add(delta, Ordering::Relaxed) + delta)
    }
}

/// What a worker asks of the map.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Read(u64),
    Add(u64, u64),
    /// As in a cache whose entries expire.
    Replace {
        new: u64,
        old: u64,
    },
}

impl Op {
    /// Does it, and says whether the map held what it should. What it returns depends on the other threads, so it is looked at
    /// and not added up.
    fn apply(self, map: &impl SharedMap) -> bool {
        match self {
            Self::Read(key) => black_box(map.read(key)).is_some(),
            Self::Add(key, delta) => black_box(map.add(key, delta)).is_some(),
            Self::Replace { new, old } => map.replace(new, old),
        }
    }
}

const KEYS: usize = 10_000;

/// What a point asks: the keys in the map at first and those that come later, the operations, and own work between them.
struct Load {
    present: Vec<u64>,
    absent: Vec<u64>,
    ops: Windows<Op>,
    threads: usize,
    steps: u32,
}

impl Load {
    fn new(p: &Point) -> Self {
        assert!(POOL.is_multiple_of(p.len()), "a pool of {POOL} operations must be whole runs of {p}");
        let (mut keys, mut rng) = (rng(6), rng(7));
        let mut present: Vec<u64> = (0..KEYS).map(|_| keys.u64(..)).collect();
        let writes = if p.case.starts_with("reads=90") { 10 } else { 1 };
        let mut op = |_| {
            let (key, delta) = (present[rng.usize(..KEYS)], rng.u64(1..10));
            if rng.u64(..100) < writes { Op::Add(key, delta) } else { Op::Read(key) }
        };
        let mut ops: Vec<Op> = (0..POOL).map(&mut op).collect();
        let mut absent = Vec::new();
        for worker in 0..p.threads * usize::from(p.case == "inserts=1") {
            let own = |at: usize| at / (p.len() / p.threads) % p.threads == worker;
            let (first, then) = replace_adds(&mut ops, own, &mut keys);
            present.extend(first);
            absent.extend(then);
        }
        let steps = if p.case.ends_with("work=500ns") { STEPS_PER_MICROSECOND / 2 } else { 0 };
        Self { present, absent, ops: Windows::new(ops, p.len() / p.threads), threads: p.threads, steps }
    }

    /// Does this turn's operations, each worker those of a window of its own, and counts the ones that found what they should.
    fn run(&self, turn: Turn, map: &impl SharedMap) -> u64 {
        let mut found = 0;
        for op in self.ops.window(turn.run * self.threads + turn.worker) {
            found += u64::from(op.apply(map));
            if self.steps > 0 {
                let _ = own_work(self.steps, turn.run as u64);
            }
        }
        found
    }

    /// Adds Σ key × counter to `sum`, which depends on no order.
    fn weigh(&self, sum: u64, map: &impl SharedMap) -> u64 {
        let keys = self.present.iter().chain(&self.absent);
        keys.fold(sum, |sum, key| sum.wrapping_add(key.wrapping_mul(map.read(*key).unwrap_or(0))))
    }

    /// Room for twice the keys: a map that loses and gains keys then never grows, however many runs there are.
    fn room(&self) -> usize {
        2 * self.present.len()
    }

    /// The keys that are there at first, each counted once.
    fn fill<V>(&self, count: fn(u64) -> V) -> impl Iterator<Item = (u64, V)> {
        self.present.iter().map(move |key| (*key, count(1)))
    }

    fn counters<V>(&self, count: fn(u64) -> V) -> HashMap<u64, V, OneState> {
        let mut map = HashMap::with_capacity_and_hasher(self.room(), OneState::default());
        map.extend(self.fill(count));
        map
    }

    fn dashmap(&self) -> DashMap<u64, u64, OneState> {
        let mut map = DashMap::with_capacity_and_hasher(self.room(), OneState::default());
        map.extend(self.fill(u64::from));
        map
    }

    fn papaya(&self) -> papaya::HashMap<u64, u64, OneState> {
        let map = papaya::HashMap::with_capacity_and_hasher(self.room(), OneState::default());
        (&map).extend(self.fill(u64::from));
        map
    }

    fn sharded(&self) -> Sharded {
        let empty = || Counters::with_capacity_and_hasher(self.room() / 32, OneState::default());
        let shards = Sharded(std::array::from_fn(|_| CachePadded::new(Mutex::new(empty()))));
        for (key, count) in self.fill(u64::from) {
            shards.change(key, |shard| shard.insert(key, count));
        }
        shards
    }
}

/// Makes one worker's additions replace keys of its own, round and round: each brings the key that has been away for longest
/// and takes the one that was there for longest, so that the map keeps its size. Gives the keys that are there at first, and the others.
/// An addition that is left over stays one.
fn replace_adds(ops: &mut [Op], own: impl Fn(usize) -> bool, keys: &mut fastrand::Rng) -> (Vec<u64>, Vec<u64>) {
    let adds = ops.iter_mut().enumerate().filter(|(at, op)| own(*at) && matches!(op, Op::Add(..)));
    let adds: Vec<&mut Op> = adds.map(|(_, op)| op).collect();
    let half = adds.len() / 2;
    let mut absent: Vec<u64> = (0..2 * half).map(|_| keys.u64(..)).collect();
    for (at, op) in adds.into_iter().take(2 * half).enumerate() {
        *op = Op::Replace { new: absent[at], old: absent[(at + half) % (2 * half)] };
    }
    (absent.split_off(half), absent)
}

/// An arm of the team. The map is on lines of its own, so that its lock does not slow the reading of the load.
fn arm<M: SharedMap>(p: &Point, map: fn(&Load) -> M) -> Box<dyn Routine> {
    type State<M> = (Arc<Load>, CachePadded<M>);
    let load = shared(p, Load::new);
    let map = CachePadded::new(map(&load));
    let run = |(load, map): &State<M>, turn: Turn| load.run(turn, &**map);
    team(p.threads, (load, map), run, |(load, map), found| load.weigh(found, &**map))
}

/// A run of one worker takes some tens of µs, so that a window of 2 ms holds many.
const fn at(threads: usize, case: &'static str) -> Point {
    Point::n(256).threads(threads).case(case)
}

/// Fewer operations, for each takes as long as ten.
const fn with_work(threads: usize) -> Point {
    Point::n(64).threads(threads).case("reads=99,work=500ns")
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "contended_map",
    title: "One mutex around a shared map",
    section: "concurrency",
    habit: "guard a map that every request reads with a single sync.Mutex",
    claims: &["G1"],
    counts: "operations",
    op: "one look-up or addition, or one key replaced by another",
    points: &[
        at(1, "reads=99"),
        at(2, "reads=99").headline(),
        at(8, "reads=99").headline(),
        at(1, "reads=90"),
        at(2, "reads=90"),
        at(1, "inserts=1"),
        at(2, "inserts=1"),
        with_work(1),
        with_work(2),
        with_work(8),
    ],
    variants: &[
        Variant::trap("std_mutex", |p| arm(p, |load| Mutex::new(load.counters(u64::from)))),
        Variant::fix("dashmap", |p| arm(p, Load::dashmap)),
        Variant::fix("parking_lot_mutex", |p| arm(p, |load| parking_lot::Mutex::new(load.counters(u64::from)))),
        Variant::fix("std_rwlock", |p| arm(p, |load| RwLock::new(load.counters(u64::from)))),
        Variant::fix("parking_lot_rwlock", |p| arm(p, |load| parking_lot::RwLock::new(load.counters(u64::from)))),
        Variant::fix("sharded_mutexes", |p| arm(p, Load::sharded)),
        Variant::fix("papaya", |p| arm(p, Load::papaya)),
        Variant::floor("atomic_counters", |p| arm(p, |load| load.counters(AtomicU64::new)))
            .not_in("inserts=1", "no lock only because its keys are fixed"),
    ],
    blind: &[
        (Instrument::Heap, "the map keeps its size and is filled outside the clock; only papaya's writes allocate"),
        (Instrument::Instructions, "callgrind runs one thread at a time: there is no contention to count"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(load: &Load, map: &impl SharedMap, fixed: bool) {
        let [some, other, none] = [load.present[0], load.present[1], 1];
        assert_eq!([map.add(some, 3), map.add(some, 4), map.add(none, 1)], [Some(4), Some(8), None]);
        assert_eq!([map.read(some), map.read(other), map.read(none)], [Some(8), Some(1), None]);
        assert_eq!(map.replace(none, other), !fixed);
        let now = if fixed { [Some(1), None] } else { [None, Some(1)] };
        assert_eq!([map.read(other), map.read(none)], now);
        assert!(!map.replace(some, 2), "the one is no new key, the other is not there");
    }

    #[test]
    fn every_map_counts_alike_and_the_floor_has_fixed_keys() {
        let load = Load::new(&at(1, "reads=99"));
        let counters = || load.counters(u64::from);
        counts(&load, &Mutex::new(counters()), false);
        counts(&load, &load.dashmap(), false);
        counts(&load, &parking_lot::Mutex::new(counters()), false);
        counts(&load, &RwLock::new(counters()), false);
        counts(&load, &parking_lot::RwLock::new(counters()), false);
        counts(&load, &load.sharded(), false);
        counts(&load, &load.papaya(), false);
        counts(&load, &load.counters(AtomicU64::new), true);
    }

    #[test]
    fn a_case_has_the_share_of_writes_that_it_states() {
        for (case, range) in [("reads=99", 1_000..1_700), ("reads=90", 12_000..14_200), ("inserts=1", 1_000..1_700)] {
            let load = Load::new(&at(2, case));
            let ops = || (0..POOL / 128).flat_map(|window| load.ops.window(window));
            let (inserts, adds) = ops().fold((0, 0), |(inserts, adds), op| match op {
                Op::Read(_) => (inserts, adds),
                Op::Add(..) => (inserts, adds + 1),
                Op::Replace { .. } => (inserts + 1, adds),
            });
            assert!(range.contains(&(inserts + adds)), "{case}: {inserts} + {adds} of {POOL} operations write");
            assert!(
                if case == "inserts=1" { adds <= 2 } else { inserts == 0 },
                "{case}: {inserts} inserts, {adds} adds"
            );
        }
    }

    #[test]
    fn all_arms_agree_where_keys_come_and_go() {
        let p = at(2, "inserts=1");
        let answer = |v: &Variant| (v.batch)(&p).digest();
        assert!(TRAP.variants_at(&p).all(|v| answer(v) == answer(TRAP.baseline())));
        assert_eq!(TRAP.variants_at(&p).count(), TRAP.variants.len() - 1);
        assert_ne!((TRAP.variants[7].batch)(&p).digest(), answer(TRAP.baseline()), "fixed keys would be noticed");
    }

    #[test]
    fn keys_come_and_go_and_the_map_keeps_its_size() {
        let load = Load::new(&at(2, "inserts=1"));
        let map = Mutex::new(load.counters(u64::from));
        let room = map.lock().expect("nobody panics").capacity();
        // Round and round its operations: one worker far ahead of the other.
        for (worker, runs) in [(0, 1_500), (1, 700)] {
            let found: u64 = (0..runs).map(|run| load.run(Turn { worker, run }, &map)).sum();
            assert_eq!(found, 128 * runs as u64, "worker {worker}");
        }
        let map = map.lock().expect("nobody panics");
        assert_eq!(map.len(), load.present.len());
        assert!(map.capacity() <= room, "it grew: {} > {room}", map.capacity());
    }
}
