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
//! synchronised hand-over, and a receiver that sleeps has to be woken by it. Only similar: Go's channel takes a lock for each
//! operation and parks goroutines in user space, crossbeam's takes one compare-and-swap in an array of slots and parks
//! threads in the kernel; and before it parks, crossbeam's receiver spins (127 pauses, then yields four times).
//!
//! All arms but two run on one crew of pinned workers, awake when the clock starts, which stops when the caller has every
//! result in its place. The caller is a thread of its own, pinned as the next worker would be: beside one worker it
//! has a core to itself, beside two on two cores it takes its time from the first. `rayon_collect` and `task_a_unit` have
//! a pinned pool of rayon's each. It is mustered before the clock, so that it is awake as well, and sleeps while others run.
//!
//! Memory for results, the channel's buffer and the workers' own vectors is made before the clock and dropped after it, in all arms; a
//! task a unit allocates each task inside, for that is what it does, and rayon a block of its queue now and then. All
//! callers end with one weighing of the results.
//!
//! ## Why it costs
//!
//! Each result pays for a slot in the channel, whose lines travel from the worker's cache to the receiver's, and for the
//! shared tail that both workers write. `channel_drained` pays that and no more. A receiver that takes each result as
//! it comes adds the head that it reads against the senders, the core that it spins on, and, once results come further apart
//! than it spins, a wake-up a result that *the sender* pays for. All of it is a fixed price a result: a visible share of a microsecond, and
//! nothing beside a millisecond. A slot of one's own needs no hand-over; the wait at the end is the only one.
//!
//! Expected, then: with one worker the receiver costs little, for it has a core, and the price is the channel's; with two on two
//! cores it takes a core's time, and the slots win by most. At 10 µs a unit both shrink to a few parts in a hundred, unless
//! the receiver sleeps between results. Whether `channel_drained`, which has no receiver to sleep, shrinks alike, and whether one
//! worker (a result each 10 µs) and two (each 5 µs) do, tells the channel's price from the length of a back-off.
//!
//! ## When the fix loses
//!
//! - When results must be handled as they come, to start the next stage early or to bound memory: slots give all or
//!   nothing.
//! - When units fail or are cancelled midway: a channel says so as it happens.
//! - When the number of results is not known before.
//! - When the run is so short that sleeping until the last worker is done, and being woken, is a part of it: a receiver that spins
//!   is there already.
//! - Claims of 16 units, as in the floor, leave a worker idle at the end when units are few or unequal.
//!
//! ## What to measure it with
//!
//! Time, over the size of the unit and the number of workers: the regime is the finding. CPU time beside it, for a
//! receiver that spins takes no time from one worker and a core from the machine; of rayon's arms only the caller's
//! is seen. Heap counts see the channel's buffer and the tasks. Instructions are blind: callgrind runs one thread at a time and
//! sees no waiting.
//!
//! ## Sources
//!
//! - The Go Blog, "Go Concurrency Patterns: Pipelines and cancellation"
//! - Go runtime, `chansend` and `chanrecv` in `runtime/chan.go`
//! - crossbeam-channel, `src/flavors/array.rs`, after Dmitry Vyukov's bounded MPMC queue; crossbeam-utils, `src/backoff.rs`
//! - Blumofe and Leiserson, "Scheduling Multithreaded Computations by Work Stealing", JACM 46(5), 1999, for rayon's
//!   scheduler

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::yield_now;

use crossbeam_channel::{Receiver, Sender, bounded};
use crossbeam_utils::CachePadded;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::routine::{layout, place};
use crate::trap::{Finish, Instrument, Point, Routine, Trap, Variant, gather};
use crate::workload::{STEPS_PER_MICROSECOND, Shifted, own_work, rng, shared};

/// The next index, on lines of its own: what lies beside it would travel with it.
type Counter = CachePadded<AtomicUsize>;

/// How many units a worker of the floor claims at a time.
const CLAIM: usize = 16;

/// Units of work of one fixed length.
pub struct Units {
    seeds: Shifted<u64>,
    steps: u32,
}

impl Units {
    fn new(p: &Point) -> Self {
        let mut rng = rng(4);
        let microseconds = if p.case == "10us" { 10 } else { 1 };
        let seeds = Shifted::new((0..p.n).map(|_| rng.u64(..)).collect());
        Self { seeds, steps: microseconds * STEPS_PER_MICROSECOND }
    }

