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
//! to another, here the thread itself sleeps and the kernel wakes it; and Go's mutex turns fair when a waiter starves,
//! std's never does. What Rust refuses is the map without the lock: the corruption that Go finds at run time does not
//! compile.
//!
//! ## Why it costs
//!
//! One lock makes the critical sections queue, and it makes its cache line travel to every core that asks, also when
//! nobody waits. Sharding divides both by the number of shards. A readers-writer lock does not: readers run together,
//! but each writes the lock's count of readers; it pays only where the section is long. A lock-free map lets readers
//! write nothing shared, and pays in writes: papaya allocates an entry and retires the old one. Where the keys are fixed
//! no lock is needed: the floor is a plain map of atomic counters, and only the line of a written counter travels.
//!
//! Expected: nothing to win on one thread; shards win by multiples where threads hammer the map, and come close to the
//! floor; readers-writer locks stay near the mutexes; papaya falls behind as writes grow; own work hides most of it.
//!
//! ## When the fix loses
//!
//! - On one thread: a plain lock is one compare-and-swap, and most other maps do more around the same look-up.
//! - When threads do their own work between operations, as services do: the lock is mostly free, and `work=` shows when.
//! - With more threads than cores: a holder that loses its core stops all who queue, which no average shows.
//! - When keys are skewed: the hottest key's shard is one mutex again. The keys here are uniform, which flatters shards.
//! - Shards made by hand hash every key twice, for std's map does not take a hash that is known.
//! - `DashMap` deadlocks when a guard is held over another operation on its shard.
//!
//! ## What to measure it with
//!
//! Time, over threads, the share of writes and the work between: the rate of all threads together, in windows up to the
//! number of cores and in fixed work beyond. CPU time says how much of it was spinning. The entry names what is blind.
//!
//! ## Sources
//!
//! - Herlihy and Shavit, "The Art of Multiprocessor Programming", the chapters on spin locks and on concurrent hashing
//! - Go's `sync.Map` documentation, `sync/mutex.go` on starvation mode, and orcaman's `concurrent-map`, 32 shards
//! - `DashMap`'s documentation, on locking behaviour; papaya's documentation, on consistency and guards
//! - Nikolaev and Ravindran, "Snapshot-Free, Transparent, and Robust Memory Reclamation", PLDI 2021, on papaya's scheme

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use crossbeam_utils::CachePadded;
use dashmap::DashMap;

use crate::trap::{Instrument, Point, Routine, Trap, Turn, Variant, team};
use crate::workload::{OneState, POOL, Rng, STEPS_PER_MICROSECOND, Turns, Windows, rng, shared};

/// Counters by key.
pub type Counters = HashMap<u64, u64, OneState>;

/// What is asked of a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ask {
    /// The counter of a key that is there.
    Read,
    /// One more on it.
    Add,
    /// A key that is not there, at 1.
    Insert,
    /// The last counter of a key that is there.
    Remove,
}

/// An operation on a key. It gives the counter, or nothing if the key was there and should not be, or the other way round.
pub type Op = (u64, Ask);

fn bump(count: &mut u64) -> u64 {
    *count += 1;
    *count
}

fn change(map: &mut Counters, (key, ask): Op) -> Option<u64> {
    match ask {
        Ask::Read => map.get(&key).copied(),
        Ask::Add => map.get_mut(&key).map(bump),
        Ask::Insert => map.insert(key, 1).is_none().then_some(1),
        Ask::Remove => map.remove(&key),
    }
}

/// The trap: one lock, the standard one.
pub fn std_mutex(map: &Mutex<Counters>, op: Op) -> Option<u64> {
    change(&mut map.lock().expect("no holder panics"), op)
}

/// The advice: shards, each under a lock of its own.
pub fn dashmap(map: &DashMap<u64, u64, OneState>, (key, ask): Op) -> Option<u64> {
    match ask {
        Ask::Read => map.get(&key).map(|count| *count),
        Ask::Add => map.get_mut(&key).map(|mut count| bump(&mut count)),
        Ask::Insert => map.insert(key, 1).is_none().then_some(1),
        Ask::Remove => map.remove(&key).map(|(_, count)| count),
    }
}

