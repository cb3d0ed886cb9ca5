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
//! A bounded `crossbeam_channel` of the same capacity and a receiver that puts each value in its place. Alike: a send
//! is a synchronised hand-over, and the receiver is woken when it waits. Only similar: Go's channel takes a lock for
//! each operation and parks goroutines in user space, while crossbeam's takes one compare-and-swap in an array of slots
//! and parks threads in the kernel. So an uncontended send is cheaper here and a wake-up dearer.
//!
//! All variants run on one pool of `threads` workers that was started before the clock, and the caller waits while they
//! work; they differ in how results come back. The channel's receiver is the caller, as in Go: a third thread, and on
//! two cores it takes its time from the workers.
//!
//! ## Why it costs
//!
//! Each result pays for a slot in the channel, whose lines travel from the worker's cache to the receiver's, for the
//! shared tail that both workers write, and now and then for waking a receiver that had caught up. The receiver then
//! stores the value where the worker could have stored it. When a unit takes a microsecond, this is a visible share of
//! it; when a unit takes a millisecond, nobody can find it. A slot of one's own needs no hand-over: the end of the
//! scope is the only synchronisation.
//!
//! ## When the fix loses
//!
//! - When results must be handled as they come, to start the next stage early or to bound memory: slots give all or
//!   nothing.
//! - When units fail or are cancelled midway: a channel says so as it happens.
//! - When the number of results is not known before.
//! - The static split has no counter to share, and loses as soon as units are unequal: the slowest share decides.
//!
//! ## What to measure it with
//!
//! Time, over the size of the unit as much as over their number: the regime is the finding. Heap counts see the
//! channel's buffer. Context switches say how often the receiver slept. Instructions are blind: callgrind runs one
//! thread at a time and sees no waiting.
//!
//! ## Sources
//!
//! - The Go Blog, "Go Concurrency Patterns: Pipelines and cancellation"
//! - Go runtime, `chansend` and `chanrecv` in `runtime/chan.go`
//! - crossbeam-channel, `src/flavors/array.rs`, after Dmitry Vyukov's bounded MPMC queue
//! - Blumofe and Leiserson, "Scheduling Multithreaded Computations by Work Stealing", JACM 46(5), 1999, for rayon's
//!   scheduler

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::bounded;
use crossbeam_utils::CachePadded;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::routine::layout::offset_heap;
use crate::trap::{Instrument, Point, Routine, Trap, Variant, routine};
use crate::workload::{STEPS_PER_MICROSECOND, own_work, rng};

/// The next index, on lines of its own: what lies beside it on the stack would travel with it.
type Counter = CachePadded<AtomicUsize>;

/// Units of work of one fixed length, and the workers that share them.
pub struct Job {
    units: Vec<u64>,
    steps: u32,
    workers: ThreadPool,
}

impl Job {
    fn work(&self, at: usize) -> u64 {
        own_work(self.steps, self.units[at])
    }

    /// The next unit that nobody has taken. The counter hands out indices and orders nothing else: relaxed will do.
    fn take(&self, next: &Counter) -> Option<usize> {
        Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < self.units.len())
    }
}

/// The trap: each result is sent to the caller, which puts it in its place.
#[must_use]
pub fn results_channel(job: &Job) -> Vec<u64> {
    let (next, mut results) = (&Counter::default(), vec![0; job.units.len()]);
    let (send, receive) = bounded(job.units.len());
    job.workers.in_place_scope(|scope| {
        for _ in 0..job.workers.current_num_threads() {
            let send = send.clone();
            scope.spawn(move |_| {
                while let Some(at) = job.take(next) {
                    // A send fails only when the receiver is gone, and it outlives the scope.
                    let _ = send.send((at, job.work(at)));
                }
            });
        }
        drop(send);
        for (at, value) in receive {
            results[at] = value;
        }
    });
    results
}

/// The advice: each worker stores its result where it belongs. The end of the scope publishes the slots.
#[must_use]
pub fn indexed_slots(job: &Job) -> Vec<u64> {
    let next = &Counter::default();
    let slots: Vec<AtomicU64> = job.units.iter().map(|_| AtomicU64::new(0)).collect();
    job.workers.in_place_scope(|scope| {
        for _ in 0..job.workers.current_num_threads() {
            scope.spawn(|_| {
                while let Some(at) = job.take(next) {
                    slots[at].store(job.work(at), Ordering::Relaxed);
                }
            });
        }
    });
    slots.into_iter().map(AtomicU64::into_inner).collect()
}

/// The library's way: slots again, with the units split as workers run dry.
#[must_use]
pub fn rayon_collect(job: &Job) -> Vec<u64> {
    job.workers.install(|| job.units.par_iter().map(|unit| own_work(job.steps, *unit)).collect())
}

/// The floor: equal shares, one for each worker; nothing is shared until all are done.
#[must_use]
pub fn static_split(job: &Job) -> Vec<u64> {
    let mut results = vec![0; job.units.len()];
    let share = job.units.len().div_ceil(job.workers.current_num_threads());
    job.workers.in_place_scope(|scope| {
        for (results, units) in results.chunks_mut(share).zip(job.units.chunks(share)) {
            scope.spawn(move |_| {
                for (result, unit) in results.iter_mut().zip(units) {
                    *result = own_work(job.steps, *unit);
                }
            });
        }
    });
    results
}

fn job(p: &Point) -> Job {
    let mut rng = rng(4);
    let microseconds = if p.case == "10us" { 10 } else { 1 };
    let pool = ThreadPoolBuilder::new().num_threads(p.threads).start_handler(|_| offset_heap());
    Job {
        units: (0..p.n).map(|_| rng.u64(..)).collect(),
        steps: microseconds * STEPS_PER_MICROSECOND,
        workers: pool.build().unwrap_or_else(|error| panic!("cannot start {} workers: {error}", p.threads)),
    }
}

fn arm(p: &Point, run: impl Fn(&Job) -> Vec<u64> + 'static) -> Box<dyn Routine> {
    routine(job(p), move |job| run(job))
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
        Point::n(100).threads(2).case("1us"),
        Point::n(1_000).threads(2).case("1us").headline(),
        Point::n(10_000).threads(2).case("1us"),
        Point::n(1_000).threads(2).case("10us"),
    ],
    variants: &[
        Variant::trap("results_channel", |p| arm(p, results_channel)),
        Variant::fix("indexed_slots", |p| arm(p, indexed_slots)),
        Variant::fix("rayon_collect", |p| arm(p, rayon_collect)),
        Variant::floor("static_split", |p| arm(p, static_split)),
    ],
    blind: &[(Instrument::Instructions, "two threads: callgrind runs one at a time and sees no waiting")],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(job: &Job) -> Vec<u64> {
        (0..job.units.len()).map(|at| job.work(at)).collect()
    }

    #[test]
    fn every_result_is_in_its_place() {
        let job = job(&Point::n(257).threads(2));
        let expected = expected(&job);
        for collect in [results_channel, indexed_slots, rayon_collect, static_split] {
            assert_eq!(collect(&job), expected);
        }
    }

    #[test]
    fn fewer_units_than_workers_leave_a_worker_idle() {
        let job = job(&Point::n(3).threads(8));
        let expected = expected(&job);
        for collect in [results_channel, indexed_slots, rayon_collect, static_split] {
            assert_eq!(collect(&job), expected);
        }
    }
}
