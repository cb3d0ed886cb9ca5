//! # Two counters on one line
//!
//! Each worker counts on a counter of its own, and the counters lie side by side, in one cache line.
//!
//! ## In Go
//!
//! ```go
//! var hits [8]atomic.Uint64 // one for each worker, eight to a line
//!
//! func worker(id int, sizes []uint64) {
//!     for _, size := range sizes {
//!         hits[id].Add(size)
//!     }
//! }
//! ```
//!
//! ## In Rust
//!
//! `[AtomicU64; 8]`, against the same of `CachePadded<AtomicU64>`. It is the same hardware, and it costs alike. Rust may
//! reorder the *fields* of a struct, which Go never does, but elements of an array lie side by side in both. What Rust
//! refuses is Go's racy `hits[id]++` on plain integers: it does not compile. A load and a store of an atomic, by its only
//! writer, are its nearest relative, and are what the case `store` does.
//!
//! ## Why it costs
//!
//! A core writes to a line only while no other core has it. Two cores that write to one line take it from each other, for
//! each write or for a few of them, although no byte of it is shared. An atomic addition waits for the line. A plain
//! store does not: it goes into the store buffer, and the core runs on until the buffer is full. So the store case hides
//! the transfer, and the more so the more work of another kind lies between, which overlaps with it.
//!
//! Counters 128 bytes apart never meet, also where the prefetcher fetches lines in pairs; counters 64 bytes apart show
//! whether that matters. The floor counts in a local and adds it up once a run. What it wins over the padded counters is
//! the price of atomic access and not that of sharing.
//!
//! Expected: 4 to 8 times for hammered atomic additions, little at 200 ns of work between them; for stores little when
//! hammered, and a few tens of per cent with 50 ns of work; a tie on one thread.
//!
//! ## When the fix loses
//!
//! - When one thread writes: padding buys nothing.
//! - When counters are many and mostly cold: 16 times the memory, and a sum over them walks as many lines.
//! - When writes are rare: at some hundred ns between them the transfer disappears in the work.
//! - When the workers share a core: the line never moves. A row with few `cpus` says nothing of this trap.
//!
//! ## What to measure it with
//!
//! Time, on two real cores: look at `cpus` and at the core probe's bounce of a line first. Heap counts are blind: nothing
//! is allocated. Instructions are blind: both arms execute the same ones. So are latency and
//! usage: an increment has no caller that waits, and a stalled core is a busy core.
//!
//! ## Sources
//!
//! - Intel, "64 and IA-32 Architectures Optimization Reference Manual", on sharing of modified data and on the adjacent
//!   cache line prefetcher
//! - Bolosky and Scott, "False Sharing and its Effect on Shared Memory Performance", SEDMS 1993
//! - crossbeam-utils, `src/cache_padded.rs`, on why it is 128 bytes on x86-64
//! - Go runtime, `internal/cpu.CacheLinePad`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::trap::{Instrument, Point, Routine, Trap, Turn, Variant, team};
use crate::workload::{STEPS_PER_MICROSECOND, Shifted, Turns, Windows, rng, shared};

/// As many as the counters of one line.
pub const WORKERS: usize = 8;

// Code of packed.
/// The trap: counters side by side. The alignment is what an array gets by chance, forced, so that no heap places two
/// workers' counters on two lines.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct Packed([AtomicU64; WORKERS]);

impl Packed {
    /// The counter of one worker.
    #[must_use]
    pub fn counter(&self, worker: usize) -> &AtomicU64 {
        &self.0[worker]
    }
}

// Code of padded_128.
/// The advice: counters two lines apart (on x86-64), out of reach of a prefetcher that fetches lines in pairs.
#[derive(Debug, Default)]
pub struct Padded128([CachePadded<AtomicU64>; WORKERS]);

impl Padded128 {
    /// The counter of one worker.
    #[must_use]
    pub fn counter(&self, worker: usize) -> &AtomicU64 {
        &self.0[worker]
    }
}

/// Counters a line apart.
#[derive(Debug, Default)]
pub struct Padded64([Line; WORKERS]);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line(AtomicU64);