/// One lock of another make: smaller, and without poisoning.
pub fn parking_lot_mutex(map: &parking_lot::Mutex<Counters>, op: Op) -> Option<u64> {
    change(&mut map.lock(), op)
}

/// One lock that lets readers in together.
pub fn std_rwlock(map: &RwLock<Counters>, op: Op) -> Option<u64> {
    match op {
        (key, Ask::Read) => map.read().expect("no holder panics").get(&key).copied(),
        _ => change(&mut map.write().expect("no holder panics"), op),
    }
}

/// The same of another make.
pub fn parking_lot_rwlock(map: &parking_lot::RwLock<Counters>, op: Op) -> Option<u64> {
    match op {
        (key, Ask::Read) => map.read().get(&key).copied(),
        _ => change(&mut map.write(), op),
    }
}

/// Shards made by hand: standard mutexes on lines of their own.
pub type Shards = [CachePadded<Mutex<Counters>>; 32];

/// By five high bits of the hash, but for the seven highest: by these a shard tells its own entries apart.
pub fn sharded_mutexes(shards: &Shards, op: Op) -> Option<u64> {
    std_mutex(&shards[(OneState::default().hash_one(op.0) << 7 >> (64 - 5)) as usize], op)
}

/// No lock: each operation pins the memory that it may read, as a service would.
pub fn papaya(map: &papaya::HashMap<u64, u64, OneState>, (key, ask): Op) -> Option<u64> {
    match ask {
        Ask::Read => map.pin().get(&key).copied(),
        Ask::Add => map.pin().update(key, |count| count + 1).copied(),
        Ask::Insert => map.pin().insert(key, 1).is_none().then_some(1),
        Ask::Remove => map.pin().remove(&key).copied(),
    }
}

/// The floor: the keys are fixed, so that only the counters are shared, and nothing is locked.
pub fn atomic_counters(map: &HashMap<u64, AtomicU64, OneState>, (key, ask): Op) -> Option<u64> {
    match ask {
        Ask::Read => map.get(&key).map(|count| count.load(Ordering::Relaxed)),
        Ask::Add => map.get(&key).map(|count| count.fetch_add(1, Ordering::Relaxed) + 1),
        Ask::Insert | Ask::Remove => None,
    }
}

const KEYS: usize = 10_000;

/// The keys in the map at first.
fn keys() -> impl Iterator<Item = u64> {
    let mut rng = rng(6);
    (0..KEYS).map(move |_| rng.u64())
}

/// What a point asks: operations, keys that they let in and out again, and own work between them.
struct Load {
    guests: Vec<u64>,
    ops: Windows<Op>,
    threads: usize,
    steps: u32,
}

impl Load {
    fn new(p: &Point) -> Self {
        let (mut new, mut rng, share) = (rng(8), rng(7), p.len() / p.threads);
        assert!(POOL.is_multiple_of(share * p.threads), "{POOL} operations must be whole runs of {p}");
        let keys: Vec<u64> = keys().collect();
        let writes = [("reads=90", 10), ("inserts=1", 2)].iter().find(|(case, _)| *case == p.case).map_or(1, |w| w.1);
        let ask = |percent| if percent < writes { Ask::Add } else { Ask::Read };
        let mut ops: Vec<Op> = (0..POOL).map(|_| (keys[rng.index(KEYS)], ask(rng.below(100)))).collect();
        let mut guests = Vec::new();
        for worker in 0..p.threads * usize::from(p.case == "inserts=1") {
            let is_its = |(at, op): &(usize, &mut Op)| at / share % p.threads == worker && op.1 == Ask::Add;
            let its = ops.iter_mut().enumerate().filter(is_its).map(|(_, op)| op);
            guests.extend(come_and_go(its.collect(), &mut new));
        }
        let steps = if p.case.ends_with("work=500ns") { STEPS_PER_MICROSECOND / 2 } else { 0 };
        Self { guests, ops: Windows::new(ops, share), threads: p.threads, steps }
    }