    fn work(&self, at: usize) -> u64 {
        own_work(self.steps, self.seeds[at])
    }

    /// The next `many` units that nobody has claimed. The counter hands out indices and orders nothing else: relaxed will
    /// do.
    fn claim(&self, next: &AtomicUsize, many: usize) -> Option<Range<usize>> {
        let (from, all) = (next.fetch_add(many, Ordering::Relaxed), self.seeds.len());
        (from < all).then(|| from..all.min(from + many))
    }
}

/// A result, and where it belongs.
pub type Sent = (usize, u64);

/// The trap, in the worker: each result is sent to the caller.
pub fn send_each(units: &Units, next: &AtomicUsize, results: &Sender<Sent>) {
    while let Some(unit) = units.claim(next, 1) {
        // A send fails only when the receiver is gone, and it lives as long as the run.
        let _ = results.send((unit.start, units.work(unit.start)));
    }
}

/// The trap, in the caller: each result is put in its place as it comes.
pub fn receive_each(sent: &Receiver<Sent>, results: &mut [u64]) {
    for (at, value) in sent.iter().take(results.len()) {
        results[at] = value;
    }
}

/// The channel without its receiver: the caller waits for the workers first, and empties the channel then.
pub fn drain(sent: &Receiver<Sent>, results: &mut [u64]) {
    for (at, value) in sent.try_iter() {
        results[at] = value;
    }
}

/// The advice, in the worker: each result is stored where it belongs. The caller's wait publishes the slots.
pub fn store_each(units: &Units, next: &AtomicUsize, slots: &[AtomicU64]) {
    while let Some(unit) = units.claim(next, 1) {
        slots[unit.start].store(units.work(unit.start), Ordering::Relaxed);
    }
}

/// The library's way: rayon splits the units as its workers run dry. Does not allocate if `results` has room.
pub fn collect_in_parallel(units: &Units, pool: &ThreadPool, results: &mut Vec<u64>) {
    let work = |seed: &u64| own_work(units.steps, *seed);
    pool.install(|| units.seeds.par_iter().map(work).collect_into_vec(results));
}

/// The goroutine's shape: a task for each unit, on the spawning worker's queue until another steals it.
pub fn spawn_each(units: &Units, pool: &ThreadPool, slots: &[AtomicU64]) {
    pool.scope(|scope| {
        for (at, slot) in slots.iter().enumerate() {
            scope.spawn(move |_| slot.store(units.work(at), Ordering::Relaxed));
        }
    });
}

/// What one worker of the floor has done: where each claim began, and the values of all of them in that order.
pub struct Own {
    claims: Vec<usize>,
    values: Vec<u64>,
}

impl Own {
    fn with_room(units: usize) -> Self {
        Self { claims: Vec::with_capacity(units.div_ceil(CLAIM)), values: Vec::with_capacity(units) }
    }
}

/// The floor, in the worker: 16 units at a time, into a vector that nobody else sees.
pub fn append_own(units: &Units, next: &AtomicUsize, own: &mut Own) {
    while let Some(claim) = units.claim(next, CLAIM) {
        own.claims.push(claim.start);
        own.values.extend(claim.map(|at| units.work(at)));
    }
}

/// The floor, in the caller: the vectors are put together. Only the last claim of all can be short, and it is the last of its worker.
pub fn concatenate(own: &Own, results: &mut [u64]) {
    for (&from, values) in own.claims.iter().zip(own.values.chunks(CLAIM)) {
        results[from..from + values.len()].copy_from_slice(values);
    }
}

/// Σ value · (2·index + 1): a value that is lost, or in another's place, changes it.
fn weigh(values: impl Iterator<Item = u64>) -> u64 {
    values.zip((1..).step_by(2)).fold(0, |sum, (value, odd)| sum.wrapping_add(value.wrapping_mul(odd)))
}

fn weigh_slots(slots: &[AtomicU64]) -> u64 {
    weigh(slots.iter().map(|slot| slot.load(Ordering::Relaxed)))
}

/// A lock that is taken once a run and that nobody else asks for: the run's state is shared between threads.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Channel {
    next: Counter,
    send: Sender<Sent>,
    receive: Receiver<Sent>,
    results: Mutex<Vec<u64>>,
}