impl Padded64 {
    /// The counter of one worker.
    #[must_use]
    pub fn counter(&self, worker: usize) -> &AtomicU64 {
        &self.0[worker].0
    }
}

// Code of packed and padded_128.
/// The case `rmw`: one instruction reads, adds and writes, and no other core has the line meanwhile.
pub fn add_at_once(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

// Code of packed and padded_128.
/// The case `store`: enough for the only writer. With `SeqCst` the store would be an exchange, which waits like `rmw`.
pub fn add_as_only_writer(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
}

/// What the workers add, and the work between two additions. On lines of its own, apart from what others write.
#[repr(align(128))]
struct Load {
    amounts: Windows<u64>,
    threads: usize,
    steps: u32,
}

/// No branch depends on an amount, so that there need be no more of them than stay in a core's own cache.
const AMOUNTS: usize = 1 << 14;

impl Load {
    fn new(p: &Point) -> Self {
        let (mut rng, share) = (rng(28), p.len() / p.threads);
        let amounts = Shifted::new((0..AMOUNTS).map(|_| rng.u64()).collect());
        let ns = p.case.split_once("work=").and_then(|(_, ns)| ns.trim_end_matches("ns").parse().ok()).unwrap_or(0);
        Self { amounts: Windows::of(amounts, share), threads: p.threads, steps: ns * STEPS_PER_MICROSECOND / 1_000 }
    }

    /// Adds a worker's amounts of this turn. They are data: of a constant the compiler would make one multiplication. Today
    /// it merges no atomic accesses, relaxed ones neither; if it did, `padded_128` would tie with the floor.
    ///
    /// The work does not depend on the counter, so that a core overlaps it with a store that waits for its line. That is
    /// what the store case is about.
    fn run(&self, turn: Turn, mut add: impl FnMut(u64)) {
        let amounts = self.amounts.window(turn.run * self.threads + turn.worker);
        if self.steps == 0 {
            return amounts.iter().for_each(|&amount| add(amount));
        }
        let work = Turns::of(self.steps);
        for &amount in amounts {
            add(amount);
            work.take(amount);
        }
    }
}

/// Where an arm keeps the counter of a worker.
type Place<C> = fn(&C, usize) -> &AtomicU64;

/// What a team shares: counters on lines of their own, which begin at one however the heap places them.
type Shared<C> = (Arc<Load>, CachePadded<C>);

/// An arm: `run` is one worker's, the answer the sum of all counters.
fn arm<C: Default + Send + Sync + 'static>(
    p: &Point,
    place: Place<C>,
    run: impl Fn(&Load, Turn, &AtomicU64) + Send + Sync + 'static,
) -> Box<dyn Routine> {
    let state: Shared<C> = (shared(p, Load::new), CachePadded::default());
    let run = move |(load, counters): &Shared<C>, turn: Turn| {
        run(load, turn, place(counters, turn.worker));
        0
    };
    let value = move |counters: &C, worker| place(counters, worker).load(Ordering::Relaxed);
    team(p.threads, state, run, move |(_, counters), _| {
        (0..WORKERS).map(|worker| value(counters, worker)).fold(0, u64::wrapping_add)
    })
}

/// An arm whose counter is written for each amount.
fn each<C: Default + Send + Sync + 'static>(p: &Point, place: Place<C>) -> Box<dyn Routine> {
    // Two closures and no pointer to a function: the addition has to be inlined into the loop.
    if p.case.starts_with("store") {
        return arm(p, place, |load, turn, counter| load.run(turn, |amount| add_as_only_writer(counter, amount)));
    }
    arm(p, place, |load, turn, counter| load.run(turn, |amount| add_at_once(counter, amount)))
}

/// The floor: a local, added to the worker's padded counter once a run.
fn own_local(p: &Point) -> Box<dyn Routine> {
    arm(p, Padded128::counter, |load, turn, counter| {
        let mut local = 0_u64;
        load.run(turn, |amount| local = local.wrapping_add(amount));
        add_at_once(counter, local);
    })
}