    /// Does a worker's operations of this turn and counts the ones that found what they should: counters depend on the others.
    fn run(&self, turn: Turn, apply: impl Fn(Op) -> Option<u64>) -> u64 {
        let (mut found, work) = (0, Turns::of(self.steps));
        for op in self.ops.window(turn.run * self.threads + turn.worker) {
            found += u64::from(black_box(apply(*op)).is_some());
            work.take(op.0);
        }
        found
    }

    /// Adds Σ key × counter to `sum`, which depends on no order.
    fn weigh(&self, sum: u64, apply: impl Fn(Op) -> Option<u64>) -> u64 {
        let weight = |key: u64| key.wrapping_mul(apply((key, Ask::Read)).unwrap_or(0));
        keys().chain(self.guests.iter().copied()).map(weight).fold(sum, u64::wrapping_add)
    }
}

/// Makes one worker's additions pairs: a key of its own comes, and goes again, so that a map keeps its size. Gives these keys.
fn come_and_go(mut adds: Vec<&mut Op>, new: &mut Rng) -> Vec<u64> {
    let visit = |[comes, goes]: &mut [&mut Op; 2]| {
        let key = new.u64();
        (**comes, **goes) = ((key, Ask::Insert), (key, Ask::Remove));
        key
    };
    adds.as_chunks_mut().0.iter_mut().map(visit).collect()
}

/// An arm: a map with room for twice its keys, so that it never grows, filled outside the clock and shared by a team. It is on
/// lines of its own, so that its lock does not slow the reading of the load.
fn arm<M: Send + Sync + 'static>(
    p: &Point,
    map: fn(usize, OneState) -> M,
    apply: impl Fn(&M, Op) -> Option<u64> + Copy + Send + Sync + 'static,
) -> Box<dyn Routine> {
    let map = CachePadded::new(map(2 * KEYS, OneState::default()));
    // A map of fixed keys has them already.
    let _: Vec<_> = keys().map(|key| apply(&map, (key, Ask::Insert))).collect();
    let run = move |(load, map): &(Arc<Load>, CachePadded<M>), turn: Turn| load.run(turn, |op| apply(map, op));
    team(p.threads, (shared(p, Load::new), map), run, move |(load, map), sum| load.weigh(sum, |op| apply(map, op)))
}

fn atomics(room: usize, hasher: OneState) -> HashMap<u64, AtomicU64, OneState> {
    let mut map = HashMap::with_capacity_and_hasher(room, hasher);
    map.extend(keys().map(|key| (key, AtomicU64::new(1))));
    map
}

#[expect(clippy::needless_pass_by_value, reason = "all maps are made alike")]
fn shards(room: usize, hasher: OneState) -> Shards {
    std::array::from_fn(|_| CachePadded::new(Mutex::new(empty(room / 32, hasher.clone()))))
}

fn empty(room: usize, hasher: OneState) -> Counters {
    HashMap::with_capacity_and_hasher(room, hasher)
}

