//! # A results channel for tiny units
//!
//! Work is fanned out over a few workers, and every result, however small, comes back through one channel.
//!
//! ## In Go
//!
//! ```go
//! results := make(chan result, len(units))
//! for w := 0; w < workers; w++ {
//!     go func() {
//!         for i := next.Add(1) - 1; i < n; i = next.Add(1) - 1 {
//!             results <- result{i, work(units[i])} // one lock and one copy a unit
//!         }
//!     }()
//! }
//! ```
//!
//! ## In Rust
//!
//! A bounded `crossbeam_channel` of the same capacity, and a receiver that puts each value in its place. Alike: a send is a
//! synchronised hand-over, and a receiver that sleeps is woken by it. Only similar: Go's channel takes a lock for each
//! operation and parks goroutines, and threads where nothing else is to run; crossbeam's takes one compare-and-swap in an array
//! of slots, and its receiver spins (127 pauses, then four yields) before it parks a thread in the kernel.
//!
//! A run starts with all workers awake and ends when the caller has every result in its place. The workers are one pinned
//! crew for all arms; the caller is a thread of its own, pinned as the next worker: beside one worker it has a core to
//! itself, beside two on two cores it shares the first's. `rayon_collect`, `task_a_unit` and the floor have a pinned pool of
//! rayon's each, mustered before the clock so that it is awake as well, and asleep while others run.
//!
//! The slots of the results (atomic in all arms) and the channel's buffer are made before the clock and dropped after it.
//! Inside it only these allocate: rayon its jobs and the `Vec` that it collects into, a task a unit each task, and a channel
//! its list of sleepers when its receiver first parks.
//!
//! ## Why it costs
//!
//! Each result pays for a slot in the channel, whose lines travel from the worker's cache to the receiver's, and for the
//! tail that all workers write. `channel_drained` pays that and no more. A receiver that takes each result as it comes
//! adds its reading of what the senders write, the core that it spins on, and, once results come further apart than it
//! spins, a wake-up a result, which the *sender* pays. All of it is a fixed price a result: a visible share of a
//! microsecond, and nothing beside a millisecond. A slot of one's own needs no hand-over but the wait at the end.
//!
//! Expected: with one worker the receiver has a core, and what remains is the price of the channel; with two on two cores
//! it takes a worker's time, and slots win by most. At 10 µs both shrink to a few parts in a hundred, unless the receiver
//! sleeps between results. If `channel_drained`, where nobody sleeps so, shrinks alike, and one worker (a result each 10 µs)
//! as two do (each 5 µs), then what ends there is the channel's price and not the length of a back-off.
//!
//! ## When the fix loses
//!
//! - When results must be handled as they come, to start the next stage early or to bound memory: slots give all or
//!   nothing.
//! - When units fail or are cancelled midway: a channel says so as it happens.
//! - When the number of results is not known before.
//! - When a run is so short that it matters to be woken at its end: a receiver that spins is there already.
//! - Claims of 16 units, as in the floor, leave a worker idle at the end when units are few or unequal.
//!
//! ## What to measure it with
//!
//! Time, over the size of the unit and the number of workers: the regime is the finding. CPU time beside it: a receiver
//! with a core of its own costs the run little and the machine a core. Of rayon's arms no CPU time is told.
//! Heap counts see buffers and tasks. Instructions are blind: callgrind runs one thread at a time and sees no waiting.
//!
//! ## Sources
//!
//! - The Go Blog, "Go Concurrency Patterns: Pipelines and cancellation"
//! - Go runtime, `chansend` and `chanrecv` in `runtime/chan.go`
//! - crossbeam-channel, `src/flavors/array.rs`, after Dmitry Vyukov's bounded MPMC queue; crossbeam-utils, `src/backoff.rs`
//! - Blumofe and Leiserson, "Scheduling Multithreaded Computations by Work Stealing", JACM 46(5), 1999, for rayon's
//!   scheduler

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use crossbeam_utils::CachePadded;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::routine::place;
use crate::routine::pool::{Muster, muster, pool};
use crate::trap::{Finish, Instrument, Point, Routine, Trap, Variant, gather};
use crate::workload::{STEPS_PER_MICROSECOND, Shifted, own_work, rng, shared};

/// Units of work of one fixed length.
pub struct Units {
    seeds: Shifted<u64>,
    steps: u32,
}

impl Units {
    fn new(p: &Point) -> Self {
        let mut rng = rng(4);
        let microseconds = if p.case == "10us" { 10 } else { 1 };
        let seeds = Shifted::new((0..p.n).map(|_| rng.u64()).collect());
        Self { seeds, steps: microseconds * STEPS_PER_MICROSECOND }
    }

    fn work(&self, at: usize) -> u64 {
        own_work(self.steps, self.seeds[at])
    }