/// So few increments that a run of one worker takes some tens of µs: one that goes on after a window's end meets nobody.
const fn at(n: u64, threads: usize, case: &'static str) -> Point {
    Point::n(n).threads(threads).case(case)
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "false_sharing",
    title: "Two counters on one line",
    section: "concurrency",
    habit: "give each worker a counter of its own, all of them in one array",
    claims: &["F5"],
    counts: "increments",
    op: "one amount added to a worker's own counter",
    points: &[
        at(2_048, 1, "rmw"),
        at(2_048, 2, "rmw").headline(),
        at(2_048, 8, "rmw"),
        at(512, 2, "rmw,work=50ns"),
        at(512, 2, "rmw,work=200ns"),
        at(2_048, 1, "store"),
        at(2_048, 2, "store"),
        at(512, 2, "store,work=50ns").headline(),
        at(512, 2, "store,work=200ns"),
    ],
    cases: &[
        ("rmw", "a write is one atomic addition"),
        ("store", "a write is a relaxed load and a relaxed store"),
        ("work", "own work after each write"),
    ],
    variants: &[
        Variant::trap("packed", |p| each(p, Packed::counter)),
        Variant::fix("padded_128", |p| each(p, Padded128::counter)),
        Variant::fix("padded_64", |p| each(p, Padded64::counter)),
        Variant::floor("own_local", own_local),
    ],
    blind: &[
        (Instrument::Heap, "nothing is allocated"),
        (Instrument::Instructions, "the same instructions: it is the line that moves"),
        (Instrument::Latency, "an increment has no caller who waits"),
        (Instrument::Usage, "a stalled core is a busy core: CPU time equals wall time"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::{Shape, Work};

    fn addresses<C: Default>(place: Place<C>) -> Vec<usize> {
        let counters = Box::new(CachePadded::<C>::default());
        (0..WORKERS).map(|worker| std::ptr::from_ref(place(&counters, worker)).addr()).collect()
    }

    fn apart(addresses: &[usize]) -> Vec<usize> {
        addresses.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn the_counters_of_the_trap_share_a_line_and_those_of_the_fixes_share_none() {
        let packed = addresses(Packed::counter);
        assert_eq!(apart(&packed), [8; WORKERS - 1]);
        assert!(packed.iter().all(|at| at / 64 == packed[0] / 64 && at / 128 == packed[0] / 128), "{packed:?}");
        assert!(apart(&addresses(Padded128::counter)).iter().all(|&bytes| bytes >= 128));
        let padded = addresses(Padded64::counter);
        assert_eq!(apart(&padded), [64; WORKERS - 1]);
        assert_eq!(padded[0] / 128, padded[1] / 128, "two workers have one pair of lines: the question is about pairs");
    }

    #[test]
    fn every_arm_adds_every_amount_once_also_where_each_worker_has_one() {
        for case in ["rmw", "store", "rmw,work=50ns", "store,work=200ns"] {
            for (n, threads) in [(1, 1), (8, 8), (2, 2), (1_024, 2), (256, 8)] {
                let p = at(n, threads, case);
                let load = Load::new(&p);
                let amounts = (0..threads).flat_map(|worker| load.amounts.window(worker)).copied();
                let expected = amounts.fold(0, u64::wrapping_add);
                for variant in TRAP.variants {
                    assert_eq!((variant.batch)(&p).digest(), expected, "{} at {p}", variant.name);
                }
            }
        }
    }

    #[test]
    fn the_case_states_the_work_between() {
        let steps = |case| Load::new(&at(512, 2, case)).steps;
        assert_eq!(["rmw", "store", "rmw,work=50ns", "store,work=200ns"].map(steps), [0, 0, 30, 120]);
    }

    #[test]
    fn every_point_has_whole_runs_and_is_timed_as_a_team() {
        for p in TRAP.points {
            assert!(AMOUNTS.is_multiple_of(p.len()) && p.len().is_multiple_of(p.threads), "{p}");
        }
        let mut routine = (TRAP.baseline().batch)(&at(512, 2, "store"));
        assert_eq!((routine.shape(), routine.block(Work::Runs(3)).runs), (Shape::Team, 3));
    }
}