fn channel(p: &Point, collect: fn(&Receiver<Sent>, &mut [u64], &Finish<'_>)) -> Box<dyn Routine> {
    let call = |units: &Arc<Units>| {
        let (send, receive) = bounded(units.seeds.len());
        Channel { next: Counter::default(), send, receive, results: Mutex::new(vec![0; units.seeds.len()]) }
    };
    let part = |units: &Arc<Units>, call: &Channel, _: usize| send_each(units, &call.next, &call.send);
    gather(p.threads, shared(p, Units::new), call, part, move |_, call, finish| {
        let mut results = lock(&call.results);
        collect(&call.receive, &mut results, finish);
        weigh(results.iter().copied())
    })
}

fn results_channel(p: &Point) -> Box<dyn Routine> {
    channel(p, |sent, results, _| receive_each(sent, results))
}

fn channel_drained(p: &Point) -> Box<dyn Routine> {
    channel(p, |sent, results, finish| {
        finish.wait();
        drain(sent, results);
    })
}

fn slots(units: &Arc<Units>) -> Vec<AtomicU64> {
    units.seeds.iter().map(|_| AtomicU64::new(0)).collect()
}

fn indexed_slots(p: &Point) -> Box<dyn Routine> {
    type Call = (Counter, Vec<AtomicU64>);
    let part = |units: &Arc<Units>, (next, slots): &Call, _: usize| store_each(units, next, slots);
    let call = |units: &Arc<Units>| (Counter::default(), slots(units));
    gather(p.threads, shared(p, Units::new), call, part, |_, (_, slots): &Call, finish| {
        finish.wait();
        weigh_slots(slots)
    })
}

fn per_worker_vectors(p: &Point) -> Box<dyn Routine> {
    struct Call {
        next: Counter,
        own: Vec<CachePadded<Mutex<Own>>>,
        results: Mutex<Vec<u64>>,
    }
    let threads = p.threads;
    let call = move |units: &Arc<Units>| Call {
        next: Counter::default(),
        own: (0..threads).map(|_| CachePadded::new(Mutex::new(Own::with_room(units.seeds.len())))).collect(),
        results: Mutex::new(vec![0; units.seeds.len()]),
    };
    let part =
        |units: &Arc<Units>, call: &Call, worker: usize| append_own(units, &call.next, &mut lock(&call.own[worker]));
    gather(threads, shared(p, Units::new), call, part, |_, call, finish| {
        finish.wait();
        let mut results = lock(&call.results);
        call.own.iter().for_each(|own| concatenate(&lock(own), &mut results));
        weigh(results.iter().copied())
    })
}

/// A pool whose workers sit where the crew's do.
fn pool(threads: usize) -> ThreadPool {
    let pool = ThreadPoolBuilder::new().num_threads(threads).start_handler(|worker| {
        layout::offset_heap();
        place::take_seat(worker);
    });
    pool.build().unwrap_or_else(|error| panic!("cannot start {threads} workers: {error}"))
}

fn wait_for(arrived: &Counter, all: usize) {
    while arrived.load(Ordering::Acquire) < all {
        yield_now();
    }
}

/// Calls rayon's workers and holds them until one more arrives, the caller: none is asleep when the clock starts.
fn muster(pool: &ThreadPool) -> Arc<Counter> {
    let (arrived, all) = (Arc::new(Counter::default()), pool.current_num_threads());
    let theirs = Arc::clone(&arrived);
    pool.spawn_broadcast(move |_| {
        theirs.fetch_add(1, Ordering::AcqRel);
        wait_for(&theirs, all + 1);
    });
    wait_for(&arrived, all);
    arrived
}

/// An arm on rayon's pool: the crew has no part in it, and the caller sits where it does in the other arms.
fn on_rayon<C>(p: &Point, call: fn(&Arc<Units>) -> C, run: fn(&Units, &ThreadPool, &C) -> u64) -> Box<dyn Routine>
where
    C: Send + Sync + 'static,
{
    type Input = (Arc<Units>, ThreadPool);
    let threads = p.threads;
    let call = move |(units, pool): &Input| {
        place::take_seat(threads);
        (call(units), muster(pool))
    };
    let nobody = |_: &Input, _: &(C, Arc<Counter>), _: usize| ();
    gather(0, (shared(p, Units::new), pool(threads)), call, nobody, move |(units, pool), (call, arrived), _| {
        arrived.fetch_add(1, Ordering::AcqRel);
        run(units, pool, call)
    })
}

fn rayon_collect(p: &Point) -> Box<dyn Routine> {
    let room = |units: &Arc<Units>| Mutex::new(Vec::with_capacity(units.seeds.len()));
    on_rayon(p, room, |units, pool, results| {
        let mut results = lock(results);
        collect_in_parallel(units, pool, &mut results);
        weigh(results.iter().copied())
    })
}

fn task_a_unit(p: &Point) -> Box<dyn Routine> {
    on_rayon(p, slots, |units, pool, slots| {
        spawn_each(units, pool, slots);
        weigh_slots(slots)
    })
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "fan_in",
    title: "A results channel for tiny units",
    section: "concurrency",
    habit: "collect the results of a worker pool through a channel, one send a unit, when a unit takes microseconds",
    claims: &["E5"],
    counts: "units",
    op: "one unit computed and its result collected",
    points: &[
        Point::n(1_000).case("1us").headline(),
        Point::n(1_000).case("10us"),
        Point::n(1_000).threads(2).case("1us").headline(),
        Point::n(10_000).threads(2).case("1us"),
        Point::n(1_000).threads(2).case("10us"),
    ],
    variants: &[
        Variant::trap("results_channel", results_channel),
        Variant::fix("indexed_slots", indexed_slots),
        Variant::fix("channel_drained", channel_drained),
        Variant::fix("rayon_collect", rayon_collect),
        Variant::fix("task_a_unit", task_a_unit),
        Variant::floor("per_worker_vectors", per_worker_vectors),
    ],
    blind: &[(Instrument::Instructions, "several threads: callgrind runs one at a time and sees no waiting")],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::{Shape, Work};

    fn answers(p: &Point) -> Vec<(&'static str, u64)> {
        TRAP.variants.iter().map(|v| (v.name, (v.batch)(p).digest())).collect()
    }

    #[test]
    fn every_variant_collects_every_result_also_when_some_workers_get_none() {
        for (n, threads) in [(257, 1), (257, 2), (3, 8), (16, 2), (1, 1)] {
            let p = Point::n(n).threads(threads);
            let units = Units::new(&p);
            let expected = weigh((0..p.len()).map(|at| units.work(at)));
            assert!(answers(&p).iter().all(|(_, answer)| *answer == expected), "{p}: {:?}", answers(&p));
        }
    }

    #[test]
    fn the_answer_knows_a_lost_value_and_a_misplaced_one() {
        let answer = |values: &[u64]| weigh(values.iter().copied());
        assert_eq!(answer(&[5, 7]), 5 + 3 * 7);
        assert_ne!(answer(&[7, 5]), answer(&[5, 7]));
        assert_ne!(answer(&[0, 7]), answer(&[5, 7]));
    }

    #[test]
    fn a_drained_channel_has_held_all_results_and_is_empty() {
        let units = Units::new(&Point::n(100));
        let (send, receive) = bounded(100);
        send_each(&units, &AtomicUsize::new(0), &send);
        assert_eq!(receive.len(), 100);
        let mut results = vec![0; 100];
        drain(&receive, &mut results);
        assert!(receive.is_empty() && results.iter().enumerate().all(|(at, value)| *value == units.work(at)));
    }

    #[test]
    fn the_floor_never_needs_more_room_than_it_was_given() {
        let (units, mut own) = (Units::new(&Point::n(100)), Own::with_room(100));
        let room = (own.claims.capacity(), own.values.capacity());
        append_own(&units, &AtomicUsize::new(0), &mut own);
        assert_eq!((own.claims.len(), own.values.len()), (7, 100));
        assert_eq!((own.claims.capacity(), own.values.capacity()), room);
    }

    #[test]
    fn all_arms_of_a_point_do_fixed_work_block_after_block() {
        let p = Point::n(20).threads(2);
        for variant in TRAP.variants {
            let mut routine = (variant.batch)(&p);
            let digest = routine.digest();
            assert_eq!((routine.shape(), routine.block(Work::Runs(3)).runs), (Shape::Gather, 3));
            assert_eq!(routine.digest(), digest, "{}: runs leave nothing behind", variant.name);
        }
    }
}