    /// The next `many` units that nobody has claimed. The counter orders nothing else: relaxed will do.
    fn claim(&self, next: &AtomicUsize, many: usize) -> Option<Range<usize>> {
        let (from, all) = (next.fetch_add(many, Ordering::Relaxed), self.seeds.len());
        (from < all).then(|| from..all.min(from + many))
    }
}

/// A result, and where it belongs.
pub type Sent = (usize, u64);

// Code of results_channel.
/// The trap, in the worker: each result is sent to the caller.
pub fn send_each(units: &Units, next: &AtomicUsize, results: &Sender<Sent>) {
    while let Some(unit) = units.claim(next, 1) {
        // A send fails only when the receiver is gone, and it lives as long as the run.
        let _ = results.send((unit.start, units.work(unit.start)));
    }
}

// Code of results_channel.
/// The trap, in the caller: results are put in their places as they come (`sent.iter().take(n)`). With what a channel holds
/// when all workers are done (`sent.try_iter()`) it is the channel without a receiver.
pub fn place_each(sent: impl Iterator<Item = Sent>, slots: &[AtomicU64]) {
    sent.for_each(|(at, value)| slots[at].store(value, Ordering::Relaxed));
}

// Code of indexed_slots.
/// The advice, in the worker: each result is stored where it belongs. The caller's wait publishes the slots.
pub fn store_each(units: &Units, next: &AtomicUsize, slots: &[AtomicU64]) {
    while let Some(unit) = units.claim(next, 1) {
        slots[unit.start].store(units.work(unit.start), Ordering::Relaxed);
    }
}

/// The library's way: rayon splits the units as its workers run dry.
#[must_use]
pub fn collect_in_parallel(units: &Units, pool: &ThreadPool) -> Vec<u64> {
    pool.install(|| units.seeds.par_iter().map(|seed| own_work(units.steps, *seed)).collect())
}

/// The goroutine's shape: a task for each unit, on the spawning worker's queue until another steals it.
pub fn spawn_each(units: &Units, pool: &ThreadPool, slots: &[AtomicU64]) {
    pool.scope(|scope| {
        for (at, slot) in slots.iter().enumerate() {
            scope.spawn(move |_| slot.store(units.work(at), Ordering::Relaxed));
        }
    });
}

/// The floor: no hand-over but 16 units at a time, and each result goes straight to its place.
pub fn store_claims(units: &Units, pool: &ThreadPool, slots: &[AtomicU64]) {
    let next = Counter::default();
    pool.broadcast(|_| {
        while let Some(claim) = units.claim(&next, 16) {
            claim.for_each(|at| slots[at].store(units.work(at), Ordering::Relaxed));
        }
    });
}

/// Σ value · (2·index + 1): a value that is lost, or in another's place, changes it.
fn weigh(values: impl Iterator<Item = u64>) -> u64 {
    values.zip((1..).step_by(2)).fold(0, |sum, (value, odd)| sum.wrapping_add(value.wrapping_mul(odd)))
}

fn weigh_slots(slots: &[AtomicU64]) -> u64 {
    weigh(slots.iter().map(|slot| slot.load(Ordering::Relaxed)))
}

/// On lines of its own: what lies beside it would travel with it.
type Counter = CachePadded<AtomicUsize>;

/// What a run shares: the next unit, the results, and what its arm has more.
struct Run<E> {
    next: Counter,
    slots: Vec<AtomicU64>,
    extra: E,
}

impl<E> Run<E> {
    fn new(units: &Units, extra: E) -> Self {
        Self { next: Counter::default(), slots: units.seeds.iter().map(|_| AtomicU64::new(0)).collect(), extra }
    }
}

/// An arm on the crew: `extra` is made before the clock, `part` is the worker's and `collect` the caller's.
fn on_crew<E: Send + Sync + 'static>(
    p: &Point,
    extra: impl Fn(&Units) -> E + 'static,
    part: impl Fn(&Units, &Run<E>, usize) + Send + Sync + 'static,
    collect: impl Fn(&Run<E>, &Finish<'_>) + 'static,
) -> Box<dyn Routine> {
    let call = move |units: &Arc<Units>| Run::new(units, extra(units));
    let part = move |units: &Arc<Units>, run: &Run<E>, worker: usize| part(units, run, worker);
    gather(p.threads, shared(p, Units::new), call, part, move |_, run, finish| {
        collect(run, finish);
        weigh_slots(&run.slots)
    })
}

type Channel = (Sender<Sent>, Receiver<Sent>);