/// So few operations that a run of one worker takes some tens of µs, and a window of 2 ms holds many runs.
const fn at(n: u64, threads: usize, case: &'static str) -> Point {
    Point::n(n).threads(threads).case(case)
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "contended_map",
    title: "One mutex around a shared map",
    section: "concurrency",
    habit: "guard a map that every request reads with a single sync.Mutex",
    claims: &["G1"],
    counts: "operations",
    op: "one look-up, addition, insert or removal",
    points: &[
        at(256, 1, "reads=99"),
        at(256, 2, "reads=99").headline(),
        at(256, 8, "reads=99").headline(),
        at(256, 1, "reads=90"),
        at(256, 2, "reads=90"),
        at(256, 1, "inserts=1"),
        at(256, 2, "inserts=1"),
        at(64, 1, "reads=99,work=500ns"),
        at(64, 2, "reads=99,work=500ns"),
        at(64, 8, "reads=99,work=500ns"),
    ],
    cases: &[
        ("reads", "percent of operations that look a key up; the others add to a counter"),
        ("inserts", "percent of operations that insert a key; as many remove one, the others look one up"),
        ("work", "own work after each operation"),
    ],
    variants: &[
        Variant::trap("std_mutex", |p| arm(p, |n, h| Mutex::new(empty(n, h)), std_mutex)),
        Variant::fix("dashmap", |p| arm(p, DashMap::with_capacity_and_hasher, dashmap)),
        Variant::fix("parking_lot_mutex", |p| arm(p, |n, h| parking_lot::Mutex::new(empty(n, h)), parking_lot_mutex)),
        Variant::fix("std_rwlock", |p| arm(p, |n, h| RwLock::new(empty(n, h)), std_rwlock)),
        Variant::fix("parking_lot_rwlock", |p| {
            arm(p, |n, h| parking_lot::RwLock::new(empty(n, h)), parking_lot_rwlock)
        }),
        Variant::fix("sharded_mutexes", |p| arm(p, shards, sharded_mutexes)),
        Variant::fix("papaya", |p| arm(p, papaya::HashMap::with_capacity_and_hasher, papaya)),
        Variant::floor("atomic_counters", |p| arm(p, atomics, atomic_counters))
            .not_in("inserts=1", "without a lock only because its keys are fixed"),
    ],
    blind: &[
        (Instrument::Heap, "the map keeps its size and is filled outside the clock; only papaya's writes allocate"),
        (Instrument::Instructions, "callgrind runs one thread at a time: there is no contention to count"),
        (Instrument::Latency, "an operation has no tail that two cores can show"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_arms_agree_where_keys_come_and_go() {
        let p = at(256, 2, "inserts=1");
        let answer = |v: &Variant| (v.batch)(&p).digest();
        let expected = answer(TRAP.baseline());
        assert!(TRAP.variants_at(&p).all(|v| answer(v) == expected));
        let floor = TRAP.variant("atomic_counters").expect("it is stated");
        assert!(floor.left_out(&p).is_some() && answer(floor) != expected, "fixed keys would be noticed");
    }

    #[test]
    fn a_case_has_the_share_of_writes_and_inserts_that_it_states() {
        for (case, adds, inserts) in [("reads=99", 1., 0.), ("reads=90", 10., 0.), ("inserts=1", 0., 1.)] {
            let load = Load::new(&at(256, 2, case));
            let ops = || (0..POOL / 128).flat_map(|window| load.ops.window(window));
            let percent = |ask| 100.0 * ops().filter(|op| op.1 == ask).count() as f64 / POOL as f64;
            for (ask, stated) in [(Ask::Add, adds), (Ask::Insert, inserts), (Ask::Remove, inserts)] {
                assert!((percent(ask) - stated).abs() < 0.2, "{case}: {} % {ask:?}", percent(ask));
            }
        }
    }

    #[test]
    fn keys_come_and_go_and_the_map_keeps_its_size() {
        let load = Load::new(&at(256, 2, "inserts=1"));
        let map = Mutex::new(empty(2 * KEYS, OneState::default()));
        keys().for_each(|key| assert_eq!(std_mutex(&map, (key, Ask::Insert)), Some(1)));
        let room = map.lock().expect("nobody panics").capacity();
        // Several times round its operations, one worker far ahead of the other.
        for (worker, runs) in [(0, 5 * 512), (1, 700)] {
            let found: u64 = (0..runs).map(|run| load.run(Turn { worker, run }, |op| std_mutex(&map, op))).sum();
            assert_eq!(found, 128 * runs as u64, "each key is where it should be for worker {worker}");
        }
        let map = map.lock().expect("nobody panics");
        assert!(map.len() <= KEYS + 2 && map.capacity() <= room, "{} keys", map.len());
    }
}