fn channel(p: &Point, collect: fn(&Run<Channel>, &Finish<'_>)) -> Box<dyn Routine> {
    let buffer = |units: &Units| bounded(units.seeds.len());
    on_crew(p, buffer, |units, run: &Run<Channel>, _| send_each(units, &run.next, &run.extra.0), collect)
}

fn results_channel(p: &Point) -> Box<dyn Routine> {
    channel(p, |run, _| place_each(run.extra.1.iter().take(run.slots.len()), &run.slots))
}

fn channel_drained(p: &Point) -> Box<dyn Routine> {
    channel(p, |run, finish| {
        finish.wait();
        place_each(run.extra.1.try_iter(), &run.slots);
    })
}

// Code of indexed_slots.
fn indexed_slots(p: &Point) -> Box<dyn Routine> {
    on_crew(p, |_| (), |units, run, _| store_each(units, &run.next, &run.slots), |_, finish| finish.wait())
}

/// An arm on rayon's pool: a crew of nobody, and a caller that sits where it does in the other arms.
fn on_rayon(p: &Point, run: fn(&Units, &ThreadPool, &[AtomicU64]) -> u64) -> Box<dyn Routine> {
    type Input = (Arc<Units>, ThreadPool);
    let threads = p.threads;
    let call = move |(units, pool): &Input| {
        place::take_seat(threads);
        Run::new(units, muster(pool))
    };
    let nobody = |_: &Input, _: &Run<Muster>, _: usize| ();
    gather(0, (shared(p, Units::new), pool(threads)), call, nobody, move |(units, pool), call, _| {
        call.extra.fetch_add(1, Ordering::AcqRel);
        run(units, pool, &call.slots)
    })
}

fn rayon_collect(p: &Point) -> Box<dyn Routine> {
    on_rayon(p, |units, pool, _| weigh(collect_in_parallel(units, pool).into_iter()))
}

fn task_a_unit(p: &Point) -> Box<dyn Routine> {
    on_rayon(p, |units, pool, slots| {
        spawn_each(units, pool, slots);
        weigh_slots(slots)
    })
}

fn claimed_slots(p: &Point) -> Box<dyn Routine> {
    on_rayon(p, |units, pool, slots| {
        store_claims(units, pool, slots);
        weigh_slots(slots)
    })
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "fan_in",
    title: "A results channel for tiny units",
    section: "concurrency",
    habit: "collect the results of a worker pool through a channel, one send a unit, when a unit takes microseconds",
    claims: &["E5", "E6"],
    counts: "units",
    op: "one unit computed and its result collected",
    points: &[
        Point::n(1_000).threads(2).case("1us").headline(),
        Point::n(10_000).threads(2).case("1us"),
        Point::n(1_000).threads(2).case("10us"),
        Point::n(1_000).case("1us").headline(),
        Point::n(200).case("10us"),
    ],
    cases: &[("1us", "a unit is about 1 µs of own work"), ("10us", "a unit is about 10 µs of own work")],
    variants: &[
        Variant::trap("results_channel", results_channel),
        Variant::fix("indexed_slots", indexed_slots),
        Variant::fix("channel_drained", channel_drained),
        Variant::fix("rayon_collect", rayon_collect),
        Variant::fix("task_a_unit", task_a_unit),
        Variant::floor("claimed_slots", claimed_slots),
    ],
    blind: &[
        (Instrument::Instructions, "several threads: callgrind runs one at a time and sees no waiting"),
        (Instrument::Latency, "a batch: nobody waits for one of its units"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::{Shape, Work};

    #[test]
    fn every_variant_collects_every_result_also_when_some_workers_get_none() {
        for (n, threads) in [(257, 1), (257, 2), (3, 8), (16, 2), (1, 1)] {
            let p = Point::n(n).threads(threads);
            let units = Units::new(&p);
            let expected = weigh((0..p.len()).map(|at| units.work(at)));
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), expected, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn the_answer_knows_a_lost_value_and_a_misplaced_one() {
        let answer = |values: [u64; 2]| weigh(values.into_iter());
        assert_eq!(answer([5, 7]), 5 + 3 * 7);
        assert!(answer([7, 5]) != answer([5, 7]) && answer([0, 7]) != answer([5, 7]));
    }

    #[test]
    fn a_drained_channel_has_held_all_results_and_is_empty() {
        let units = Units::new(&Point::n(100));
        let (send, receive) = bounded(100);
        send_each(&units, &AtomicUsize::new(0), &send);
        assert_eq!(receive.len(), 100);
        let run = Run::new(&units, ());
        place_each(receive.try_iter(), &run.slots);
        assert!(receive.is_empty());
        assert_eq!(weigh_slots(&run.slots), weigh((0..100).map(|at| units.work(at))));
    }

    #[test]
    fn all_arms_of_a_point_do_fixed_work_and_leave_nothing_behind() {
        for variant in TRAP.variants {
            let mut routine = (variant.batch)(&Point::n(20).threads(2));
            let digest = routine.digest();
            assert_eq!((routine.shape(), routine.block(Work::Runs(3)).runs), (Shape::Gather, 3));
            assert_eq!(routine.digest(), digest, "{}", variant.name);
        }
    }
}
